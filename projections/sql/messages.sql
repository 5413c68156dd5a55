-- position is that of the post. version counts the texts there have been: this row has the newest, message_versions
-- the earlier ones. content is null when it was deleted or erased, and so is copy, the text of a message that was passed
-- on. thread_id is the first message of the thread that this one is in. mentions is null where there are none, forwarded
-- where nothing was passed on, and both when the message was deleted. pinned_position is that of the pin, while there is
-- one.
CREATE TABLE {schema}.messages (
    id              uuid        NOT NULL,
    channel_id      uuid        NOT NULL,
    author_id       uuid        NOT NULL,
    reply_to        uuid,
    thread_id       uuid,
    position        bigint      NOT NULL,
    created_at      timestamptz NOT NULL,
    edited_at       timestamptz,
    deleted_at      timestamptz,
    version         integer     NOT NULL,
    pinned_position bigint,
    pinned_at       timestamptz,
    pinned_by       uuid,
    mentions        jsonb,
    forwarded       jsonb,
    content         text,
    copy            text,
    CONSTRAINT messages_pkey PRIMARY KEY (id)
);
