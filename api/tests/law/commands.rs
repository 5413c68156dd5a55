//! Operations as calls of the SDK.

use std::collections::BTreeSet;

use client::{ChannelChange, NewChannel, NewInvite, NewMessage, ProfileChange};
use domain::{Permissions, Role};

use crate::Broken;
use crate::scenario::{Op, Pick};
use crate::world::{Channel, Invite, Message, World, accepted, choose, those};

impl World {
    pub(crate) async fn perform(&mut self, op: &Op) -> Result<(), Broken> {
        // Nothing to do it to is no failure: the operation does nothing then.
        let _done = self.attempt(op).await?;
        for device in &mut self.devices {
            device.look().await?;
        }
        Ok(())
    }

    async fn attempt(&mut self, op: &Op) -> Result<Option<()>, Broken> {
        match *op {
            Op::Register => self.register().await.map(Some),
            Op::ChangeProfile { by, what } => self.change_profile(by, what).await,
            Op::CreateCommunity { by } => {
                let by = usize::from(by) % self.players.len();
                self.create_community(by).await.map(Some)
            }
            Op::RenameCommunity { by, community } => self.rename_community(by, community).await,
            Op::DeleteCommunity { by, community } => self.delete_community(by, community).await,
            Op::CreateChannel { by, community } => self.create_channel(by, community).await,
            Op::ChangeChannel { by, channel, what } => self.change_channel(by, channel, what).await,
            Op::DeleteChannel { by, channel } => self.delete_channel(by, channel).await,
            Op::Invite { by, community, once } => self.invite(by, community, once).await,
            Op::Redeem { by, invite } => self.redeem(by, invite).await,
            Op::Revoke { by, invite } => self.revoke(by, invite).await,
            Op::Join { account, community } => {
                let Some(community) = self.some_community(community) else { return Ok(None) };
                let outside = |player: &usize| !self.communities[community].members.contains_key(player);
                let likely: Vec<usize> = self.everyone().into_iter().filter(outside).collect();
                let Some(account) = choose(account, &likely, &self.everyone()) else { return Ok(None) };
                self.join(account, community).await.map(Some)
            }
            Op::Leave { by, community } => self.leave(by, community).await,
            Op::Kick { by, community, account } => self.remove(by, community, account, false).await,
            Op::Ban { by, community, account } => self.remove(by, community, account, true).await,
            Op::Unban { by, community, account } => self.unban(by, community, account).await,
            Op::SetRoles { by, community, account, roles } => {
                self.set_roles(by, community, account, roles).await
            }
            Op::Post { by, channel } => self.post(by, channel).await,
            Op::Reply { by, message } => self.reply(by, message).await,
            Op::Edit { by, message } => self.edit(by, message).await,
            Op::Delete { by, message } => self.delete(by, message).await,
            Op::Do { deed, picks } => self.do_deed(deed, picks).await,
            Op::AddDevice { account, habits } => {
                let account = usize::from(account) % self.players.len();
                self.add_device(account, habits).await.map(Some)
            }
            Op::Connect { device, over } => {
                let device = usize::from(device) % self.devices.len();
                self.devices[device].connect(over);
                Ok(Some(()))
            }
            Op::Disconnect { device } => {
                let device = usize::from(device) % self.devices.len();
                self.devices[device].disconnect().await.map(Some)
            }
            Op::Check { device } => self.check(usize::from(device) % self.devices.len()).await.map(Some),
            Op::Restart => {
                self.node.restart().await;
                Ok(Some(()))
            }
        }
    }

    pub(crate) fn some_community(&self, pick: Pick) -> Option<usize> {
        let all: Vec<usize> = (0..self.communities.len()).collect();
        choose(pick, &those(&self.communities, |community| community.alive), &all)
    }

    pub(crate) fn some_channel(&self, pick: Pick) -> Option<usize> {
        let all: Vec<usize> = (0..self.channels.len()).collect();
        choose(pick, &those(&self.channels, |channel| channel.alive), &all)
    }

    pub(crate) fn some_message(&self, pick: Pick) -> Option<usize> {
        let all: Vec<usize> = (0..self.messages.len()).collect();
        choose(pick, &those(&self.messages, |message| message.alive), &all)
    }

    fn someone_able(&self, pick: Pick, community: usize, needed: Permissions) -> Option<usize> {
        choose(pick, &self.able(community, needed), &self.everyone())
    }

