CREATE TABLE vault.passwords (
    account    uuid        NOT NULL,
    -- A PHC string: algorithm, parameters, salt and hash.
    hash       text        NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT passwords_pkey PRIMARY KEY (account)
);
