CREATE INDEX scheduled_messages_due ON account_data.scheduled_messages (send_at) WHERE state = 'scheduled';
