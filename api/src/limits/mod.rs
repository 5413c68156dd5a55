//! Rate limits, per account and per address, in this process: N nodes allow N times as much.

mod class;
mod enforce;
mod header;
mod limiter;

use std::str::FromStr;
use std::time::Duration;

use domain::AccountId;
use tokio::time::MissedTickBehavior;

use self::class::Quota;
use self::header::Report;
use self::limiter::{Limiter, Standing};
use crate::auth::Identity;
use crate::edge::ClientAddress;

pub(crate) use class::Class;
pub(crate) use enforce::Limited;

/// What the operator says of all quotas together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RateLimits {
    /// All quotas times this.
    Factor(f64),
    /// No limits: for a load test.
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `off` or a number above 0, such as 1 or 2.5")]
pub struct RateLimitsError;

impl FromStr for RateLimits {
    type Err = RateLimitsError;

    fn from_str(text: &str) -> Result<Self, RateLimitsError> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let factor: f64 = text.parse().map_err(|_| RateLimitsError)?;
        let fits = factor.is_finite() && factor > 0.0;
        fits.then_some(Self::Factor(factor)).ok_or(RateLimitsError)
    }
}

/// All limiters of a server.
pub(crate) struct Limits(Option<Vec<Limiters>>);

struct Limiters {
    class: Class,
    accounts: Limiter<AccountId>,
    addresses: Limiter<ClientAddress>,
}

impl Limits {
    pub(crate) fn new(limits: RateLimits) -> Self {
        let RateLimits::Factor(factor) = limits else {
            return Self(None);
        };
        let scaled = |quota: Quota| Quota {
            burst: (f64::from(quota.burst) * factor).ceil() as u32,
            each: quota.each.div_f64(factor),
        };
        let limiters = Class::ALL.into_iter().map(|class| Limiters {
            class,
            accounts: Limiter::new(scaled(class.per_account())),
            addresses: Limiter::new(scaled(class.per_address())),
        });
        Self(Some(limiters.collect()))
    }

    /// Forgets who has not called for a while, for ever.
    pub(crate) async fn tend(&self) {
        const THOROUGH_EVERY: u32 = 60;
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for tick in (0..THOROUGH_EVERY).cycle() {
            ticks.tick().await;
            for limiters in self.0.iter().flatten() {
                limiters.accounts.tend(tick == 0);
                limiters.addresses.tend(tick == 0);
            }
        }
    }

    fn of(&self, class: Class) -> Option<&Limiters> {
        self.0.as_ref()?.iter().find(|limiters| limiters.class == class)
    }
}

/// A call counted by its address, and later by its account.
#[derive(Debug, Default)]
struct Count {
    by_address: Option<Standing>,
    report: Report,
}

impl Limits {
    /// Counts a call by its address: the first of both, so that guessing tokens costs the guesser before it costs the
    /// database. An error is the refusal.
    fn count_address(&self, class: Class, address: ClientAddress) -> Result<Count, Report> {
        let mut report = Report::default();
        let by_address = self.of(class).map(|limiters| limiters.addresses.count(address));
        match by_address.filter(|standing| standing.wait.is_some()) {
            Some(standing) => {
                report.add(class.address_name(), standing);
                Err(report)
            }
            None => Ok(Count { by_address, report }),
        }
    }

    /// Counts it by its account, if it has one.
    fn count_account(&self, class: Class, count: Count, identity: &Identity) -> Result<Report, Report> {
        let Count { by_address, mut report } = count;
        if let (Some(limiters), Identity::Account(caller)) = (self.of(class), identity) {
            let standing = limiters.accounts.count(caller.account);
            report.add(class.name(), standing);
            if standing.wait.is_some() {
                return Err(report);
            }
        }
        if let Some(standing) = by_address {
            report.add(class.address_name(), standing);
        }
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_is_a_number_above_zero() {
        assert_eq!("off".parse(), Ok(RateLimits::Off));
        assert_eq!("2.5".parse(), Ok(RateLimits::Factor(2.5)));
        for bad in ["0", "-1", "inf", "NaN", "on", ""] {
            assert_eq!(bad.parse::<RateLimits>(), Err(RateLimitsError), "{bad}");
        }
    }
}
