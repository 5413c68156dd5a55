-- Lists who votes for an option, the first first.
CREATE UNIQUE INDEX poll_votes_order ON {schema}.poll_votes (message_id, option, position);
