-- text and note are null where nobody wrote one or it was erased. changed_by and changed_at are those of the last change.
CREATE TABLE {schema}.reports (
    id           uuid        NOT NULL,
    community_id uuid        NOT NULL,
    channel_id   uuid        NOT NULL,
    message_id   uuid        NOT NULL,
    author_id    uuid        NOT NULL,
    reporter_id  uuid        NOT NULL,
    changed_by   uuid,
    position     bigint      NOT NULL,
    created_at   timestamptz NOT NULL,
    changed_at   timestamptz,
    reason       text        NOT NULL,
    state        text        NOT NULL,
    text         text,
    note         text,
    CONSTRAINT reports_pkey PRIMARY KEY (id),
    CONSTRAINT reports_changed_check CHECK ((changed_by IS NULL) = (changed_at IS NULL))
);
