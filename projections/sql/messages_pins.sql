-- Lists a channel's pins, newest first.
CREATE INDEX messages_pins ON {schema}.messages (channel_id, pinned_position) WHERE pinned_position IS NOT NULL;
