//! Tool definitions from any provider's shape to OTel's `[{type, name, description?, parameters?}]`.

use crate::json::{self, Json};
use crate::text::{self, Out};
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
    if list.is_object() { definitions(&[list], arena) } else { definitions(&BumpVec::from_iter_in(list.items(), arena), arena) }
}

/// As [`definitions`], from JSON text: a list, one definition, or a list of JSON texts.
#[inline(never)]
pub fn from_text<'a>(text: &'a [u8], arena: &'a Bump) -> Option<&'a [u8]> {
    let root = json::parse(text, arena)?;
    definitions_of(root, arena)
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
    write_schema(schema, &mut out);
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
    let held = || HELD.iter().filter_map(|name| tool.get(name));
    held().for_each(|list| list.items().for_each(|f| definition(f, count, out, arena)));
    if let Some(inner) = said.or_else(around) {
        return definition(inner, count, out, arena);
    }
    let is_held = held().next().is_some();
    // Tools that are named by their keys: Gemini's own, and all of the Vercel SDK. Pydantic AI's request has other objects beside its lists.
    if is_held || tool.is_object() && tool.any(&["type", "name", "function", "toolSpec", "toolName"]).is_none() {
        let are_tools = tool.any(&["function_tools", "output_tools"]).is_none();
        for (key, member) in tool.entries().filter(|(key, member)| are_tools && member.is_object() && !text::any(key, HELD)) {
            definition_as(member, Some(key), count, out, arena);
        }
        return;
    }
    definition_as(tool, None, count, out, arena);
}

/// The members of a definition that OTel has a word for.
const SAID: &[&str] = &[
    "type",
    "name",
    "toolName",
    "description",
    "function",
    "custom",
    "toolSpec",
    "parameters",
    "input_schema",
    "inputSchema",
    "parametersJsonSchema",
    "parameters_json_schema",
];

/// Members that hold definitions.
const HELD: &[&str] = &["functionDeclarations", "function_declarations", "function_tools", "output_tools"];

/// Writes the definition of a tool, which may be named by its key.
fn definition_as<'a>(tool: Json<'a>, key: Option<&'a [u8]>, count: &mut usize, out: &mut Out<'a>, arena: &'a Bump) {
    let function = tool.any(&["function", "toolSpec", "custom"]).filter(Json::is_object).unwrap_or(tool);
    // Mastra's agents and Spring AI know no more than the names. Python's words for an object name no tool.
    let only_name = Some(tool).filter(|name| name.is_string() && !name.source().contains(&b'('));
    let name = only_name.or_else(|| function.any(&["name", "toolName"])).or_else(|| tool.get("type"));
    let schema = function.any(&["parameters", "input_schema", "inputSchema", "parametersJsonSchema", "parameters_json_schema"]);
    // Traceloop's JavaScript.
    let arguments = function.get("arguments").filter(|arguments| schema.is_none() && is_schema(*arguments, arena));
    let schema = schema.or(arguments).map(|s| s.any(&["json", "jsonSchema"]).unwrap_or(s));
    if name.is_none() && key.is_none() {
        return;
    }
    json::separate(out, *count);
    *count += 1;
    out.extend_from_slice_copy(b"{\"type\":");
    // Anthropic's custom tools are functions.
    let is_function =
        |kind: &Json| kind.is("custom") && (schema.is_some() || tool.get("custom").is_none() && function.get("format").is_none());
    match (tool.get("type").filter(|t| t.is_string() && !is_function(t)), key) {
        (Some(kind), _) => kind.write(out),
        (None, Some(key)) if schema.is_none() && function.get("description").is_none() => {
            out.push(b'"');
            out.extend_from_slice_copy(key);
            out.push(b'"');
        }
        _ => out.extend_from_slice_copy(b"\"function\""),
    }
    let mut members = 1;
    json::member(out, &mut members, b"name");
    match (name.filter(|_| key.is_none()), key) {
        (Some(name), _) => name.write(out),
        (None, key) => {
            out.push(b'"');
            out.extend_from_slice_copy(key.unwrap_or_default());
            out.push(b'"');
        }
    }
    if let Some(description) = function.get("description") {
        json::member(out, &mut members, b"description");
        description.write(out);
    }
    if let Some(schema) = schema {
        json::member(out, &mut members, b"parameters");
        write_schema(schema.text(arena).and_then(|t| json::parse(t, arena)).filter(Json::is_object).unwrap_or(schema), out);
    }
    // OTel's definitions may have further members.
    let is_said = |name: &[u8], _| text::any(name, SAID) || arguments.is_some() && text::is(name, "arguments");
    function.write_rest(&is_said, &mut members, out);
    if function.source() != tool.source() {
        tool.write_rest(&|name, value| is_said(name, value) || function.entries().any(|(known, _)| known == name), &mut members, out);
    }
    out.push(b'}');
}

/// JSON Schema's words for Gemini's types.
const TYPES: &[(&str, &str)] = &[
    ("STRING", "\"string\""),
    ("NUMBER", "\"number\""),
    ("INTEGER", "\"integer\""),
    ("BOOLEAN", "\"boolean\""),
    ("ARRAY", "\"array\""),
    ("OBJECT", "\"object\""),
    ("NULL", "\"null\""),
];

/// Writes a schema with JSON Schema's words for types, at every depth; what only looks like one stays.
fn write_schema(schema: Json, out: &mut Out) {
    if schema.is_array() {
        return write_all(schema, out);
    }
    if !schema.is_object() {
        return schema.write(out);
    }
    let mut count = 0;
    out.push(b'{');
    for (key, value) in schema.entries() {
        json::member(out, &mut count, key);
        let word = |kind: Json| kind.word().and_then(|word| text::lookup(TYPES, word));
        match text::as_keyword(key) {
            "type" if word(value).is_some() => out.extend_from_slice_copy(word(value).unwrap_or_default().as_bytes()),
            "properties" | "$defs" | "definitions" | "patternProperties" if value.is_object() => {
                let mut names = 0;
                out.push(b'{');
                for (name, schema) in value.entries() {
                    json::member(out, &mut names, name);
                    write_schema(schema, out);
                }
                out.push(b'}');
            }
            "items" | "anyOf" | "any_of" | "oneOf" | "allOf" | "additionalProperties" | "prefixItems" | "not" => write_schema(value, out),
            _ => value.write(out),
        }
    }
    out.push(b'}');
}

fn write_all(schemas: Json, out: &mut Out) {
    out.push(b'[');
    for (i, schema) in schemas.items().enumerate() {
        json::separate(out, i);
        write_schema(schema, out);
    }
    out.push(b']');
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
