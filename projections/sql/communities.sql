CREATE TABLE {schema}.communities (
    id         uuid        NOT NULL,
    owner_id   uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    name       text        NOT NULL,
    CONSTRAINT communities_pkey PRIMARY KEY (id)
);
