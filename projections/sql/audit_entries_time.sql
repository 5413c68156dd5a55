CREATE INDEX audit_entries_time ON {schema}.audit_entries (community_id, created_at, position);
