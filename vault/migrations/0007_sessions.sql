-- A revoked session stays, without its device, until it would have expired: a repeated command must not revive it.
CREATE TABLE vault.sessions (
    id           uuid        NOT NULL,
    account      uuid        NOT NULL,
    -- SHA-256 of the token. The token has 256 random bits, so neither salt nor a slow hash adds anything.
    token_digest bytea       NOT NULL,
    device       text,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    revocation   bigint,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_token_digest_key UNIQUE (token_digest),
    CONSTRAINT sessions_revocation_key UNIQUE (revocation),
    CONSTRAINT sessions_token_digest_length CHECK (octet_length(token_digest) = 32),
    CONSTRAINT sessions_device_length CHECK (char_length(device) <= 200),
    CONSTRAINT sessions_revoked CHECK ((revoked_at IS NULL) = (revocation IS NULL))
);
