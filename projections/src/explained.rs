//! Why an account may do what it may do in a channel.

use domain::permission::{Decided, Place, Rule, explain};
use domain::{AccountId, ChannelId, Permissions};
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use crate::channel::ACCESS;
use crate::database::Unavailable;
use crate::read_model::ReadModel;
use crate::viewing::{Membership, permissions, viewed_columns, viewed_from};

impl ReadModel {
    /// What an account may do in a channel, time-outs aside; nothing in one that does not exist.
    pub async fn permissions_in(
        &self,
        account: AccountId,
        channel: ChannelId,
    ) -> Result<Permissions, Unavailable> {
        let row = self.database().row(ACCESS, &[&account.0, &channel.0]).await?;
        Ok(row.as_ref().map_or(Permissions::empty(), permissions))
    }

    /// Each permission of an account in a channel at `now`, with the rule that decided it; of a channel that does not
    /// exist, as of one in whose community the account is not. Whether the asker may know is the caller's check.
    pub async fn access_explained(
        &self,
        account: AccountId,
        channel: ChannelId,
        now: Timestamp,
    ) -> Result<Vec<Decided>, Unavailable> {
        const SQL: &str = concat!(
            "SELECT ",
            viewed_columns!(),
            ", channels.community_id IS NULL AS conversation, memberships.timed_out_until
            FROM read.channels ",
            viewed_from!(),
            " WHERE channels.id = $2"
        );
        let row = self.database().row(SQL, &[&account.0, &channel.0]).await?;
        Ok(row.as_ref().map_or_else(|| alike(Permissions::empty(), Rule::Outsider), |row| of(row, now)))
    }
}

fn of(row: &Row, now: Timestamp) -> Vec<Decided> {
    if row.get("conversation") {
        let takes_part: bool = row.get("participant");
        let allowed = if takes_part { Permissions::IN_CONVERSATION } else { Permissions::empty() };
        return alike(allowed, Rule::Participant);
    }
    let Some(membership) = Membership::of(row) else {
        return alike(Permissions::empty(), Rule::Outsider);
    };
    let until: Option<Timestamp> = row.get("timed_out_until");
    let Json(overwrites) = row.get("viewed_overwrites");
    let place = Place {
        private: row.get("viewed_private"),
        archived: row.get("viewed_archived"),
        overwrites: &overwrites,
    };
    let timed_out = until.is_some_and(|until| now < until);
    let who = domain::permission::Who { timed_out, ..membership.who() };
    explain(who, &membership.roles, Some(place))
}

/// One rule decided all of them.
fn alike(held: Permissions, rule: Rule) -> Vec<Decided> {
    let decided = |permission| Decided { permission, allowed: held.contains(permission), rule };
    Permissions::all().iter().map(decided).collect()
}
