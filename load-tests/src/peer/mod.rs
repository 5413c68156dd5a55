//! What the product is held against, on the same machine in the same minutes.

pub(crate) mod nchan;
pub(crate) mod pgbench;
