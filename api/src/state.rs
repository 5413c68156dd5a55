//! What every handler can reach.

use std::sync::Arc;

use account_data::AccountData;
use commands::{Clock, Commands, IdSource};
use event_store::EventStore;
use projections::ReadModel;
use vault::Vault;

use crate::auth::Throttle;
use crate::cursor::Cursors;
use crate::edge::Proxies;
use crate::limits::Limits;
use crate::live;
use crate::presence::Teller;
use crate::signal::Signals;

pub(crate) type AppState = Arc<App>;

pub(crate) struct App {
    pub(crate) commands: Commands,
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) vault: Vault,
    pub(crate) account_data: AccountData,
    pub(crate) read: ReadModel,
    pub(crate) cursors: Cursors,
    pub(crate) hub: Arc<live::Hub>,
    pub(crate) signals: Arc<Signals>,
    pub(crate) teller: Teller,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) limits: Limits,
    pub(crate) throttle: Throttle,
    pub(crate) proxies: Proxies,
    pub(crate) origin: Origin,
}

/// The server's own address, as its users see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Scheme and authority, without a slash at the end, such as `https://chat.example`.
    pub(crate) url: String,
}

impl Origin {
    pub(crate) fn new(url: &str) -> Self {
        Self { url: url.trim_end_matches('/').to_owned() }
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.starts_with("https://")
    }
}
