-- One row: a value derived from the master key, by which a wrong key is noticed before it does harm.
CREATE TABLE vault.master_key_check (
    only_row boolean NOT NULL DEFAULT true,
    value    bytea   NOT NULL,
    CONSTRAINT master_key_check_pkey PRIMARY KEY (only_row),
    CONSTRAINT master_key_check_only_row CHECK (only_row)
);
