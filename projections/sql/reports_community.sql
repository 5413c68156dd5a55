CREATE INDEX reports_community ON {schema}.reports (community_id, position);
