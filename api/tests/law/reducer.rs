//! What a frame does to a view: the rules of `docs/API.md`, and nothing that only the server knows.
//!
//! What is fetched because of a frame may be newer than the frame. The frames in between come too, and make the same
//! changes again, so the view arrives where the server is.

use client::{Cursor, Frame};
use serde_json::{Value, json};

use crate::Broken;
use crate::http::Http;
use crate::view::{ChannelView, View, bans, list_members, text};

impl View {
    pub(crate) async fn apply(&mut self, http: &Http, frame: &Frame) -> Result<(), Broken> {
        let (data, at) = (&frame.data, &frame.id);
        let kind = frame.kind.as_str();
        let mut found = true;
        match kind {
            "message.posted" => self.post(http, data, at).await?,
            "message.edited" => found = self.change(data, "id", |message| merge(message, data)),
            "message.deleted" => found = self.change(data, "id", |message| delete(message, data)),
            "message.pinned" | "message.unpinned" => {
                let pinned = kind == "message.pinned";
                found = self.change(data, "id", |message| message["pinned"] = Value::from(pinned));
            }
            "reaction.added" | "reaction.removed" => {
                let me = data["account_id"] == self.me["id"];
                let mine = me.then_some(kind == "reaction.added");
                found = self.change(data, "message_id", |message| react(message, data, mine));
            }
            "reaction.cleared" => {
                found = self.change(data, "message_id", |message| clear(message, &data["emoji"]));
            }
            "poll.voted" | "poll.closed" => self.look_again(http, data, "message_id", at).await?,
            "thread.followed" | "thread.unfollowed" => {}
            "channel.created" => self.create_channel(data),
            "channel.changed" if data.get("private").is_none_or(Value::is_null) => {
                if let Some(channel) = self.channel(&text(data, "id")) {
                    merge(&mut channel.shape, data);
                }
            }
            "channel.deleted" => {
                if let Some(community) = self.communities.get_mut(&text(data, "community_id")) {
                    community.channels.remove(&text(data, "id"));
                }
            }
            "community.renamed" => {
                if let Some(community) = self.communities.get_mut(&text(data, "id")) {
                    merge(&mut community.shape, data);
                }
            }
            "community.deleted" => self.drop_community(&text(data, "id")),
            "membership.left" | "membership.kicked" | "membership.banned"
                if data["account_id"] == self.me["id"] =>
            {
                self.drop_community(&text(data, "community_id"));
            }
            _ if kind.starts_with("membership.") && data["account_id"] != self.me["id"] => {
                self.meet(http, &text(data, "community_id"), at).await?;
            }
            // Who may do what has changed, or one's own part: what is seen follows from it.
            _ if kind.starts_with("membership.") || kind.starts_with("role.") => {
                self.show_again(http, &text(data, "community_id"), at).await?;
            }
            "community.owner_changed" => self.show_again(http, &text(data, "id"), at).await?,
            "channel.changed" | "channel.overwritten" | "channels.ordered" => {
                self.show_again(http, &text(data, "community_id"), at).await?;
            }
            "group.member_removed" if data["account_id"] == self.me["id"] => {
                self.conversations.remove(&text(data, "id"));
            }
            _ if kind.starts_with("direct.") || kind.starts_with("group.") => self.talk(http, at).await?,
            "account.profile_changed" => {
                let id = text(data, "id");
                let known = self.accounts.get_mut(&id);
                let me = (self.me["id"] == data["id"]).then_some(&mut self.me);
                known.into_iter().chain(me).for_each(|account| merge(account, data));
            }
            "report.opened" | "report.changed" | "account.blocked" | "account.unblocked" => {}
            _ => return Err(format!("a frame of an unknown kind: {frame:?}")),
        }
        if found { Ok(()) } else { in_thread(http, data, at).await }
    }

    fn channel(&mut self, id: &str) -> Option<&mut ChannelView> {
        let channels = self.communities.values_mut().flat_map(|community| &mut community.channels);
        channels.chain(&mut self.conversations).find(|(known, _)| *known == id).map(|(_, channel)| channel)
    }

    fn history(&mut self, channel: &str) -> Option<&mut Vec<Value>> {
        self.channel(channel)?.messages.as_mut()
    }

    fn create_channel(&mut self, shape: &Value) {
        let Some(community) = self.communities.get_mut(&text(shape, "community_id")) else { return };
        let id = text(shape, "id");
        let messages = community.channels.remove(&id).map(|known| known.messages);
        let messages = messages.unwrap_or(Some(Vec::new()));
        community.channels.insert(id, ChannelView { shape: shape.clone(), messages });
    }

