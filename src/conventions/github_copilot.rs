//! GitHub Copilot: OTel's keys beside its own, which stay.

use super::{Convention, field};
use crate::genai::Field;

pub const GITHUB_COPILOT: Convention = Convention {
    id: "github-copilot",
    scopes: &["github.copilot*", "github-copilot*", "copilot-chat*"],
    keys: &["github.copilot.*", "copilot_chat.*"],
    rules: &[field("enduser.pseudo.id", Field::UserId)],
    ..Convention::EMPTY
};
