CREATE INDEX sessions_expires_at ON vault.sessions (expires_at);
