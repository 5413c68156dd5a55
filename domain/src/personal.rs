//! Text that belongs to a person and can be forgotten.

/// A personal part of an event, as far as it is readable here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Personal<T> {
    /// Not opened: folding a stream needs no personal text.
    #[default]
    Sealed,
    /// The key is gone: nobody can read it again.
    Erased,
    Clear(T),
}

impl<T> Personal<T> {
    pub fn clear(&self) -> Option<&T> {
        match self {
            Self::Clear(text) => Some(text),
            Self::Sealed | Self::Erased => None,
        }
    }
}
