//! Operations that are called as JSON: roles, overwrites, reactions, pins, threads, conversations.

use client::Cursor;
use domain::Permissions;
use reqwest::Method;
use serde_json::{Value, json};

use crate::Broken;
use crate::scenario::{Deed, Pick};
use crate::world::{Conversation, World, choose};

const EMOJI: [&str; 3] = ["%F0%9F%91%8D", "%F0%9F%8E%89", "%F0%9F%A6%80"];

impl World {
    pub(crate) async fn do_deed(
        &mut self,
        deed: Deed,
        (by, what, which): (Pick, Pick, Pick),
    ) -> Result<Option<()>, Broken> {
        match deed {
            Deed::CreateRole => self.create_role(what).await,
            Deed::ChangeRole => self.change_role(what, which).await,
            Deed::DeleteRole => self.delete_role(what, which).await,
            Deed::GiveRoles => self.give_roles(by, what, which).await,
            Deed::Overwrite => self.overwrite(by, what, which).await,
            Deed::Private => self.set_private(what, which).await,
            Deed::Transfer => self.transfer(what, which).await,
            Deed::Nickname => self.nickname(by, what).await,
            Deed::React => self.react(by, what, which).await,
            Deed::Pin => self.pin(what, which).await,
            Deed::Thread => self.post_in_thread(by, what).await,
            Deed::Direct => self.open_direct(by, what).await,
            Deed::Group => self.create_group(by, what).await,
            Deed::Regroup => self.regroup(by, what, which).await,
            Deed::Talk => self.talk(by, what).await,
            Deed::Poll => self.poll(by, what, which).await,
            Deed::Forward => self.forward(by, what, which).await,
            Deed::Sweep => self.sweep(what).await,
            Deed::Archive => self.archive(what, which).await,
            Deed::Order => self.order(what).await,
            Deed::TimeOut => self.time_out(by, what, which).await,
            Deed::Block => self.block(by, what, which).await,
        }
    }

    pub(crate) async fn give(
        &mut self,
        by: usize,
        method: Method,
        path: String,
        body: Option<Value>,
    ) -> Result<Option<Value>, Broken> {
        let answer = self.players[by].http.command(method, &path, body).await?;
        if let Some(position) = answer.as_ref().and_then(|answer| answer["position"].as_str()) {
            self.head = Cursor::from(position.to_owned());
        }
        Ok(answer)
    }

    /// A community with its owner.
    pub(crate) fn owned(&self, what: Pick) -> Option<(usize, usize)> {
        let community = self.some_community(what)?;
        Some((community, self.communities[community].owner))
    }

    async fn create_role(&mut self, what: Pick) -> Result<Option<()>, Broken> {
        let Some((community, owner)) = self.owned(what) else { return Ok(None) };
        let body = json!({"name": self.text("role"), "permissions": permissions(what)});
        let path = format!("/communities/{}/roles", self.communities[community].id);
        let made = self.give(owner, Method::POST, path, Some(body)).await?;
        let role = made.and_then(|made| made["role"]["id"].as_str().map(str::to_owned));
        self.communities[community].roles.extend(role);
        Ok(Some(()))
    }

    fn some_role(&self, community: usize, which: Pick) -> String {
        let own = &self.communities[community].roles;
        let mut names: Vec<String> = ["guest", "member", "moderator"].map(str::to_owned).to_vec();
        names.extend(own.iter().cloned());
        names.swap_remove(usize::from(which) % names.len())
    }

    async fn change_role(&mut self, what: Pick, which: Pick) -> Result<Option<()>, Broken> {
        let Some((community, owner)) = self.owned(what) else { return Ok(None) };
        let role = self.some_role(community, which);
        let body = json!({"permissions": permissions(which / 8), "colour": "#336699"});
        let path = format!("/communities/{}/roles/{role}", self.communities[community].id);
        self.give(owner, Method::PATCH, path, Some(body)).await.map(|_| Some(()))
    }

    async fn delete_role(&mut self, what: Pick, which: Pick) -> Result<Option<()>, Broken> {
        let Some((community, owner)) = self.owned(what) else { return Ok(None) };
        let role = self.some_role(community, which);
        let path = format!("/communities/{}/roles/{role}", self.communities[community].id);
        if self.give(owner, Method::DELETE, path, None).await?.is_some() {
            self.communities[community].roles.retain(|known| *known != role);
        }
        Ok(Some(()))
    }

