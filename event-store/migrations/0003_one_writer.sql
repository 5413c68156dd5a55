-- Whoever appends holds this lock until the transaction ends. It is released after the transaction is visible, so
-- when a position is visible every smaller one is committed or will never be.
CREATE FUNCTION log.take_turn() RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(28538272844902247)
$$;

-- The appender has the lock already; this holds every other writer to the same promise. A statement's trigger fires
-- before the statement draws its first position.
CREATE FUNCTION log.take_turn_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM log.take_turn();
    RETURN NULL;
END
$$;

CREATE TRIGGER events_take_turn BEFORE INSERT ON log.events
    FOR EACH STATEMENT EXECUTE FUNCTION log.take_turn_before_insert();
