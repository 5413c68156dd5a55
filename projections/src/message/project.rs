//! Message events as rows, gathered so that a long run of them is four statements at most.
//!
//! A message that is posted, edited and deleted within one page is folded here and written once. What befalls a message
//! of an earlier page becomes one row of an edit and one of a deletion; edits are written before deletions, so nothing
//! may be gathered that would need another order.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use domain::mention::Mentions;
use domain::message::{Content, Forwarded, MessageEdited, MessageEvent, MessagePosted, MessageText};
use domain::{MessageId, Personal};
use jiff::Timestamp;
use tokio_postgres::types::Json;
use uuid::Uuid;

mod marks;
mod pins;
mod polls;

use self::marks::Marks;
use self::pins::{Pin, Pins};
use self::polls::Polls;
use crate::batch::{At, Batch, Write, params};
use crate::thread;

#[derive(Default)]
pub(crate) struct Gathered {
    posts: Posts,
    polls: Polls,
    replaced: Replaced,
    edits: Edits,
    pins: Pins,
    deletions: Deletions,
    /// What is gathered about a message.
    fates: HashMap<MessageId, Fate>,
}

#[derive(Clone, Copy)]
enum Fate {
    /// Posted in this page: its index among the posts.
    Posted(usize),
    /// Posted earlier, and in this page …
    Edited,
    Deleted,
}

#[derive(Default)]
struct Posts {
    ids: Vec<Uuid>,
    channels: Vec<Uuid>,
    authors: Vec<Uuid>,
    replies: Vec<Option<Uuid>>,
    threads: Vec<Option<Uuid>>,
    positions: Vec<i64>,
    created: Vec<Timestamp>,
    edited: Vec<Option<Timestamp>>,
    deleted: Vec<Option<Timestamp>>,
    versions: Vec<i32>,
    pins: Vec<Option<Pin>>,
    mentions: Vec<Option<Json<Mentions>>>,
    forwarded: Vec<Option<Json<Forwarded>>>,
    copies: Vec<Option<String>>,
    contents: Vec<Option<String>>,
}

/// Earlier texts of posts of this page.
#[derive(Default)]
struct Replaced {
    messages: Vec<Uuid>,
    created: Vec<Timestamp>,
    versions: Vec<i32>,
    contents: Vec<Option<String>>,
}

#[derive(Default)]
struct Edits {
    ids: Vec<Uuid>,
    contents: Vec<Option<String>>,
    times: Vec<Timestamp>,
    mentions: Vec<Option<Json<Mentions>>>,
}

#[derive(Default)]
struct Deletions {
    ids: Vec<Uuid>,
    times: Vec<Timestamp>,
}

pub(crate) fn project(batch: &mut Batch, event: MessageEvent, at: At) {
    match event {
        MessageEvent::Posted(event) => batch.messages().post(event, at),
        MessageEvent::Edited(event) => {
            if batch.messages().has_edit(event.message_id) {
                batch.write_messages();
            }
            batch.messages().edit(event, at);
        }
        MessageEvent::Deleted(event) => batch.messages().delete(event.message_id, at),
        MessageEvent::Pinned(event) => {
            batch.messages().pin(event.message_id, Some(Pin::new(event.by, at)));
        }
        MessageEvent::Unpinned(event) => batch.messages().pin(event.message_id, None),
    }
}

fn some(mentions: Mentions) -> Option<Json<Mentions>> {
    (!mentions.is_empty()).then_some(Json(mentions))
}

fn text(content: Personal<Content>) -> Option<String> {
    match content {
        Personal::Clear(content) => Some(content.into_string()),
        Personal::Erased | Personal::Sealed => None,
    }
}

impl Gathered {
    /// Whether anything is gathered that must be written before what else happens to the message.
    pub(crate) fn has(&self, id: MessageId) -> bool {
        self.fates.contains_key(&id)
    }

    fn post(&mut self, event: MessagePosted, at: At) {
        let (content, options, copy) = match event.text {
            Personal::Clear(MessageText { content, poll, forwarded }) => {
                (Some(content.into_string()), poll, forwarded.map(Content::into_string))
            }
            Personal::Erased | Personal::Sealed => (None, None, None),
        };
        if let Some(terms) = event.poll {
            self.polls.post(event.message_id, terms, options);
        }
        let posts = &mut self.posts;
        self.fates.insert(event.message_id, Fate::Posted(posts.ids.len()));
        posts.ids.push(event.message_id.0);
        posts.channels.push(event.channel_id.0);
        posts.authors.push(event.author_id.0);
        posts.replies.push(event.reply_to.map(|id| id.0));
        posts.positions.push(at.bigint());
        posts.created.push(at.time);
        posts.edited.push(None);
        posts.deleted.push(None);
        posts.versions.push(1);
        posts.pins.push(None);
        posts.threads.push(event.thread_id.map(|id| id.0));
        posts.mentions.push(some(event.mentions));
        posts.forwarded.push(event.forwarded.map(Json));
        posts.copies.push(copy);
        posts.contents.push(content);
    }

