-- role_order and role_permissions are one list in two columns, lowest role first: what every check of a permission reads.
CREATE TABLE {schema}.communities (
    id               uuid        NOT NULL,
    owner_id         uuid        NOT NULL,
    created_at       timestamptz NOT NULL,
    name             text        NOT NULL,
    role_order       text[]      NOT NULL,
    role_permissions bigint[]    NOT NULL,
    CONSTRAINT communities_pkey PRIMARY KEY (id),
    CONSTRAINT communities_roles_check CHECK (cardinality(role_order) = cardinality(role_permissions))
);
