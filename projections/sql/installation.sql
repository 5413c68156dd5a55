CREATE TABLE {schema}.installation (
    only_row          boolean NOT NULL DEFAULT true,
    administrator     uuid    NOT NULL,
    default_community uuid,
    CONSTRAINT installation_pkey PRIMARY KEY (only_row),
    CONSTRAINT installation_only_row CHECK (only_row)
);
