-- Whom messages mention that are there and not deleted. target is an account's id, a role's name or id, 'everyone' or
-- 'here'. position is that of the message's post; author_id and thread_id are the message's.
CREATE TABLE {schema}.mentions (
    message_id uuid   NOT NULL,
    channel_id uuid   NOT NULL,
    author_id  uuid   NOT NULL,
    thread_id  uuid,
    position   bigint NOT NULL,
    target     text   COLLATE "C" NOT NULL,
    CONSTRAINT mentions_pkey PRIMARY KEY (message_id, target)
);
