//! More operations that are called as JSON: polls, forwards, deleting many, and what is done to channels and people.

use domain::Permissions;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::Broken;
use crate::scenario::Pick;
use crate::world::{World, choose};

impl World {
    pub(crate) async fn poll(&mut self, by: Pick, what: Pick, which: Pick) -> Result<Option<()>, Broken> {
        let last = self.polls.last().cloned().filter(|_| !which.is_multiple_of(3));
        let Some((message, channel)) = last else { return self.open_poll(by, what).await };
        let able = self.able(self.channels[channel].community, Permissions::REACT);
        let Some(by) = choose(by, &able, &self.everyone()) else { return Ok(None) };
        if which.is_multiple_of(7) {
            let path = format!("/messages/{message}/poll/close");
            return self.give(by, Method::POST, path, None).await.map(|_| Some(()));
        }
        let path = format!("/messages/{message}/poll/vote");
        let body = json!({"options": [which % 2]});
        self.give(by, Method::PUT, path, Some(body)).await.map(|_| Some(()))
    }

    async fn open_poll(&mut self, by: Pick, what: Pick) -> Result<Option<()>, Broken> {
        let Some(channel) = self.some_channel(what) else { return Ok(None) };
        let able = self.able(self.channels[channel].community, Permissions::POST);
        let Some(by) = choose(by, &able, &self.everyone()) else { return Ok(None) };
        let body = json!({"content": self.text("poll"), "poll": {"options": ["yes", "no"]}});
        let path = format!("/channels/{}/messages", self.channels[channel].id);
        let posted = self.give(by, Method::POST, path, Some(body)).await?;
        let id = posted.and_then(|posted| posted["message"]["id"].as_str().map(str::to_owned));
        self.polls.extend(id.map(|id| (id, channel)));
        Ok(Some(()))
    }

    pub(crate) async fn forward(&mut self, by: Pick, what: Pick, which: Pick) -> Result<Option<()>, Broken> {
        let (Some(message), Some(channel)) = (self.some_message(what), self.some_channel(which)) else {
            return Ok(None);
        };
        let able = self.able(self.channels[channel].community, Permissions::POST);
        let Some(by) = choose(by, &able, &self.everyone()) else { return Ok(None) };
        let body = json!({"channel_id": self.channels[channel].id});
        let path = format!("/messages/{}/forwards", self.messages[message].id);
        self.give(by, Method::POST, path, Some(body)).await.map(|_| Some(()))
    }

    pub(crate) async fn sweep(&mut self, what: Pick) -> Result<Option<()>, Broken> {
        let Some(channel) = self.some_channel(what) else { return Ok(None) };
        let owner = self.communities[self.channels[channel].community].owner;
        let there = self.messages.iter_mut().filter(|message| message.alive && message.channel == channel);
        let mut ids = Vec::new();
        for message in there.take(2) {
            message.alive = false;
            ids.push(message.id);
        }
        let path = format!("/channels/{}/messages/bulk-delete", self.channels[channel].id);
        self.give(owner, Method::POST, path, Some(json!({"messages": ids}))).await.map(|_| Some(()))
    }

    pub(crate) async fn archive(&mut self, what: Pick, which: Pick) -> Result<Option<()>, Broken> {
        let Some(channel) = self.some_channel(what) else { return Ok(None) };
        let owner = self.communities[self.channels[channel].community].owner;
        let path = format!("/channels/{}", self.channels[channel].id);
        let body = json!({"archived": which.is_multiple_of(2)});
        self.give(owner, Method::PATCH, path, Some(body)).await.map(|_| Some(()))
    }

    pub(crate) async fn order(&mut self, what: Pick) -> Result<Option<()>, Broken> {
        let Some((community, owner)) = self.owned(what) else { return Ok(None) };
        let there =
            self.channels.iter().rev().filter(|channel| channel.alive && channel.community == community);
        let channels: Vec<Value> =
            there.map(|channel| json!({"id": channel.id, "category_id": null})).collect();
        let path = format!("/communities/{}/channel-order", self.communities[community].id);
        self.give(owner, Method::PUT, path, Some(json!({"channels": channels}))).await.map(|_| Some(()))
    }

    #[expect(clippy::disallowed_methods, reason = "the server's clock is the machine's")]
    pub(crate) async fn time_out(&mut self, by: Pick, what: Pick, which: Pick) -> Result<Option<()>, Broken> {
        let Some((community, owner)) = self.owned(what) else { return Ok(None) };
        let members: Vec<usize> = self.communities[community].members.keys().copied().collect();
        let Some(account) = choose(by, &members, &self.everyone()) else { return Ok(None) };
        let (id, account) = (self.communities[community].id, self.players[account].id);
        let path = format!("/communities/{id}/members/{account}/time-out");
        if which.is_multiple_of(3) {
            return self.give(owner, Method::DELETE, path, None).await.map(|_| Some(()));
        }
        let until = Timestamp::now().saturating_add(SignedDuration::from_hours(1));
        let until = until.map_err(|error| error.to_string())?;
        self.give(owner, Method::PUT, path, Some(json!({"until": until}))).await.map(|_| Some(()))
    }

    pub(crate) async fn block(&mut self, by: Pick, what: Pick, which: Pick) -> Result<Option<()>, Broken> {
        let (by, other) = (usize::from(by) % self.players.len(), usize::from(what) % self.players.len());
        let path = format!("/me/blocks/{}", self.players[other].id);
        let method = if which.is_multiple_of(3) { Method::DELETE } else { Method::PUT };
        self.give(by, method, path, None).await.map(|_| Some(()))
    }
}
