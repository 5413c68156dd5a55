CREATE INDEX audit_entries_account ON {schema}.audit_entries (community_id, account_id, position);
