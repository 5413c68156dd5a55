-- Which message of a channel reached an account's devices last, and which it has read and lets others know of. Both only
-- move on, unlike read markers: what was read once was read. position is where in the log, 0 where there is no message.
CREATE TABLE account_data.receipts (
    channel            uuid   NOT NULL,
    account            uuid   NOT NULL,
    delivered          uuid,
    delivered_position bigint NOT NULL,
    read               uuid,
    read_position      bigint NOT NULL,
    CONSTRAINT receipts_pkey PRIMARY KEY (channel, account),
    CONSTRAINT receipts_read_was_delivered CHECK (read_position <= delivered_position)
) WITH (fillfactor = 70);
