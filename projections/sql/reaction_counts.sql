-- The kinds of reactions on a message, so that a popular one costs no counting. position is that of the first use.
CREATE TABLE {schema}.reaction_counts (
    message_id uuid    NOT NULL,
    position   bigint  NOT NULL,
    count      integer NOT NULL,
    emoji      text    NOT NULL,
    CONSTRAINT reaction_counts_pkey PRIMARY KEY (message_id, emoji)
);
