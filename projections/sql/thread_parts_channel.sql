CREATE INDEX thread_parts_channel ON {schema}.thread_parts (channel_id);
