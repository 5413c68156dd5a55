//! What handlers take from a request, checked: each refusal is a problem document.

mod body;
mod command;
pub(crate) mod fields;
mod min_position;
pub(crate) mod parse;
mod path;
mod query;

pub(crate) use body::Json;
pub(crate) use command::{Bare, Brief, Command, Opening};
pub(crate) use fields::{Fault, Fields, FromFields};
pub(crate) use min_position::{CaughtUp, wait_until_readable};
pub(crate) use path::Ids;
pub(crate) use query::Query;
