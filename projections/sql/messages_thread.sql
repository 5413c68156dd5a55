-- Every page of a thread is a range of this index.
CREATE UNIQUE INDEX messages_thread ON {schema}.messages (thread_id, position) WHERE thread_id IS NOT NULL;
