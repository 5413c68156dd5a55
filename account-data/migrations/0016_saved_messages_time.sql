CREATE INDEX saved_messages_time ON account_data.saved_messages (account, saved_at, message);
