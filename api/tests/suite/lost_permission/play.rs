//! The same history on a real server, and every way by which somebody could see what they may not.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::oracle::{CHANNELS, Oracle, PEOPLE, ROLES};
use super::{Step, Target};
use crate::harness::{Account, Answer, TestServer};

/// Reading as many pages of frames as this without an end is a fault.
const PAGES: usize = 200;

pub(crate) struct Play {
    server: TestServer,
    owner: Account,
    people: Vec<Account>,
    community: String,
    channels: Vec<String>,
    /// The names of the roles in the contract.
    roles: Vec<String>,
    /// A message in each channel that has a thread and a reaction.
    roots: Vec<String>,
    oracle: Oracle,
    /// As it was before the last step: of what a step takes away one still hears that it does.
    before: Oracle,
    /// Whoever saw a channel at some time may hear of its changes when they resume from the beginning.
    ever: [[bool; CHANNELS]; PEOPLE],
    /// The cursors from the beginning, and of each one's stream.
    first: Vec<String>,
    streams: Vec<String>,
    owners_stream: String,
    /// What was posted in the last step, in each channel.
    posted: Vec<String>,
    last: Option<Answer>,
}

impl Play {
    pub(crate) async fn begin() -> Result<Self, String> {
        let server = TestServer::start().await;
        let owner = server.account("owner").await;
        let mut people = Vec::new();
        for number in 0..PEOPLE {
            people.push(server.account(&format!("person{number}")).await);
        }
        let community = server.community(&owner).await;
        let everyone: Vec<&Account> = people.iter().collect();
        server.join(&community, &owner, &everyone).await;
        let base = format!("/communities/{}", community.id);
        let mut channels = vec![community.channel.clone()];
        for number in 1..CHANNELS {
            let new = json!({"name": format!("channel-{number}")});
            let made = server.post(&format!("{base}/channels")).by(&owner).json(new).send().await.is(201);
            channels.push(made.text("/channel/id"));
        }
        let mut roles = vec!["guest".to_owned(), "member".to_owned()];
        // A new role stands just above `member`: the one made first ends up above the other.
        for name in ["upper", "lower"] {
            let new = json!({"name": name, "permissions": ["view"]});
            let made = server.post(&format!("{base}/roles")).by(&owner).json(new).send().await.is(201);
            roles.insert(2, made.text("/role/id"));
        }
        roles.push("moderator".to_owned());
        let mut roots = Vec::new();
        for channel in &channels {
            roots.push(server.message(channel, &owner, "the root").await);
        }
        let mut play = Self {
            owners_stream: String::new(),
            first: Vec::new(),
            streams: Vec::new(),
            community: community.id,
            oracle: Oracle::new(),
            before: Oracle::new(),
            ever: [[true; CHANNELS]; PEOPLE],
            posted: Vec::new(),
            last: None,
            server,
            owner,
            people,
            channels,
            roles,
            roots,
        };
        for root in play.roots.clone() {
            for person in &play.people {
                let path = format!("/me/saved-messages/{root}");
                play.server.put(&path).by(person).send().await.is(204);
            }
        }
        play.owners_stream = play.cursor(&play.owner).await;
        for person in &play.people {
            play.first.push(play.cursor(person).await);
        }
        play.streams.clone_from(&play.first);
        Ok(play)
    }

    async fn cursor(&self, account: &Account) -> String {
        let mut call = self.server.get("/bootstrap").by(account);
        if let Some(last) = &self.last {
            call = call.after(last);
        }
        call.send().await.is(200).text("/cursor")
    }

