//! Which transport next, and when: pure, with the time passed in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{LiveOptions, Transport};
use crate::chance::{self, Jitter};

/// After refusals of the stream alone, which a restarting server behind a proxy causes too, SSE is probed this soon.
const PROBE_AFTER_REFUSALS: Duration = Duration::from_secs(30);
/// Refusals in a row, without a stream in between, that lead to a try of long-poll.
const REFUSALS: u32 = 3;
/// However long a server asks to wait, a person may have come back to it sooner.
const PATIENCE: Duration = Duration::from_mins(5);
/// A stream said goodbye sooner than this is waited for as after a failure.
const SHORT_STREAM: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Recovery {
    options: LiveOptions,
    jitter: Jitter,
    mode: Mode,
    /// When streams failed after they were opened.
    failures: VecDeque<Instant>,
    refusals: u32,
    /// Failures in a row, of either transport.
    attempt: u32,
    backoff_first: Duration,
    not_before: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Stream,
    Poll {
        /// A poll was answered since streams were given up. Until then the network may simply be down.
        proven: bool,
        probe_at: Instant,
    },
}

impl Recovery {
    /// `avoid_sse_until` is what is known of this network from before.
    pub(super) fn new(
        options: &LiveOptions,
        seed: u64,
        now: Instant,
        avoid_sse_until: Option<Instant>,
    ) -> Self {
        let mode = match (options.only, avoid_sse_until) {
            (Some(Transport::LongPoll), _) => Mode::Poll { proven: true, probe_at: now },
            (None, Some(until)) if until > now => Mode::Poll { proven: true, probe_at: until },
            _ => Mode::Stream,
        };
        Self {
            options: options.clone(),
            jitter: Jitter::new(seed),
            mode,
            failures: VecDeque::new(),
            refusals: 0,
            attempt: 0,
            backoff_first: options.backoff_first,
            not_before: now,
        }
    }

    pub(super) fn transport(&self) -> Transport {
        match self.mode {
            Mode::Stream => Transport::Sse,
            Mode::Poll { .. } => Transport::LongPoll,
        }
    }

    pub(super) fn not_before(&self) -> Instant {
        self.not_before
    }

    /// While polling: when to see whether streams work again.
    pub(super) fn probe_at(&self) -> Option<Instant> {
        match self.mode {
            Mode::Poll { proven: true, probe_at } if self.options.only.is_none() => Some(probe_at),
            _ => None,
        }
    }

    /// Until when this network is known not to carry SSE.
    pub(super) fn avoid_sse_until(&self) -> Option<Instant> {
        self.probe_at()
    }

    /// The server's `retry`.
    pub(super) fn server_retry(&mut self, wait: Duration) {
        self.backoff_first = wait.min(self.options.backoff_most);
    }

    pub(super) fn works(&mut self) {
        self.attempt = 0;
        self.refusals = 0;
        if let Mode::Poll { proven, .. } = &mut self.mode {
            *proven = true;
        }
    }

    /// The server ended a stream on purpose: go on at once.
    pub(super) fn said_goodbye(&mut self, now: Instant, lived: Duration) {
        if lived < SHORT_STREAM {
            self.back_off(now, None);
        } else {
            self.not_before = now;
        }
    }

    /// The server could not be reached, or asked for patience. Says nothing about the transport, unless it goes on.
    pub(super) fn unreachable(&mut self, now: Instant, retry_after: Option<Duration>) {
        self.back_off(now, retry_after);
        match self.mode {
            Mode::Stream => {
                self.refusals += 1;
                if self.refusals >= REFUSALS {
                    self.give_up_streams(now, PROBE_AFTER_REFUSALS.min(self.options.avoid_sse));
                }
            }
            Mode::Poll { .. } => self.poll_failed(),
        }
    }

    /// A stream, or a poll, broke off.
    pub(super) fn cut(&mut self, now: Instant) {
        self.back_off(now, None);
        if self.mode != Mode::Stream {
            return self.poll_failed();
        }
        self.failures.push_back(now);
        while self
            .failures
            .front()
            .is_some_and(|first| now.duration_since(*first) > self.options.failure_window)
        {
            self.failures.pop_front();
        }
        if self.failures.len() >= 2 {
            self.give_up_streams(now, self.options.avoid_sse);
        }
    }

    /// This network doesn't carry streams: no `hello` came, or nothing after it, or something else than a stream.
    pub(super) fn unusable(&mut self, now: Instant) {
        if self.mode == Mode::Stream && self.options.only.is_none() {
            self.give_up_streams(now, self.options.avoid_sse);
            self.not_before = now;
        } else {
            self.cut(now);
        }
    }

    /// A poll came back empty at once, which the contract doesn't allow for: it must not become a busy loop.
    pub(super) fn hasty(&mut self, now: Instant) {
        self.back_off(now, None);
    }

    pub(super) fn probed(&mut self, now: Instant, works: bool) {
        if self.probe_at().is_none() {
            return;
        }
        self.mode = if works {
            Mode::Stream
        } else {
            Mode::Poll { proven: true, probe_at: now + self.options.avoid_sse }
        };
    }

    fn give_up_streams(&mut self, now: Instant, probe_in: Duration) {
        self.failures.clear();
        self.refusals = 0;
        if self.options.only.is_none() {
            self.mode = Mode::Poll { proven: false, probe_at: now + probe_in };
        }
    }

    fn poll_failed(&mut self) {
        if let Mode::Poll { proven: false, .. } = self.mode {
            self.mode = Mode::Stream;
        }
    }

