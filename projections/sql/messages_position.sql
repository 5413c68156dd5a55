-- Every page of a channel is a range of this index, however long the channel's history is.
CREATE UNIQUE INDEX messages_position ON {schema}.messages (channel_id, position) WHERE thread_id IS NULL;
