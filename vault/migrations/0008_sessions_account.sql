CREATE INDEX sessions_account ON vault.sessions (account);