    async fn change_profile(&mut self, by: Pick, what: Pick) -> Result<Option<()>, Broken> {
        let by = usize::from(by) % self.players.len();
        let text = self.text("profile");
        let change = match what % 4 {
            0 => ProfileChange { display_name: Some(text), about: None },
            1 => ProfileChange { display_name: None, about: Some(text) },
            2 => ProfileChange { display_name: None, about: Some(String::new()) },
            _ => ProfileChange { display_name: Some(text.clone()), about: Some(text) },
        };
        let Some(answer) = accepted(self.players[by].client.change_profile(&change).await)? else {
            return Ok(None);
        };
        self.head = answer.position;
        Ok(Some(()))
    }

    pub(crate) async fn create_community(&mut self, by: usize) -> Result<(), Broken> {
        let name = self.text("community");
        let answer =
            self.players[by].client.create_community(&name).await.map_err(|error| error.explain())?;
        self.head = answer.position;
        self.found(&answer.community, by);
        Ok(())
    }

    async fn rename_community(&mut self, by: Pick, community: Pick) -> Result<Option<()>, Broken> {
        let Some(community) = self.some_community(community) else { return Ok(None) };
        let Some(by) = self.someone_able(by, community, Permissions::MANAGE_COMMUNITY) else {
            return Ok(None);
        };
        let (id, name) = (self.communities[community].id, self.text("community"));
        let Some(answer) = accepted(self.players[by].client.rename_community(id, &name).await)? else {
            return Ok(None);
        };
        self.head = answer.position;
        Ok(Some(()))
    }

    async fn delete_community(&mut self, by: Pick, community: Pick) -> Result<Option<()>, Broken> {
        let Some(community) = self.some_community(community) else { return Ok(None) };
        let owner = [self.communities[community].owner];
        let Some(by) = choose(by, &owner, &self.everyone()) else { return Ok(None) };
        let id = self.communities[community].id;
        let Some(answer) = accepted(self.players[by].client.delete_community(id).await)? else {
            return Ok(None);
        };
        self.head = answer.position;
        let place = &mut self.communities[community];
        place.alive = false;
        place.members.clear();
        let gone: BTreeSet<usize> = those(&self.channels, |c| c.community == community).into_iter().collect();
        gone.iter().for_each(|channel| self.channels[*channel].alive = false);
        self.messages.iter_mut().filter(|m| gone.contains(&m.channel)).for_each(|m| m.alive = false);
        Ok(Some(()))
    }

    async fn create_channel(&mut self, by: Pick, community: Pick) -> Result<Option<()>, Broken> {
        let Some(community) = self.some_community(community) else { return Ok(None) };
        let Some(by) = self.someone_able(by, community, Permissions::MANAGE_CHANNELS) else {
            return Ok(None);
        };
        let (id, mut channel) = (self.communities[community].id, NewChannel::named(self.text("channel")));
        if self.channels.len().is_multiple_of(2) {
            channel.topic = Some("a topic".to_owned());
        }
        let Some(answer) = accepted(self.players[by].client.create_channel(id, &channel).await)? else {
            return Ok(None);
        };
        self.head = answer.position;
        self.channels.push(Channel { id: answer.channel.id, community, alive: true });
        Ok(Some(()))
    }

    async fn change_channel(&mut self, by: Pick, channel: Pick, what: Pick) -> Result<Option<()>, Broken> {
        let Some(channel) = self.some_channel(channel) else { return Ok(None) };
        let Channel { id, community, .. } = self.channels[channel];
        let Some(by) = self.someone_able(by, community, Permissions::MANAGE_CHANNELS) else {
            return Ok(None);
        };
        let text = self.text("changed");
        let change = match what % 4 {
            0 => ChannelChange { name: Some(text), ..ChannelChange::default() },
            1 => ChannelChange { topic: Some(text), ..ChannelChange::default() },
            2 => ChannelChange { topic: Some(String::new()), ..ChannelChange::default() },
            _ => ChannelChange { name: Some(text.clone()), topic: Some(text), ..ChannelChange::default() },
        };
        let Some(answer) = accepted(self.players[by].client.change_channel(id, &change).await)? else {
            return Ok(None);
        };
        self.head = answer.position;
        Ok(Some(()))
    }

    async fn delete_channel(&mut self, by: Pick, channel: Pick) -> Result<Option<()>, Broken> {
        let Some(channel) = self.some_channel(channel) else { return Ok(None) };
        let Channel { id, community, .. } = self.channels[channel];
        let Some(by) = self.someone_able(by, community, Permissions::MANAGE_CHANNELS) else {
            return Ok(None);
        };
        let Some(answer) = accepted(self.players[by].client.delete_channel(id).await)? else {
            return Ok(None);
        };
        self.head = answer.position;
        self.channels[channel].alive = false;
        self.messages.iter_mut().filter(|m| m.channel == channel).for_each(|m| m.alive = false);
        Ok(Some(()))
    }

