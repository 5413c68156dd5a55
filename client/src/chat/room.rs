//! What the chat knows: communities, channels, names, and the messages on the screen. No I/O.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::harmless::{harmless, harmless_line};
use crate::channel::{Channel, ChannelKind};
use crate::community::Community;
use crate::live::{Bootstrap, Event};
use crate::message::Message;

/// Messages that keep their number.
const NUMBERED: u64 = 5_000;

#[derive(Debug)]
pub(super) struct Room {
    pub(super) me: Uuid,
    pub(super) communities: Vec<Community>,
    /// The channel on the screen.
    pub(super) channel: Option<Uuid>,
    names: HashMap<Uuid, String>,
    unread: HashMap<Uuid, usize>,
    /// Messages that have a number.
    shown: HashMap<Uuid, Shown>,
    /// Those of them on the screen since the channel was entered.
    on_screen: HashSet<Uuid>,
    numbers: HashMap<u64, Uuid>,
    last_number: u64,
    date: Option<jiff::civil::Date>,
    zone: TimeZone,
}

#[derive(Debug)]
struct Shown {
    number: u64,
    edited_at: Option<Timestamp>,
    deleted: bool,
}

impl Room {
    pub(super) fn new(snapshot: Bootstrap, zone: TimeZone) -> Self {
        let mut room = Self {
            me: snapshot.account.id,
            communities: snapshot.communities,
            channel: None,
            names: HashMap::new(),
            unread: HashMap::new(),
            shown: HashMap::new(),
            on_screen: HashSet::new(),
            numbers: HashMap::new(),
            last_number: 0,
            date: None,
            zone,
        };
        room.name(snapshot.account.id, &snapshot.account.display_name);
        room
    }

    /// Takes over another snapshot; numbers and names stay.
    pub(super) fn reset(&mut self, snapshot: Bootstrap) {
        self.communities = snapshot.communities;
        if self.channel.is_some_and(|id| self.find(id).is_none()) {
            self.channel = None;
        }
    }

    pub(super) fn name(&mut self, account: Uuid, name: &str) {
        let name = if name.is_empty() { "[erased]".to_owned() } else { harmless_line(name) };
        self.names.insert(account, name);
    }

    pub(super) fn knows(&self, account: Uuid) -> bool {
        self.names.contains_key(&account)
    }

    pub(super) fn name_of(&self, account: Uuid) -> String {
        self.names.get(&account).cloned().unwrap_or_else(|| account.to_string()[24..].to_owned())
    }

    pub(super) fn find(&self, channel: Uuid) -> Option<(&Community, &Channel)> {
        self.communities.iter().find_map(|community| {
            community.channels.iter().find(|one| one.id == channel).map(|channel| (community, channel))
        })
    }

    /// The community of the channel on the screen, or the first.
    pub(super) fn community(&self) -> Option<&Community> {
        let here = self.channel.and_then(|channel| self.find(channel)).map(|(community, _)| community);
        here.or_else(|| self.communities.first())
    }

    /// Text channels in the order of `/channels`.
    pub(super) fn channels(&self) -> impl Iterator<Item = (&Community, &Channel)> {
        self.communities.iter().flat_map(|community| {
            let text = community.channels.iter().filter(|channel| channel.kind == ChannelKind::Text);
            text.map(move |channel| (community, channel))
        })
    }

    /// By number, `NAME` or `COMMUNITY/NAME`; the community on the screen goes first.
    pub(super) fn search(&self, wanted: &str) -> Option<Uuid> {
        let wanted = wanted.trim_start_matches('#');
        if let Ok(number) = wanted.parse::<usize>()
            && let Some((_, channel)) = number.checked_sub(1).and_then(|number| self.channels().nth(number))
        {
            return Some(channel.id);
        }
        let same = |name: &str, other: &str| name.to_lowercase() == other.to_lowercase();
        let here = self.community().map(|community| community.id);
        let mut found: Vec<_> = self
            .channels()
            .filter(|(community, channel)| {
                same(channel.title(), wanted)
                    || same(&format!("{}/{}", community.name, channel.title()), wanted)
            })
            .collect();
        found.sort_by_key(|(community, _)| Some(community.id) != here);
        found.first().map(|(_, channel)| channel.id)
    }

    pub(super) fn put_community(&mut self, community: Community) {
        match self.communities.iter_mut().find(|one| one.id == community.id) {
            Some(one) => *one = community,
            None => self.communities.push(community),
        }
    }

    /// Whether the channel on the screen went with it.
    pub(super) fn drop_community(&mut self, id: Uuid) -> bool {
        self.communities.retain(|community| community.id != id);
        let lost = self.channel.is_some_and(|channel| self.find(channel).is_none());
        if lost {
            self.channel = None;
        }
        lost
    }

    pub(super) fn community_mut(&mut self, id: Uuid) -> Option<&mut Community> {
        self.communities.iter_mut().find(|community| community.id == id)
    }

    pub(super) fn put_channel(&mut self, channel: Channel) {
        if let Some(community) = channel.community_id.and_then(|id| self.community_mut(id)) {
            community.channels.retain(|one| one.id != channel.id);
            community.channels.push(channel);
        }
    }

