-- A text is null when it was erased. sort_name is the display name in lower case, empty without one: lists of members
-- are ordered by it, by code point, so that neither the server's locale nor an upgrade of it moves a page.
CREATE TABLE {schema}.accounts (
    id           uuid        NOT NULL,
    created_at   timestamptz NOT NULL,
    handle       text,
    display_name text,
    about        text        NOT NULL DEFAULT '',
    email        text,
    sort_name    text        COLLATE "C" NOT NULL,
    CONSTRAINT accounts_pkey PRIMARY KEY (id)
);
