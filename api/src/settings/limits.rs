//! How much one caller may ask.

use clap::Args;

use crate::limits::RateLimits;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Factor on all rate limits, or `off` (for load tests only)
    #[arg(long, env = "ECHOVERSE_RATE_LIMITS", default_value = "1")]
    pub rate_limits: RateLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rate_limits: RateLimits::Factor(1.0) }
    }
}