    async fn post(&mut self, http: &Http, message: &Value, at: &Cursor) -> Result<(), Broken> {
        if message["thread_id"].is_string() {
            // Its root tells of it.
            return self.look_again(http, message, "thread_id", at).await;
        }
        let Some(history) = self.history(&text(message, "channel_id")) else { return Ok(()) };
        match history.iter_mut().find(|known| known["id"] == message["id"]) {
            Some(known) => *known = message.clone(),
            None => history.push(message.clone()),
        }
        Ok(())
    }

    /// Changes a message; `false` when its channel's history is known, and it is not in it.
    fn change(&mut self, data: &Value, id: &str, change: impl FnOnce(&mut Value)) -> bool {
        let Some(history) = self.history(&text(data, "channel_id")) else { return true };
        let message = history.iter_mut().find(|message| message["id"] == data[id]);
        message.map(change).is_some()
    }

    /// Fetches a message anew, if it is in a history.
    async fn look_again(&mut self, http: &Http, data: &Value, id: &str, at: &Cursor) -> Result<(), Broken> {
        let (channel, id) = (text(data, "channel_id"), text(data, id));
        if self.history(&channel).is_none() {
            return Ok(());
        }
        let Some(fresh) = http.get(&format!("/messages/{id}"), at).await? else { return Ok(()) };
        let Some(history) = self.history(&channel) else { return Ok(()) };
        if let Some(known) = history.iter_mut().find(|message| message["id"] == id.as_str()) {
            *known = fresh;
        }
        Ok(())
    }

    /// Fetches a community anew: with what is seen of it now, and what is said in the channels that are new.
    async fn show_again(&mut self, http: &Http, id: &str, at: &Cursor) -> Result<(), Broken> {
        match http.get(&format!("/communities/{id}"), at).await? {
            Some(community) => self.add(http, &community, at).await,
            // Out again already: the frame that says so is on its way.
            None => Ok(()),
        }
    }

    /// Fetches who is in a community, and who is kept out.
    async fn meet(&mut self, http: &Http, id: &str, at: &Cursor) -> Result<(), Broken> {
        let members = http.all(&format!("/communities/{id}/members"), 100, "after", at).await?;
        let bans = bans(http, id, at).await?;
        if let (Some(community), Some(members)) = (self.communities.get_mut(id), members) {
            self.accounts.extend(list_members(community, members));
            community.bans = bans;
        }
        self.forget_strangers();
        Ok(())
    }

    /// Fetches the conversations anew.
    async fn talk(&mut self, http: &Http, at: &Cursor) -> Result<(), Broken> {
        let Some(bootstrap) = http.get("/bootstrap", at).await? else { return Ok(()) };
        for conversation in bootstrap["conversations"].as_array().into_iter().flatten() {
            self.add_conversation(http, conversation, at).await?;
        }
        Ok(())
    }

    fn drop_community(&mut self, id: &str) {
        self.communities.remove(id);
        self.forget_strangers();
    }
}

/// A message that is not in the history must be one of a thread: else it should have come, with the history or with a
/// frame before.
async fn in_thread(http: &Http, data: &Value, at: &Cursor) -> Result<(), Broken> {
    let id = if data["id"].is_string() { text(data, "id") } else { text(data, "message_id") };
    match http.get(&format!("/messages/{id}"), at).await? {
        Some(message) if !message["thread_id"].is_string() => {
            Err(format!("message {id} changed, but never came"))
        }
        Some(_) | None => Ok(()),
    }
}

/// What is left of a deleted message.
fn delete(message: &mut Value, data: &Value) {
    merge(
        message,
        &json!({"deleted_at": data["deleted_at"], "content": null, "pinned": false, "reactions": []}),
    );
}

/// Takes over the fields that a frame tells and the thing has.
fn merge(thing: &mut Value, told: &Value) {
    let Some(told) = told.as_object() else { return };
    for (name, value) in told {
        if let Some(field) = thing.get_mut(name) {
            field.clone_from(value);
        }
    }
}

/// `mine`: whether one's own reaction is there now, if that is what changed.
fn react(message: &mut Value, data: &Value, mine: Option<bool>) {
    let Some(reactions) = message["reactions"].as_array_mut() else { return };
    let known = reactions.iter().position(|reaction| reaction["emoji"] == data["emoji"]);
    let index = known.unwrap_or_else(|| {
        reactions.push(json!({"emoji": data["emoji"], "count": 0, "me": false}));
        reactions.len() - 1
    });
    reactions[index]["count"] = data["count"].clone();
    if let Some(mine) = mine {
        reactions[index]["me"] = Value::from(mine);
    }
    reactions.retain(|reaction| reaction["count"] != 0);
}

/// Takes one kind of reaction away, or all.
fn clear(message: &mut Value, emoji: &Value) {
    if let Some(reactions) = message["reactions"].as_array_mut() {
        reactions.retain(|reaction| !emoji.is_null() && reaction["emoji"] != *emoji);
    }
}
