//! Keys of no convention, or of no one's spans, read on a span that some convention knows: ids without a prefix, Traceloop's ids of
//! who asks, errors in OpenTracing's words.

use super::{Convention, Rule, To, row, trusted};
use crate::genai::Field;

/// Any key with a prefix says it better.
const WEAK: u8 = 30;
/// Said by the application, against what an instrumentation knows.
const SAID: u8 = 40;

const fn weak(key: &'static str, to: Field) -> Rule {
    trusted(key, to, WEAK)
}

pub const GENERIC: Convention = Convention {
    id: "generic",
    scopes: &[],
    keys: &[],
    not_keys: &[],
    names_spans: false,
    rules: &[
        weak("conversation_id", Field::ConversationId),
        weak("thread_id", Field::ConversationId),
        weak("session_id", Field::ConversationId),
        weak("chat_id", Field::ConversationId),
        weak("user_id", Field::UserId),
        weak("userId", Field::UserId),
        weak("enduser.id", Field::UserId),
        // Traceloop's, on every span below: those of other libraries too.
        trusted("traceloop.association.properties.session_id", Field::SessionId, SAID),
        trusted("traceloop.association.properties.sessionId", Field::SessionId, SAID),
        trusted("traceloop.association.properties.thread_id", Field::SessionId, SAID),
        trusted("traceloop.association.properties.conversation_id", Field::ConversationId, SAID),
        trusted("traceloop.association.properties.chat_id", Field::ConversationId, SAID),
        trusted("traceloop.association.properties.user_id", Field::UserId, SAID),
        trusted("traceloop.association.properties.userId", Field::UserId, SAID),
        row("error", To::Failed(&[])),
        row("error.message", To::StatusMessage),
    ],
};
