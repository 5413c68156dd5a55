-- category_id never names a channel that is gone.
CREATE TABLE {schema}.channels (
    id           uuid        NOT NULL,
    community_id uuid        NOT NULL,
    category_id  uuid,
    created_at   timestamptz NOT NULL,
    kind         text        NOT NULL,
    name         text        NOT NULL,
    topic        text        NOT NULL,
    CONSTRAINT channels_pkey PRIMARY KEY (id)
);
