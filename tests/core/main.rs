//! The core through its public interface, natively.

mod frames;
mod pipeline;
mod round_trip;
