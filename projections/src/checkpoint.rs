//! The checkpoints of other followers of the log, such as the message index: each has its own and may lag.

use event_store::Position;

use crate::database::{Unavailable, position, to_bigint};
use crate::read_model::ReadModel;

impl ReadModel {
    /// How far the follower `name` has come in this log; the start for a new one.
    pub async fn checkpoint_load(&self, name: &str) -> Result<Position, Unavailable> {
        const SQL: &str = "SELECT position FROM followers.checkpoints WHERE name = $1 AND log_id = $2";
        let row = self.database().row(SQL, &[&name, &self.log_id().0]).await?;
        Ok(row.map_or(Position::START, |row| position(&row, "position")))
    }

    /// Remembers that the follower `name` has dealt with everything up to `position`, also when that is further back
    /// than what it had saved.
    pub async fn checkpoint_save(&self, name: &str, position: Position) -> Result<(), Unavailable> {
        const SQL: &str = "
            INSERT INTO followers.checkpoints (name, log_id, position) VALUES ($1, $2, $3)
            ON CONFLICT ON CONSTRAINT checkpoints_pkey DO UPDATE SET position = excluded.position";
        self.database().rows(SQL, &[&name, &self.log_id().0, &to_bigint(position)]).await?;
        Ok(())
    }
}
