-- Texts that were replaced. The contents of a deleted message are null here too.
CREATE TABLE {schema}.message_versions (
    message_id uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    version    integer     NOT NULL,
    content    text,
    CONSTRAINT message_versions_pkey PRIMARY KEY (message_id, version)
);
