CREATE INDEX participants_account ON {schema}.participants (account_id, position);
