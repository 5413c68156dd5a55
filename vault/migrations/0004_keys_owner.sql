CREATE INDEX keys_owner ON vault.keys (owner);
