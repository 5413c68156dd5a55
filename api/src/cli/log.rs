//! Logging, to standard error.

use std::io::IsTerminal as _;

use clap::Args;
use tracing_subscriber::EnvFilter;

const DEFAULT: &str = "info,tokio_postgres=warn";

#[derive(Args)]
pub(crate) struct Logging {
    /// What to log: `text` or `json`, then a filter, such as `json,info` or `text,api=debug`
    #[arg(long, global = true, env = "ECHOVERSE_LOG", default_value = DEFAULT)]
    log: String,
}

impl Logging {
    pub(super) fn start(&self) {
        let (json, filter) = self.parts();
        let (filter, fault) = match EnvFilter::try_new(filter) {
            Ok(filter) => (filter, None),
            Err(error) => (EnvFilter::new(DEFAULT), Some(error)),
        };
        let builder = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal());
        if json {
            builder.json().init()
        } else {
            builder.init()
        }
        if let Some(error) = fault {
            tracing::warn!(%error, "ECHOVERSE_LOG has a filter that cannot be read: {DEFAULT} is used");
        }
    }

    /// Whether JSON is wanted, and the filter.
    fn parts(&self) -> (bool, &str) {
        let (first, rest) = self.log.split_once(',').unwrap_or((&self.log, DEFAULT));
        match first.trim() {
            "json" => (true, rest),
            "text" => (false, rest),
            _ => (false, &self.log),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_may_stand_before_the_filter() {
        let parts = |log: &str| {
            let logging = Logging { log: log.to_owned() };
            let (json, filter) = logging.parts();
            (json, filter.to_owned())
        };
        assert_eq!(parts("json"), (true, DEFAULT.to_owned()));
        assert_eq!(parts("json,debug"), (true, "debug".to_owned()));
        assert_eq!(parts("text,api=debug,info"), (false, "api=debug,info".to_owned()));
        assert_eq!(parts("warn"), (false, "warn".to_owned()));
    }
}
