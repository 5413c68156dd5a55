CREATE INDEX channels_community ON {schema}.channels (community_id);
