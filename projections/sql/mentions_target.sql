-- Counts and lists what mentions one target in one channel.
CREATE UNIQUE INDEX mentions_target ON {schema}.mentions (channel_id, target, position);
