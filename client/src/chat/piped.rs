//! A screen made of pipes: plain lines in, plain lines out.

use std::io::{self, BufRead, Write};
use std::thread;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::screen::{Screen, Show};

/// Lines of standard input beyond this many wait in the pipe.
const WAITING: usize = 16;

/// Standard input and output. The handle ends when all that was shown is written.
pub(super) fn open() -> (Screen, JoinHandle<()>) {
    let (type_line, typed) = mpsc::channel(WAITING);
    // A thread of its own: a read that never returns must not keep the runtime from ending.
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if type_line.blocking_send(line).is_err() {
                return;
            }
        }
    });
    let (show, mut shown) = mpsc::channel(WAITING);
    let writer = tokio::task::spawn_blocking(move || {
        let mut output = io::stdout().lock();
        while let Some(show) = shown.blocking_recv() {
            if let Show::Line(line) = show
                && writeln!(output, "{line}").and_then(|()| output.flush()).is_err()
            {
                return;
            }
        }
    });
    (Screen::new(typed, show, false), writer)
}

/// Two channels.
pub(super) fn over(typed: mpsc::Receiver<String>, lines: mpsc::Sender<String>) -> Screen {
    let (show, mut shown) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        while let Some(show) = shown.recv().await {
            if let Show::Line(line) = show
                && lines.send(line).await.is_err()
            {
                return;
            }
        }
    });
    Screen::new(typed, show, false)
}
