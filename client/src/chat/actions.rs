//! What typed lines do.

use std::future::IntoFuture;

use uuid::Uuid;

use super::ChatError;
use super::conversation::{Conversation, Older};
use super::harmless::{harmless, harmless_line};
use super::input::{self, HELP, Input};
use super::outbox::Job;
use crate::channel::NewChannel;
use crate::cursor::Paging;
use crate::error::Error;
use crate::invite::NewInvite;
use crate::message::{MessageQuery, NewMessage, Place};

/// Messages shown on entering a channel, and by each `/history`.
const RECENT: u32 = 20;
/// Pages of a hundred members whose names are read at once.
const MEMBER_PAGES: usize = 5;

impl Conversation {
    /// Does what a line asks for. A refusal is shown; only the end of the session is an error.
    pub(super) async fn act(&mut self, line: &str) -> Result<(), ChatError> {
        let outcome = match input::parse(line) {
            Input::Nothing => Ok(()),
            Input::Usage(usage) => return self.say(&format!("! {usage}")).await,
            Input::Help => return self.say(HELP).await,
            Input::Channels => return self.say(&self.room.list()).await,
            Input::Quit => {
                self.finish();
                Ok(())
            }
            Input::Say(text) => return self.put_here(|channel| post(channel, NewMessage::text(text))).await,
            Input::Edit(text) => {
                return self.put_here(|channel| Job::EditLast { channel, content: text.to_owned() }).await;
            }
            Input::Delete => return self.put_here(|channel| Job::DeleteLast { channel }).await,
            Input::Reply(number, text) => match self.room.numbered(number) {
                Some(to) => {
                    return self.put_here(|channel| post(channel, NewMessage::reply(to, text))).await;
                }
                None => return self.say(&format!("! there is no message #{number}")).await,
            },
            Input::Switch(wanted) => match self.room.search(wanted) {
                Some(channel) => return self.enter(channel).await,
                None => return self.say("! no such channel; /channels lists them").await,
            },
            Input::Join(code) => self.join(code).await,
            Input::Create(name) => self.create(name).await,
            Input::CreateCommunity(name) => self.create_community(name).await,
            Input::Invite => self.invite().await,
            Input::History => self.history().await,
            Input::Who => self.who().await,
            Input::LogOut => match self.client.log_out().await {
                Ok(()) => {
                    self.logged_out();
                    Ok(())
                }
                Err(error) => Err(error),
            },
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(error) => self.refused(error).await,
        }
    }

    async fn put_here(&mut self, job: impl FnOnce(Uuid) -> Job) -> Result<(), ChatError> {
        let Some(channel) = self.room.channel else {
            return self.say("! not in a channel: /switch NAME, /join CODE or /create NAME").await;
        };
        if self.outbox.put(job(channel)) {
            Ok(())
        } else {
            self.say("! too much waits to be sent; this was not taken").await
        }
    }

    /// Shows a channel: its place, the names in it, what was said last.
    pub(super) async fn enter(&mut self, channel: Uuid) -> Result<(), ChatError> {
        let Some((community, found)) = self.room.find(channel) else { return Ok(()) };
        let place = format!("· {} / #{}", harmless_line(&community.name), harmless_line(found.title()));
        let topic = found.topic.clone().filter(|topic| !topic.is_empty());
        let community = community.id;
        self.room.enter(channel);
        self.older = Older::Nothing;
        self.say(&topic.map_or(place.clone(), |topic| format!("{place}: {}", harmless_line(&topic)))).await?;
        let entered = match self.names(community).await {
            Ok(_) => self.history().await,
            Err(error) => Err(error),
        };
        match entered {
            Ok(()) => Ok(()),
            Err(error) => self.refused(error).await,
        }
    }

    /// The next older page of the channel.
    async fn history(&mut self) -> Result<(), Error> {
        let Some(channel) = self.room.channel else { return Ok(()) };
        let before = match &self.older {
            Older::Nothing => None,
            Older::Before(cursor) => Some(Place::Page(cursor.clone())),
            Older::ToTheStart => {
                self.screen.line("· nothing older").await;
                return Ok(());
            }
        };
        let newest = before.is_none();
        let query = MessageQuery { before, limit: Some(RECENT), ..MessageQuery::default() };
        let page = self.client.messages(channel, &query).await?;
        for message in page.items.iter().rev() {
            if newest && message.author_id == self.room.me && message.deleted_at.is_none() {
                self.outbox.put(Job::Own { channel, message: message.id });
            }
            // The only error is the end of the session, which the next call meets too.
            let _shown = self.show(message).await;
        }
        self.older = page.next.map_or(Older::ToTheStart, Older::Before);
        Ok(())
    }

    async fn names(&mut self, community: Uuid) -> Result<Vec<String>, Error> {
        let mut lines = Vec::new();
        let mut paging = Paging { after: None, limit: Some(100) };
        for _ in 0..MEMBER_PAGES {
            let page = self.client.members(community, &paging).await?;
            for member in page.items {
                self.room.name(member.account.id, &member.account.display_name);
                let name = self.room.name_of(member.account.id);
                let handle = harmless_line(&member.account.handle);
                let standing = if member.owner { "owner".to_owned() } else { member.roles.join(", ") };
                lines.push(format!("  {name} (@{handle}), {standing}"));
            }
            paging.after = page.next;
            if paging.after.is_none() {
                break;
            }
        }
        Ok(lines)
    }

    async fn who(&mut self) -> Result<(), Error> {
        let Some(community) = self.room.community().map(|community| community.id) else { return Ok(()) };
        let lines = self.names(community).await?;
        self.screen.line(harmless(&lines.join("\n"))).await;
        Ok(())
    }

    async fn join(&mut self, code: &str) -> Result<(), Error> {
        let community = self.client.redeem_invite(code).await?.community;
        self.go_to(community).await
    }

    async fn create_community(&mut self, name: &str) -> Result<(), Error> {
        let community = self.client.create_community(name).await?.community;
        self.go_to(community).await
    }

    async fn go_to(&mut self, community: crate::community::Community) -> Result<(), Error> {
        let (id, name) = (community.id, harmless_line(&community.name));
        self.room.put_community(community);
        let first = self.room.channels().find(|(one, _)| one.id == id).map(|(_, channel)| channel.id);
        match first {
            Some(channel) => {
                let _shown = self.enter(channel).await;
            }
            None => self.screen.line(format!("· {name} has no text channel yet: /create NAME")).await,
        }
        Ok(())
    }

    async fn create(&mut self, name: &str) -> Result<(), Error> {
        let Some(community) = self.room.community().map(|community| community.id) else {
            return self.create_community(name).await;
        };
        let channel =
            self.client.create_channel(community, &NewChannel::named(name)).into_future().await?.channel;
        let id = channel.id;
        self.room.put_channel(channel);
        let _shown = self.enter(id).await;
        Ok(())
    }

    async fn invite(&mut self) -> Result<(), Error> {
        let Some(community) = self.room.community().map(|community| community.id) else {
            self.screen.line("! no community to invite to").await;
            return Ok(());
        };
        let invite = self.client.create_invite(community, &NewInvite::default()).await?.invite;
        self.screen
            .line(format!("· /join {}   or   {}", harmless_line(&invite.code), harmless_line(&invite.url)))
            .await;
        Ok(())
    }
}

fn post(channel: Uuid, message: NewMessage) -> Job {
    Job::Post { channel, message }
}
