-- Accounts and the threads that they have to do with: involved, who wrote the first message or another, from `since` on;
-- said, whether they follow by their own word. replied_position is that of their first message in the thread. Who is
-- mentioned in a thread is in mentions alone.
CREATE TABLE {schema}.thread_parts (
    account_id       uuid    NOT NULL,
    root_id          uuid    NOT NULL,
    channel_id       uuid    NOT NULL,
    since            bigint  NOT NULL,
    replied_position bigint,
    involved         boolean NOT NULL,
    said             boolean,
    CONSTRAINT thread_parts_pkey PRIMARY KEY (account_id, root_id)
);
