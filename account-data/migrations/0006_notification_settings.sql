-- What an account wants to be told of in a community or a channel. A mute holds until muted_until, or, where that is
-- null, until it is taken back.
CREATE TABLE account_data.notification_settings (
    account     uuid    NOT NULL,
    scope       text    NOT NULL,
    target      uuid    NOT NULL,
    level       text    NOT NULL,
    muted       boolean NOT NULL,
    muted_until timestamptz,
    CONSTRAINT notification_settings_pkey PRIMARY KEY (account, scope, target),
    CONSTRAINT notification_settings_scope CHECK (scope IN ('community', 'channel')),
    CONSTRAINT notification_settings_level CHECK (level IN ('default', 'all', 'mentions', 'nothing')),
    CONSTRAINT notification_settings_muted_until CHECK (muted OR muted_until IS NULL)
);
