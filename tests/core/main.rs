//! The core through its public interface, natively.

mod attributes;
mod conventions_frameworks;
mod conventions_more_frameworks;
mod conventions_platforms;
mod conventions_vendors;
mod explain;
mod frames;
mod pipeline;
mod privacy;
mod privacy_limits;
mod round_trip;