    fn back_off(&mut self, now: Instant, at_least: Option<Duration>) {
        let wait =
            chance::backoff(&mut self.jitter, self.attempt, self.backoff_first, self.options.backoff_most);
        self.attempt = self.attempt.saturating_add(1);
        self.not_before = now + wait.max(at_least.unwrap_or_default().min(PATIENCE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn recovery(now: Instant) -> Recovery {
        Recovery::new(&LiveOptions::default(), 1, now, None)
    }

    #[test]
    fn two_cuts_within_the_window_lead_to_long_poll() {
        let start = Instant::now();
        let mut recovery = recovery(start);
        recovery.cut(start);
        assert_eq!(recovery.transport(), Transport::Sse);
        recovery.works();
        recovery.cut(start + 31 * SECOND);
        assert_eq!(recovery.transport(), Transport::Sse, "the first is too long ago");
        recovery.works();
        recovery.cut(start + 60 * SECOND);
        assert_eq!(recovery.transport(), Transport::LongPoll);
        assert_eq!(recovery.probe_at(), None, "long-poll has yet to prove itself");
        recovery.works();
        assert_eq!(recovery.probe_at(), Some(start + 660 * SECOND));
    }

    #[test]
    fn a_restarting_server_is_waited_for_on_the_same_transport() {
        let start = Instant::now();
        let mut recovery = recovery(start);
        recovery.cut(start);
        recovery.unreachable(start + SECOND, None);
        recovery.unreachable(start + 2 * SECOND, Some(7 * SECOND));
        assert_eq!(recovery.not_before(), start + 9 * SECOND);
        recovery.works();
        assert_eq!(recovery.transport(), Transport::Sse);
    }

    #[test]
    fn a_stream_refused_again_and_again_tries_a_poll_and_comes_back_if_that_fails_too() {
        let start = Instant::now();
        let mut recovery = recovery(start);
        for _ in 0..3 {
            recovery.unreachable(start, None);
        }
        assert_eq!(recovery.transport(), Transport::LongPoll);
        recovery.unreachable(start, None);
        assert_eq!(recovery.transport(), Transport::Sse);
        for _ in 0..3 {
            recovery.unreachable(start, None);
        }
        recovery.works();
        recovery.unreachable(start, None);
        assert_eq!(recovery.transport(), Transport::LongPoll, "a proven poll stays");
        assert_eq!(recovery.probe_at(), Some(start + 30 * SECOND));
    }

    #[test]
    fn a_useless_stream_leads_to_long_poll_at_once_and_a_probe_leads_back() {
        let start = Instant::now();
        let mut recovery = recovery(start);
        recovery.unusable(start);
        assert_eq!((recovery.transport(), recovery.not_before()), (Transport::LongPoll, start));
        recovery.works();
        recovery.probed(start + 600 * SECOND, false);
        assert_eq!(recovery.transport(), Transport::LongPoll);
        assert_eq!(recovery.probe_at(), Some(start + 1200 * SECOND));
        recovery.probed(start + 1200 * SECOND, true);
        assert_eq!((recovery.transport(), recovery.probe_at()), (Transport::Sse, None));
    }

    #[test]
    fn a_transport_that_is_the_only_one_stays() {
        let start = Instant::now();
        let only = |transport| LiveOptions { only: Some(transport), ..LiveOptions::default() };
        let mut recovery = Recovery::new(&only(Transport::Sse), 1, start, Some(start + SECOND));
        for _ in 0..5 {
            recovery.cut(start);
            recovery.unreachable(start, None);
            recovery.unusable(start);
            assert_eq!(recovery.transport(), Transport::Sse);
            assert!(recovery.not_before() > start, "it must not become a busy loop");
        }
        let mut recovery = Recovery::new(&only(Transport::LongPoll), 1, start, None);
        recovery.cut(start);
        recovery.probed(start, true);
        assert_eq!((recovery.transport(), recovery.probe_at()), (Transport::LongPoll, None));
    }

    #[test]
    fn what_is_known_of_the_network_counts_from_the_start() {
        let start = Instant::now();
        let recovery = Recovery::new(&LiveOptions::default(), 1, start, Some(start + SECOND));
        assert_eq!((recovery.transport(), recovery.probe_at()), (Transport::LongPoll, Some(start + SECOND)));
        let recovery = Recovery::new(&LiveOptions::default(), 1, start + SECOND, Some(start + SECOND));
        assert_eq!(recovery.transport(), Transport::Sse);
    }

    #[test]
    fn waits_grow_with_failures_and_start_anew_once_it_works() {
        let start = Instant::now();
        let mut recovery = recovery(start);
        for _ in 0..12 {
            recovery.unreachable(start, None);
        }
        assert!(recovery.not_before() >= start + 10 * SECOND);
        assert!(recovery.not_before() <= start + 20 * SECOND);
        recovery.works();
        recovery.unreachable(start, None);
        assert!(recovery.not_before() <= start + SECOND);
    }

    #[test]
    fn goodbyes_are_followed_at_once_but_not_in_a_busy_loop() {
        let start = Instant::now();
        let mut recovery = recovery(start);
        recovery.said_goodbye(start, 2 * SECOND);
        assert_eq!(recovery.not_before(), start);
        recovery.said_goodbye(start, Duration::ZERO);
        assert!(recovery.not_before() > start);
        assert_eq!(recovery.transport(), Transport::Sse);
    }
}
