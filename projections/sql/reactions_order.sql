-- Lists who reacts with an emoji, the first first.
CREATE UNIQUE INDEX reactions_order ON {schema}.reactions (message_id, emoji, position);
