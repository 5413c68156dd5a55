//! `given(history).when(command).then(events)`, or `.then_refused(error)`.

use std::fmt::Debug;

use domain::codec::EventSet as _;
use domain::{Aggregate, PersonalPart};

/// An aggregate with a history.
pub(crate) struct Given<A> {
    state: A,
}

/// What a command led to.
pub(crate) struct When<A: Aggregate> {
    state: A,
    decided: Result<Vec<A::Event>, A::Error>,
}

/// The fold of `history`.
pub(crate) fn fold<A: Aggregate>(history: impl IntoIterator<Item = A::Event>) -> A {
    let mut state = A::default();
    for event in history {
        state.evolve(&event);
    }
    state
}

pub(crate) fn given<A: Aggregate>(history: impl IntoIterator<Item = A::Event>) -> Given<A> {
    Given { state: fold(history) }
}

impl<A: Aggregate> Given<A> {
    pub(crate) fn when(self, command: impl Into<A::Command>) -> When<A> {
        let decided = self.state.decide(command.into());
        When { state: self.state, decided }
    }
}

impl<A> When<A>
where
    A: Aggregate,
    A::Event: Debug + PartialEq,
    A::Error: Debug + PartialEq,
{
    /// Exactly these events happen; the log can hold them. Answers the state after them.
    #[track_caller]
    pub(crate) fn then(mut self, events: impl IntoIterator<Item = A::Event>) -> A {
        let expected: Vec<A::Event> = events.into_iter().collect();
        assert_eq!(self.decided, Ok(expected.clone()));
        for event in expected {
            let encoded = event.encode();
            let personal = encoded.personal.as_deref().map_or(PersonalPart::Sealed, PersonalPart::Clear);
            let decoded = A::Event::decode(encoded.kind, encoded.schema, &encoded.data, personal);
            assert_eq!(decoded.expect("it was just encoded"), Some(event.clone()));
            self.state.evolve(&event);
        }
        self.state
    }

    /// What was asked is so already.
    #[track_caller]
    pub(crate) fn then_nothing(self) {
        self.then([]);
    }

    #[track_caller]
    pub(crate) fn then_refused(self, error: A::Error) {
        assert_eq!(self.decided, Err(error));
    }
}
