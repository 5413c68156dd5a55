-- One row for each event that a community's audit log tells of. Rows stay for ever: those of a channel, a message or a
-- community that is gone too. changes is {field: {"from": …, "to": …}}, permissions and colours in it as numbers.
-- reason is what actor_id wrote, null where that is nothing or was erased.
CREATE TABLE {schema}.audit_entries (
    position     bigint      NOT NULL,
    community_id uuid        NOT NULL,
    actor_id     uuid,
    account_id   uuid,
    channel_id   uuid,
    message_id   uuid,
    report_id    uuid,
    created_at   timestamptz NOT NULL,
    action       text        COLLATE "C" NOT NULL,
    role         text,
    invite       text,
    changes      jsonb       NOT NULL,
    reason       text,
    CONSTRAINT audit_entries_pkey PRIMARY KEY (position)
);
