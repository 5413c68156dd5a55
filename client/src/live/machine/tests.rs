use proptest::prelude::*;
use serde_json::json;

use super::*;

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn machine(now: Instant) -> Machine {
    Machine::new(LiveOptions::default(), Some(Cursor::from("c0")), 1, now, None)
}

fn event(name: &str, id: Option<&str>, data: &serde_json::Value) -> Item {
    Item::Event(SseEvent { name: name.to_owned(), data: data.to_string(), id: id.map(str::to_owned) })
}

fn hello() -> Item {
    event("hello", None, &json!({"transport": "sse", "heartbeat_seconds": 15, "cursor": "head"}))
}

fn frame_json(n: usize) -> serde_json::Value {
    json!({"type": "x", "id": format!("c{n}"), "time": "2026-01-01T00:00:00Z", "topic": "channel:1", "data": n})
}

fn frame(n: usize) -> Item {
    event("x", Some(&format!("c{n}")), &frame_json(n))
}

fn answer(numbers: impl IntoIterator<Item = usize>, next: usize) -> PollAnswer {
    let events: Vec<_> = numbers.into_iter().map(frame_json).collect();
    serde_json::from_value(json!({"events": events, "next": format!("c{next}")})).unwrap()
}

/// What was told since the last call, in short.
fn told(machine: &mut Machine) -> Vec<String> {
    std::iter::from_fn(|| machine.tell())
        .map(|event| match event {
            Ok(LiveEvent::Frame(frame)) => frame.id.0,
            Ok(LiveEvent::Signal(signal)) => signal.kind,
            Ok(LiveEvent::CaughtUp) => "caught up".to_owned(),
            Ok(LiveEvent::Transport(state)) => format!("{state:?}"),
            Ok(LiveEvent::Reset { reason }) => format!("reset {reason}"),
            Err(error) => format!("error {error}"),
        })
        .collect()
}

/// A machine with an open stream that has said hello and shown c1.
fn streaming(now: Instant) -> Machine {
    let mut machine = machine(now);
    assert_eq!(machine.step(now), Step::Stream);
    machine.stream_opening(now);
    machine.heard(now);
    machine.stream_item(now, hello());
    machine.stream_item(now, frame(1));
    assert_eq!(told(&mut machine), ["Connecting", "Sse", "c1"]);
    machine
}

#[test]
fn no_hello_in_time_means_long_poll_which_shows_itself_when_it_works() {
    let start = Instant::now();
    let mut machine = machine(start);
    machine.stream_opening(start);
    assert_eq!(machine.deadline(start), start + 4 * SECOND);
    let now = start + 4 * SECOND;
    assert_eq!(machine.deadline_passed(now), Connection::Close);
    assert_eq!(machine.step(now), Step::Poll { wait: Duration::ZERO });
    machine.poll_answered(now, now, Duration::ZERO, answer([1, 2], 2));
    assert_eq!(told(&mut machine), ["Connecting", "LongPoll", "c1", "c2", "caught up"]);
    assert_eq!(machine.step(now), Step::Poll { wait: 25 * SECOND });
    assert_eq!(machine.recovery().probe_at(), Some(now + 600 * SECOND));
}

#[test]
fn a_stream_is_dead_after_two_and_a_half_heartbeats_of_silence() {
    let start = Instant::now();
    let mut machine = streaming(start);
    assert_eq!(machine.deadline(start), start + 300 * MILLISECOND);
    assert_eq!(machine.deadline_passed(start + 300 * MILLISECOND), Connection::Keep);
    assert_eq!(told(&mut machine), ["caught up"]);
    let beat = start + 15 * SECOND;
    machine.heard(beat);
    machine.stream_item(beat, event("heartbeat", Some("c5"), &json!({})));
    assert_eq!(machine.cursor(), Some(&Cursor::from("c5")), "a quiet reader resumes from near the head");
    assert_eq!(machine.deadline(beat), beat + Duration::from_millis(37_500));
    let dead = beat + Duration::from_millis(37_500);
    assert_eq!(machine.deadline_passed(dead), Connection::Close);
    assert_eq!(told(&mut machine), ["Reconnecting"]);
    assert!(matches!(machine.step(dead), Step::Wait(until) if until <= dead + SECOND));
    assert_eq!(machine.step(dead + SECOND), Step::Stream);
}

