CREATE TABLE {schema}.invites (
    code         text        COLLATE "C" NOT NULL,
    community_id uuid        NOT NULL,
    created_by   uuid        NOT NULL,
    position     bigint      NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    max_uses     integer,
    uses         integer     NOT NULL,
    CONSTRAINT invites_pkey PRIMARY KEY (code)
);
