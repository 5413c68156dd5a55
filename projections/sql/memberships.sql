-- A row stays when its member goes, with the position of that change. sort_name is the nickname in lower case or a copy
-- of the account's, so that a page of members is one range of an index. A time-out outlasts leaving and coming back.
CREATE TABLE {schema}.memberships (
    community_id    uuid        NOT NULL,
    account_id      uuid        NOT NULL,
    position        bigint      NOT NULL,
    joined_at       timestamptz,
    timed_out_until timestamptz,
    banned_at       timestamptz,
    banned_by       uuid,
    banned_until    timestamptz,
    ban_reason      text,
    state           text        NOT NULL,
    roles           text[]      NOT NULL,
    nickname        text,
    sort_name       text        COLLATE "C" NOT NULL,
    CONSTRAINT memberships_pkey PRIMARY KEY (community_id, account_id),
    CONSTRAINT memberships_state_check CHECK (state IN ('member', 'outside', 'banned')),
    CONSTRAINT memberships_joined_check CHECK ((state = 'member') = (joined_at IS NOT NULL)),
    CONSTRAINT memberships_banned_check
        CHECK (num_nonnulls(banned_at, banned_by) = CASE state WHEN 'banned' THEN 2 ELSE 0 END),
    CONSTRAINT memberships_ban_check CHECK (state = 'banned' OR num_nonnulls(banned_until, ban_reason) = 0),
    CONSTRAINT memberships_nickname_check CHECK (state = 'member' OR nickname IS NULL)
);
