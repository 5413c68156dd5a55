//! Mentions: whom a text calls by name. Parsed once, when the text is written, and kept as facts beside it.
//!
//! The source is Markdown. A mention is one of
//! - `<@ID>`, an account by its id, and `<@&ROLE>`, a role: `guest`, `member`, `moderator` or an id;
//! - `@handle`, an account by its handle;
//! - `@everyone` and `@here`.
//!
//! What stands in a code span or a fenced block, or after a backslash, is no mention, nor is what looks like an e-mail
//! address or a part of a link: a bare `@` begins a mention only where no word and none of `_ . - + % / = @` comes
//! before it. A handle ends before the dots, dashes and underscores that end it, and is none where a letter or another
//! `@` follows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::account::Handle;
use crate::{AccountId, Permissions, Role, Standing};

mod markdown;

/// Most accounts that one text can mention, counted as they are written; further ones are plain text.
pub const MAX_ACCOUNTS: usize = 50;
/// Most roles that one text can mention; further ones are plain text.
pub const MAX_ROLES: usize = 10;

/// Whom a message mentions. Everybody named was in the community, or took part in the conversation, when it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mentions {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub accounts: BTreeSet<AccountId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
    /// All who may see the channel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub everyone: bool,
    /// Those of them who are there just now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub here: bool,
}

impl Mentions {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An account as a text names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Addressee {
    Id(AccountId),
    /// In the form in which two handles are the same.
    Handle(String),
}

/// What a text names, whether it is there or not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// In the order of the text, each once, at most [`MAX_ACCOUNTS`].
    pub accounts: Vec<Addressee>,
    /// Likewise, at most [`MAX_ROLES`].
    pub roles: Vec<Role>,
    pub everyone: bool,
    pub here: bool,
}

/// What a text names that is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Members of the community, or participants of the conversation.
    pub accounts: BTreeSet<AccountId>,
    /// Roles of the community, each with whether everybody may mention it.
    pub roles: BTreeMap<Role, bool>,
    pub everyone: bool,
    pub here: bool,
}

impl Wanted {
    /// What of it `by` may mention in the channel; the rest stays plain text.
    pub fn granted(self, by: &Standing) -> Mentions {
        let all = by.may(Permissions::MENTION_EVERYONE);
        Mentions {
            accounts: self.accounts,
            roles: self.roles.into_iter().filter(|(_, open)| all || *open).map(|(role, _)| role).collect(),
            everyone: all && self.everyone,
            here: all && self.here,
        }
    }
}

impl Named {
    /// Reads a text.
    pub fn in_text(source: &str) -> Self {
        let mut named = Self::default();
        for paragraph in markdown::paragraphs(source) {
            named.read(&paragraph);
        }
        named
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads one paragraph.
    fn read(&mut self, text: &str) {
        let mut rest = text;
        let mut before = None;
        while let Some(next) = rest.chars().next() {
            let taken = match next {
                '\\' => markdown::escape(rest),
                '`' => markdown::code_span(rest),
                '<' => self.bracketed(rest).unwrap_or(1),
                '@' if begins(before) => self.bare(rest),
                other => other.len_utf8(),
            };
            before = rest[..taken].chars().next_back();
            rest = &rest[taken..];
        }
    }

    /// Reads `<@ID>` or `<@&ROLE>` at the beginning of `text`; answers its length.
    fn bracketed(&mut self, text: &str) -> Option<usize> {
        let (inner, _) = text.strip_prefix("<@")?.split_once('>')?;
        match inner.strip_prefix('&') {
            Some(name) => self.add_role(Role::parse(name).filter(|role| role.to_string() == name)?),
            None => {
                self.add(Addressee::Id(inner.parse().ok().filter(|id: &AccountId| id.to_string() == inner)?))
            }
        }
        Some("<@>".len() + inner.len())
    }

    /// Reads a name behind an `@` at the beginning of `text`; answers how far it has read.
    fn bare(&mut self, text: &str) -> usize {
        let behind = &text[1..];
        let run = behind.find(|c: char| !is_name(c)).unwrap_or(behind.len());
        let goes_on = |c: char| c == '@' || c.is_alphanumeric();
        if behind[run..].chars().next().is_some_and(goes_on) {
            return 1 + run;
        }
        match behind[..run].trim_end_matches(['.', '_', '-']) {
            "everyone" => self.everyone = true,
            "here" => self.here = true,
            name => {
                if let Ok(handle) = Handle::parse(name) {
                    self.add(Addressee::Handle(handle.folded()));
                }
            }
        }
        1 + run
    }

    fn add(&mut self, account: Addressee) {
        if self.accounts.len() < MAX_ACCOUNTS && !self.accounts.contains(&account) {
            self.accounts.push(account);
        }
    }

    fn add_role(&mut self, role: Role) {
        if self.roles.len() < MAX_ROLES && !self.roles.contains(&role) {
            self.roles.push(role);
        }
    }
}

/// Whether a bare mention can begin behind `before`.
fn begins(before: Option<char>) -> bool {
    before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '.' | '-' | '+' | '%' | '/' | '=' | '@'))
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}
