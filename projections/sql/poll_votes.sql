-- Who votes for which option, on messages that are there. position and created_at are those of the vote.
CREATE TABLE {schema}.poll_votes (
    message_id uuid        NOT NULL,
    account_id uuid        NOT NULL,
    position   bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    option     smallint    NOT NULL,
    CONSTRAINT poll_votes_pkey PRIMARY KEY (message_id, account_id, option)
);
