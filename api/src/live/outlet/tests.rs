use jiff::Timestamp;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use super::super::frame::Frame;
use super::super::run::Run;
use super::*;
use crate::cursor::Cursors;

fn run(position: u64, text: &str) -> Arc<Run> {
    let cursor = Cursors::new([1; 32], event_store::LogId(Uuid::nil())).seal(Position(position));
    let frame = Frame::new(Position(position), &cursor, "a.b", Timestamp::UNIX_EPOCH, "topic", text);
    Run::cut(&[Arc::new(frame)]).remove(0)
}

fn plain(runs: &[Arc<Run>]) -> Vec<u8> {
    runs.iter().flat_map(|run| run.sse.as_ref().expect("it has bytes").plain().to_vec()).collect()
}

async fn pair() -> (Wire, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let reader = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (socket, _) = listener.accept().await.unwrap();
    (Wire { socket: Arc::new(socket), framing: Framing::UntilClose }, reader)
}

#[tokio::test]
async fn what_is_pushed_leaves_by_the_socket_in_order_however_slow_its_reader() {
    let (wire, mut reader) = pair().await;
    let outlet = Outlet::new(Position(0));
    let early = run(1, "early");
    assert_eq!(outlet.push(Item::Run(Arc::clone(&early))), Pushed::First);
    assert_eq!(outlet.attach(wire.clone()), Flushed::All);
    // More than both sockets' buffers hold.
    let runs: Vec<_> = (2..100).map(|position| run(position, &"x".repeat(200_000))).collect();
    for run in &runs {
        assert_ne!(outlet.push(Item::Run(Arc::clone(run))), Pushed::Refused);
        outlet.flush();
    }
    assert!(outlet.position() < Position(99), "the socket took all: nothing was tested");
    let expected = [plain(&[early]), plain(&runs)].concat();
    let length = expected.len();
    let reading = tokio::spawn(async move {
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes).await.map(|_| bytes)
    });
    while outlet.go_on() == Flushed::Blocked {
        wire.socket.writable().await.unwrap();
    }
    assert!(reading.await.unwrap().unwrap() == expected);
    assert_eq!(outlet.position(), Position(99));
    outlet.end(End::Rotate);
    assert_eq!(outlet.go_on(), Flushed::Ended);
}

#[tokio::test]
async fn a_reader_that_is_gone_is_noticed() {
    let (wire, reader) = pair().await;
    let outlet = Outlet::new(Position(0));
    assert_eq!(outlet.attach(wire.clone()), Flushed::All);
    drop(reader);
    wire.socket.readable().await.unwrap();
    // The first write after the other side closed may still be taken.
    let mut flushed = Flushed::All;
    for position in 1..100 {
        if outlet.push(Item::Run(run(position, "x"))) == Pushed::Refused {
            break;
        }
        outlet.flush();
        flushed = outlet.go_on();
        tokio::task::yield_now().await;
    }
    assert_eq!(flushed, Flushed::Broken);
    assert_eq!(outlet.push(Item::Run(run(100, "x"))), Pushed::Refused);
}

#[test]
fn what_does_not_fit_is_refused() {
    let outlet = Outlet::new(Position(0));
    for position in 1..=QUEUE as u64 {
        assert_ne!(outlet.push(Item::Run(run(position, "x"))), Pushed::Refused);
    }
    assert_eq!(outlet.push(Item::Run(run(1_000, "x"))), Pushed::Refused);
    outlet.end(End::Lagged);
    let Taken::Items(items) = outlet.take() else { panic!("what waited can still be read") };
    assert_eq!(items.len(), QUEUE);
    assert!(matches!(outlet.take(), Taken::Ended(End::Lagged)));
    assert_eq!(outlet.position(), Position(QUEUE as u64));
}

#[tokio::test]
async fn what_a_reader_has_had_is_not_sent_again() {
    let outlet = Outlet::new(Position(2));
    let runs: Vec<_> = (1..=4).map(|position| run(position, "x")).collect();
    runs.iter().for_each(|run| _ = outlet.push(Item::Run(Arc::clone(run))));
    let (wire, mut reader) = pair().await;
    assert_eq!(outlet.attach(wire), Flushed::All);
    let expected = plain(&runs[2..]);
    let mut bytes = vec![0; expected.len()];
    reader.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, expected);
}

#[test]
fn a_sign_of_life_is_for_those_to_whom_nothing_is_on_its_way() {
    let outlet = Outlet::new(Position(0));
    let beat = Arc::new(Beat::new(Position(1), None));
    _ = outlet.push(Item::Run(run(1, "x")));
    outlet.push_beat(&beat);
    let Taken::Items(items) = outlet.take() else { panic!("a run waits") };
    assert!(matches!(items[..], [Item::Run(_)]));
    outlet.push_beat(&beat);
    let Taken::Items(items) = outlet.take() else { panic!("a beat waits") };
    assert!(matches!(items[..], [Item::Beat(_)]));
}