    async fn invite(&mut self, by: Pick, community: Pick, once: bool) -> Result<Option<()>, Broken> {
        let Some(community) = self.some_community(community) else { return Ok(None) };
        let Some(by) = self.someone_able(by, community, Permissions::CREATE_INVITES) else { return Ok(None) };
        let id = self.communities[community].id;
        let limits = NewInvite { max_uses: once.then_some(1), expires_in: None };
        let Some(answer) = accepted(self.players[by].client.create_invite(id, &limits).await)? else {
            return Ok(None);
        };
        self.head = answer.position;
        self.invites.push(Invite { code: answer.invite.code, community, alive: true });
        Ok(Some(()))
    }

    async fn redeem(&mut self, by: Pick, invite: Pick) -> Result<Option<()>, Broken> {
        let all: Vec<usize> = (0..self.invites.len()).collect();
        let likely = those(&self.invites, |invite| invite.alive);
        let Some(invite) = choose(invite, &likely, &all) else { return Ok(None) };
        let Invite { code, community, .. } = &self.invites[invite];
        let (code, community) = (code.clone(), *community);
        let by = usize::from(by) % self.players.len();
        let Some(answer) = accepted(self.players[by].client.redeem_invite(&code).await)? else {
            return Ok(None);
        };
        self.head = answer.position;
        self.communities[community].members.entry(by).or_insert_with(|| BTreeSet::from([Role::Member]));
        Ok(Some(()))
    }

    async fn revoke(&mut self, by: Pick, invite: Pick) -> Result<Option<()>, Broken> {
        let all: Vec<usize> = (0..self.invites.len()).collect();
        let Some(invite) = choose(invite, &all, &all) else { return Ok(None) };
        let (code, community) = (self.invites[invite].code.clone(), self.invites[invite].community);
        let Some(by) = self.someone_able(by, community, Permissions::MANAGE_INVITES) else { return Ok(None) };
        let Some(answer) = accepted(self.players[by].client.revoke_invite(&code).await)? else {
            return Ok(None);
        };
        self.head = answer.position;
        self.invites[invite].alive = false;
        Ok(Some(()))
    }

    pub(crate) async fn join(&mut self, account: usize, community: usize) -> Result<(), Broken> {
        let place = &self.communities[community];
        let invite = self.players[place.owner].client.create_invite(place.id, &NewInvite::default()).await;
        let Some(invite) = accepted(invite)? else { return Ok(()) };
        let redeemed = self.players[account].client.redeem_invite(&invite.invite.code).await;
        let Some(redeemed) = accepted(redeemed)? else {
            self.head = invite.position;
            return Ok(());
        };
        self.head = redeemed.position;
        let members = &mut self.communities[community].members;
        members.entry(account).or_insert_with(|| BTreeSet::from([Role::Member]));
        Ok(())
    }

    async fn leave(&mut self, by: Pick, community: Pick) -> Result<Option<()>, Broken> {
        let Some(community) = self.some_community(community) else { return Ok(None) };
        let place = &self.communities[community];
        let likely: Vec<usize> = place.members.keys().copied().filter(|m| *m != place.owner).collect();
        let Some(by) = choose(by, &likely, &self.everyone()) else { return Ok(None) };
        let Some(answer) = accepted(self.players[by].client.leave(place.id).await)? else { return Ok(None) };
        self.head = answer.position;
        self.communities[community].members.remove(&by);
        Ok(Some(()))
    }

    async fn remove(
        &mut self,
        by: Pick,
        community: Pick,
        account: Pick,
        ban: bool,
    ) -> Result<Option<()>, Broken> {
        let Some(community) = self.some_community(community) else { return Ok(None) };
        let Some(by) = self.someone_able(by, community, Permissions::KICK) else { return Ok(None) };
        let place = &self.communities[community];
        let likely: Vec<usize> =
            place.members.keys().copied().filter(|member| *member != place.owner && *member != by).collect();
        let Some(account) = choose(account, &likely, &self.everyone()) else { return Ok(None) };
        let (client, target) = (&self.players[by].client, self.players[account].id);
        let answer = if ban {
            client.ban(place.id, target, &client::NewBan::default()).await
        } else {
            client.kick(place.id, target, None).await
        };
        let Some(answer) = accepted(answer)? else { return Ok(None) };
        self.head = answer.position;
        let place = &mut self.communities[community];
        place.members.remove(&account);
        if ban {
            place.banned.insert(account);
        }
        Ok(Some(()))
    }

