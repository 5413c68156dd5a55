//! What an operator can set, as flags and as environment variables alike: one small struct per area.

mod community;
mod limits;
mod network;
mod storage;

use clap::Args;

pub use community::Community;
pub use limits::Limits;
pub use network::Network;
pub use storage::Storage;

/// Everything that `serve` needs to know.
#[derive(Debug, Clone, Default, Args)]
pub struct ServerConfig {
    #[command(flatten)]
    pub network: Network,
    #[command(flatten)]
    pub storage: Storage,
    #[command(flatten)]
    pub community: Community,
    #[command(flatten)]
    pub limits: Limits,
}
