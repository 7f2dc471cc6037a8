//! Which conventions must be whole, and the rows that are treated otherwise on purpose.

/// Groups (conventions of `mapping.csv`, categories of `enums.csv`) all of whose rows must be honoured.
pub const DONE: &[&str] = &[];

/// Group, row, reason.
pub const EXCEPTIONS: &[(&str, &str, &str)] = &[];
