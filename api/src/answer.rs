//! Answers that every slice gives.

use serde::Serialize;
use utoipa::ToSchema;

use crate::cursor::Cursor;

/// A command was carried out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {
    /// From here on its effect is visible: see `Min-Position`.
    pub(crate) position: Cursor,
}