    async fn give_roles(&mut self, by: Pick, what: Pick, which: Pick) -> Result<Option<()>, Broken> {
        let Some((community, owner)) = self.owned(what) else { return Ok(None) };
        let place = &self.communities[community];
        let members: Vec<usize> = place.members.keys().copied().collect();
        let Some(account) = choose(by, &members, &self.everyone()) else { return Ok(None) };
        let roles = [self.some_role(community, which), self.some_role(community, which / 16)];
        let body = json!({"roles": roles});
        let path = format!("/communities/{}/members/{}", place.id, self.players[account].id);
        self.give(owner, Method::PATCH, path, Some(body)).await.map(|_| Some(()))
    }

    async fn overwrite(&mut self, by: Pick, what: Pick, which: Pick) -> Result<Option<()>, Broken> {
        let Some(channel) = self.some_channel(what) else { return Ok(None) };
        let (id, community) = (self.channels[channel].id, self.channels[channel].community);
        let owner = self.communities[community].owner;
        let target = if by.is_multiple_of(3) {
            format!("accounts/{}", self.players[usize::from(by) % self.players.len()].id)
        } else {
            format!("roles/{}", self.some_role(community, by))
        };
        let path = format!("/channels/{id}/overwrites/{target}");
        let some = json!(["view"]);
        let body = match which % 4 {
            0 => json!({"allow": some, "deny": []}),
            1 | 2 => json!({"allow": [], "deny": some}),
            _ => return self.give(owner, Method::DELETE, path, None).await.map(|_| Some(())),
        };
        self.give(owner, Method::PUT, path, Some(body)).await.map(|_| Some(()))
    }

    async fn set_private(&mut self, what: Pick, which: Pick) -> Result<Option<()>, Broken> {
        let Some(channel) = self.some_channel(what) else { return Ok(None) };
        let owner = self.communities[self.channels[channel].community].owner;
        let path = format!("/channels/{}", self.channels[channel].id);
        let body = json!({"private": which.is_multiple_of(2)});
        self.give(owner, Method::PATCH, path, Some(body)).await.map(|_| Some(()))
    }

    async fn transfer(&mut self, what: Pick, which: Pick) -> Result<Option<()>, Broken> {
        let Some((community, owner)) = self.owned(what) else { return Ok(None) };
        let members: Vec<usize> = self.communities[community].members.keys().copied().collect();
        let Some(heir) = choose(which, &members, &self.everyone()) else { return Ok(None) };
        let path = format!("/communities/{}/owner", self.communities[community].id);
        let body = json!({"account": self.players[heir].id});
        if self.give(owner, Method::PUT, path, Some(body)).await?.is_some() {
            self.communities[community].owner = heir;
        }
        Ok(Some(()))
    }

    async fn nickname(&mut self, by: Pick, what: Pick) -> Result<Option<()>, Broken> {
        let Some(community) = self.some_community(what) else { return Ok(None) };
        let members: Vec<usize> = self.communities[community].members.keys().copied().collect();
        let Some(by) = choose(by, &members, &self.everyone()) else { return Ok(None) };
        let nickname = if what.is_multiple_of(3) { String::new() } else { self.text("nick") };
        let path = format!(
            "/communities/{}/members/{}/nickname",
            self.communities[community].id, self.players[by].id
        );
        self.give(by, Method::PUT, path, Some(json!({"nickname": nickname}))).await.map(|_| Some(()))
    }

    async fn react(&mut self, by: Pick, what: Pick, which: Pick) -> Result<Option<()>, Broken> {
        let Some(message) = self.some_message(what) else { return Ok(None) };
        let (id, channel) = (self.messages[message].id, self.messages[message].channel);
        let able = self.able(self.channels[channel].community, Permissions::REACT);
        let Some(by) = choose(by, &able, &self.everyone()) else { return Ok(None) };
        let path = format!("/messages/{id}/reactions/{}", EMOJI[usize::from(which) % EMOJI.len()]);
        let method = if which.is_multiple_of(5) { Method::DELETE } else { Method::PUT };
        self.give(by, method, path, None).await.map(|_| Some(()))
    }