    /// The owner does it; then something is posted everywhere that mentions everyone.
    pub(crate) async fn take(&mut self, step: &Step) -> Result<(), String> {
        self.before = self.oracle.clone();
        let base = format!("/communities/{}", self.community);
        let member = |who: usize| format!("{base}/members/{}", self.people[who].id);
        let (server, owner) = (&self.server, &self.owner);
        match *step {
            Step::Grant { role, view } => {
                let permissions = if view { json!(["view", "post"]) } else { json!(["post"]) };
                let path = format!("{base}/roles/{}", self.roles[role]);
                let change = json!({"permissions": permissions});
                server.patch(&path).by(owner).json(change).send().await.is(200);
            }
            Step::Assign { who, roles } => {
                if self.oracle.members[who].is_some() {
                    let held = Oracle::roles(roles);
                    let names: Vec<&String> =
                        (0..ROLES).filter(|role| held[*role]).map(|role| &self.roles[role]).collect();
                    server.patch(&member(who)).by(owner).json(json!({"roles": names})).send().await.is(200);
                }
            }
            // Only who is a member gets an overwrite.
            Step::Overwrite { target: Target::Account(who), .. } if self.oracle.members[who].is_none() => {}
            Step::Overwrite { channel, target, view } => {
                let target = match target {
                    Target::Role(role) => format!("roles/{}", self.roles[role]),
                    Target::Account(who) => format!("accounts/{}", self.people[who].id),
                };
                let path = format!("/channels/{}/overwrites/{target}", self.channels[channel]);
                let (allow, deny) = match view {
                    Some(true) => (json!(["view"]), json!([])),
                    Some(false) => (json!([]), json!(["view"])),
                    None => {
                        server.delete(&path).by(owner).send().await.is(200);
                        self.oracle.take(step);
                        return self.talk().await;
                    }
                };
                server.put(&path).by(owner).json(json!({"allow": allow, "deny": deny})).send().await.is(200);
            }
            Step::Private { channel, private } => {
                let path = format!("/channels/{}", self.channels[channel]);
                server.patch(&path).by(owner).json(json!({"private": private})).send().await.is(200);
            }
            Step::Kick { who } => {
                if self.oracle.members[who].is_some() {
                    server.delete(&member(who)).by(owner).send().await.is(200);
                }
            }
            Step::Ban { who } => {
                let path = format!("{base}/bans/{}", self.people[who].id);
                server.put(&path).by(owner).send().await.is(200);
            }
            Step::Join { who } => {
                if self.oracle.banned[who] {
                    let path = format!("{base}/bans/{}", self.people[who].id);
                    server.delete(&path).by(owner).send().await.is(200);
                }
                if self.oracle.members[who].is_none() {
                    let invite = server.post(&format!("{base}/invites")).by(owner).json(json!({}));
                    let code = invite.send().await.is(201).text("/invite/code");
                    let path = format!("/invites/{code}/redemptions");
                    server.post(&path).by(&self.people[who]).send().await.is(201);
                }
            }
            Step::Reorder { swapped } => {
                let [lower, upper] = if swapped { [3, 2] } else { [2, 3] };
                let order: Vec<&String> = [0, 1, lower, upper, 4].map(|role| &self.roles[role]).into();
                let order = json!({"roles": order});
                server.put(&format!("{base}/roles/order")).by(owner).json(order).send().await.is(200);
            }
        }
        self.oracle.take(step);
        self.talk().await
    }

    async fn talk(&mut self) -> Result<(), String> {
        self.posted.clear();
        for (channel, root) in self.channels.iter().zip(&self.roots) {
            let path = format!("/channels/{channel}/messages");
            let told = json!({"content": "hear, @everyone"});
            let answer = self.server.post(&path).by(&self.owner).json(told).send().await.is(201);
            self.posted.push(answer.text("/message/id"));
            let deeper = json!({"content": "and @everyone here", "thread_id": root});
            self.last = Some(self.server.post(&path).by(&self.owner).json(deeper).send().await.is(201));
        }
        for who in 0..PEOPLE {
            for channel in 0..CHANNELS {
                self.ever[who][channel] |= self.oracle.sees(who, channel);
            }
        }
        // What the owner has got by the stream, everyone's streams have been given.
        let newest = self.last.as_ref().expect("something was posted").text("/message/id");
        let (frames, cursor) = self.drain(&self.owner, &self.owners_stream, Some(&newest)).await?;
        self.owners_stream = cursor;
        if frames.is_empty() { Err("the owner hears nothing".to_owned()) } else { Ok(()) }
    }

    /// All frames after a cursor, by long-polls, until the one of `message` if it is named, else until there are none.
    async fn drain(
        &self,
        account: &Account,
        after: &str,
        message: Option<&str>,
    ) -> Result<(Vec<Value>, String), String> {
        let (mut frames, mut cursor) = (Vec::new(), after.to_owned());
        let wait = if message.is_some() { 20 } else { 0 };
        for _ in 0..PAGES {
            let path = format!("/events?after={cursor}&wait={wait}&limit=100");
            let answer = self.server.get(&path).by(account).send().await.is(200);
            cursor = answer.text("/next");
            let events = answer.json["events"].as_array().cloned().unwrap_or_default();
            // Signals are told on their own account.
            let events: Vec<Value> = events.into_iter().filter(|event| event["id"].is_string()).collect();
            let done = match message {
                Some(id) => events.iter().any(|event| event["data"]["id"] == id),
                None => events.is_empty(),
            };
            frames.extend(events);
            if done {
                return Ok((frames, cursor));
            }
        }
        Err("the frames do not end".to_owned())
    }

    pub(crate) async fn check(&mut self) -> Result<(), String> {
        for who in 0..PEOPLE {
            self.reads(who).await.map_err(|leak| format!("person{who}: {leak}"))?;
            let (person, stream) = (self.people[who].clone(), self.streams[who].clone());
            let (frames, cursor) = self.drain(&person, &stream, None).await?;
            self.streams[who] = cursor;
            self.judge(who, &frames, false).map_err(|leak| format!("person{who}, by stream: {leak}"))?;
            self.complete(who, &frames).map_err(|gap| format!("person{who}, by stream: {gap}"))?;
            let (frames, _) = self.drain(&person, &self.first[who].clone(), None).await?;
            self.judge(who, &frames, true).map_err(|leak| format!("person{who}, by resuming: {leak}"))?;
        }
        Ok(())
    }

