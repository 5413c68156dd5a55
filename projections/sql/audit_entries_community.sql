CREATE INDEX audit_entries_community ON {schema}.audit_entries (community_id, position);
