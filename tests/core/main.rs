//! The core through its public interface, natively.

#![recursion_limit = "256"]

mod attributes;
#[path = "../bodies/mod.rs"]
mod bodies;
mod body;
mod composites;
mod content;
mod conventions_frameworks;
mod conventions_more_frameworks;
mod conventions_newer;
mod conventions_platforms;
mod conventions_vendors;
#[path = "../conventions/csv.rs"]
#[allow(dead_code, reason = "the tests of the conventions read more tables")]
mod csv;
mod delivery;
mod door;
mod explain;
mod frames;
mod langfuse_schema;
mod llm;
mod mappings;
mod pipeline;
mod privacy;
mod privacy_limits;
mod profiles;
mod round_trip;
mod segments;
mod sources;
mod spans;
mod tencent_cls;
mod traps;
mod trees;
mod unique;
mod usage;
