-- Finds the position from which a channel is shown as it was at some time.
CREATE INDEX messages_time ON {schema}.messages (channel_id, created_at, position) WHERE thread_id IS NULL;
