//! Members of composite values that no reader takes. An attribute that holds one must not go unless the member goes out elsewhere: on the part
//! or the definition where the schema allows it to stay.

use super::messages::Side;
use super::{params, usage};
use crate::conventions::words;
use crate::json::Json;
use crate::text;
use bumpalo::collections::Vec as BumpVec;

/// A member that no reader takes.
#[derive(Clone, Copy)]
pub struct Stranger<'a> {
    /// The attribute that holds it.
    pub at: u16,
    /// Its name, as it stands.
    pub name: &'a [u8],
    /// Its value as text.
    pub text: &'a [u8],
    /// It as it stands in JSON that holds it.
    pub member: &'a [u8],
}

/// So many of one value are looked for.
const MOST: usize = 32;

/// Collects the members of a composite value that no reader takes.
pub fn find<'a>(j: Json<'a>, side: Side, found: &mut BumpVec<'_, (&'a [u8], Json<'a>)>) {
    let is_request = side == Side::Input && j.any(&["messages", "input", "contents", "prompt"]).is_some();
    walk(j, side, is_request, found);
}

/// `parameters`: the members of the object may be those of a request.
fn walk<'a>(j: Json<'a>, side: Side, parameters: bool, found: &mut BumpVec<'_, (&'a [u8], Json<'a>)>) {
    j.items().for_each(|item| walk(item, side, false, found));
    for (name, value) in j.entries().filter(|(_, value)| !value.is_empty()) {
        if found.len() == MOST {
            return;
        }
        let of_call = value.is_object() && j.any(&["type", "name", "call_id", "toolUseId", "toolCallId", "tool_call_id"]).is_some();
        match words::find(&words::MEMBERS, name) {
            // What former answers used is told by their own spans.
            Some("usage") if side == Side::Input || usage::is_whole(value) => {}
            Some("value") => {}
            Some("") if text::any(name, &["input", "output", "content", "value"]) && of_call => {}
            Some("") if side == Side::Input && text::is(name, "response_metadata") => {}
            Some("") => walk(value, side, text::any(name, &["config", "generationConfig", "generation_config"]), found),
            None if parameters && params::takes(name, value) => {}
            _ => found.push((name, value)),
        }
    }
}
