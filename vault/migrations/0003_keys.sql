-- An account's key has key_id = owner and is wrapped by the master key; a message's key is wrapped by its owner's.
-- There is no foreign key from owner to key_id: deleting an account's one row must erase all its messages at once,
-- however many rows they are. A row whose owner's row is gone is unreadable and counts as absent.
CREATE TABLE vault.keys (
    key_id     uuid        NOT NULL,
    owner      uuid        NOT NULL,
    wrapped    bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT keys_pkey PRIMARY KEY (key_id),
    CONSTRAINT keys_wrapped_length CHECK (octet_length(wrapped) = 72)
);

-- Rows are deleted to forget: vacuum soon, so that their pages don't keep what is gone.
ALTER TABLE vault.keys SET (autovacuum_vacuum_scale_factor = 0.01);

-- Keys are high-entropy bytes, which no compression shortens.
ALTER TABLE vault.keys ALTER COLUMN wrapped SET STORAGE PLAIN;
