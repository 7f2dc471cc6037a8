//! Keys of no convention, or of no one's spans, read on a span that some convention knows: ids without a prefix, Traceloop's ids of
//! who asks, errors in OpenTracing's words.

use super::{Convention, EVERYWHERE, Rule, To, row, trusted};
use crate::genai::Field;

/// Any key with a prefix says it better.
const HINT: u8 = 30;
/// Set by the application, where an instrumentation knows better.
const OF_APPLICATION: u8 = 40;

const fn hint(key: &'static str, to: Field) -> Rule {
    trusted(key, to, HINT)
}

pub const GENERIC: Convention = Convention {
    id: "generic",
    scopes: &[],
    keys: &[],
    flags: EVERYWHERE,
    rules: &[
        hint("conversation_id", Field::ConversationId),
        hint("thread_id", Field::ConversationId),
        hint("session_id", Field::ConversationId),
        hint("chat_id", Field::ConversationId),
        hint("user_id", Field::UserId),
        hint("userId", Field::UserId),
        hint("enduser.id", Field::UserId),
        // Traceloop's, on every span below: those of other libraries too.
        trusted("traceloop.association.properties.session_id", Field::SessionId, OF_APPLICATION),
        trusted("traceloop.association.properties.sessionId", Field::SessionId, OF_APPLICATION),
        trusted("traceloop.association.properties.thread_id", Field::SessionId, OF_APPLICATION),
        trusted("traceloop.association.properties.conversation_id", Field::ConversationId, OF_APPLICATION),
        trusted("traceloop.association.properties.chat_id", Field::ConversationId, OF_APPLICATION),
        trusted("traceloop.association.properties.user_id", Field::UserId, OF_APPLICATION),
        trusted("traceloop.association.properties.userId", Field::UserId, OF_APPLICATION),
        row("error", To::Failed(&[])),
        row("error.message", To::StatusMessage),
    ],
    ..Convention::EMPTY
};
