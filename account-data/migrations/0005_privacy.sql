-- What accounts let others know. No row: all that is let known unless somebody says otherwise.
CREATE TABLE account_data.privacy (
    account       uuid    NOT NULL,
    read_receipts boolean NOT NULL,
    CONSTRAINT privacy_pkey PRIMARY KEY (account)
);
