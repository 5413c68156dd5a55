-- Finds the threads in which an account is mentioned.
CREATE INDEX mentions_thread ON {schema}.mentions (target, thread_id) WHERE thread_id IS NOT NULL;
