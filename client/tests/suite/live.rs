use std::sync::Arc;
use std::time::Duration;

use client::live::Transport;
use client::{Client, Cursor, Error, Live, LiveEvent, LiveOptions, Options, TransportState};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::log::{Log, Plan};
use crate::server::{Reply, Server};

const STREAM: &str = "GET /v1/events/stream";
const POLL: &str = "GET /v1/events";

fn options() -> LiveOptions {
    LiveOptions {
        hello_timeout: Duration::from_millis(300),
        poll_wait: Duration::from_secs(5),
        backoff_first: Duration::from_millis(20),
        backoff_most: Duration::from_millis(100),
        quiet: Duration::from_millis(50),
        ..LiveOptions::default()
    }
}

async fn serve(log: &Arc<Log>) -> Server {
    let log = Arc::clone(log);
    Server::start(move |asked| Arc::clone(&log).answer(asked)).await
}

fn client(server: &Server) -> Client {
    let options = Options { live: options(), ..Options::default() };
    Client::with_options(&server.url, options).unwrap().with_token("t")
}

fn from_start(server: &Server) -> Live {
    client(server).live(Some(Cursor::from("c0")))
}

async fn next(live: &mut Live) -> Result<LiveEvent, Error> {
    timeout(Duration::from_secs(10), live.next()).await.expect("something happens within ten seconds")
}

/// What comes up to frame `last`: the frames' ids, and the other events between them.
async fn up_to(live: &mut Live, last: usize) -> (Vec<String>, Vec<LiveEvent>) {
    let (mut frames, mut others) = (Vec::new(), Vec::new());
    loop {
        match next(live).await.unwrap() {
            LiveEvent::Frame(frame) => {
                frames.push(frame.id.0.clone());
                if frame.id.0 == format!("c{last}") {
                    return (frames, others);
                }
            }
            other => others.push(other),
        }
    }
}

async fn wait_for(live: &mut Live, wanted: &LiveEvent) {
    while next(live).await.unwrap() != *wanted {}
}

fn numbers(first: usize, last: usize) -> Vec<String> {
    (first..=last).map(|n| format!("c{n}")).collect()
}

#[tokio::test]
async fn frames_come_in_order_and_go_on_as_they_happen() {
    let log = Log::new(3, []);
    let server = serve(&log).await;
    let mut live = from_start(&server);
    let (frames, others) = up_to(&mut live, 3).await;
    assert_eq!(frames, numbers(1, 3));
    assert_eq!(
        others,
        [LiveEvent::Transport(TransportState::Connecting), LiveEvent::Transport(TransportState::Sse)]
    );
    assert_eq!(next(&mut live).await.unwrap(), LiveEvent::CaughtUp);
    log.append(2);
    assert_eq!(up_to(&mut live, 5).await, (numbers(4, 5), vec![]));
    assert_eq!(server.asked_for(STREAM)[0].header("authorization"), Some("Bearer t"));
}

#[tokio::test]
async fn a_buffering_proxy_leads_to_long_poll_and_a_probe_leads_back() {
    let log = Log::new(2, [Plan::Buffer, Plan::Buffer]);
    let server = serve(&log).await;
    let options =
        LiveOptions { avoid_sse: Duration::from_millis(200), poll_wait: Duration::from_secs(1), ..options() };
    let mut live = client(&server).live_with(Some(Cursor::from("c0")), options);
    let (frames, others) = up_to(&mut live, 2).await;
    assert_eq!(frames, numbers(1, 2));
    assert_eq!(others[1..], [LiveEvent::Transport(TransportState::LongPoll)]);
    log.append(1);
    assert_eq!(up_to(&mut live, 3).await.0, numbers(3, 3));
    // The first probe is buffered too, the second one works.
    wait_for(&mut live, &LiveEvent::Transport(TransportState::Sse)).await;
    log.append(2);
    assert_eq!(up_to(&mut live, 5).await.0, numbers(4, 5));
    assert!(server.asked_for(STREAM).len() >= 4);
}

