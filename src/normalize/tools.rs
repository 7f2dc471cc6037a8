//! Tool definitions from any provider's shape to OTel's `[{type, name, description?, parameters?}]`.

use crate::json::{self, Json};
use crate::text::Out;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// The definitions as JSON; `None` where there is none.
pub fn definitions<'a>(tools: &[Json<'a>], arena: &'a Bump) -> Option<&'a [u8]> {
    let mut out = BumpVec::new_in(arena);
    let mut count = 0;
    out.push(b'[');
    tools.iter().for_each(|tool| definition(*tool, &mut count, &mut out, arena));
    out.push(b']');
    (count > 0).then(|| out.into_bump_slice() as &[u8])
}

/// As [`definitions`], from a list.
pub fn definitions_of<'a>(list: Json<'a>, arena: &'a Bump) -> Option<&'a [u8]> {
    definitions(&BumpVec::from_iter_in(list.items(), arena), arena)
}

/// As [`definitions`], from JSON text: a list, one definition, or a list of JSON texts.
#[inline(never)]
pub fn from_text<'a>(text: &'a [u8], arena: &'a Bump) -> Option<&'a [u8]> {
    let root = json::parse(text, arena)?;
    if root.is_array() { definitions_of(root, arena) } else { definitions(&[root], arena) }
}

/// The definition of the tool `name` whose arguments have this schema, unless the text is a definition already.
pub fn from_schema<'a>(text: &'a [u8], name: &[u8], description: Option<&[u8]>, arena: &'a Bump) -> Option<&'a [u8]> {
    let schema = json::parse(text, arena).filter(|j| j.is_object() || j.is_array())?;
    if schema.is_array() || schema.any(&["name", "function", "toolSpec"]).is_some_and(|n| n.is_string() || n.is_object()) {
        return from_text(text, arena);
    }
    let mut out = BumpVec::new_in(arena);
    out.extend_from_slice_copy(b"[{\"type\":\"function\",\"name\":");
    json::string(name, &mut out);
    if let Some(description) = description {
        out.extend_from_slice_copy(b",\"description\":");
        json::string(description, &mut out);
    }
    out.extend_from_slice_copy(b",\"parameters\":");
    schema.write(&mut out);
    out.extend_from_slice_copy(b"}]");
    Some(out.into_bump_slice())
}

fn definition<'a>(tool: Json<'a>, count: &mut usize, out: &mut Out<'a>, arena: &'a Bump) {
    // OpenInference: `{"tool": {"json_schema": "…"}}`. Haystack: `{"type": <class>, "data": {…, "function": <its name>}}`.
    let around = || {
        let inner = tool.get("tool").filter(Json::is_object).map(|inner| inner.get("json_schema").unwrap_or(inner));
        inner.or_else(|| tool.get("data").filter(|data| data.get("name").is_some()))
    };
    // Langtrace: the whole list as text.
    let said = tool.text(arena).and_then(|text| json::parse(text, arena)).filter(|said| said.is_object() || said.is_array());
    if let Some(list) = said.filter(Json::is_array) {
        return list.items().filter(Json::is_object).for_each(|tool| definition(tool, count, out, arena));
    }
    // Gemini: one tool holds many functions. Pydantic AI: one request holds both kinds of tool.
    let held = ["functionDeclarations", "function_declarations", "function_tools", "output_tools"].map(|name| tool.get(name));
    if held.iter().any(Option::is_some) {
        return held.iter().flatten().for_each(|list| list.items().for_each(|f| definition(f, count, out, arena)));
    }
    if let Some(inner) = said.or_else(around) {
        return definition(inner, count, out, arena);
    }
    let function = tool.any(&["function", "toolSpec"]).filter(Json::is_object).unwrap_or(tool);
    // Mastra's agents and Spring AI know no more than the names. Python's words for an object name no tool.
    let only_name = Some(tool).filter(|name| name.is_string() && !name.source().contains(&b'('));
    let Some(name) = only_name.or_else(|| function.any(&["name", "toolName"])).or_else(|| tool.get("type")) else { return };
    json::separate(out, *count);
    *count += 1;
    out.extend_from_slice_copy(b"{\"type\":");
    match tool.get("type").filter(|t| t.is_string() && !t.is("custom")) {
        Some(kind) => kind.write(out),
        None => out.extend_from_slice_copy(b"\"function\""),
    }
    let mut members = 1;
    json::member(out, &mut members, b"name");
    name.write(out);
    if let Some(description) = function.get("description") {
        json::member(out, &mut members, b"description");
        description.write(out);
    }
    let schema = function.any(&["parameters", "input_schema", "inputSchema", "parametersJsonSchema", "parameters_json_schema"]);
    // Traceloop's JavaScript.
    let schema = schema.or_else(|| function.get("arguments").filter(|arguments| is_schema(*arguments, arena)));
    if let Some(schema) = schema.map(|s| s.any(&["json", "jsonSchema"]).unwrap_or(s)) {
        json::member(out, &mut members, b"parameters");
        schema.text(arena).and_then(|t| json::parse(t, arena)).filter(Json::is_object).unwrap_or(schema).write(out);
    }
    out.push(b'}');
}

fn is_schema<'a>(j: Json<'a>, arena: &'a Bump) -> bool {
    let object = j.text(arena).and_then(|text| json::parse(text, arena)).unwrap_or(j);
    object.get("type").is_some_and(|kind| kind.is("object"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_s_shape_becomes_one() {
        let expected = r#"[{"type":"function","name":"f","description":"d","parameters":{"type":"object"}}]"#;
        for text in [
            r#"[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}]"#,
            r#"[{"type":"function","name":"f","description":"d","parameters":{"type":"object"}}]"#,
            r#"[{"name":"f","description":"d","input_schema":{"type":"object"}}]"#,
            r#"[{"functionDeclarations":[{"name":"f","description":"d","parameters":{"type":"object"}}]}]"#,
            r#"{"function_tools":[],"output_tools":[{"name":"f","description":"d","parameters_json_schema":{"type":"object"}}]}"#,
            r#"[{"name":"f","description":"d","arguments":"{\"type\":\"object\"}"}]"#,
            r#"[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object"}}}}]"#,
            r#"["{\"type\":\"function\",\"name\":\"f\",\"description\":\"d\",\"inputSchema\":{\"type\":\"object\"}}"]"#,
        ] {
            let arena = Bump::new();
            assert_eq!(from_text(text.as_bytes(), &arena), Some(expected.as_bytes()), "{text}");
        }
        let arena = Bump::new();
        assert_eq!(from_text(br#"[{"type":"web_search"}]"#, &arena), Some(&br#"[{"type":"web_search","name":"web_search"}]"#[..]));
        assert_eq!(from_text(b"[]", &arena), None);
    }

    #[test]
    fn a_schema_becomes_the_definition_of_its_tool() {
        let arena = Bump::new();
        let schema = br#"{"type":"object","properties":{"name":{"type":"string"}}}"#;
        assert_eq!(
            from_schema(schema, b"f", Some(b"d"), &arena),
            Some(&br#"[{"type":"function","name":"f","description":"d","parameters":{"type":"object","properties":{"name":{"type":"string"}}}}]"#[..])
        );
        let definition = br#"{"type":"function","function":{"name":"g"}}"#;
        assert_eq!(from_schema(definition, b"f", None, &arena), Some(&br#"[{"type":"function","name":"g"}]"#[..]));
        assert_eq!(from_schema(b"text", b"f", None, &arena), None);
    }
}
