//! Opik: what its OTel endpoint reads beside OTel's keys. Those keys are put on spans of every library, and no evidence.

use super::{Convention, field};
use crate::genai::Field;

pub const OPIK: Convention = Convention {
    id: "opik",
    scopes: &["opik*"],
    keys: &[],
    not_keys: &[],
    names_spans: false,
    rules: &[field("thread_id", Field::ConversationId)],
};
