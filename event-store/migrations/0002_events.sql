-- One row per event, in the order of the log. Fixed-width columns stand first so that no row is padded.
CREATE TABLE log.events (
    position    bigint      GENERATED ALWAYS AS IDENTITY (CACHE 1),
    version     bigint      NOT NULL,
    recorded_at timestamptz NOT NULL,
    id          uuid        NOT NULL,
    key_id      uuid,
    schema      smallint    NOT NULL,
    stream      text        COLLATE "C" NOT NULL,
    kind        text        COLLATE "C" NOT NULL,
    topic       text        COLLATE "C" NOT NULL,
    data        bytea       NOT NULL,
    nonce       bytea,
    ciphertext  bytea,
    meta        bytea       NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (position),
    CONSTRAINT events_id_key UNIQUE (id),
    CONSTRAINT events_stream_version_key UNIQUE (stream, version),
    CONSTRAINT events_position_check CHECK (position > 0),
    CONSTRAINT events_version_check CHECK (version > 0),
    CONSTRAINT events_sealed_check CHECK (num_nulls(key_id, nonce, ciphertext) IN (0, 3)),
    CONSTRAINT events_nonce_check CHECK (octet_length(nonce) = 24)
);

CREATE INDEX events_topic_position_idx ON log.events (topic, position);
