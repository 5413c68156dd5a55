//! As much of CommonMark as tells what is code and what is escaped.

/// The text outside fenced blocks, paragraph by paragraph: no code span reaches from one into the next.
pub(super) fn paragraphs(source: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    let mut fence: Option<Fence> = None;
    for line in source.split(['\n', '\r']) {
        let ended = match (&fence, Fence::opened_by(line)) {
            (Some(open), _) if open.closed_by(line) => {
                fence = None;
                true
            }
            (Some(_), _) => true,
            (None, Some(opened)) => {
                fence = Some(opened);
                true
            }
            (None, None) => line.trim().is_empty(),
        };
        match paragraphs.last_mut() {
            Some(last) if !ended => {
                last.push_str(line);
                last.push('\n');
            }
            Some(last) if last.is_empty() => {}
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs
}

/// The line of three or more backticks or tildes that begins a block of code.
struct Fence {
    mark: char,
    length: usize,
}

impl Fence {
    fn opened_by(line: &str) -> Option<Self> {
        let (mark, length, info) = Self::marks(line)?;
        // With a backtick behind the first run it is a code span.
        (mark != '`' || !info.contains('`')).then_some(Self { mark, length })
    }

    fn closed_by(&self, line: &str) -> bool {
        Self::marks(line).is_some_and(|(mark, length, behind)| {
            mark == self.mark && length >= self.length && behind.trim().is_empty()
        })
    }

    /// The mark, how many of it, and what is behind them.
    fn marks(line: &str) -> Option<(char, usize, &str)> {
        let text = line.trim_start_matches(' ');
        let mark = text.chars().next().filter(|first| matches!(first, '`' | '~'))?;
        let behind = text.trim_start_matches(mark);
        let length = text.len() - behind.len();
        (line.len() - text.len() <= 3 && length >= 3).then_some((mark, length, behind))
    }
}

/// The length of an escape at the beginning of `text`: of the backslash alone where it escapes nothing.
pub(super) fn escape(text: &str) -> usize {
    let escapes = text[1..].starts_with(|c: char| c.is_ascii_punctuation());
    1 + usize::from(escapes)
}

/// The length of the code span at the beginning of `text`, or of its backticks where nothing closes it.
pub(super) fn code_span(text: &str) -> usize {
    let run = |text: &str| text.len() - text.trim_start_matches('`').len();
    let length = run(text);
    let mut at = length;
    while let Some(next) = text[at..].find('`') {
        at += next;
        let closing = run(&text[at..]);
        at += closing;
        if closing == length {
            return at;
        }
    }
    length
}
