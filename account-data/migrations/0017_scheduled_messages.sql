-- Messages to be posted later. Whoever sends one leases it, so that nobody else does meanwhile. One that is done has no
-- text; it stays where it was made with an idempotency key, so that its command, repeated, makes no second one.
CREATE TABLE account_data.scheduled_messages (
    id           uuid        NOT NULL,
    account      uuid        NOT NULL,
    channel      uuid        NOT NULL,
    reply_to     uuid,
    send_at      timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,
    leased_until timestamptz,
    -- scheduled, failed or done.
    state        text        NOT NULL,
    content      text,
    -- The code of the refusal.
    failure      text,
    -- Named by account and idempotency key, and a keyed digest of what was asked under it.
    command      uuid,
    request      bytea,
    CONSTRAINT scheduled_messages_pkey PRIMARY KEY (id),
    CONSTRAINT scheduled_messages_command_key UNIQUE (account, command),
    CONSTRAINT scheduled_messages_request CHECK ((command IS NULL) = (request IS NULL)),
    CONSTRAINT scheduled_messages_text CHECK ((state = 'done') = (content IS NULL)),
    CONSTRAINT scheduled_messages_failure CHECK ((state = 'failed') = (failure IS NOT NULL))
);
