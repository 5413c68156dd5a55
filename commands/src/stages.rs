//! How long the stages of a command take, for whoever wants to know where its time goes.

use std::time::{Duration, Instant};

/// Measures one stage after the other.
pub(crate) struct Stages(Instant);

impl Stages {
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// The time since the last stage ended.
    pub(crate) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now - self.0;
        self.0 = now;
        lap
    }
}

/// Notes that a stage has ended; its name is a literal, so that nothing is put together at run time.
macro_rules! ended {
    ($stages:expr, $stage:literal) => {
        ::metrics::histogram!("echoverse_command_stage_seconds", "stage" => $stage).record($stages.lap())
    };
}
pub(crate) use ended;
