-- Who has blocked whom.
CREATE TABLE {schema}.blocks (
    by_account uuid        NOT NULL,
    account_id uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT blocks_pkey PRIMARY KEY (by_account, account_id)
);
