-- position is that of the post. version counts the texts there have been: this row has the newest, message_versions
-- the earlier ones. content is null when it was deleted or erased.
CREATE TABLE {schema}.messages (
    id         uuid        NOT NULL,
    channel_id uuid        NOT NULL,
    author_id  uuid        NOT NULL,
    reply_to   uuid,
    position   bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    edited_at  timestamptz,
    deleted_at timestamptz,
    version    integer     NOT NULL,
    content    text,
    CONSTRAINT messages_pkey PRIMARY KEY (id)
);
