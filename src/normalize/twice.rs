//! Messages that a span has twice, in parts and as a whole or in two conventions: which of them say it.

use super::messages::{self, Side};
use crate::json::{self, Json};
use crate::text;
use bumpalo::Bump;

/// Are these the messages that were told, text by text, with more beside them? OpenInference's lists may leave out what it
/// could not read: the bytes of an image, the ids of LangChain's calls. What was masked stays so, and so does a part of which only the type is left.
pub fn is_fuller<'a>(whole: &'a [u8], told: &'a [u8], arena: &'a Bump) -> bool {
    if text::position(told, b"__REDACTED__").is_some() {
        return false;
    }
    let (Some(whole), Some(told)) = (json::parse(whole, arena), json::parse(told, arena)) else { return false };
    let text = |part: Json<'a>| part.get("content").filter(|_| part.get("type").is_some_and(|kind| kind.is("text")))?.text(arena);
    let part = |whole: Json<'a>, told: Json<'a>| told.entries().count() > 1 && text(whole) == text(told);
    let message = |whole: Json<'a>, told: Json<'a>| match (whole.get("parts"), told.get("parts")) {
        (Some(whole), Some(told)) => same(whole, told, &part),
        _ => false,
    };
    same(whole, told, &message)
}

/// Are the lists the same, item by item?
fn same<'a>(a: Json<'a>, b: Json<'a>, item: &impl Fn(Json<'a>, Json<'a>) -> bool) -> bool {
    a.items().count() == b.items().count() && a.items().zip(b.items()).all(|(a, b)| item(a, b))
}

/// Do the messages begin with instructions?
pub fn starts_with_system(messages: Option<&[u8]>, arena: &Bump) -> bool {
    let first = messages.and_then(|text| json::parse(text, arena)).and_then(|messages| messages.items().next());
    first.and_then(|message| message.get("role")).is_some_and(|role| role.is("system"))
}

/// Does a list say what a field has from a better source? What a processor writes beside another convention's keys is the same once
/// more: as many messages with as many parts, but that the instructions may stand among them.
pub fn says_no_more<'a>(list: &'a [u8], side: Side, known: &'a [u8], arena: &'a Bump) -> bool {
    let tally = |messages: &'a [u8]| {
        let messages = json::parse(messages, arena).into_iter().flat_map(Json::items);
        let said = messages.filter(|message| message.get("role").is_none_or(|role| !role.is("system")));
        said.fold((0, 0), |(n, parts), message| (n + 1, parts + message.get("parts").map_or(0, |parts| parts.items().count())))
    };
    let (messages, parts) = tally(known);
    let again = messages::read(list, json::parse(list, arena), side, arena).ok().map(|again| tally(again.messages));
    again.is_some_and(|(n, m)| n <= messages && m <= parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: &str = r#"[{"role":"user","parts":[{"type":"text","content":"a"},{"type":"base64","media_type":"image/png"}]},{"role":"assistant","parts":[{"type":"tool_call","name":"f"}]}]"#;

    fn fuller(whole: &str, told: &str) -> bool {
        is_fuller(whole.as_bytes(), told.as_bytes(), &Bump::new())
    }

    #[test]
    fn only_the_same_texts_with_more_beside_them_are_fuller() {
        let with_id = CALL.replace(r#""name":"f""#, r#""id":"1","name":"f""#);
        assert!(fuller(&with_id, CALL));
        // Python's words for an object, one message more, a text for a call.
        assert!(!fuller(&with_id.replace(r#""content":"a""#, r#""content":"Message(a)""#), CALL));
        assert!(!fuller(&with_id.replace("}]}]", r#"}]},{"role":"user","parts":[]}]"#), CALL));
        assert!(!fuller(&CALL.replace(r#""type":"tool_call","name":"f""#, r#""type":"text","content":"f""#), CALL));
        assert!(!fuller(&with_id, &CALL.replace("image/png", "__REDACTED__")));
        assert!(!fuller(&with_id, &CALL.replace(r#""base64","media_type":"image/png""#, r#""image""#)));
    }

    #[test]
    fn a_list_says_no_more_with_as_many_messages_and_parts() {
        let says = |list: &str| says_no_more(list.as_bytes(), Side::Input, CALL.as_bytes(), &Bump::new());
        assert!(says(r#"[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","content":"b"}]"#));
        assert!(!says(r#"[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]"#));
        assert!(!says(r#"{"some":"thing"}"#));
    }
}
