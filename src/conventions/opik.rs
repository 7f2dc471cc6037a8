//! Opik: what its OTel endpoint reads beside OTel's keys. Those keys are put on spans of every library, and no evidence.

use super::{Convention, OBSERVATIONS, field};
use crate::genai::Field;

pub const OPIK: Convention = Convention {
    id: "opik",
    scopes: &["opik*"],
    keys: &[],
    flags: OBSERVATIONS,
    rules: &[field("thread_id", Field::ConversationId)],
    ..Convention::EMPTY
};
