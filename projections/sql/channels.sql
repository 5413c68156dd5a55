-- category_id never names a channel that is gone. community_id is null for a direct or group channel, owner_id but for a
-- group, name for a direct channel and for a group that has none. overwrites is the list of {role|account, allow, deny}
-- that the domain reads.
CREATE TABLE {schema}.channels (
    id           uuid        NOT NULL,
    community_id uuid,
    category_id  uuid,
    owner_id     uuid,
    created_at   timestamptz NOT NULL,
    private      boolean     NOT NULL,
    kind         text        NOT NULL,
    name         text,
    topic        text        NOT NULL,
    overwrites   jsonb       NOT NULL,
    CONSTRAINT channels_pkey PRIMARY KEY (id)
);
