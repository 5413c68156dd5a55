CREATE INDEX memberships_account ON {schema}.memberships (account_id, position);
