-- What an account began to write in a channel, or in the thread below a message of it; the channel itself is the nil
-- thread.
CREATE TABLE account_data.drafts (
    account    uuid        NOT NULL,
    channel    uuid        NOT NULL,
    thread     uuid        NOT NULL,
    reply_to   uuid,
    updated_at timestamptz NOT NULL,
    content    text        NOT NULL,
    CONSTRAINT drafts_pkey PRIMARY KEY (account, channel, thread)
);
