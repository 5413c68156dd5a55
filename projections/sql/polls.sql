-- The polls of messages. votes and texts are in the order of the options; texts is null when they were deleted or
-- erased. A deleted message's votes are nought.
CREATE TABLE {schema}.polls (
    message_id uuid        NOT NULL,
    closes_at  timestamptz,
    closed_at  timestamptz,
    multiple   boolean     NOT NULL,
    votes      integer[]   NOT NULL,
    texts      text[],
    CONSTRAINT polls_pkey PRIMARY KEY (message_id)
);