    /// What changes names and lists, and is seen when those are shown next.
    pub(super) fn rearrange(&mut self, event: Event) {
        match event {
            Event::ChannelCreated(channel) => self.put_channel(channel),
            Event::ChannelChanged(change) => {
                let community = self.community_mut(change.community_id);
                let channels = community.into_iter().flat_map(|community| &mut community.channels);
                for channel in channels.filter(|channel| channel.id == change.id) {
                    if let Some(name) = &change.name {
                        channel.name = Some(name.clone());
                    }
                }
            }
            Event::ChannelDeleted(channel) => {
                if let Some(community) = self.community_mut(channel.community_id) {
                    community.channels.retain(|one| one.id != channel.id);
                }
                self.channel = self.channel.filter(|here| *here != channel.id);
            }
            Event::CommunityRenamed(renamed) => {
                if let Some(community) = self.community_mut(renamed.id) {
                    community.name = renamed.name;
                }
            }
            _ => {}
        }
    }

    pub(super) fn enter(&mut self, channel: Uuid) {
        self.channel = Some(channel);
        self.unread.remove(&channel);
        self.on_screen.clear();
        self.date = None;
    }

    /// Counts a message elsewhere; whether it is the first one unread there.
    pub(super) fn unread(&mut self, channel: Uuid) -> bool {
        let count = self.unread.entry(channel).or_default();
        *count += 1;
        *count == 1
    }

    pub(super) fn list(&self) -> String {
        let mut list = String::new();
        let mut last = None;
        for (number, (community, channel)) in (1..).zip(self.channels()) {
            if last != Some(community.id) {
                // Writing to a string cannot fail.
                let _written = writeln!(list, "{}", harmless_line(&community.name));
                last = Some(community.id);
            }
            let mark = if Some(channel.id) == self.channel { '*' } else { ' ' };
            let _written = write!(list, "{mark}{number:>3}  #{}", harmless_line(channel.title()));
            if let Some(count) = self.unread.get(&channel.id) {
                let _written = write!(list, "  ({count} new)");
            }
            list.push('\n');
        }
        list.truncate(list.trim_end().len());
        list
    }

    /// The message with this number.
    pub(super) fn numbered(&self, number: u64) -> Option<Uuid> {
        self.numbers.get(&number).copied()
    }

    /// A message as it is shown; `None` if it is on the screen already.
    pub(super) fn show(&mut self, message: &Message) -> Option<String> {
        if !self.on_screen.insert(message.id) {
            return None;
        }
        let number = self.number(message);
        let mut line = String::new();
        let at = message.created_at.to_zoned(self.zone.clone());
        if self.date.replace(at.date()) != Some(at.date()) {
            let _written = writeln!(line, "· {}", at.date());
        }
        let _written = write!(line, "#{number} {} {}", at.strftime("%H:%M"), self.name_of(message.author_id));
        if let Some(reply_to) = message.reply_to {
            match self.shown.get(&reply_to) {
                Some(shown) => {
                    let _written = write!(line, " (to #{})", shown.number);
                }
                None => line.push_str(" (a reply)"),
            }
        }
        line.push_str(": ");
        line.push_str(&content(message));
        if message.edited_at.is_some() && message.content.is_some() {
            line.push_str(" (edited)");
        }
        Some(line)
    }

    /// The number of a message, as often as it is shown.
    fn number(&mut self, message: &Message) -> u64 {
        let (edited_at, deleted) = (message.edited_at, message.deleted_at.is_some());
        if let Some(shown) = self.shown.get_mut(&message.id) {
            (shown.edited_at, shown.deleted) = (edited_at, deleted);
            return shown.number;
        }
        self.last_number += 1;
        let number = self.last_number;
        self.shown.insert(message.id, Shown { number, edited_at, deleted });
        self.numbers.insert(number, message.id);
        let oldest = number.checked_sub(NUMBERED).and_then(|oldest| self.numbers.remove(&oldest));
        if let Some(oldest) = oldest {
            self.shown.remove(&oldest);
            self.on_screen.remove(&oldest);
        }
        number
    }

    /// An edit as it is shown; `None` if the message isn't on the screen, or newer there.
    pub(super) fn edited(&mut self, id: Uuid, content: Option<&str>, at: Timestamp) -> Option<String> {
        let shown = self.shown.get_mut(&id).filter(|_| self.on_screen.contains(&id))?;
        if shown.deleted || shown.edited_at >= Some(at) {
            return None;
        }
        shown.edited_at = Some(at);
        Some(format!("#{} now: {} (edited)", shown.number, body(content.unwrap_or("[erased]"))))
    }

    pub(super) fn deleted(&mut self, id: Uuid) -> Option<String> {
        let shown = self.shown.get_mut(&id).filter(|_| self.on_screen.contains(&id))?;
        if std::mem::replace(&mut shown.deleted, true) {
            return None;
        }
        Some(format!("#{} was deleted", shown.number))
    }
}

fn content(message: &Message) -> String {
    match &message.content {
        Some(content) => body(content),
        None if message.deleted_at.is_some() => "[deleted]".to_owned(),
        None => "[erased]".to_owned(),
    }
}

/// Further lines are indented, so that none can pass for the line of another message.
fn body(content: &str) -> String {
    harmless(content).replace('\n', "\n    ")
}
