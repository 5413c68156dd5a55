-- Who reacts with what, on messages that are there. position and created_at are those of the reaction.
CREATE TABLE {schema}.reactions (
    message_id uuid        NOT NULL,
    account_id uuid        NOT NULL,
    position   bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    emoji      text        NOT NULL,
    CONSTRAINT reactions_pkey PRIMARY KEY (message_id, emoji, account_id)
);
