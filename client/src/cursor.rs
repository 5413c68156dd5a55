//! Places in lists and in the log.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in the log or in a list. Opaque: kept and handed back, never looked into. Equal text is the same place;
/// there is no order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

impl Cursor {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T: Into<String>> From<T> for Cursor {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Leads on in the order of the list.
    pub next: Option<Cursor>,
    /// Leads back.
    pub prev: Option<Cursor>,
}

/// Which page of a list. The default is the first one, of the server's size.
#[derive(Debug, Clone, Default)]
pub struct Paging {
    /// [`Page::next`] of the page before.
    pub after: Option<Cursor>,
    /// 1 to 100.
    pub limit: Option<u32>,
}

/// The answer of a command that makes nothing to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// For [`crate::Read::min_position`].
    pub position: Cursor,
}
