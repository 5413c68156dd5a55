//! All that an account can see, as one value: fetched, or followed by the frames.

use std::collections::{BTreeMap, BTreeSet};

use client::{
    Account, Bootstrap, Channel, Client, Community, Cursor, Error, Member, Message, MessageQuery, Page,
    Paging, Place,
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Broken;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct View {
    pub(crate) me: Account,
    pub(crate) communities: BTreeMap<Uuid, CommunityView>,
    /// Those that some list of members names.
    pub(crate) accounts: BTreeMap<Uuid, Account>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CommunityView {
    pub(crate) name: String,
    pub(crate) owner_id: Uuid,
    pub(crate) created_at: Timestamp,
    /// One's own standing, which the snapshot shows apart from the list.
    pub(crate) mine: MemberView,
    pub(crate) channels: BTreeMap<Uuid, ChannelView>,
    pub(crate) members: BTreeMap<Uuid, MemberView>,
    /// Since when an account is kept out; `None` for who may not know.
    pub(crate) bans: Option<BTreeMap<Uuid, Timestamp>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MemberView {
    pub(crate) roles: BTreeSet<String>,
    pub(crate) rank: u16,
    pub(crate) permissions: BTreeSet<String>,
    pub(crate) joined_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChannelView {
    pub(crate) channel: Channel,
    /// Oldest first; `None` when the channel was gone before its history could be fetched.
    pub(crate) messages: Option<Vec<Message>>,
}

impl MemberView {
    pub(crate) fn of(member: &Member) -> Self {
        Self {
            roles: member.roles.iter().cloned().collect(),
            rank: member.rank,
            permissions: member.permissions.iter().cloned().collect(),
            joined_at: member.joined_at,
        }
    }

    pub(crate) fn may_ban(&self) -> bool {
        self.permissions.contains("ban")
    }
}

impl View {
    /// What the server shows now, at `at` or later.
    pub(crate) async fn fetch(client: &Client, at: &Cursor) -> Result<Self, Broken> {
        let bootstrap = client.bootstrap().min_position(at).await.map_err(|error| error.explain())?;
        Self::complete(client, &bootstrap, at).await
    }

    /// The snapshot, with the lists and histories that go with it as they are by now.
    pub(crate) async fn complete(
        client: &Client,
        bootstrap: &Bootstrap,
        at: &Cursor,
    ) -> Result<Self, Broken> {
        let mut view =
            Self { me: bootstrap.account.clone(), communities: BTreeMap::new(), accounts: BTreeMap::new() };
        for community in &bootstrap.communities {
            view.add(client, community, at).await?;
        }
        Ok(view)
    }

    /// Adds a community with all that is in it; nothing, if the account was removed from it meanwhile.
    pub(crate) async fn add(
        &mut self,
        client: &Client,
        community: &Community,
        at: &Cursor,
    ) -> Result<(), Broken> {
        let id = community.id;
        let members = all(async |paging| client.members(id, &paging).min_position(at).await).await?;
        let Some(members) = members else { return Ok(()) };
        let mut channels = BTreeMap::new();
        for channel in &community.channels {
            let messages = history(client, channel.id, at).await?;
            channels.insert(channel.id, ChannelView { channel: channel.clone(), messages });
        }
        let mine = MemberView::of(&community.member);
        let bans = if mine.may_ban() { bans(client, id, at).await? } else { None };
        let listed = members.iter().map(|member| (member.account.id, MemberView::of(member)));
        let view = CommunityView {
            name: community.name.clone(),
            owner_id: community.owner_id,
            created_at: community.created_at,
            mine,
            channels,
            members: listed.collect(),
            bans,
        };
        self.accounts.extend(members.into_iter().map(|member| (member.account.id, member.account)));
        self.communities.insert(id, view);
        Ok(())
    }

    /// Where two views differ, in words; nothing where they are equal.
    pub(crate) fn difference(&self, fresh: &Self) -> Option<Broken> {
        if self == fresh {
            return None;
        }
        let (followed, fresh) = (format!("{self:#?}"), format!("{fresh:#?}"));
        let (mut ours, mut theirs) =
            (followed.lines().collect::<Vec<_>>(), fresh.lines().collect::<Vec<_>>());
        let alike = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
        // Some lines before the first difference say where it is.
        let from = alike.saturating_sub(12);
        ours.drain(..from);
        theirs.drain(..from);
        ours.truncate(30);
        theirs.truncate(30);
        Some(format!("followed:\n{}\nfresh:\n{}", ours.join("\n"), theirs.join("\n")))
    }
}

pub(crate) async fn bans(
    client: &Client,
    community: Uuid,
    at: &Cursor,
) -> Result<Option<BTreeMap<Uuid, Timestamp>>, Broken> {
    match client.bans(community).min_position(at).await {
        Ok(page) => Ok(Some(page.items.into_iter().map(|ban| (ban.account.id, ban.created_at)).collect())),
        Err(error) if matches!(error.status(), Some(403 | 404)) => Ok(None),
        Err(error) => Err(error.explain()),
    }
}

/// All messages of a channel, oldest first; `None` when it is gone.
async fn history(client: &Client, channel: Uuid, at: &Cursor) -> Result<Option<Vec<Message>>, Broken> {
    let pages = all(async |paging| {
        // Small pages, so that histories have several.
        let query =
            MessageQuery { before: paging.after.map(Place::Page), limit: Some(5), ..MessageQuery::default() };
        client.messages(channel, &query).min_position(at).await
    });
    Ok(pages.await?.map(|mut messages| {
        messages.reverse();
        messages
    }))
}

/// All pages of a list; `None` when it isn't the caller's to see.
async fn all<T>(page: impl AsyncFn(Paging) -> Result<Page<T>, Error>) -> Result<Option<Vec<T>>, Broken> {
    let mut items = Vec::new();
    let mut after = None;
    loop {
        match page(Paging { after, limit: Some(100) }).await {
            Ok(page) => {
                items.extend(page.items);
                match page.next {
                    Some(next) => after = Some(next),
                    None => return Ok(Some(items)),
                }
            }
            Err(error) if matches!(error.status(), Some(403 | 404)) => return Ok(None),
            Err(error) => return Err(error.explain()),
        }
    }
}
