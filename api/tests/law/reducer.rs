//! What a frame does to a view: the rules of `docs/API.md`, and nothing that only the server knows.
//!
//! What is fetched because of a frame may be newer than the frame. The frames in between come too, and make the same
//! changes again, so the view arrives where the server is.

use std::collections::BTreeSet;

use client::{Account, Client, Cursor, Event, Frame, Message};
use domain::role::Roles;
use domain::{Rank, Role};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Broken;
use crate::view::{ChannelView, CommunityView, MemberView, View, bans};
use crate::world::granted;

impl View {
    pub(crate) async fn apply(&mut self, client: &Client, frame: &Frame) -> Result<(), Broken> {
        let event = frame.event().map_err(|error| error.explain())?;
        match event {
            Event::MessagePosted(message) => self.post(message),
            Event::MessageEdited(edited) => {
                self.change(edited.channel_id, edited.id, |message| {
                    message.content = edited.content;
                    message.edited_at = Some(edited.edited_at);
                    message.mentions = edited.mentions;
                })?;
            }
            Event::MessageDeleted(deleted) => {
                self.change(deleted.channel_id, deleted.id, |message| {
                    message.content = None;
                    message.mentions = client::Mentions::default();
                    message.deleted_at = Some(deleted.deleted_at);
                })?;
            }
            Event::ChannelCreated(channel) => {
                if let Some(community) = channel.community_id.and_then(|id| self.communities.get_mut(&id)) {
                    let messages = community.channels.remove(&channel.id).map(|known| known.messages);
                    let messages = messages.unwrap_or(Some(Vec::new()));
                    community.channels.insert(channel.id, ChannelView { channel, messages });
                }
            }
            Event::ChannelChanged(changed) => {
                if let Some(known) = self.channel(changed.community_id, changed.id) {
                    if let Some(name) = changed.name {
                        known.channel.name = Some(name);
                    }
                    if let Some(topic) = changed.topic {
                        known.channel.topic = Some(topic);
                    }
                }
            }
            Event::ChannelDeleted(deleted) => {
                if let Some(community) = self.communities.get_mut(&deleted.community_id) {
                    community.channels.remove(&deleted.id);
                }
            }
            Event::CommunityRenamed(renamed) => {
                if let Some(community) = self.communities.get_mut(&renamed.id) {
                    community.name = renamed.name;
                }
            }
            Event::CommunityDeleted(deleted) => self.drop_community(deleted.id),
            Event::Joined(joined) if joined.account_id == self.me.id => {
                self.come_in(client, joined.community_id, &frame.id).await?;
            }
            Event::Joined(joined) => {
                self.meet(client, joined.account_id, &frame.id).await?;
                let roles = joined.roles.into_iter().collect();
                if let Some(community) = self.communities.get_mut(&joined.community_id) {
                    let member = community.standing(joined.account_id, roles, joined.joined_at);
                    community.members.insert(joined.account_id, member);
                }
            }
            Event::RolesChanged(changed) => {
                let (community, account) = (changed.community_id, changed.account_id);
                self.set_roles(client, community, account, changed.roles.into_iter().collect(), &frame.id)
                    .await?;
            }
            Event::Left(gone) | Event::Kicked(gone) => self.lose(gone.community_id, gone.account_id),
            Event::Banned(gone) => {
                self.lose(gone.community_id, gone.account_id);
                if let Some(bans) = self.bans(gone.community_id) {
                    bans.insert(gone.account_id, frame.time);
                }
            }
            Event::Unbanned(back) => {
                if let Some(bans) = self.bans(back.community_id) {
                    bans.remove(&back.account_id);
                }
            }
            Event::ProfileChanged(changed) => {
                let known = self.accounts.get_mut(&changed.id);
                let me = (changed.id == self.me.id).then_some(&mut self.me);
                for account in known.into_iter().chain(me) {
                    if let Some(name) = &changed.display_name {
                        account.display_name.clone_from(name);
                    }
                    if let Some(about) = &changed.about {
                        account.about = Some(about.clone());
                    }
                }
            }
            _ => return Err(format!("a frame of an unknown kind: {frame:?}")),
        }
        Ok(())
    }

