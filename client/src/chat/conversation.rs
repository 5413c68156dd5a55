//! The loop of a chat.

use std::future::{self, IntoFuture};
use std::time::Duration;

use futures_util::FutureExt;
use jiff::tz::TimeZone;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::harmless::harmless_line;
use super::outbox::{Job, Outbox, Outcome};
use super::room::Room;
use super::screen::Screen;
use super::typing::TypingHere;
use super::{ChatError, ChatOptions};
use crate::client::Client;
use crate::cursor::Cursor;
use crate::error::Error;
use crate::live::{Bootstrap, Event, Live, LiveEvent, TransportState};
use crate::message::Message;
use crate::request::Command;
use crate::retry;

/// How long the end of the input waits for what is still to be sent.
const DRAIN: Duration = Duration::from_secs(60);
const DRAIN_FOR_A_PERSON: Duration = Duration::from_secs(3);

pub(super) struct Conversation {
    pub(super) client: Client,
    pub(super) room: Room,
    pub(super) screen: Screen,
    pub(super) outbox: Outbox,
    live: Live,
    typing: TypingHere,
    state: TransportState,
    /// Between the loss of the connection and having caught up.
    behind: bool,
    /// Set once the conversation is to end: until when it waits for the outbox.
    end: Option<Instant>,
    pub(super) older: Older,
    logged_out: bool,
}

type Telling = <Command<()> as IntoFuture>::IntoFuture;

/// How far back the channel on the screen is shown.
#[derive(Debug, Clone)]
pub(super) enum Older {
    /// Nothing yet.
    Nothing,
    Before(Cursor),
    ToTheStart,
}

/// Chats until the input ends or the user quits. Tells whether the user logged out.
pub(super) async fn hold(client: &Client, options: &ChatOptions, screen: Screen) -> Result<bool, ChatError> {
    let joined = match &options.join {
        Some(code) => Some(client.redeem_invite(code).await?),
        None => None,
    };
    let snapshot = match &joined {
        Some(joined) => client.bootstrap().min_position(&joined.position).await?,
        None => client.bootstrap().await?,
    };
    let live = client.live(Some(snapshot.cursor.clone()));
    let mut conversation = Conversation {
        client: client.clone(),
        room: Room::new(snapshot, TimeZone::system()),
        screen,
        outbox: Outbox::start(client.clone()),
        live,
        typing: TypingHere::default(),
        state: TransportState::Connecting,
        behind: false,
        end: None,
        older: Older::Nothing,
        logged_out: false,
    };
    conversation.begin(options, joined.map(|joined| joined.community.id)).await?;
    conversation.go_on().await?;
    Ok(conversation.logged_out)
}

impl Conversation {
    async fn begin(&mut self, options: &ChatOptions, joined: Option<Uuid>) -> Result<(), ChatError> {
        let me = self.room.name_of(self.room.me);
        self.screen.line(format!("· you are {me}; /help lists the commands")).await;
        let first = match &options.channel {
            Some(wanted) => self.room.search(wanted),
            None => {
                let mut channels = self.room.channels();
                let found = channels.find(|(community, _)| joined.is_none_or(|id| community.id == id));
                found.map(|(_, channel)| channel.id)
            }
        };
        match first {
            Some(channel) => {
                if self.room.channels().count() > 1 {
                    self.screen.line(self.room.list()).await;
                }
                self.enter(channel).await
            }
            None if options.channel.is_some() => self.say("· no such channel; /channels lists them").await,
            None => self.say("· no community yet: /join CODE, or /create NAME").await,
        }
    }

    async fn go_on(&mut self) -> Result<(), ChatError> {
        let writes = self.screen.writes();
        // What was typed for the login was no message.
        let _old = writes.notified().now_or_never();
        let mut telling = None;
        loop {
            if self.end.is_some() && self.outbox.pending() == 0 {
                return Ok(());
            }
            let typing_until = self.show_prompt().await;
            let end = self.end;
            tokio::select! {
                outcome = self.outbox.outcome() => self.sent(outcome).await?,
                event = self.live.next() => self.lived(event?).await?,
                () = writes.notified() => telling = self.writes().or(telling),
                () = told(&mut telling) => telling = None,
                () = sleep_until(typing_until.unwrap_or_else(Instant::now)), if typing_until.is_some() => {}
                line = self.screen.typed(), if end.is_none() && self.reads_on() => match line {
                    Some(line) => {
                        self.typing.entered();
                        self.act(&line).await?;
                    }
                    None => self.finish(),
                },
                () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => {
                    return Err(ChatError::Unsent(self.outbox.pending()));
                }
            }
        }
    }

