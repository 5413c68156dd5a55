-- What a community's roles are beside what they grant, which communities holds. A built-in role has no name of its own.
CREATE TABLE {schema}.roles (
    community_id uuid    NOT NULL,
    role         text    NOT NULL,
    name         text,
    colour       integer,
    mentionable  boolean NOT NULL,
    CONSTRAINT roles_pkey PRIMARY KEY (community_id, role)
);
