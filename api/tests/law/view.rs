//! All that an account can see, as one value: fetched, or followed by the frames.

use std::collections::BTreeMap;

use client::Cursor;
use serde_json::Value;

use crate::Broken;
use crate::http::Http;

/// Things by their ids.
pub(crate) type ById<T> = BTreeMap<String, T>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct View {
    pub(crate) me: Value,
    pub(crate) communities: ById<CommunityView>,
    /// Direct and group channels.
    pub(crate) conversations: ById<ChannelView>,
    /// Those that some list of members names.
    pub(crate) accounts: ById<Value>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CommunityView {
    /// As it is shown, without its channels and one's own standing.
    pub(crate) shape: Value,
    /// One's own standing.
    pub(crate) mine: Value,
    pub(crate) channels: ById<ChannelView>,
    /// Without their accounts.
    pub(crate) members: ById<Value>,
    /// `None` for who may not know.
    pub(crate) bans: Option<ById<Value>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChannelView {
    pub(crate) shape: Value,
    /// Oldest first; `None` when the channel was gone before its history could be fetched.
    pub(crate) messages: Option<Vec<Value>>,
}

pub(crate) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

impl View {
    /// What the server shows now, at `at` or later.
    pub(crate) async fn fetch(http: &Http, at: &Cursor) -> Result<Self, Broken> {
        let bootstrap = http.get("/bootstrap", at).await?.ok_or("no bootstrap")?;
        Self::complete(http, &bootstrap, at).await
    }

    /// The snapshot, with the lists and histories that go with it as they are by now.
    pub(crate) async fn complete(http: &Http, bootstrap: &Value, at: &Cursor) -> Result<Self, Broken> {
        let mut view = Self {
            me: bootstrap["account"].clone(),
            communities: ById::new(),
            conversations: ById::new(),
            accounts: ById::new(),
        };
        for community in bootstrap["communities"].as_array().into_iter().flatten() {
            view.add(http, community, at).await?;
        }
        for conversation in bootstrap["conversations"].as_array().into_iter().flatten() {
            view.add_conversation(http, conversation, at).await?;
        }
        Ok(view)
    }

    /// Adds a community, or shows it anew: what is said in the channels that were known stays as it was followed.
    pub(crate) async fn add(&mut self, http: &Http, community: &Value, at: &Cursor) -> Result<(), Broken> {
        let id = text(community, "id");
        let path = format!("/communities/{id}/members");
        let Some(members) = http.all(&path, 100, "after", at).await? else { return Ok(()) };
        let mut known = self.communities.remove(&id).map(|known| known.channels).unwrap_or_default();
        let mut channels = ById::new();
        for shape in community["channels"].as_array().into_iter().flatten() {
            let channel = text(shape, "id");
            let messages = match known.remove(&channel) {
                Some(ChannelView { messages: Some(messages), .. }) => Some(messages),
                _ => history(http, &channel, at).await?,
            };
            channels.insert(channel, ChannelView { shape: shape.clone(), messages });
        }
        let mut shape = community.clone();
        let mine = shape["member"].take();
        for part in ["member", "channels"] {
            shape.as_object_mut().and_then(|shape| shape.remove(part));
        }
        let bans = bans(http, &id, at).await?;
        let mut view =
            CommunityView { shape, mine: without_account(mine), channels, members: ById::new(), bans };
        self.accounts.extend(list_members(&mut view, members));
        self.communities.insert(id, view);
        self.forget_strangers();
        Ok(())
    }

    pub(crate) async fn add_conversation(
        &mut self,
        http: &Http,
        shape: &Value,
        at: &Cursor,
    ) -> Result<(), Broken> {
        let id = text(shape, "id");
        let messages = match self.conversations.remove(&id) {
            Some(ChannelView { messages: Some(messages), .. }) => Some(messages),
            _ => history(http, &id, at).await?,
        };
        self.conversations.insert(id, ChannelView { shape: settled(shape), messages });
        Ok(())
    }

    /// Who shares no community any more may change without our hearing of it.
    pub(crate) fn forget_strangers(&mut self) {
        let communities = &self.communities;
        let met = |account: &String| communities.values().any(|c| c.members.contains_key(account));
        self.accounts.retain(|id, _| met(id));
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

/// A conversation, without what its messages change and without the accounts of who takes part: those change by
/// themselves.
fn settled(shape: &Value) -> Value {
    let mut shape = shape.clone();
    if let Some(shape) = shape.as_object_mut() {
        shape.remove("last_message_at");
        let members = shape.remove("members");
        let ids = members.as_ref().and_then(Value::as_array).into_iter().flatten();
        let mut ids: Vec<String> = ids.map(|account| text(account, "id")).collect();
        ids.sort();
        shape.insert("members".to_owned(), Value::from(ids));
    }
    shape
}

pub(crate) fn without_account(mut member: Value) -> Value {
    member.as_object_mut().and_then(|member| member.remove("account"));
    member
}

/// Puts the members of a list where they belong; answers their accounts.
pub(crate) fn list_members(view: &mut CommunityView, members: Vec<Value>) -> ById<Value> {
    view.members.clear();
    let mut accounts = ById::new();
    for mut member in members {
        let account = member["account"].take();
        let id = text(&account, "id");
        accounts.insert(id.clone(), account);
        view.members.insert(id, without_account(member));
    }
    accounts
}

pub(crate) async fn bans(http: &Http, community: &str, at: &Cursor) -> Result<Option<ById<Value>>, Broken> {
    let list = http.get(&format!("/communities/{community}/bans"), at).await?;
    let items = list.as_ref().map(|list| list["items"].as_array().into_iter().flatten());
    let ban = |ban: &Value| {
        let mut ban = ban.clone();
        // Who is banned may change their name without anybody here hearing of it.
        let account = ban["account"].take();
        (text(&account, "id"), ban)
    };
    Ok(items.map(|items| items.map(ban).collect()))
}

/// All messages of a channel, oldest first; `None` when it is gone.
pub(crate) async fn history(http: &Http, channel: &str, at: &Cursor) -> Result<Option<Vec<Value>>, Broken> {
    // Small pages, so that histories have several.
    let messages = http.all(&format!("/channels/{channel}/messages"), 5, "before", at).await?;
    Ok(messages.map(|mut messages| {
        messages.reverse();
        messages
    }))
}