    /// A script's next line may mean what the one before it made, so it waits until that is there.
    fn reads_on(&self) -> bool {
        self.screen.person || self.outbox.pending() == 0
    }

    /// Ends the conversation once the outbox is empty, or has had its time.
    pub(super) fn finish(&mut self) {
        let wait = if self.screen.person { DRAIN_FOR_A_PERSON } else { DRAIN };
        self.end.get_or_insert(Instant::now() + wait);
    }

    /// Ends it without waiting: nothing more can be sent.
    pub(super) fn logged_out(&mut self) {
        self.logged_out = true;
        self.end = Some(Instant::now());
    }

    pub(super) async fn say(&self, line: &str) -> Result<(), ChatError> {
        self.screen.line(line).await;
        Ok(())
    }

    /// Tells the server now and then that this person types. Whether that arrives is not worth a word.
    fn writes(&mut self) -> Option<Telling> {
        let channel = self.room.channel?;
        let tells = self.typing.pressed(channel, Instant::now());
        tells.then(|| self.client.signal_typing(channel).into_future())
    }

    /// Until when it holds by itself.
    async fn show_prompt(&self) -> Option<Instant> {
        let state = match self.state {
            TransportState::Connecting => "connecting",
            TransportState::Sse => "sse",
            TransportState::LongPoll => "long-poll",
            TransportState::Reconnecting => "reconnecting",
        };
        let place = self.room.channel.and_then(|channel| self.room.find(channel));
        let place =
            place.map_or_else(String::new, |(_, channel)| format!(" #{}", harmless_line(channel.title())));
        let waiting = match self.outbox.pending() {
            0 => String::new(),
            count => format!(" ({count} to send)"),
        };
        let (typing, until) = self.typing.shown(&self.room, Instant::now());
        self.screen.prompt(format!("[{state}]{place}{typing}{waiting}> ")).await;
        until
    }

    async fn sent(&mut self, outcome: Outcome) -> Result<(), ChatError> {
        match outcome {
            Outcome::Posted(message) if self.shows_at_once(&message) => self.show(&message).await,
            Outcome::Posted(_) => Ok(()),
            Outcome::Changed(message) => self.changed(&message).await,
            Outcome::Refused(reason) => self.say(&format!("! {reason}")).await,
            Outcome::Waits => self.say("· the server is away; this will be sent once, when it is back").await,
            Outcome::SessionEnded => Err(ChatError::SessionEnded),
        }
    }

    /// Whether an own message is shown before its frame comes. After an outage what was missed goes first, unless the
    /// chat ends before that.
    fn shows_at_once(&self, message: &Message) -> bool {
        let in_order = !self.behind || self.end.is_some();
        in_order && Some(message.channel_id) == self.room.channel
    }

