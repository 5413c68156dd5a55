-- Finds the first who replied in a thread.
CREATE INDEX thread_parts_replies ON {schema}.thread_parts (root_id, replied_position)
    WHERE replied_position IS NOT NULL;
