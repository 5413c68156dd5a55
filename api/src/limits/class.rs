//! The numbers: how many calls of each class one account and one address may make.
//!
//! A quota is a bucket: it holds `burst` calls and fills up again at a steady rate. An address has room for many people
//! behind one router. `ECHOVERSE_RATE_LIMITS` multiplies all of them.

use std::time::Duration;

/// What kind of call a route is; each class has its own buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    Register,
    Login,
    Command,
    Post,
    Read,
    Live,
    Typing,
    Mark,
}

/// So many at once, and then one every `each`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) burst: u32,
    pub(crate) each: Duration,
}

const fn quota(burst: u32, each_milliseconds: u64) -> Quota {
    Quota { burst, each: Duration::from_millis(each_milliseconds) }
}

impl Class {
    pub(crate) const ALL: [Self; 8] = [
        Self::Register,
        Self::Login,
        Self::Command,
        Self::Post,
        Self::Read,
        Self::Live,
        Self::Typing,
        Self::Mark,
    ];

    /// Its name in the `RateLimit` headers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Login => "login",
            Self::Command => "command",
            Self::Post => "post",
            Self::Read => "read",
            Self::Live => "live",
            Self::Typing => "typing",
            Self::Mark => "mark",
        }
    }

    /// The name of the address's bucket in the headers.
    pub(crate) fn address_name(self) -> &'static str {
        match self {
            Self::Register => "register-address",
            Self::Login => "login-address",
            Self::Command => "command-address",
            Self::Post => "post-address",
            Self::Read => "read-address",
            Self::Live => "live-address",
            Self::Typing => "typing-address",
            Self::Mark => "mark-address",
        }
    }

    /// The quota of one account.
    pub(crate) fn per_account(self) -> Quota {
        match self {
            // Nobody is logged in yet: the address counts.
            Self::Register => quota(10, 360_000),
            Self::Login => quota(20, 3_000),
            Self::Command => quota(60, 200),
            Self::Post => quota(30, 100),
            Self::Read => quota(120, 33),
            Self::Live => quota(60, 200),
            // Said every 3 to 5 s, perhaps in a few channels by turns.
            Self::Typing => quota(20, 1_000),
            // Programs say it by themselves: with each message or channel that is looked at, while somebody writes.
            Self::Mark => quota(60, 100),
        }
    }

    /// The quota of one address.
    pub(crate) fn per_address(self) -> Quota {
        match self {
            // Ten an hour, and ten at once: refused tries count too, and people mistype.
            Self::Register => quota(10, 360_000),
            Self::Login => quota(20, 3_000),
            Self::Command => quota(600, 20),
            Self::Post => quota(300, 10),
            Self::Read => quota(1_200, 3),
            Self::Live => quota(600, 20),
            Self::Typing => quota(200, 100),
            Self::Mark => quota(600, 10),
        }
    }
}
