//! Where new accounts land.

use clap::Args;
use domain::community::CommunityName;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Community")]
pub struct Community {
    /// Name of the community that new accounts join, or `off`; made for the first account
    #[arg(long, env = "ECHOVERSE_DEFAULT_COMMUNITY", default_value = "Lobby", value_parser = DefaultCommunity::parse)]
    pub default_community: DefaultCommunity,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultCommunity(pub Option<CommunityName>);

impl DefaultCommunity {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        CommunityName::parse(text).map(|name| Self(Some(name))).map_err(|error| error.to_string())
    }
}

impl Default for Community {
    fn default() -> Self {
        let lobby = CommunityName::parse("Lobby").expect("a short name fits");
        Self { default_community: DefaultCommunity(Some(lobby)) }
    }
}
