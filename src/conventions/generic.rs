//! Keys of no convention, read on a span that some convention knows: ids without a prefix, errors in OpenTracing's words.

use super::{Convention, Rule, To, row, trusted};
use crate::normalize::canonical::Field;

/// Any key with a prefix says it better.
const WEAK: u8 = 30;

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
        row("error", To::Failed(&[])),
        row("error.message", To::StatusMessage),
    ],
};
