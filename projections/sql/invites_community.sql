CREATE INDEX invites_community ON {schema}.invites (community_id, position);
