CREATE INDEX receipts_account ON account_data.receipts (account);
