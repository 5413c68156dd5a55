CREATE INDEX threads_channel ON {schema}.threads (channel_id);
