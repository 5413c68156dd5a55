-- The one position up to which every other table here holds the log. It moves in the transaction that writes the rows.
-- Its lock also stands for the schema: whoever swaps schemas takes it exclusively.
CREATE TABLE {schema}.checkpoint (
    only_row boolean NOT NULL DEFAULT true,
    position bigint  NOT NULL,
    log_id   uuid    NOT NULL,
    shape    text    NOT NULL,
    halted   text,
    CONSTRAINT checkpoint_pkey PRIMARY KEY (only_row),
    CONSTRAINT checkpoint_only_row CHECK (only_row)
);