    async fn pin(&mut self, what: Pick, which: Pick) -> Result<Option<()>, Broken> {
        let Some(message) = self.some_message(what) else { return Ok(None) };
        let (id, channel) = (self.messages[message].id, self.messages[message].channel);
        let owner = self.communities[self.channels[channel].community].owner;
        let method = if which.is_multiple_of(3) { Method::DELETE } else { Method::PUT };
        self.give(owner, method, format!("/messages/{id}/pin"), None).await.map(|_| Some(()))
    }

    async fn post_in_thread(&mut self, by: Pick, what: Pick) -> Result<Option<()>, Broken> {
        let Some(message) = self.some_message(what) else { return Ok(None) };
        let (id, channel) = (self.messages[message].id, self.messages[message].channel);
        let able = self.able(self.channels[channel].community, Permissions::REPLY);
        let Some(by) = choose(by, &able, &self.everyone()) else { return Ok(None) };
        let body = json!({"content": self.text("in the thread"), "thread_id": id});
        let path = format!("/channels/{}/messages", self.channels[channel].id);
        self.give(by, Method::POST, path, Some(body)).await.map(|_| Some(()))
    }

    async fn open_direct(&mut self, by: Pick, what: Pick) -> Result<Option<()>, Broken> {
        let (by, other) = (usize::from(by) % self.players.len(), usize::from(what) % self.players.len());
        let body = json!({"account": self.players[other].id});
        let made = self.give(by, Method::POST, "/direct-channels".to_owned(), Some(body)).await?;
        self.meet(made, [by, other]);
        Ok(Some(()))
    }

    async fn create_group(&mut self, by: Pick, what: Pick) -> Result<Option<()>, Broken> {
        let by = usize::from(by) % self.players.len();
        let others = [usize::from(what) % self.players.len(), usize::from(what / 8) % self.players.len()];
        let mut ids: Vec<_> =
            others.iter().filter(|other| **other != by).map(|other| self.players[*other].id).collect();
        ids.dedup();
        let body = json!({"members": ids});
        let made = self.give(by, Method::POST, "/group-channels".to_owned(), Some(body)).await?;
        self.meet(made, [by, others[0], others[1]]);
        Ok(Some(()))
    }

    fn meet(&mut self, made: Option<Value>, members: impl IntoIterator<Item = usize>) {
        let id = made.and_then(|made| made["channel"]["id"].as_str().map(str::to_owned));
        let members = members.into_iter().collect();
        self.conversations.extend(id.map(|id| Conversation { id, members }));
    }

    fn some_conversation(&self, by: Pick, what: Pick) -> Option<(usize, usize)> {
        let all: Vec<usize> = (0..self.conversations.len()).collect();
        let conversation = choose(what, &all, &all)?;
        let members: Vec<usize> = self.conversations[conversation].members.iter().copied().collect();
        Some((conversation, choose(by, &members, &self.everyone())?))
    }

    async fn regroup(&mut self, by: Pick, what: Pick, which: Pick) -> Result<Option<()>, Broken> {
        let Some((conversation, by)) = self.some_conversation(by, what) else { return Ok(None) };
        let other = usize::from(which) % self.players.len();
        let id = &self.conversations[conversation].id;
        let path = format!("/channels/{id}/members/{}", self.players[other].id);
        let (method, comes) =
            if which.is_multiple_of(2) { (Method::PUT, true) } else { (Method::DELETE, false) };
        if self.give(by, method, path, None).await?.is_some() {
            let members = &mut self.conversations[conversation].members;
            let _changed = if comes { members.insert(other) } else { members.remove(&other) };
        }
        Ok(Some(()))
    }

    async fn talk(&mut self, by: Pick, what: Pick) -> Result<Option<()>, Broken> {
        let Some((conversation, by)) = self.some_conversation(by, what) else { return Ok(None) };
        let body = json!({"content": self.text("among us")});
        let path = format!("/channels/{}/messages", self.conversations[conversation].id);
        self.give(by, Method::POST, path, Some(body)).await.map(|_| Some(()))
    }
}

fn permissions(pick: Pick) -> Vec<&'static str> {
    let all = ["view", "post", "react", "reply", "kick", "ban", "manage_messages", "manage_channels"];
    // Mostly with `view`: who sees nothing has nothing to follow.
    let bits = if pick.is_multiple_of(5) { pick } else { pick | 1 };
    all.into_iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, name)| name).collect()
}
