//! The settings, and what the machine gives.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use api::RateLimits;
use api::settings::{Network, ServerConfig, Storage};
use rustix::fs::statvfs;
use rustix::process::{Resource, getrlimit};
use vault::MasterKey;

use super::Finding;

/// Less free space is doubtful; much less is wrong.
const SPACE: u64 = 1 << 30;
const LITTLE_SPACE: u64 = 100 << 20;

pub(super) fn settings(config: &ServerConfig) -> Finding {
    let public = config.network.listen.ip().is_unspecified();
    let https = config.network.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
    if public && config.network.public_url.is_none() {
        return Finding::doubtful(
            "the server listens on all addresses, but ECHOVERSE_PUBLIC_URL is not set",
            "Set it to the address that users type, so that links and cookies are right.",
        );
    }
    if config.network.public_url.is_some() && !https {
        return Finding::doubtful(
            "the public URL is not https: passwords and cookies cross the network in the clear",
            "Put a proxy that speaks TLS in front and set ECHOVERSE_PUBLIC_URL to its https address.",
        );
    }
    if config.limits.rate_limits == RateLimits::Off {
        return Finding::doubtful(
            "rate limits are off",
            "Set ECHOVERSE_RATE_LIMITS to 1 unless this is a load test.",
        );
    }
    Finding::Fine("they fit together".to_owned())
}

pub(super) fn port(network: &Network) -> Finding {
    let address = network.listen;
    match TcpListener::bind(address) {
        Ok(_) => Finding::Fine(format!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Finding::doubtful(
            format!("{address} is in use"),
            "Fine if the server is running; else set ECHOVERSE_LISTEN to another port.",
        ),
        Err(error) => Finding::wrong(
            format!("{address} cannot be listened on: {error}"),
            "Set ECHOVERSE_LISTEN to an address of this machine; ports below 1024 need a privilege.",
        ),
    }
}

pub(super) fn open_files(network: &Network) -> Finding {
    let limit = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    // Beside connections: Postgres, the log, libraries.
    let wanted = network.max_connections as u64 + 256;
    if limit < wanted {
        return Finding::doubtful(
            format!("at most {limit} files may be open, {wanted} are needed for all connections"),
            "Raise it (LimitNOFILE= of a systemd unit, ulimit -n) or lower ECHOVERSE_MAX_CONNECTIONS.",
        );
    }
    Finding::Fine(format!("{limit} may be open"))
}

pub(super) fn data(storage: &Storage) -> Finding {
    let data = &storage.data;
    let existing = data.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let existing = if existing.as_os_str().is_empty() { Path::new(".") } else { existing };
    let Ok(stat) = statvfs(existing) else {
        return Finding::wrong(
            format!("{} cannot be looked at", data.display()),
            "Make it readable by the user that runs the server, or set ECHOVERSE_DATA.",
        );
    };
    if rustix::fs::access(existing, rustix::fs::Access::WRITE_OK).is_err() {
        return Finding::wrong(
            format!("{} cannot be written to", existing.display()),
            "Make it writable by the user that runs the server, or set ECHOVERSE_DATA.",
        );
    }
    let free = stat.f_bavail * stat.f_frsize;
    let what = format!("{} MB are free in {}", free >> 20, existing.display());
    match free {
        free if free < LITTLE_SPACE => {
            Finding::wrong(what, "Free some space: Postgres stops when there is none.")
        }
        free if free < SPACE => Finding::doubtful(what, "Free some space before it runs out."),
        _ => Finding::Fine(what),
    }
}

pub(super) fn master_key(storage: &Storage) -> Finding {
    let path = storage.master_key_path();
    if !path.exists() {
        return Finding::Fine(format!("{} is made on the first start", path.display()));
    }
    // Loading checks that it holds a key which nobody else can read.
    if let Err(error) = MasterKey::load_or_create(&path) {
        return Finding::wrong(error.to_string(), "Without the right key personal text cannot be read.");
    }
    let mode = path.metadata().map(|meta| (meta.permissions().mode() & 0o777, meta.uid()));
    match mode {
        Ok((mode, uid)) => Finding::Fine(format!(
            "{} is readable by user {uid} alone (mode {mode:o}); back it up",
            path.display()
        )),
        Err(error) => {
            Finding::wrong(format!("{}: {error}", path.display()), "Make it readable by the server's user.")
        }
    }
}
