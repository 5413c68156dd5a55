CREATE INDEX audit_entries_actor ON {schema}.audit_entries (community_id, actor_id, position);