#[tokio::test]
async fn what_one_stream_learnt_of_the_network_spares_the_next_one() {
    let log = Log::new(1, [Plan::Buffer]);
    let server = serve(&log).await;
    let client = client(&server);
    for _ in 0..2 {
        let mut live = client.live(Some(Cursor::from("c0")));
        wait_for(&mut live, &LiveEvent::Transport(TransportState::LongPoll)).await;
        assert_eq!(up_to(&mut live, 1).await.0, numbers(1, 1));
    }
    assert_eq!(server.asked_for(STREAM).len(), 1);
}

#[tokio::test]
async fn a_page_in_place_of_a_stream_leads_to_long_poll() {
    let log = Log::new(1, [Plan::Page]);
    let server = serve(&log).await;
    let mut live = from_start(&server);
    assert_eq!(up_to(&mut live, 1).await.0, numbers(1, 1));
    assert_eq!(server.asked_for(POLL)[0].query("wait"), Some("0"));
}

#[tokio::test]
async fn a_stream_cut_in_mid_frame_resumes_after_the_last_whole_one() {
    let log = Log::new(4, [Plan::CutMidFrame]);
    let server = serve(&log).await;
    let mut live = from_start(&server);
    let (frames, others) = up_to(&mut live, 4).await;
    assert_eq!(frames, numbers(1, 4));
    assert!(others.contains(&LiveEvent::Transport(TransportState::Reconnecting)));
    let asked = server.asked_for(STREAM);
    assert_eq!(asked[1].query("after"), Some("c1"));
    assert_eq!(asked.len(), 2);
}

#[tokio::test]
async fn two_cuts_lead_to_long_poll_without_loss() {
    let log = Log::new(6, [Plan::CutMidFrame, Plan::CutMidFrame]);
    let server = serve(&log).await;
    let mut live = from_start(&server);
    let (frames, others) = up_to(&mut live, 6).await;
    assert_eq!(frames, numbers(1, 6));
    assert_eq!(others.last(), Some(&LiveEvent::Transport(TransportState::LongPoll)));
}

#[tokio::test]
async fn repeated_frames_are_shown_once() {
    let log = Log::new(5, [Plan::CutMidFrame, Plan::Repeat]);
    let server = serve(&log).await;
    let mut live = from_start(&server);
    assert_eq!(up_to(&mut live, 5).await.0, numbers(1, 5));
    log.append(1);
    assert_eq!(up_to(&mut live, 6).await.0, numbers(6, 6));
}

#[tokio::test]
async fn a_stream_without_heartbeats_is_given_up() {
    let log = Log::beating(Duration::from_millis(40), 0, [Plan::FallSilent]);
    let server = serve(&log).await;
    let mut live = from_start(&server);
    wait_for(&mut live, &LiveEvent::Transport(TransportState::Sse)).await;
    wait_for(&mut live, &LiveEvent::Transport(TransportState::LongPoll)).await;
    log.append(1);
    assert_eq!(up_to(&mut live, 1).await.0, numbers(1, 1));
}

#[tokio::test]
async fn a_quiet_reader_resumes_from_the_heartbeats_cursor() {
    let log = Log::beating(Duration::from_millis(40), 7, []);
    let server = serve(&log).await;
    let client = client(&server);
    let mut live = client.live(None);
    wait_for(&mut live, &LiveEvent::CaughtUp).await;
    log.append(1);
    assert_eq!(up_to(&mut live, 8).await.0, numbers(8, 8));
    assert_eq!(server.asked_for(STREAM)[0].query("after"), None);
}

#[tokio::test]
async fn a_rotation_is_not_noticed() {
    let log = Log::new(3, [Plan::Bye("rotate")]);
    let server = serve(&log).await;
    let mut live = from_start(&server);
    up_to(&mut live, 3).await;
    log.append(2);
    let (frames, others) = up_to(&mut live, 5).await;
    assert_eq!(frames, numbers(4, 5));
    assert!(!others.contains(&LiveEvent::Transport(TransportState::Reconnecting)));
}

