//! Counts the bytes that the scans look at, in tests: time on a busy machine tells little.

#[cfg(test)]
thread_local!(static TAKEN: std::cell::Cell<usize> = const { std::cell::Cell::new(0) });

/// So many more were looked at. Nothing outside of tests.
#[inline(always)]
pub fn add(_bytes: usize) {
    #[cfg(test)]
    TAKEN.with(|taken| taken.set(taken.get() + _bytes));
}

/// How many were looked at since this was asked last.
#[cfg(test)]
pub fn take() -> usize {
    TAKEN.with(std::cell::Cell::take)
}
