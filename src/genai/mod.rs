//! The canonical GenAI form of a span: every convention is read into it, and every profile is written from it.

mod canonical;
mod field;
mod kind;

pub use canonical::{Canonical, DERIVED, EVENTS, Fields, HANDED_DOWN, INFERRED, NAMES, Put};
pub use field::{Field, PEOPLE, Type, USAGE};
pub use kind::Kind;

/// A list that travels as many attributes, with indexes in their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flat {
    /// Messages that were sent.
    InputMessages,
    /// Messages that were answered.
    OutputMessages,
    /// Tool definitions.
    Tools,
    /// Documents that were found.
    Documents,
    /// Texts that were embedded.
    Texts,
    /// What a tool was called with, by names.
    Arguments,
    /// What went in, of any shape.
    Input,
    /// What came out, of any shape.
    Output,
    /// Pictures and documents that belong to what was sent last.
    InputMedia,
    /// Pictures and documents that a model made.
    OutputMedia,
}

impl Flat {
    /// All of them, in order.
    pub const ALL: &[Flat] = &[
        Flat::InputMessages,
        Flat::OutputMessages,
        Flat::Tools,
        Flat::Documents,
        Flat::Texts,
        Flat::Arguments,
        Flat::Input,
        Flat::Output,
        Flat::InputMedia,
        Flat::OutputMedia,
    ];
}
