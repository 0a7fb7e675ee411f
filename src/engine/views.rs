//! The views of `sql/views/`, in the order in which they build on one another.

/// A view that every session has.
#[derive(Debug, Clone, Copy)]
pub struct View {
    pub name: &'static str,
    /// What it is, in one line.
    pub what: &'static str,
    pub sql: &'static str,
}

/// All of them.
pub const VIEWS: &[View] = &[];
