//! The terminal client behind `echoverse chat`.
//!
//! `conversation` is the loop: typed lines and live events in, lines out. It talks to a `screen::Screen`, behind
//! which is a real terminal, a pipe or a test. What is sent goes through `outbox`, which keeps it until the server has
//! it. What others wrote passes `harmless` before it is shown.

mod actions;
mod conversation;
mod editor;
mod harmless;
mod input;
mod login;
mod outbox;
mod piped;
mod room;
mod screen;
mod terminal;
mod token_file;
mod typing;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;

use self::screen::Screen;
use crate::client::Client;
use crate::error::Error;
use crate::options::Options;
use crate::secret::Secret;

/// Whom to talk to, and as whom. What is left out and needed is asked for.
#[derive(Debug, Clone, Default)]
pub struct ChatOptions {
    /// Such as `https://chat.example`.
    pub server: String,
    /// A handle or an e-mail address; with `register`, the new handle. Left out, the session of the last time goes on.
    pub login: Option<String>,
    pub password: Option<Secret>,
    /// Makes an account first.
    pub register: bool,
    /// Of the new account.
    pub email: Option<String>,
    /// An invite's code to redeem at the start.
    pub join: Option<String>,
    /// The channel to begin in, as `/switch` takes it.
    pub channel: Option<String>,
    /// Where tokens are kept, in place of `$XDG_CONFIG_HOME/echoverse`.
    pub config: Option<PathBuf>,
}

/// Why a chat ended other than by its user's will.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    #[error("{}", .0.explain())]
    Client(Error),
    #[error("the session has ended: log in again")]
    SessionEnded,
    /// The input ended before all that is needed was typed.
    #[error("nothing was typed for: {0}")]
    NotTyped(&'static str),
    #[error("{0} line(s) could not be sent")]
    Unsent(usize),
    #[error("the terminal: {0}")]
    Terminal(#[source] io::Error),
    #[error("the token could not be kept: {0}")]
    TokenFile(#[source] io::Error),
}

impl From<Error> for ChatError {
    fn from(error: Error) -> Self {
        match error {
            Error::SessionEnded => Self::SessionEnded,
            error if error.status() == Some(401) => Self::SessionEnded,
            error => Self::Client(error),
        }
    }
}

/// Chats until the user quits: with a line editor if standard input and output are a terminal, else line by line.
pub async fn run(options: ChatOptions) -> Result<(), ChatError> {
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        let (screen, terminal) = terminal::open().map_err(ChatError::Terminal)?;
        let outcome = chat(options, screen).await;
        // The terminal is itself again before anything else is written to it.
        let closed = terminal.await;
        outcome?;
        return closed.map_err(io::Error::other).and_then(|closed| closed).map_err(ChatError::Terminal);
    }
    let (screen, writer) = piped::open();
    let outcome = chat(options, screen).await;
    let _written = writer.await;
    outcome
}

/// Chats over two channels, line by line: as with pipes. The end of `typed` ends it once all is sent.
pub async fn run_lines(
    options: ChatOptions,
    typed: mpsc::Receiver<String>,
    shown: mpsc::Sender<String>,
) -> Result<(), ChatError> {
    chat(options, piped::over(typed, shown)).await
}

async fn chat(options: ChatOptions, mut screen: Screen) -> Result<(), ChatError> {
    let limits = Options { tries: 3, total_timeout: Duration::from_secs(15), ..Options::default() };
    let anonymous = Client::with_options(&options.server, limits)?;
    let client = login::log_in(&anonymous, &options, &mut screen).await?;
    let outcome = conversation::hold(&client, &options, screen).await;
    if matches!(outcome, Ok(true) | Err(ChatError::SessionEnded)) {
        login::forget(&client, &options);
    }
    outcome.map(|_| ())
}
