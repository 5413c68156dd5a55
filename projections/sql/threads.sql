-- Threads that have had a message. replies counts those that are not deleted; the last is the newest, deleted or not.
CREATE TABLE {schema}.threads (
    root_id       uuid        NOT NULL,
    channel_id    uuid        NOT NULL,
    last_position bigint      NOT NULL,
    last_reply_at timestamptz NOT NULL,
    replies       integer     NOT NULL,
    CONSTRAINT threads_pkey PRIMARY KEY (root_id)
);
