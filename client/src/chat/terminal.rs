//! A screen on a real terminal: what is typed stays on the last row, what is shown scrolls above it.

use std::io::{self, Write};

use crossterm::cursor::{RestorePosition, SavePosition};
use crossterm::event::{
    DisableBracketedPaste, EnableBracketedPaste, Event, EventStream, KeyCode, KeyEvent, KeyEventKind,
    KeyModifiers,
};
use crossterm::terminal::{self, Clear, ClearType};
use crossterm::{execute, queue};
use futures_util::StreamExt;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::editor::{Editor, Key};
use super::screen::{Screen, Show};

/// The handle ends when the terminal is as it was before.
pub(super) fn open() -> io::Result<(Screen, JoinHandle<io::Result<()>>)> {
    let raw = Raw::enter()?;
    let (type_line, typed) = mpsc::channel(16);
    let (show, shown) = mpsc::channel(64);
    let row = Row { editor: Editor::default(), prompt: String::new(), hidden: false };
    let screen = Screen::new(typed, show, true);
    let writes = screen.writes();
    let task = tokio::spawn(async move {
        let outcome = serve(row, shown, type_line, &writes).await;
        drop(raw);
        outcome
    });
    Ok((screen, task))
}

/// Until the screen is dropped. When the user wants to leave, the typed lines end.
async fn serve(
    mut row: Row,
    mut shown: mpsc::Receiver<Show>,
    type_line: mpsc::Sender<String>,
    writes: &Notify,
) -> io::Result<()> {
    let mut events = EventStream::new();
    let mut type_line = Some(type_line);
    let end = told_to_end();
    tokio::pin!(end);
    loop {
        tokio::select! {
            show = shown.recv() => match show {
                None => return row.leave(),
                Some(Show::Line(line)) => row.show(&line)?,
                Some(Show::Prompt(prompt)) if prompt == row.prompt => {}
                Some(Show::Prompt(prompt)) => {
                    row.prompt = prompt;
                    row.draw()?;
                }
                Some(Show::Hidden(hidden)) => row.hidden = hidden,
            },
            event = events.next(), if type_line.is_some() => match event {
                Some(Ok(event)) => match row.take(&event) {
                    Taken::Drawn => {
                        if !row.hidden && row.editor.is_message() {
                            writes.notify_one();
                        }
                        row.draw()?;
                    }
                    Taken::Line(line) => {
                        row.draw()?;
                        let full = type_line.as_ref().is_some_and(|lines| lines.try_send(line).is_err());
                        if full {
                            row.show("! busy; this line was not taken")?;
                        }
                    }
                    Taken::Leave => type_line = None,
                    Taken::Nothing => {}
                },
                // The terminal is gone.
                Some(Err(_)) | None => type_line = None,
            },
            () = &mut end, if type_line.is_some() => type_line = None,
        }
    }
}

/// A signal that would otherwise end the process with the terminal still raw.
#[cfg(unix)]
async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::hangup())) {
        (Ok(mut terminate), Ok(mut hangup)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        }
        _ => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn told_to_end() {
    std::future::pending().await
}

/// Raw mode for as long as it lives, a panic's unwinding included.
struct Raw;

impl Raw {
    fn enter() -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        let raw = Self;
        execute!(io::stdout(), EnableBracketedPaste)?;
        Ok(raw)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _paste = execute!(io::stdout(), DisableBracketedPaste);
        let _raw = terminal::disable_raw_mode();
    }
}

struct Row {
    editor: Editor,
    prompt: String,
    hidden: bool,
}

enum Taken {
    Nothing,
    Drawn,
    Line(String),
    Leave,
}

impl Row {
    fn take(&mut self, event: &Event) -> Taken {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.take_key(key),
            Event::Paste(text) => {
                let text = text.replace("\r\n", "\n").replace('\r', "\n");
                let kept =
                    text.trim_end_matches('\n').chars().filter(|typed| *typed == '\n' || !typed.is_control());
                kept.for_each(|character| self.editor.press(Key::Insert(character)));
                Taken::Drawn
            }
            Event::Resize(..) => Taken::Drawn,
            _ => Taken::Nothing,
        }
    }

    fn take_key(&mut self, key: &KeyEvent) -> Taken {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let word = control || key.modifiers.contains(KeyModifiers::ALT);
        let pressed = match key.code {
            KeyCode::Enter => return Taken::Line(self.editor.enter(self.hidden)),
            KeyCode::Char('c') if control => return Taken::Leave,
            KeyCode::Char('d') if control && self.editor.is_empty() => return Taken::Leave,
            KeyCode::Char('d') if control => Key::Delete,
            KeyCode::Char('a') if control => Key::Home,
            KeyCode::Char('e') if control => Key::End,
            KeyCode::Char('u') if control => Key::EraseToStart,
            KeyCode::Char('k') if control => Key::EraseToEnd,
            KeyCode::Char('w') if control => Key::EraseWord,
            KeyCode::Char('b') if word && !control => Key::WordLeft,
            KeyCode::Char('f') if word && !control => Key::WordRight,
            KeyCode::Char(_) if control => return Taken::Nothing,
            KeyCode::Char(character) => Key::Insert(character),
            KeyCode::Backspace if word => Key::EraseWord,
            KeyCode::Backspace => Key::Backspace,
            KeyCode::Delete => Key::Delete,
            KeyCode::Left if word => Key::WordLeft,
            KeyCode::Right if word => Key::WordRight,
            KeyCode::Left => Key::Left,
            KeyCode::Right => Key::Right,
            KeyCode::Home => Key::Home,
            KeyCode::End => Key::End,
            KeyCode::Up => Key::Up,
            KeyCode::Down => Key::Down,
            _ => return Taken::Nothing,
        };
        self.editor.press(pressed);
        Taken::Drawn
    }

    /// Shows a line where the row was, and the row again below.
    fn show(&self, line: &str) -> io::Result<()> {
        let mut bytes = Vec::new();
        queue!(bytes, Clear(ClearType::CurrentLine))?;
        write!(bytes, "\r{}\r\n", line.replace('\n', "\r\n"))?;
        self.draw_to(&mut bytes)?;
        put(&bytes)
    }

    fn draw(&self) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.draw_to(&mut bytes)?;
        put(&bytes)
    }

    fn draw_to(&self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let columns = terminal::size().map_or(80, |(columns, _)| usize::from(columns));
        // The last column stays free: writing into it wraps on some terminals.
        let prompt: String = self.prompt.chars().take(columns / 2).collect();
        let room = columns.saturating_sub(prompt.chars().count() + 1);
        let (before, after) = if self.hidden { Default::default() } else { self.editor.view(room) };
        queue!(bytes, Clear(ClearType::CurrentLine))?;
        write!(bytes, "\r{prompt}{before}")?;
        queue!(bytes, SavePosition)?;
        write!(bytes, "{after}")?;
        queue!(bytes, RestorePosition)
    }

    /// Leaves the row empty for whatever comes after.
    fn leave(&self) -> io::Result<()> {
        let mut bytes = Vec::new();
        queue!(bytes, Clear(ClearType::CurrentLine))?;
        bytes.push(b'\r');
        put(&bytes)
    }
}

/// At once, so that nothing else comes between.
fn put(bytes: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(bytes)?;
    output.flush()
}
