-- Which account is connected to which node, however many connections it has there. It counts while the node's lease runs.
CREATE TABLE account_data.connections (
    account uuid NOT NULL,
    node    uuid NOT NULL,
    CONSTRAINT connections_pkey PRIMARY KEY (account, node),
    CONSTRAINT connections_node_fkey FOREIGN KEY (node) REFERENCES account_data.nodes
);