#[test]
fn a_heartbeat_tells_that_all_was_shown_only_with_a_cursor() {
    let start = Instant::now();
    let mut machine = streaming(start);
    machine.stream_item(start, event("heartbeat", None, &json!({})));
    machine.stream_item(start, frame(2));
    machine.stream_item(start, event("heartbeat", Some("c2"), &json!({})));
    assert_eq!(told(&mut machine), ["c2", "caught up"]);
}

#[test]
fn a_stream_that_is_silent_after_its_first_burst_means_long_poll() {
    let start = Instant::now();
    let mut machine = streaming(start);
    machine.deadline_passed(start + SECOND);
    let dead = start + Duration::from_millis(37_500);
    assert_eq!(machine.deadline_passed(dead), Connection::Close);
    assert_eq!(machine.step(dead), Step::Poll { wait: Duration::ZERO });
}

fn typing() -> serde_json::Value {
    json!({"type": "typing", "time": "2026-01-01T00:00:00Z", "topic": "channel:1", "data": {}})
}

#[test]
fn signals_are_told_and_move_no_cursor_on_either_transport() {
    let start = Instant::now();
    let mut machine = streaming(start);
    machine.stream_item(start, event("typing", None, &typing()));
    machine.stream_item(start, event("typing", None, &typing()));
    machine.stream_item(start, event("of a newer server", None, &json!({"what": "ever"})));
    assert_eq!(told(&mut machine), ["typing", "typing"]);
    assert_eq!(machine.cursor(), Some(&Cursor::from("c1")));

    let answer = json!({"events": [frame_json(2), typing()], "next": "c2"});
    machine.poll_answered(start, start, SECOND, serde_json::from_value(answer).unwrap());
    assert_eq!(told(&mut machine), ["LongPoll", "c2", "typing", "caught up"]);
    assert_eq!(machine.cursor(), Some(&Cursor::from("c2")));
    // An answer with a signal alone is no hasty one.
    let answer = json!({"events": [typing()], "next": "c2"});
    machine.poll_answered(start, start, 25 * SECOND, serde_json::from_value(answer).unwrap());
    assert!(machine.recovery().not_before() <= start);
}

#[test]
fn repeats_are_dropped_and_never_move_the_cursor_back() {
    let start = Instant::now();
    let mut machine = streaming(start);
    for n in [2, 1, 2, 3, 3, 1] {
        machine.stream_item(start, frame(n));
    }
    machine.stream_item(start, event("heartbeat", Some("c1"), &json!({})));
    assert_eq!(machine.cursor(), Some(&Cursor::from("c3")));
    assert_eq!(told(&mut machine), ["c2", "c3", "caught up"]);
}

#[test]
fn goodbyes_are_followed_without_a_word() {
    let start = Instant::now();
    let mut machine = streaming(start);
    let later = start + 60 * SECOND;
    let closed = machine.stream_item(later, event("bye", None, &json!({"reason": "rotate"})));
    assert_eq!((closed, machine.step(later)), (Connection::Close, Step::Stream));
    assert_eq!(told(&mut machine), Vec::<String>::new());
}

#[test]
fn an_ended_session_and_a_refusal_end_it() {
    let start = Instant::now();
    let mut machine = streaming(start);
    machine.stream_item(start, event("bye", None, &json!({"reason": "session_ended"})));
    assert_eq!(machine.step(start), Step::End);
    assert_eq!(told(&mut machine), ["error the session has ended"]);

    let mut machine = streaming(start);
    machine.stream_failed(start, Failure::Fatal(Error::SessionEnded));
    assert_eq!(machine.step(start), Step::End);
}

#[test]
fn a_reset_is_told_by_either_transport_and_ends_it() {
    let start = Instant::now();
    let mut machine = streaming(start);
    let data = json!({"reason": "foreign_log"});
    assert_eq!(machine.stream_item(start, event("reset", None, &data)), Connection::Close);
    assert_eq!(told(&mut machine), ["reset foreign_log"]);
    assert_eq!(machine.step(start), Step::End);

    let mut machine = streaming(start);
    let answer = json!({"events": [{"type": "reset", "data": {"reason": "ahead_of_log"}}], "next": null});
    machine.poll_answered(start, start, SECOND, serde_json::from_value(answer).unwrap());
    assert_eq!(told(&mut machine), ["LongPoll", "reset ahead_of_log"]);
    assert_eq!(machine.step(start), Step::End);
}

