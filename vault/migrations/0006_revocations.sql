-- Numbers the revocations, so that every node can ask for those it hasn't seen.
CREATE SEQUENCE vault.revocations AS bigint;
