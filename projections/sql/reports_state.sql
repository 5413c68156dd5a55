-- The open ones among many that are done with.
CREATE INDEX reports_state ON {schema}.reports (community_id, state, position);
