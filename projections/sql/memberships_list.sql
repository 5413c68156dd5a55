CREATE INDEX memberships_list ON {schema}.memberships (community_id, sort_name, account_id) WHERE state = 'member';
