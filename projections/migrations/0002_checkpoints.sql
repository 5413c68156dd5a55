-- How far each follower of the log beside the read model has come. It outlives the read model and its rebuilding.
CREATE TABLE followers.checkpoints (
    name     text   COLLATE "C" NOT NULL,
    log_id   uuid   NOT NULL,
    position bigint NOT NULL,
    CONSTRAINT checkpoints_pkey PRIMARY KEY (name, log_id)
);