    fn channel(&mut self, community: Uuid, id: Uuid) -> Option<&mut ChannelView> {
        self.communities.get_mut(&community)?.channels.get_mut(&id)
    }

    fn history(&mut self, channel: Uuid) -> Option<&mut Vec<Message>> {
        let mut channels = self.communities.values_mut().flat_map(|community| &mut community.channels);
        channels.find(|(id, _)| **id == channel)?.1.messages.as_mut()
    }

    fn bans(&mut self, community: Uuid) -> Option<&mut std::collections::BTreeMap<Uuid, Timestamp>> {
        self.communities.get_mut(&community)?.bans.as_mut()
    }

    fn post(&mut self, message: Message) {
        let Some(history) = self.history(message.channel_id) else { return };
        match history.iter_mut().find(|known| known.id == message.id) {
            Some(known) => *known = message,
            None => history.push(message),
        }
    }

    /// Changes a message, which must be there: it came with the history or with a frame before.
    fn change(&mut self, channel: Uuid, id: Uuid, change: impl FnOnce(&mut Message)) -> Result<(), Broken> {
        let Some(history) = self.history(channel) else { return Ok(()) };
        let message = history.iter_mut().find(|message| message.id == id);
        change(message.ok_or_else(|| format!("message {id} changed, but never came"))?);
        Ok(())
    }

    async fn come_in(&mut self, client: &Client, id: Uuid, at: &Cursor) -> Result<(), Broken> {
        match client.community(id).min_position(at).await {
            Ok(community) => self.add(client, &community, at).await,
            // Out again already: the frame that says so is on its way.
            Err(error) if error.status() == Some(404) => Ok(()),
            Err(error) => Err(error.explain()),
        }
    }

    async fn meet(&mut self, client: &Client, id: Uuid, at: &Cursor) -> Result<(), Broken> {
        if self.accounts.contains_key(&id) {
            return Ok(());
        }
        match client.account(id).min_position(at).await {
            Ok(account) => {
                let account: Account = account;
                self.accounts.insert(id, account);
                Ok(())
            }
            Err(error) if error.status() == Some(404) => Ok(()),
            Err(error) => Err(error.explain()),
        }
    }

    async fn set_roles(
        &mut self,
        client: &Client,
        id: Uuid,
        account: Uuid,
        roles: BTreeSet<String>,
        at: &Cursor,
    ) -> Result<(), Broken> {
        let Some(community) = self.communities.get_mut(&id) else { return Ok(()) };
        if let Some(member) = community.members.get(&account) {
            let member = community.standing(account, roles.clone(), member.joined_at);
            community.members.insert(account, member);
        }
        if account == self.me.id {
            community.mine = community.standing(account, roles, community.mine.joined_at);
            community.bans = match community.bans.take() {
                _ if !community.mine.may_ban() => None,
                Some(known) => Some(known),
                None => bans(client, id, at).await?,
            };
        }
        Ok(())
    }

    fn lose(&mut self, community: Uuid, account: Uuid) {
        if account == self.me.id {
            self.drop_community(community);
        } else if let Some(community) = self.communities.get_mut(&community) {
            community.members.remove(&account);
            self.forget_strangers();
        }
    }

    fn drop_community(&mut self, id: Uuid) {
        self.communities.remove(&id);
        self.forget_strangers();
    }

    /// Who shares no community any more may change without our hearing of it.
    fn forget_strangers(&mut self) {
        let communities = &self.communities;
        let met = |account: &Uuid| communities.values().any(|c| c.members.contains_key(account));
        self.accounts.retain(|id, _| met(id));
    }
}

impl CommunityView {
    /// What roles amount to; the table of roles is part of the contract.
    fn standing(&self, account: Uuid, roles: BTreeSet<String>, joined_at: Timestamp) -> MemberView {
        let owner = account == self.owner_id;
        let known: BTreeSet<Role> = roles.iter().filter_map(|name| Role::parse(name)).collect();
        let permissions = granted(owner, &known).names().into_iter().collect();
        let rank = if owner { Rank::OWNER } else { Roles::default().rank(&known) }.number();
        MemberView { roles, rank, permissions, joined_at }
    }
}