    async fn lived(&mut self, event: LiveEvent) -> Result<(), ChatError> {
        match event {
            LiveEvent::Frame(frame) => match frame.event() {
                Ok(event) => self.happened(event).await,
                Err(error) => self.say(&format!("! {}", error.explain())).await,
            },
            LiveEvent::Signal(signal) => {
                // One that cannot be read says nothing.
                let _unread = self.typing.signalled(&signal, Instant::now());
                for account in self.typing.others(&self.room, Instant::now()) {
                    self.learn(account).await;
                }
                Ok(())
            }
            LiveEvent::CaughtUp => {
                self.behind = false;
                self.say("· caught up").await
            }
            LiveEvent::Transport(state) => {
                self.state = state;
                self.behind |= state == TransportState::Reconnecting;
                match state {
                    TransportState::Connecting => Ok(()),
                    TransportState::Sse => self.say("· connected (sse)").await,
                    TransportState::LongPoll => self.say("· connected (long-poll)").await,
                    TransportState::Reconnecting => self.say("· reconnecting").await,
                }
            }
            LiveEvent::Reset { .. } => {
                let snapshot = self.snapshot().await?;
                self.live.resume_from(snapshot.cursor.clone());
                self.room.reset(snapshot);
                self.say("· the server could not go on from where we were: reloaded").await?;
                match self.room.channel {
                    Some(channel) => self.enter(channel).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// Waits for the server as long as it takes.
    async fn snapshot(&self) -> Result<Bootstrap, Error> {
        loop {
            match self.client.bootstrap().await {
                Err(error) if retry::passes(&error) => tokio::time::sleep(Duration::from_secs(2)).await,
                outcome => return outcome,
            }
        }
    }

    async fn happened(&mut self, event: Event) -> Result<(), ChatError> {
        match event {
            Event::MessagePosted(message) => self.posted(message).await,
            Event::MessageEdited(edit) => {
                let line = self.room.edited(edit.id, edit.content.as_deref(), edit.edited_at);
                self.maybe(line).await
            }
            Event::MessageDeleted(deletion) => {
                let line = self.room.deleted(deletion.id);
                self.maybe(line).await
            }
            Event::ProfileChanged(change) => {
                if let Some(name) = change.display_name.filter(|_| self.room.knows(change.id)) {
                    self.room.name(change.id, &name);
                }
                Ok(())
            }
            Event::Joined(joined) if joined.account_id == self.room.me => {
                if self.room.community_mut(joined.community_id).is_some() {
                    return Ok(());
                }
                let community = match self.client.community(joined.community_id).await {
                    Ok(community) => community,
                    Err(error) => return self.refused(error).await,
                };
                let name = harmless_line(&community.name);
                self.room.put_community(community);
                self.say(&format!("· you are now a member of {name}")).await
            }
            Event::Joined(joined) => self.noticed(joined.community_id, joined.account_id, "joined").await,
            Event::Left(who) => self.gone(who.community_id, who.account_id, "left").await,
            Event::Kicked(who) => self.gone(who.community_id, who.account_id, "was kicked").await,
            Event::Banned(who) => self.gone(who.community_id, who.account_id, "was banned").await,
            Event::CommunityDeleted(community) => self.lost(community.id, "was deleted").await,
            event => {
                self.room.rearrange(event);
                Ok(())
            }
        }
    }

    async fn posted(&mut self, message: Message) -> Result<(), ChatError> {
        self.typing.posted(&message, Instant::now());
        if message.author_id == self.room.me {
            // A full outbox forgets it: `/edit` then means an older message, and says which.
            self.outbox.put(Job::Own { channel: message.channel_id, message: message.id });
        }
        if Some(message.channel_id) == self.room.channel {
            return self.show(&message).await;
        }
        let name = self.room.find(message.channel_id).map(|(_, channel)| harmless_line(channel.title()));
        match name {
            Some(name) if self.room.unread(message.channel_id) => {
                self.say(&format!("· new in #{name}")).await
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn show(&mut self, message: &Message) -> Result<(), ChatError> {
        self.learn(message.author_id).await;
        let line = self.room.show(message);
        self.maybe(line).await
    }

    async fn changed(&mut self, message: &Message) -> Result<(), ChatError> {
        let line = match (message.deleted_at, message.edited_at) {
            (Some(_), _) => self.room.deleted(message.id),
            (None, Some(at)) => self.room.edited(message.id, message.content.as_deref(), at),
            (None, None) => None,
        };
        self.maybe(line).await
    }

    async fn maybe(&self, line: Option<String>) -> Result<(), ChatError> {
        match line {
            Some(line) => self.say(&line).await,
            None => Ok(()),
        }
    }

    /// Finds out an author's name. Without it, the message is shown with a part of the author's id.
    async fn learn(&mut self, account: Uuid) {
        const PATIENCE: Duration = Duration::from_secs(2);
        if !self.room.knows(account)
            && let Ok(Ok(account)) =
                tokio::time::timeout(PATIENCE, self.client.account(account).into_future()).await
        {
            self.room.name(account.id, &account.display_name);
        }
    }

    async fn noticed(&mut self, community: Uuid, account: Uuid, what: &str) -> Result<(), ChatError> {
        if self.room.community().is_some_and(|here| here.id == community) {
            self.learn(account).await;
            self.say(&format!("· {} {what}", self.room.name_of(account))).await?;
        }
        Ok(())
    }

    async fn gone(&mut self, community: Uuid, account: Uuid, what: &str) -> Result<(), ChatError> {
        if account == self.room.me {
            self.lost(community, "is no longer yours to see").await
        } else {
            self.noticed(community, account, what).await
        }
    }

    async fn lost(&mut self, id: Uuid, what: &str) -> Result<(), ChatError> {
        let name = self.room.community_mut(id).map(|community| harmless_line(&community.name));
        let Some(name) = name else { return Ok(()) };
        self.room.drop_community(id);
        self.say(&format!("· {name} {what}")).await
    }

    /// What to do about a refused or failed command: only the end of the session ends the chat.
    pub(super) async fn refused(&self, error: Error) -> Result<(), ChatError> {
        if error.status() == Some(401) {
            return Err(ChatError::SessionEnded);
        }
        self.say(&format!("! {}", super::login::explain(&error))).await
    }
}

/// Completes when the server was told, or cannot be.
async fn told(telling: &mut Option<Telling>) {
    match telling {
        Some(telling) => drop(telling.await),
        None => future::pending().await,
    }
}