#[tokio::test]
async fn a_restart_is_survived_on_the_same_transport() {
    let log = Log::new(2, []);
    let server = serve(&log).await;
    let mut live = from_start(&server);
    up_to(&mut live, 2).await;
    let address = server.url.trim_start_matches("http://").to_owned();
    server.stop().await;
    wait_for(&mut live, &LiveEvent::Transport(TransportState::Reconnecting)).await;
    log.append(2);
    let again = Arc::clone(&log);
    let listener = TcpListener::bind(address).await.unwrap();
    let _server = Server::on(listener, move |asked| Arc::clone(&again).answer(asked));
    let (frames, others) = up_to(&mut live, 4).await;
    assert_eq!(frames, numbers(3, 4));
    assert_eq!(others, [LiveEvent::Transport(TransportState::Sse)]);
    assert_eq!(next(&mut live).await.unwrap(), LiveEvent::CaughtUp);
}

#[tokio::test]
async fn an_ended_session_ends_the_stream() {
    let log = Log::new(0, [Plan::Bye("session_ended")]);
    let server = serve(&log).await;
    let mut live = from_start(&server);
    let error = loop {
        if let Err(error) = next(&mut live).await {
            break error;
        }
    };
    assert!(matches!(error, Error::SessionEnded));
    assert!(matches!(next(&mut live).await, Err(Error::LiveEnded)));
}

#[tokio::test]
async fn a_401_ends_the_stream_on_either_transport() {
    for only in [Transport::Sse, Transport::LongPoll] {
        let server = Server::start(async |_| Reply::problem(401, "unauthenticated")).await;
        let mut live = client(&server).live_with(None, LiveOptions { only: Some(only), ..options() });
        assert_eq!(next(&mut live).await.unwrap(), LiveEvent::Transport(TransportState::Connecting));
        let error = next(&mut live).await.unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(401), Some("unauthenticated")));
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_reset_waits_for_another_cursor() {
    for only in [Transport::Sse, Transport::LongPoll] {
        let log = Log::new(9, []);
        if only == Transport::Sse {
            log.plan(Plan::Reset("foreign_log"));
        }
        let polled = Arc::clone(&log);
        let server = Server::start(move |asked| {
            let log = Arc::clone(&polled);
            async move {
                if asked.path == "/v1/events" && asked.query("after") == Some("c0") {
                    let reset = serde_json::json!({"type": "reset", "data": {"reason": "foreign_log"}});
                    return Reply::json(200, &serde_json::json!({"events": [reset], "next": null}));
                }
                log.answer(asked).await
            }
        })
        .await;
        let options = LiveOptions { only: Some(only), ..options() };
        let mut live = client(&server).live_with(Some(Cursor::from("c0")), options);
        wait_for(&mut live, &LiveEvent::Reset { reason: "foreign_log".to_owned() }).await;
        assert!(matches!(next(&mut live).await, Err(Error::ResetPending)));
        live.resume_from(Cursor::from("c7"));
        assert_eq!(up_to(&mut live, 9).await.0, numbers(8, 9));
    }
}

#[tokio::test]
async fn retry_after_is_honoured() {
    for status in [429, 503] {
        let log = Log::new(1, [Plan::Refuse(status, 1)]);
        let server = serve(&log).await;
        let mut live = from_start(&server);
        assert_eq!(up_to(&mut live, 1).await.0, numbers(1, 1));
        let asked = server.asked_for(STREAM);
        assert!(asked[1].at - asked[0].at >= Duration::from_secs(1));
    }
}

#[tokio::test]
async fn long_poll_alone_pages_through_a_backlog() {
    let log = Log::new(25, []);
    let server = serve(&log).await;
    let options = LiveOptions { only: Some(Transport::LongPoll), poll_limit: 10, ..options() };
    let mut live = client(&server).live_with(Some(Cursor::from("c0")), options);
    assert_eq!(up_to(&mut live, 25).await.0, numbers(1, 25));
    assert_eq!(next(&mut live).await.unwrap(), LiveEvent::CaughtUp);
    assert_eq!(server.asked_for(STREAM).len(), 0);
}

#[tokio::test]
async fn dropping_next_loses_nothing() {
    let log = Log::new(0, []);
    let server = serve(&log).await;
    let mut live = from_start(&server);
    let mut frames = Vec::new();
    while frames.len() < 50 {
        log.append(1);
        if let Ok(event) = timeout(Duration::from_micros(200), live.next()).await
            && let LiveEvent::Frame(frame) = event.unwrap()
        {
            frames.push(frame.id.0);
        }
    }
    assert_eq!(frames, numbers(1, 50));
}
