//! Keys of no convention, or of no one's spans, read on a span that some convention knows: ids without a prefix, Traceloop's ids of
//! who asks, errors in OpenTracing's words.

use super::{Convention, EVERYWHERE, NAMED, Rule, SPAN_NAME, To, row, trusted};
use crate::genai::{Field, Kind};

/// Any key with a prefix says it better.
const HINT: u8 = 30;
/// Set by the application, where an instrumentation knows better.
const OF_APPLICATION: u8 = 40;

/// Codex, whose scopes are named after the program that it runs in: the run of a turn, and each call of its model. Kong, whose scope is not
/// documented.
const NAMES: &[(&str, Kind)] = &[
    ("session_task.turn", Kind::InvokeAgent),
    ("handle_responses", Kind::Chat),
    ("kong.gen_ai", Kind::Chat),
    ("kong.a2a", Kind::InvokeAgent),
];

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
        // Langfuse has its users set them on any span.
        trusted("langfuse.session.id", Field::SessionId, OF_APPLICATION),
        trusted("langfuse.user.id", Field::UserId, OF_APPLICATION),
        // Logfire sends a span once when it starts, and adds the messages to other instrumentations' spans.
        row("logfire.span_type", To::Copy(&["pending_span"])),
        Rule { key: "events", to: To::Exchange, trust: OF_APPLICATION },
        Rule { key: SPAN_NAME, to: To::Hint(NAMES), trust: NAMED },
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
