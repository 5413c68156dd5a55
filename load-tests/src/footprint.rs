//! How large server and Postgres are at one moment.

use serde::Serialize;

use crate::process::{self, Memory};
use crate::report::{Table, mebibytes};
use crate::usage::Watched;

/// Memory at one moment; a side is absent where it cannot be watched.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Footprint {
    pub(crate) server: Option<Memory>,
    /// All its processes. Its shared buffers fill as pages are first touched, up to what they are set to.
    pub(crate) postgres: Option<Memory>,
}

impl Footprint {
    pub(crate) fn look(watched: &Watched) -> Footprint {
        let postgres: Vec<Memory> = watched.postgres().into_iter().filter_map(process::memory).collect();
        let servers = watched.servers().into_iter().filter_map(process::memory);
        Footprint {
            server: servers.reduce(|one, other| one + other),
            postgres: postgres.into_iter().reduce(|one, other| one + other),
        }
    }

    /// Moments one below the other.
    pub(crate) fn table<'a>(moments: impl IntoIterator<Item = (&'a str, Footprint)>) -> Table {
        let size = |bytes: Option<u64>| bytes.map(mebibytes).unwrap_or_default();
        let row = |(when, moment): (&str, Footprint)| {
            let Footprint { server, postgres } = moment;
            let sizes = [
                server.map(|memory| memory.rss_bytes),
                server.map(|memory| memory.pss_bytes),
                postgres.map(|memory| memory.pss_bytes),
            ];
            [vec![when.to_owned()], sizes.map(size).to_vec()].concat()
        };
        Table::new("Memory", ["", "server RSS", "server PSS", "Postgres PSS"])
            .rows(moments.into_iter().map(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_that_runs_has_a_size() {
        let watched = Watched { server: Some(std::process::id()), cluster: None };
        let found = Footprint::look(&watched);
        assert!(found.server.is_some_and(|memory| memory.rss_bytes > 0));
        assert!(found.postgres.is_none());
    }
}