    async fn unban(&mut self, by: Pick, community: Pick, account: Pick) -> Result<Option<()>, Broken> {
        let Some(community) = self.some_community(community) else { return Ok(None) };
        let Some(by) = self.someone_able(by, community, Permissions::BAN) else { return Ok(None) };
        let place = &self.communities[community];
        let likely: Vec<usize> = place.banned.iter().copied().collect();
        let Some(account) = choose(account, &likely, &self.everyone()) else { return Ok(None) };
        let answer = self.players[by].client.unban(place.id, self.players[account].id).await;
        let Some(answer) = accepted(answer)? else { return Ok(None) };
        self.head = answer.position;
        self.communities[community].banned.remove(&account);
        Ok(Some(()))
    }

    async fn set_roles(
        &mut self,
        by: Pick,
        community: Pick,
        account: Pick,
        roles: Pick,
    ) -> Result<Option<()>, Broken> {
        let Some(community) = self.some_community(community) else { return Ok(None) };
        let Some(by) = self.someone_able(by, community, Permissions::MANAGE_ROLES) else { return Ok(None) };
        let place = &self.communities[community];
        let likely: Vec<usize> =
            place.members.keys().copied().filter(|member| *member != place.owner && *member != by).collect();
        let Some(account) = choose(account, &likely, &self.everyone()) else { return Ok(None) };
        let given = |(bit, role): (usize, &Role)| (roles >> bit & 1 == 1).then_some(*role);
        let roles: BTreeSet<Role> = Role::BUILT_IN.iter().enumerate().filter_map(given).collect();
        let names: Vec<String> = roles.iter().map(Role::to_string).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let target = self.players[account].id;
        let Some(answer) = accepted(self.players[by].client.set_roles(place.id, target, &names).await)?
        else {
            return Ok(None);
        };
        self.head = answer.position;
        self.communities[community].members.insert(account, roles);
        Ok(Some(()))
    }

    async fn post(&mut self, by: Pick, channel: Pick) -> Result<Option<()>, Broken> {
        let Some(channel) = self.some_channel(channel) else { return Ok(None) };
        let Some(by) = self.someone_able(by, self.channels[channel].community, Permissions::POST) else {
            return Ok(None);
        };
        let message = NewMessage::text(self.text("message"));
        self.send(by, channel, message).await
    }

    async fn reply(&mut self, by: Pick, message: Pick) -> Result<Option<()>, Broken> {
        let Some(message) = self.some_message(message) else { return Ok(None) };
        let Message { id, channel, .. } = self.messages[message];
        let Some(by) = self.someone_able(by, self.channels[channel].community, Permissions::POST) else {
            return Ok(None);
        };
        let message = NewMessage::reply(id, self.text("reply"));
        self.send(by, channel, message).await
    }

    async fn send(&mut self, by: usize, channel: usize, message: NewMessage) -> Result<Option<()>, Broken> {
        let id = self.channels[channel].id;
        let Some(answer) = accepted(self.players[by].client.post_message(id, &message).await)? else {
            return Ok(None);
        };
        self.head = answer.position;
        self.messages.push(Message { id: answer.message.id, channel, author: by, alive: true });
        Ok(Some(()))
    }

    async fn edit(&mut self, by: Pick, message: Pick) -> Result<Option<()>, Broken> {
        let Some(message) = self.some_message(message) else { return Ok(None) };
        let Message { id, author, .. } = self.messages[message];
        let Some(by) = choose(by, &[author], &self.everyone()) else { return Ok(None) };
        let content = self.text("edited");
        let Some(answer) = accepted(self.players[by].client.edit_message(id, &content).await)? else {
            return Ok(None);
        };
        self.head = answer.position;
        Ok(Some(()))
    }

    async fn delete(&mut self, by: Pick, message: Pick) -> Result<Option<()>, Broken> {
        let Some(message) = self.some_message(message) else { return Ok(None) };
        let Message { id, channel, author, .. } = self.messages[message];
        let mut likely = self.able(self.channels[channel].community, Permissions::MANAGE_MESSAGES);
        likely.push(author);
        let Some(by) = choose(by, &likely, &self.everyone()) else { return Ok(None) };
        let Some(answer) = accepted(self.players[by].client.delete_message(id).await)? else {
            return Ok(None);
        };
        self.head = answer.position;
        self.messages[message].alive = false;
        Ok(Some(()))
    }
}
