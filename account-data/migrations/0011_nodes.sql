-- Processes that have connections of accounts. One that does not renew its lease in time is gone, with all it had.
CREATE TABLE account_data.nodes (
    node       uuid        NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT nodes_pkey PRIMARY KEY (node)
);
