//! Where the server listens and how it is reached.

use std::net::SocketAddr;

use clap::Args;

use crate::edge::TrustedProxies;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Network")]
pub struct Network {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "ECHOVERSE_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address under which users reach the server, such as https://chat.example [default: the listening address]
    #[arg(long, env = "ECHOVERSE_PUBLIC_URL", value_parser = public_url)]
    pub public_url: Option<String>,
    /// Proxies whose X-Forwarded-For is believed: addresses and networks separated by commas, or `none`
    #[arg(long, env = "ECHOVERSE_TRUSTED_PROXIES", default_value = "127.0.0.0/8,::1")]
    pub trusted_proxies: TrustedProxies,
    /// Address of a listener for /metrics alone, such as 127.0.0.1:9090 [default: none]
    #[arg(long, env = "ECHOVERSE_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,
    /// Most connections at once; more wait until one ends
    #[arg(long, env = "ECHOVERSE_MAX_CONNECTIONS", default_value_t = 16_000)]
    pub max_connections: usize,
}

impl Default for Network {
    /// As the flags: for servers inside a test, a free port.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            trusted_proxies: TrustedProxies::default(),
            metrics_listen: None,
            max_connections: 16_000,
        }
    }
}

fn public_url(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match authority {
        Some(authority) if !authority.is_empty() && !authority.contains(['/', '?', '#', '@', ' ']) => {
            Ok(text.to_owned())
        }
        _ => Err("must be http:// or https:// and a host, without a path".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin() {
        assert_eq!(public_url("https://chat.example/").as_deref(), Ok("https://chat.example"));
        for bad in ["chat.example", "https://", "https://a/b", "ftp://a", "https://u@a"] {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }
}
