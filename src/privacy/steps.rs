//! Counts the bytes that the scans read, in tests, because time on a busy machine is no reliable measure.

#[cfg(test)]
thread_local!(static TAKEN: std::cell::Cell<usize> = const { std::cell::Cell::new(0) });

/// Adds to the count. Does nothing outside of tests.
#[inline(always)]
pub fn add(_bytes: usize) {
    #[cfg(test)]
    TAKEN.with(|taken| taken.set(taken.get() + _bytes));
}

/// The count since the last call.
#[cfg(test)]
pub fn take() -> usize {
    TAKEN.with(std::cell::Cell::take)
}
