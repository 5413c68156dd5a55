-- category_id never names a channel that is gone. community_id is null for a direct or group channel, owner_id but for a
-- group, name for a direct channel and for a group that has none. overwrites is the list of {role|account, allow, deny}
-- that the domain reads. place is where the channel stands in its community's order, null for one that the order does not
-- name: it comes after the others. slow_mode is in seconds.
CREATE TABLE {schema}.channels (
    id           uuid        NOT NULL,
    community_id uuid,
    category_id  uuid,
    owner_id     uuid,
    created_at   timestamptz NOT NULL,
    place        integer,
    slow_mode    integer     NOT NULL DEFAULT 0,
    private      boolean     NOT NULL,
    archived     boolean     NOT NULL DEFAULT false,
    kind         text        NOT NULL,
    name         text,
    topic        text        NOT NULL,
    overwrites   jsonb       NOT NULL,
    CONSTRAINT channels_pkey PRIMARY KEY (id)
);
