-- What accounts chose to show; who has no row is online while connected.
CREATE TABLE account_data.presences (
    account    uuid        NOT NULL,
    status     text        NOT NULL,
    text       text,
    emoji      text,
    -- When text and emoji end; the status stays.
    expires_at timestamptz,
    CONSTRAINT presences_pkey PRIMARY KEY (account)
);
