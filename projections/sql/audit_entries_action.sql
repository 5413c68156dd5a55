CREATE INDEX audit_entries_action ON {schema}.audit_entries (community_id, action, position);
