CREATE INDEX scheduled_messages_account ON account_data.scheduled_messages (account, send_at) WHERE state <> 'done';
