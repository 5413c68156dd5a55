-- Who takes part in a direct or group channel. A row stays when its participant goes, with the position of that change;
-- a channel that is gone has none but those.
CREATE TABLE {schema}.participants (
    channel_id uuid        NOT NULL,
    account_id uuid        NOT NULL,
    position   bigint      NOT NULL,
    joined_at  timestamptz,
    CONSTRAINT participants_pkey PRIMARY KEY (channel_id, account_id)
);
