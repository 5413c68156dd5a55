CREATE INDEX connections_node ON account_data.connections (node);
