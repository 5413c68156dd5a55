//! The polls that messages of the page were posted with: one statement each, there are few.

use domain::MessageId;
use domain::poll::{PollOption, PollOptions, PollTerms};
use jiff::Timestamp;

use crate::batch::{Write, params};

pub(super) struct NewPoll {
    message: MessageId,
    terms: PollTerms,
    /// `None` when they were deleted or erased.
    texts: Option<Vec<String>>,
}

#[derive(Default)]
pub(super) struct Polls(Vec<NewPoll>);

impl Polls {
    pub(super) fn post(&mut self, message: MessageId, terms: PollTerms, texts: Option<PollOptions>) {
        let texts = texts.map(|texts| texts.iter().map(|text| PollOption::as_str(text).to_owned()).collect());
        self.0.push(NewPoll { message, terms, texts });
    }

    pub(super) fn forget(&mut self, message: MessageId) {
        self.0.iter_mut().filter(|poll| poll.message == message).for_each(|poll| poll.texts = None);
    }

    pub(super) fn writes(self) -> impl Iterator<Item = Write> {
        const SQL: &str = "
            INSERT INTO {schema}.polls (message_id, closes_at, multiple, votes, texts)
            SELECT id, $2, $3, array_fill(0, ARRAY[$4::integer]), $5
            FROM {schema}.messages
            WHERE id = $1";
        self.0.into_iter().map(|NewPoll { message, terms, texts }| {
            let PollTerms { options, multiple, closes_at } = terms;
            let (options, closes_at): (i32, Option<Timestamp>) = (options.into(), closes_at);
            Write { template: SQL, params: params![message.0, closes_at, multiple, options, texts] }
        })
    }
}