    fn pin(&mut self, id: MessageId, pin: Option<Pin>) {
        match self.fates.get(&id) {
            Some(Fate::Posted(index)) if self.posts.deleted[*index].is_some() => {}
            Some(Fate::Posted(index)) => self.posts.pins[*index] = pin,
            Some(Fate::Edited | Fate::Deleted) | None => self.pins.set(id, pin),
        }
    }

    /// Whether a further edit of this message must wait until the gathered one is written.
    fn has_edit(&self, id: MessageId) -> bool {
        matches!(self.fates.get(&id), Some(Fate::Edited))
    }

    fn edit(&mut self, event: MessageEdited, at: At) {
        match self.fates.entry(event.message_id) {
            Entry::Vacant(vacant) => {
                vacant.insert(Fate::Edited);
                self.edits.ids.push(event.message_id.0);
                self.edits.contents.push(text(event.content));
                self.edits.times.push(at.time);
                self.edits.mentions.push(some(event.mentions));
            }
            Entry::Occupied(known) => match *known.get() {
                Fate::Posted(index) => self.replace(index, event, at.time),
                Fate::Edited => unreachable!("`has_edit` was asked before"),
                Fate::Deleted => {}
            },
        }
    }

    fn replace(&mut self, index: usize, edit: MessageEdited, time: Timestamp) {
        let (posts, replaced) = (&mut self.posts, &mut self.replaced);
        if posts.deleted[index].is_some() {
            return;
        }
        replaced.messages.push(posts.ids[index]);
        replaced.created.push(posts.edited[index].unwrap_or(posts.created[index]));
        replaced.versions.push(posts.versions[index]);
        replaced.contents.push(std::mem::replace(&mut posts.contents[index], text(edit.content)));
        posts.mentions[index] = some(edit.mentions);
        posts.edited[index] = Some(time);
        posts.versions[index] += 1;
    }

    fn delete(&mut self, id: MessageId, at: At) {
        match self.fates.get(&id).copied() {
            None | Some(Fate::Edited) => {
                self.fates.insert(id, Fate::Deleted);
                self.deletions.ids.push(id.0);
                self.deletions.times.push(at.time);
            }
            Some(Fate::Posted(index)) => self.forget(index, at.time),
            Some(Fate::Deleted) => {}
        }
    }

    fn forget(&mut self, index: usize, time: Timestamp) {
        let (posts, replaced) = (&mut self.posts, &mut self.replaced);
        if posts.deleted[index].is_some() {
            return;
        }
        posts.deleted[index] = Some(time);
        posts.pins[index] = None;
        posts.contents[index] = None;
        posts.mentions[index] = None;
        posts.forwarded[index] = None;
        posts.copies[index] = None;
        self.polls.forget(MessageId(posts.ids[index]));
        if posts.versions[index] > 1 {
            let own = replaced.messages.iter().zip(&mut replaced.contents);
            own.filter(|(message, _)| **message == posts.ids[index]).for_each(|(_, content)| *content = None);
        }
    }

    pub(crate) fn into_writes(self) -> Vec<Write> {
        let Self { posts, polls, replaced, edits, pins, deletions, fates: _ } = self;
        let mut marks = Marks::default();
        marks.add_all(&posts.ids, &posts.mentions);
        marks.add_all(&edits.ids, &edits.mentions);
        let threads = thread::begun(&posts.ids, &posts.threads);
        let posted = posts.write().into_iter().chain(polls.writes()).chain(threads);
        let later = [replaced.write(), edits.write(), marks.write(), pins.write(), deletions.write()];
        posted.chain(later.into_iter().flatten()).collect()
    }
}

impl Posts {
    /// A post to a channel that is gone is dropped: on a log whose guards are not exact, it may come after the
    /// channel's deletion.
    fn write(self) -> Option<Write> {
        const SQL: &str = "
            INSERT INTO {schema}.messages
                (id, channel_id, author_id, reply_to, position, created_at, edited_at, deleted_at, version,
                pinned_position, pinned_at, pinned_by, content, thread_id, mentions, forwarded, copy)
            SELECT
                id, channel_id, author_id, reply_to, position, created_at, edited_at, deleted_at, version,
                pinned_position, pinned_at, pinned_by, content, thread_id, mentions, forwarded, copy
            FROM unnest(
                $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::timestamptz[], $7::timestamptz[],
                $8::timestamptz[], $9::integer[], $10::bigint[], $11::timestamptz[], $12::uuid[], $13::text[],
                $14::uuid[], $15::jsonb[], $16::jsonb[], $17::text[]
            ) AS post (
                id, channel_id, author_id, reply_to, position, created_at, edited_at, deleted_at, version,
                pinned_position, pinned_at, pinned_by, content, thread_id, mentions, forwarded, copy
            )
            WHERE EXISTS (SELECT FROM {schema}.channels WHERE channels.id = post.channel_id)";
        let Self { ids, channels, authors, replies, positions, created, edited, deleted, versions, .. } =
            self;
        let (pins, contents, threads, copies) = (self.pins, self.contents, self.threads, self.copies);
        let (mentions, forwarded) = (self.mentions, self.forwarded);
        let pin_positions: Vec<Option<i64>> = pins.iter().map(|pin| pin.map(|pin| pin.position)).collect();
        let pin_times: Vec<Option<Timestamp>> = pins.iter().map(|pin| pin.map(|pin| pin.at)).collect();
        let pinned_by: Vec<Option<Uuid>> = pins.iter().map(|pin| pin.map(|pin| pin.by.0)).collect();
        (!ids.is_empty()).then(|| Write {
            template: SQL,
            params: params![
                ids,
                channels,
                authors,
                replies,
                positions,
                created,
                edited,
                deleted,
                versions,
                pin_positions,
                pin_times,
                pinned_by,
                contents,
                threads,
                mentions,
                forwarded,
                copies
            ],
        })
    }
}

