-- Up to where an account has read a channel, or a thread, which is named by its first message; the channel itself is the
-- nil thread. position is where in the log: what is behind it is unread. message is the newest message up to there, null
-- where there is none. A row is rewritten with every message that somebody reads: pages keep room for that.
CREATE TABLE account_data.read_markers (
    account  uuid        NOT NULL,
    channel  uuid        NOT NULL,
    thread   uuid        NOT NULL,
    message  uuid,
    position bigint      NOT NULL,
    moved_at timestamptz NOT NULL,
    CONSTRAINT read_markers_pkey PRIMARY KEY (account, channel, thread)
) WITH (fillfactor = 70);
