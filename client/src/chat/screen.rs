//! What a chat is held on.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};

/// To whoever shows things.
#[derive(Debug)]
pub(super) enum Show {
    /// One line, or several with `\n` between them. Harmless already.
    Line(String),
    /// What stands before what is being typed.
    Prompt(String),
    /// Whether what is typed stays unseen.
    Hidden(bool),
}

/// A person, or a script: types lines and is shown lines.
#[derive(Debug)]
pub(super) struct Screen {
    typed: mpsc::Receiver<String>,
    show: mpsc::Sender<Show>,
    /// Notified while something is written that may become a message; never by a script.
    writes: Arc<Notify>,
    /// Whether a person types: a mistake can be mended, and quitting must not take long.
    pub(super) person: bool,
}

impl Screen {
    pub(super) fn new(typed: mpsc::Receiver<String>, show: mpsc::Sender<Show>, person: bool) -> Self {
        Self { typed, show, writes: Arc::new(Notify::new()), person }
    }

    /// Notified with each key of a message in the making.
    pub(super) fn writes(&self) -> Arc<Notify> {
        Arc::clone(&self.writes)
    }

    /// The next line; `None` when no more will come.
    pub(super) async fn typed(&mut self) -> Option<String> {
        self.typed.recv().await
    }

    pub(super) async fn line(&self, line: impl Into<String>) {
        // Nobody looks any more: the end of the typed lines tells so too.
        let _gone = self.show.send(Show::Line(line.into())).await;
    }

    pub(super) async fn prompt(&self, prompt: String) {
        let _gone = self.show.send(Show::Prompt(prompt)).await;
    }

    pub(super) async fn ask(&mut self, question: &'static str, hidden: bool) -> Option<String> {
        // Hidden first: whoever sees the question may already be typing.
        let _gone = self.show.send(Show::Hidden(hidden)).await;
        let _gone = self.show.send(Show::Prompt(format!("{question}: "))).await;
        let answer = self.typed().await;
        let _gone = self.show.send(Show::Hidden(false)).await;
        let _gone = self.show.send(Show::Prompt(String::new())).await;
        answer.filter(|answer| !answer.is_empty())
    }
}
