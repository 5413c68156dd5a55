//! Which accounts are connected, to whichever node.
//!
//! A node takes down an account's first connection and, some time after, that the last is gone. Its rows count while its
//! lease runs; a node that ended, however, leaves them to the lease, so that who comes back at once, to it or to another,
//! was never away. Leases go by the database's clock: those of nodes differ.

use std::collections::HashSet;

use deadpool_postgres::Transaction;
use domain::AccountId;
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::AccountData;
use crate::database::{Unavailable, query, uuids};
use crate::presence::{SightChange, changes};

/// What became of taking down who came and who went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attended {
    pub changes: Vec<SightChange>,
    /// The node had no lease, or lost it: of what it took down earlier nothing is known any more.
    pub fresh: bool,
}

/// Names this lock among the database's advisory locks.
const LOCK: i64 = 0x6563_686f_7072_6573;

/// Changes of who sees what are made one after the other, among all nodes: what each tells is then what came last.
pub(crate) async fn take_turns(transaction: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
    query(transaction, "SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await.map(drop)
}

/// The same, for what no crash of the database needs to have kept: no node's lease would outlast it. The lock is then not
/// held for as long as a disk takes.
async fn take_turns_lightly(transaction: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
    const SQL: &str = "SELECT set_config('synchronous_commit', 'off', true)";
    query(transaction, SQL, &[]).await?;
    take_turns(transaction).await
}

/// Those of `accounts` who are connected to some node.
pub(crate) async fn connected_among(
    transaction: &Transaction<'_>,
    accounts: &[AccountId],
) -> Result<HashSet<AccountId>, tokio_postgres::Error> {
    const SQL: &str = "
        SELECT DISTINCT connections.account
        FROM account_data.connections
        JOIN account_data.nodes ON nodes.node = connections.node
        WHERE connections.account = ANY ($1::uuid[]) AND nodes.expires_at > clock_timestamp()";
    Ok(accounts_of(&query(transaction, SQL, &[&uuids(accounts)]).await?))
}

fn accounts_of(rows: &[Row]) -> HashSet<AccountId> {
    rows.iter().map(|row| AccountId(row.get("account"))).collect()
}

/// Renews a node's lease; whether it had none.
async fn renew(transaction: &Transaction<'_>, node: Uuid) -> Result<bool, tokio_postgres::Error> {
    // A row that this statement made has no older version.
    const SQL: &str = "
        INSERT INTO account_data.nodes (node, expires_at) VALUES ($1, clock_timestamp() + interval '30 seconds')
        ON CONFLICT ON CONSTRAINT nodes_pkey DO UPDATE SET expires_at = excluded.expires_at
        RETURNING xmax = 0 AS fresh";
    Ok(query(transaction, SQL, &[&node]).await?.first().is_some_and(|row| row.get("fresh")))
}

impl AccountData {
    /// Takes down who `came` to `node` and who `went` from it, and renews its lease for 30 s. Saying again what was said
    /// is harmless. Answers for whom others see a change.
    ///
    /// # Errors
    /// [`Unavailable`]: it may be taken down, and the changes are lost then.
    pub async fn attend(
        &self,
        node: Uuid,
        came: &[AccountId],
        went: &[AccountId],
        now: Timestamp,
    ) -> Result<Attended, Unavailable> {
        const CAME: &str = "
            INSERT INTO account_data.connections (account, node) SELECT account, $2 FROM unnest($1::uuid[]) AS account
            ON CONFLICT ON CONSTRAINT connections_pkey DO NOTHING";
        const WENT: &str =
            "DELETE FROM account_data.connections WHERE account = ANY ($1::uuid[]) AND node = $2";
        let touched: Vec<AccountId> = came.iter().chain(went).copied().collect();
        self.database
            .transaction(async |transaction| {
                if touched.is_empty() {
                    return Ok(Attended { changes: vec![], fresh: renew(transaction, node).await? });
                }
                take_turns_lightly(transaction).await?;
                let fresh = renew(transaction, node).await?;
                let before = connected_among(transaction, &touched).await?;
                query(transaction, CAME, &[&uuids(came), &node]).await?;
                query(transaction, WENT, &[&uuids(went), &node]).await?;
                let after = connected_among(transaction, &touched).await?;
                Ok(Attended { changes: changes(transaction, &before, &after, now).await?, fresh })
            })
            .await
    }

    /// Removes nodes whose lease ran out, with all that was connected to them. Answers for whom others see a change;
    /// of the nodes that ask at the same time one hears it.
    ///
    /// # Errors
    /// [`Unavailable`]: they may be removed, and the changes are lost then.
    pub async fn sweep_nodes(&self, now: Timestamp) -> Result<Vec<SightChange>, Unavailable> {
        const OVER: &str = "SELECT node FROM account_data.nodes WHERE expires_at <= clock_timestamp()";
        const THEIRS: &str =
            "DELETE FROM account_data.connections WHERE node = ANY ($1::uuid[]) RETURNING account";
        const NODES: &str = "DELETE FROM account_data.nodes WHERE node = ANY ($1::uuid[])";
        if self.database.rows(OVER, &[]).await?.is_empty() {
            return Ok(vec![]);
        }
        self.database
            .transaction(async |transaction| {
                take_turns_lightly(transaction).await?;
                // Locked, so that none of them renews its lease meanwhile.
                let over = query(transaction, &format!("{OVER} FOR UPDATE"), &[]).await?;
                let over: Vec<Uuid> = over.iter().map(|row| row.get("node")).collect();
                let before = accounts_of(&query(transaction, THEIRS, &[&over]).await?);
                query(transaction, NODES, &[&over]).await?;
                let theirs: Vec<AccountId> = before.iter().copied().collect();
                let after = connected_among(transaction, &theirs).await?;
                changes(transaction, &before, &after, now).await
            })
            .await
    }
}
