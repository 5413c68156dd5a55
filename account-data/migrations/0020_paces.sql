-- When an account last posted in a channel in slow mode, by which command, and when before that: what holds again if nothing
-- comes of the command.
CREATE TABLE account_data.paces (
    account     uuid        NOT NULL,
    channel     uuid        NOT NULL,
    command     uuid        NOT NULL,
    claimed_at  timestamptz NOT NULL,
    previous_at timestamptz,
    CONSTRAINT paces_pkey PRIMARY KEY (account, channel)
);
