-- The log's identity, and the cluster and database it was given in: a copy or a restored dump stands elsewhere, and
-- takes a new identity, because its positions may come to mean other events.
CREATE TABLE log.identity (
    one      boolean NOT NULL DEFAULT true,
    id       uuid    NOT NULL,
    cluster  bigint  NOT NULL,
    database oid     NOT NULL,
    CONSTRAINT identity_pkey PRIMARY KEY (one),
    CONSTRAINT identity_one_check CHECK (one)
);

INSERT INTO log.identity (id, cluster, database)
SELECT gen_random_uuid(), c.system_identifier, d.oid
FROM pg_control_system() AS c, pg_database AS d
WHERE d.datname = current_database();
