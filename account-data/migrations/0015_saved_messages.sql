CREATE TABLE account_data.saved_messages (
    account  uuid        NOT NULL,
    message  uuid        NOT NULL,
    saved_at timestamptz NOT NULL,
    CONSTRAINT saved_messages_pkey PRIMARY KEY (account, message)
);