    pub(crate) async fn end(self) -> Result<(), String> {
        self.server.shutdown().await;
        Ok(())
    }

    fn place(&self, id: &Value) -> Option<usize> {
        self.channels.iter().position(|channel| *id == channel.as_str())
    }

    /// Holds frames against who sees what now.
    fn judge(&self, who: usize, frames: &[Value], resumed: bool) -> Result<(), String> {
        let sees = |channel| self.oracle.sees(who, channel);
        for frame in frames {
            let (kind, data) = (frame["type"].as_str().unwrap_or_default(), &frame["data"]);
            let allowed = if let Some(channel) = self.place(&data["channel_id"]) {
                sees(channel)
            } else if let (true, Some(channel)) = (kind.starts_with("channel."), self.place(&data["id"])) {
                let then = if resumed { self.ever[who][channel] } else { self.before.sees(who, channel) };
                sees(channel) || then
            } else {
                // Of a community that was lost, resuming tells nothing but that.
                let lost = ["membership.kicked", "membership.banned"].contains(&kind)
                    && data["account_id"] == self.people[who].id.as_str();
                let then = if resumed { lost } else { self.before.members[who].is_some() };
                self.oracle.members[who].is_some() || then
            };
            if !allowed {
                return Err(format!("got {frame}"));
            }
        }
        Ok(())
    }

    /// Whoever saw a channel through the step gets all that was said in it.
    fn complete(&self, who: usize, frames: &[Value]) -> Result<(), String> {
        for (channel, posted) in self.posted.iter().enumerate() {
            let came = frames.iter().any(|frame| frame["data"]["id"] == posted.as_str());
            if self.oracle.sees(who, channel) && !came {
                return Err(format!("{posted} of channel {channel} did not come"));
            }
        }
        Ok(())
    }

    /// Every read by which something of a channel could show.
    async fn reads(&self, who: usize) -> Result<(), String> {
        let seen: BTreeSet<usize> = (0..CHANNELS).filter(|channel| self.oracle.sees(who, *channel)).collect();
        for channel in 0..CHANNELS {
            let (id, root) = (&self.channels[channel], &self.roots[channel]);
            let expected = if seen.contains(&channel) { 200 } else { 404 };
            for path in [
                format!("/channels/{id}"),
                format!("/channels/{id}/messages"),
                format!("/channels/{id}/pins"),
                format!("/messages/{root}"),
                format!("/messages/{root}/versions"),
                format!("/messages/{root}/thread"),
                format!("/messages/{}", self.posted[channel]),
            ] {
                let answer = self.ask(who, &path).await;
                if answer.status.as_u16() != expected {
                    return Err(format!("{path} answered {} instead of {expected}", answer.status));
                }
            }
        }
        let community = self.ask(who, &format!("/communities/{}", self.community)).await;
        let listed = community.json["channels"].as_array().cloned().unwrap_or_default();
        let listed: BTreeSet<usize> =
            listed.iter().filter_map(|channel| self.place(&channel["id"])).collect();
        if listed != seen {
            return Err(format!("is shown the channels {listed:?} instead of {seen:?}"));
        }
        let saved = self.items(who, "/me/saved-messages?limit=100").await;
        self.among(&saved, &seen, "saved messages", true)?;
        let mentions = self.items(who, "/me/mentions?limit=100").await;
        self.among(&mentions, &seen, "mentions", true)?;
        let threads = self.items(who, "/me/threads?limit=100").await;
        self.among(&threads, &seen, "threads", false)?;
        let states = self.items(who, "/me/read-states").await;
        self.among(&states, &seen, "counts", true)
    }

    async fn ask(&self, who: usize, path: &str) -> Answer {
        let last = self.last.as_ref().expect("something was posted");
        self.server.get(path).by(&self.people[who]).after(last).send().await
    }

    async fn items(&self, who: usize, path: &str) -> Vec<Value> {
        self.ask(who, path).await.is(200).items().clone()
    }

    /// Whether the channels that a list speaks of are some of those that are seen, or, if it is `complete`, all.
    fn among(
        &self,
        items: &[Value],
        seen: &BTreeSet<usize>,
        what: &str,
        complete: bool,
    ) -> Result<(), String> {
        let mut named = BTreeSet::new();
        for item in items {
            let id = [&item["channel_id"], &item["message"]["channel_id"], &item["root"]["channel_id"]];
            let channel = id.into_iter().find_map(|id| self.place(id));
            named.insert(channel.ok_or_else(|| format!("the {what} name no channel: {item}"))?);
        }
        if named.is_subset(seen) && (!complete || named == *seen) {
            Ok(())
        } else {
            Err(format!("the {what} are of {named:?}, seen is {seen:?}"))
        }
    }
}
