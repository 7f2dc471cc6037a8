//! The core through its public interface, natively.

mod conventions_frameworks;
mod conventions_platforms;
mod frames;
mod frameworks;
mod pipeline;
mod round_trip;
mod vendors;