#[test]
fn without_a_cursor_the_one_of_hello_is_where_to_resume() {
    let start = Instant::now();
    let mut machine = Machine::new(LiveOptions::default(), None, 1, start, None);
    machine.stream_opening(start);
    machine.stream_item(start, hello());
    assert_eq!(machine.cursor(), Some(&Cursor::from("head")));
}

#[test]
fn what_cannot_be_understood_is_asked_for_again_a_few_times() {
    let start = Instant::now();
    let mut machine = streaming(start);
    for _ in 0..4 {
        machine.stream_opening(start);
        machine.stream_item(start, event("x", Some("c2"), &json!("no frame")));
        assert_ne!(machine.step(start + 60 * SECOND), Step::End);
    }
    machine.poll_failed(start, Failure::Undecodable("no".to_owned()));
    assert_eq!(machine.step(start), Step::End);
}

#[test]
fn polls_that_return_empty_at_once_are_no_busy_loop() {
    let start = Instant::now();
    let mut machine = machine(start);
    machine.recovery().unusable(start);
    machine.poll_answered(start, start, 25 * SECOND, answer([], 0));
    assert!(matches!(machine.step(start), Step::Wait(_)));
    machine.poll_answered(start, start, 25 * SECOND, answer([1], 1));
    machine.poll_answered(start + 25 * SECOND, start, 25 * SECOND, answer([], 1));
    assert_eq!(machine.step(start + 25 * SECOND), Step::Poll { wait: 25 * SECOND });
}

#[derive(Debug, Clone)]
enum Happening {
    /// A stream that repeats some frames from before the cursor, sends some more, and ends one way or another.
    Stream {
        repeats: usize,
        frames: usize,
        end: u8,
    },
    NoHello,
    Refused,
    Poll {
        repeats: usize,
        frames: usize,
        fails: bool,
    },
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        (0..4_usize, 0..5_usize, 0..3_u8).prop_map(|(repeats, frames, end)| Happening::Stream {
            repeats,
            frames,
            end
        }),
        Just(Happening::NoHello),
        Just(Happening::Refused),
        (0..4_usize, 0..5_usize, any::<bool>()).prop_map(|(repeats, frames, fails)| Happening::Poll {
            repeats,
            frames,
            fails
        }),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_each_frame_is_shown_once_and_in_order(
        happenings in prop::collection::vec(happening(), 1..60),
    ) {
        let mut now = Instant::now();
        let mut machine = machine(now);
        let mut shown = Vec::new();
        for happening in happenings {
            now += 40 * SECOND;
            prop_assert!(machine.step(now) != Step::End);
            let cursor: usize = machine.cursor().unwrap().0[1..].parse().unwrap();
            match happening {
                Happening::Stream { repeats, frames, end } => {
                    machine.stream_opening(now);
                    machine.heard(now);
                    machine.stream_item(now, hello());
                    for n in (cursor + 1).saturating_sub(repeats).max(1)..=cursor + frames {
                        machine.stream_item(now, frame(n));
                    }
                    match end {
                        0 => machine.stream_failed(now, Failure::Cut),
                        1 => drop(machine.stream_item(now, event("bye", None, &json!({"reason": "rotate"})))),
                        _ => drop(machine.deadline_passed(now + 60 * SECOND)),
                    }
                }
                Happening::NoHello => {
                    machine.stream_opening(now);
                    machine.deadline_passed(now + 4 * SECOND);
                }
                Happening::Refused => machine.stream_failed(now, Failure::Unreachable { retry_after: None }),
                Happening::Poll { fails: true, .. } => {
                    machine.poll_failed(now, Failure::Unreachable { retry_after: None });
                }
                Happening::Poll { repeats, frames, .. } => {
                    let numbers = (cursor + 1).saturating_sub(repeats).max(1)..=cursor + frames;
                    machine.poll_answered(now, now, SECOND, answer(numbers, cursor + frames));
                }
            }
            shown.extend(told(&mut machine).into_iter().filter(|told| {
                told.strip_prefix('c').is_some_and(|rest| rest.parse::<usize>().is_ok())
            }));
        }
        let expected: Vec<_> = (1..=shown.len()).map(|n| format!("c{n}")).collect();
        prop_assert_eq!(shown, expected);
    }
}
