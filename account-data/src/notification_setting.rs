//! Notification settings: what an account wants to be told of in a community or a channel, and what holds in the end.

use domain::{AccountId, ChannelId, CommunityId};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::AccountData;
use crate::database::Unavailable;

/// What a setting is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    Community(CommunityId),
    Channel(ChannelId),
}

impl Scope {
    fn columns(self) -> (&'static str, Uuid) {
        match self {
            Self::Community(community) => ("community", community.0),
            Self::Channel(channel) => ("channel", channel.0),
        }
    }
}

/// What to be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    All,
    Mentions,
    Nothing,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::Nothing => "nothing",
        }
    }
}

/// Being told of nothing for a while, whatever the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mute {
    Until(Timestamp),
    /// Until it is taken back.
    Always,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotificationSetting {
    /// `None`: for a channel as its community says, for a community [`DEFAULT`].
    pub level: Option<Level>,
    pub mute: Option<Mute>,
}

/// What holds where nobody has said anything.
pub const DEFAULT: Level = Level::All;

/// What to be told of, and until when that holds; `None`: until a setting changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effective {
    pub level: Level,
    pub until: Option<Timestamp>,
}

/// What holds in a channel at `now`: nothing while the channel or its community is muted; else the level of the channel,
/// else that of the community, else [`DEFAULT`].
pub fn effective(
    channel: Option<NotificationSetting>,
    community: Option<NotificationSetting>,
    now: Timestamp,
) -> Effective {
    let settings = [channel, community].into_iter().flatten();
    let mutes: Vec<Mute> = settings
        .filter_map(|setting| setting.mute)
        .filter(|mute| !matches!(mute, Mute::Until(time) if *time <= now))
        .collect();
    if mutes.contains(&Mute::Always) {
        return Effective { level: Level::Nothing, until: None };
    }
    let end = |mute: &Mute| match mute {
        Mute::Until(time) => Some(*time),
        Mute::Always => None,
    };
    if let Some(until) = mutes.iter().filter_map(end).max() {
        return Effective { level: Level::Nothing, until: Some(until) };
    }
    let level = |setting: Option<NotificationSetting>| setting.and_then(|setting| setting.level);
    Effective { level: level(channel).or(level(community)).unwrap_or(DEFAULT), until: None }
}

fn setting(row: &Row) -> (Scope, NotificationSetting) {
    let target: Uuid = row.get("target");
    let scope = match row.get("scope") {
        "community" => Scope::Community(CommunityId(target)),
        _ => Scope::Channel(ChannelId(target)),
    };
    let level = match row.get("level") {
        "all" => Some(Level::All),
        "mentions" => Some(Level::Mentions),
        "nothing" => Some(Level::Nothing),
        _ => None,
    };
    let until = row.get::<_, Option<Timestamp>>("muted_until");
    let mute = row.get::<_, bool>("muted").then(|| until.map_or(Mute::Always, Mute::Until));
    (scope, NotificationSetting { level, mute })
}

impl AccountData {
    /// All that `account` has set.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn notification_settings(
        &self,
        account: AccountId,
    ) -> Result<Vec<(Scope, NotificationSetting)>, Unavailable> {
        const SQL: &str = "
            SELECT scope, target, level, muted, muted_until FROM account_data.notification_settings
            WHERE account = $1
            ORDER BY scope, target";
        Ok(self.database.rows(SQL, &[&account.0]).await?.iter().map(setting).collect())
    }

    /// What `account` has set for one thing.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn notification_setting(
        &self,
        account: AccountId,
        scope: Scope,
    ) -> Result<Option<NotificationSetting>, Unavailable> {
        const SQL: &str = "
            SELECT scope, target, level, muted, muted_until FROM account_data.notification_settings
            WHERE account = $1 AND scope = $2 AND target = $3";
        let (scope, target) = scope.columns();
        let row = self.database.row(SQL, &[&account.0, &scope, &target]).await?;
        Ok(row.map(|row| setting(&row).1))
    }

    /// # Errors
    /// [`Unavailable`]: it may have been set.
    pub async fn set_notification_setting(
        &self,
        account: AccountId,
        scope: Scope,
        setting: NotificationSetting,
    ) -> Result<(), Unavailable> {
        const SQL: &str = "
            INSERT INTO account_data.notification_settings (account, scope, target, level, muted, muted_until)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT ON CONSTRAINT notification_settings_pkey DO UPDATE
            SET level = excluded.level, muted = excluded.muted, muted_until = excluded.muted_until";
        let (scope, target) = scope.columns();
        let level = setting.level.map_or("default", Level::as_str);
        let (muted, until) = match setting.mute {
            None => (false, None),
            Some(Mute::Until(time)) => (true, Some(time)),
            Some(Mute::Always) => (true, None),
        };
        self.database.rows(SQL, &[&account.0, &scope, &target, &level, &muted, &until]).await?;
        Ok(())
    }

    /// As if nothing had been set. Whether something was.
    ///
    /// # Errors
    /// [`Unavailable`]: it may have been reset.
    pub async fn reset_notification_setting(
        &self,
        account: AccountId,
        scope: Scope,
    ) -> Result<bool, Unavailable> {
        const SQL: &str = "
            DELETE FROM account_data.notification_settings
            WHERE account = $1 AND scope = $2 AND target = $3
            RETURNING 1";
        let (scope, target) = scope.columns();
        Ok(self.database.row(SQL, &[&account.0, &scope, &target]).await?.is_some())
    }
}
