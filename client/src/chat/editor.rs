//! A line being typed. No terminal here: keys in, a view out.

/// Lines that the arrow keys bring back.
const REMEMBERED: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Editor {
    text: Vec<char>,
    /// Between characters: 0 is before the first.
    at: usize,
    history: Vec<Vec<char>>,
    /// While an old line is shown: its index, and the line that was being typed.
    recalled: Option<(usize, Vec<char>)>,
}

/// What a key does to the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Insert(char),
    Backspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    EraseToStart,
    EraseToEnd,
    EraseWord,
    Up,
    Down,
}

impl Editor {
    pub(super) fn press(&mut self, key: Key) {
        match key {
            Key::Insert(character) => {
                self.text.insert(self.at, character);
                self.at += 1;
            }
            Key::Backspace if self.at > 0 => {
                self.at -= 1;
                self.text.remove(self.at);
            }
            Key::Delete if self.at < self.text.len() => drop(self.text.remove(self.at)),
            Key::Left => self.at = self.at.saturating_sub(1),
            Key::Right => self.at = (self.at + 1).min(self.text.len()),
            Key::WordLeft => self.at = self.word_left(),
            Key::WordRight => self.at = self.word_right(),
            Key::Home => self.at = 0,
            Key::End => self.at = self.text.len(),
            Key::EraseToStart => self.erase(0),
            Key::EraseToEnd => self.text.truncate(self.at),
            Key::EraseWord => self.erase(self.word_left()),
            Key::Up => self.recall_older(),
            Key::Down => self.recall_newer(),
            Key::Backspace | Key::Delete => {}
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether it may become a message: a command is none.
    pub(super) fn is_message(&self) -> bool {
        self.text.iter().any(|character| !character.is_whitespace()) && self.text.first() != Some(&'/')
    }

    /// Ends the line. It is remembered unless it was hidden.
    pub(super) fn enter(&mut self, hidden: bool) -> String {
        let text = std::mem::take(&mut self.text);
        self.at = 0;
        self.recalled = None;
        if !hidden && !text.is_empty() && self.history.last() != Some(&text) {
            self.history.push(text.clone());
            if self.history.len() > REMEMBERED {
                self.history.remove(0);
            }
        }
        text.into_iter().collect()
    }

    /// What to draw in so many columns: the text before the cursor, and after it.
    pub(super) fn view(&self, columns: usize) -> (String, String) {
        let mut room = columns;
        let mut from = self.at;
        while from > 0 && room >= width(self.text[from - 1]) {
            from -= 1;
            room -= width(self.text[from]);
        }
        let mut to = self.at;
        while to < self.text.len() && room >= width(self.text[to]) {
            room -= width(self.text[to]);
            to += 1;
        }
        (drawn(&self.text[from..self.at]), drawn(&self.text[self.at..to]))
    }

    fn erase(&mut self, from: usize) {
        self.text.drain(from..self.at);
        self.at = from;
    }

    fn word_left(&self) -> usize {
        let before = &self.text[..self.at];
        let word = before.iter().rposition(|character| !character.is_whitespace());
        let gap =
            word.and_then(|word| before[..word].iter().rposition(|character| character.is_whitespace()));
        match (word, gap) {
            (_, Some(gap)) => gap + 1,
            _ => 0,
        }
    }

    fn word_right(&self) -> usize {
        let after = &self.text[self.at..];
        let word = after.iter().position(|character| !character.is_whitespace()).unwrap_or(after.len());
        let end = after[word..].iter().position(|character| character.is_whitespace());
        self.at + end.map_or(after.len(), |end| word + end)
    }

    fn recall_older(&mut self) {
        let older = match &self.recalled {
            None => self.history.len().checked_sub(1),
            Some((index, _)) => index.checked_sub(1),
        };
        let Some(index) = older else { return };
        let shown = std::mem::replace(&mut self.text, self.history[index].clone());
        let typed = self.recalled.take().map_or(shown, |(_, typed)| typed);
        self.recalled = Some((index, typed));
        self.at = self.text.len();
    }

    fn recall_newer(&mut self) {
        let Some((index, typed)) = self.recalled.take() else { return };
        if let Some(line) = self.history.get(index + 1) {
            self.text.clone_from(line);
            self.recalled = Some((index + 1, typed));
        } else {
            self.text = typed;
        }
        self.at = self.text.len();
    }
}

/// Pasted line breaks are kept in the text and drawn as a sign.
fn drawn(text: &[char]) -> String {
    text.iter().map(|character| if character.is_control() { '⏎' } else { *character }).collect()
}

/// Columns of a character, near enough to keep the line on one row: the cursor itself is placed by the terminal.
fn width(character: char) -> usize {
    match u32::from(character) {
        0x0300..=0x036f | 0x200b..=0x200f | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f => 2,
        0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f000..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(text: &str) -> Editor {
        let mut editor = Editor::default();
        text.chars().for_each(|character| editor.press(Key::Insert(character)));
        editor
    }

    fn view(editor: &Editor) -> String {
        let (before, after) = editor.view(80);
        format!("{before}|{after}")
    }

    #[test]
    fn keys_edit_where_the_cursor_is() {
        let mut editor = typed("hello wide world");
        for (key, expected) in [
            (Key::WordLeft, "hello wide |world"),
            (Key::WordLeft, "hello |wide world"),
            (Key::EraseWord, "|wide world"),
            (Key::Delete, "|ide world"),
            (Key::Backspace, "|ide world"),
            (Key::WordRight, "ide| world"),
            (Key::EraseToEnd, "ide|"),
            (Key::Left, "id|e"),
            (Key::EraseToStart, "|e"),
            (Key::End, "e|"),
            (Key::Right, "e|"),
            (Key::Home, "|e"),
        ] {
            editor.press(key);
            assert_eq!(view(&editor), expected, "{key:?}");
        }
    }

    #[test]
    fn arrows_bring_old_lines_back_and_the_typed_one_too() {
        let mut editor = typed("one");
        assert_eq!(editor.enter(false), "one");
        for text in ["two", "two"] {
            text.chars().for_each(|character| editor.press(Key::Insert(character)));
            editor.enter(false);
        }
        editor.press(Key::Insert('x'));
        let mut seen = Vec::new();
        for key in [Key::Up, Key::Up, Key::Up, Key::Down, Key::Down, Key::Down] {
            editor.press(key);
            seen.push(view(&editor));
        }
        assert_eq!(seen, ["two|", "one|", "one|", "two|", "x|", "x|"]);
    }

    #[test]
    fn commands_and_blanks_are_no_messages() {
        for (text, expected) in [("hello", true), ("", false), ("  ", false), ("/quit", false), ("a/b", true)]
        {
            assert_eq!(typed(text).is_message(), expected, "{text:?}");
        }
    }

    #[test]
    fn hidden_lines_are_not_remembered() {
        let mut editor = typed("secret");
        editor.enter(true);
        editor.press(Key::Up);
        assert!(editor.is_empty());
    }

    #[test]
    fn a_long_line_scrolls_to_its_cursor() {
        let mut editor = typed("0123456789");
        assert_eq!(editor.view(4), ("6789".to_owned(), String::new()));
        editor.press(Key::Home);
        assert_eq!(editor.view(4), (String::new(), "0123".to_owned()));
        assert_eq!(typed("日本語").view(4), ("本語".to_owned(), String::new()));
        assert_eq!(typed("a\nb").view(9).0, "a⏎b");
    }

    fn key() -> impl Strategy<Value = Key> {
        prop_oneof![
            any::<char>().prop_map(Key::Insert),
            prop::sample::select(vec![
                Key::Backspace,
                Key::Delete,
                Key::Left,
                Key::Right,
                Key::WordLeft,
                Key::WordRight,
                Key::Home,
                Key::End,
                Key::EraseToStart,
                Key::EraseToEnd,
                Key::EraseWord,
                Key::Up,
                Key::Down,
            ]),
        ]
    }

    proptest! {
        #[test]
        fn no_keys_do_harm(keys in prop::collection::vec(key(), 0..60), columns in 0..20_usize) {
            let mut editor = Editor::default();
            for (n, key) in keys.into_iter().enumerate() {
                editor.press(key);
                editor.view(columns);
                if n % 17 == 16 {
                    editor.enter(false);
                }
            }
        }
    }
}