impl Replaced {
    fn write(self) -> Option<Write> {
        const SQL: &str = "
            INSERT INTO {schema}.message_versions (message_id, created_at, version, content)
            SELECT message_id, created_at, version, content
            FROM unnest($1::uuid[], $2::timestamptz[], $3::integer[], $4::text[])
                AS replaced (message_id, created_at, version, content)
            WHERE EXISTS (SELECT FROM {schema}.messages WHERE messages.id = replaced.message_id)";
        let Self { messages, created, versions, contents } = self;
        (!messages.is_empty())
            .then(|| Write { template: SQL, params: params![messages, created, versions, contents] })
    }
}

impl Edits {
    fn write(self) -> Option<Write> {
        const SQL: &str = "
            WITH edit AS (
                SELECT id, content, time, mentions
                FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::jsonb[])
                    AS edit (id, content, time, mentions)
            ),
            unmentioned AS (
                DELETE FROM {schema}.mentions USING edit WHERE mentions.message_id = edit.id
            ),
            replaced AS (
                INSERT INTO {schema}.message_versions (message_id, created_at, version, content)
                SELECT messages.id, coalesce(messages.edited_at, messages.created_at), messages.version,
                    messages.content
                FROM edit
                JOIN {schema}.messages ON messages.id = edit.id
                WHERE messages.deleted_at IS NULL
            )
            UPDATE {schema}.messages
            SET content = edit.content,
                edited_at = edit.time,
                version = messages.version + 1,
                mentions = edit.mentions
            FROM edit
            WHERE messages.id = edit.id AND messages.deleted_at IS NULL";
        let Self { ids, contents, times, mentions } = self;
        (!ids.is_empty()).then(|| Write { template: SQL, params: params![ids, contents, times, mentions] })
    }
}

impl Deletions {
    fn write(self) -> Option<Write> {
        const SQL: &str = "
            WITH deletion AS (
                SELECT id, time FROM unnest($1::uuid[], $2::timestamptz[]) AS deletion (id, time)
            ),
            forgotten AS (
                UPDATE {schema}.message_versions AS versions
                SET content = NULL
                FROM deletion
                WHERE versions.message_id = deletion.id
            ),
            reactions AS (
                DELETE FROM {schema}.reactions USING deletion WHERE reactions.message_id = deletion.id
            ),
            counts AS (
                DELETE FROM {schema}.reaction_counts AS counts USING deletion WHERE counts.message_id = deletion.id
            ),
            mentions AS (
                DELETE FROM {schema}.mentions USING deletion WHERE mentions.message_id = deletion.id
            ),
            threads AS (
                UPDATE {schema}.threads
                SET replies = threads.replies - lost.count
                FROM (
                    SELECT messages.thread_id, count(*)::integer AS count
                    FROM deletion
                    JOIN {schema}.messages ON messages.id = deletion.id
                    WHERE messages.deleted_at IS NULL AND messages.thread_id IS NOT NULL
                    GROUP BY messages.thread_id
                ) AS lost
                WHERE threads.root_id = lost.thread_id
            ),
            votes AS (
                DELETE FROM {schema}.poll_votes AS votes USING deletion WHERE votes.message_id = deletion.id
            ),
            polls AS (
                UPDATE {schema}.polls
                SET texts = NULL, votes = array_fill(0, ARRAY[cardinality(votes)])
                FROM deletion
                WHERE polls.message_id = deletion.id
            )
            UPDATE {schema}.messages
            SET content = NULL,
                copy = NULL,
                mentions = NULL,
                forwarded = NULL,
                deleted_at = deletion.time,
                pinned_position = NULL,
                pinned_at = NULL,
                pinned_by = NULL
            FROM deletion
            WHERE messages.id = deletion.id AND messages.deleted_at IS NULL";
        let Self { ids, times } = self;
        (!ids.is_empty()).then(|| Write { template: SQL, params: params![ids, times] })
    }
}
