//! Request parameters that travel as one JSON object.

use super::{messages, scalar, tools};
use crate::genai::{Canonical, Field};
use crate::json::Json;
use crate::span::Value;
use crate::text;
use bumpalo::Bump;

const FIELDS: &[(&str, Field)] = &[
    ("temperature", Field::Temperature),
    ("top_p", Field::TopP),
    ("topP", Field::TopP),
    ("top_k", Field::TopK),
    ("topK", Field::TopK),
    ("max_tokens", Field::MaxTokens),
    ("max_completion_tokens", Field::MaxTokens),
    ("max_output_tokens", Field::MaxTokens),
    ("max_tokens_to_sample", Field::MaxTokens),
    ("maxTokens", Field::MaxTokens),
    ("maxOutputTokens", Field::MaxTokens),
    ("frequency_penalty", Field::FrequencyPenalty),
    ("frequencyPenalty", Field::FrequencyPenalty),
    ("presence_penalty", Field::PresencePenalty),
    ("presencePenalty", Field::PresencePenalty),
    ("stop", Field::StopSequences),
    ("stop_sequences", Field::StopSequences),
    ("stopSequences", Field::StopSequences),
    ("seed", Field::Seed),
    ("n", Field::ChoiceCount),
    ("candidate_count", Field::ChoiceCount),
    ("stream", Field::Stream),
    ("reasoning_effort", Field::ReasoningLevel),
    ("reasoningEffort", Field::ReasoningLevel),
    ("service_tier", Field::RequestServiceTier),
    ("encoding_format", Field::EncodingFormats),
    ("dimensions", Field::EmbeddingDimensions),
    ("response_format", Field::OutputType),
    ("model", Field::RequestModel),
    ("tools", Field::ToolDefinitions),
    ("system_instruction", Field::SystemInstructions),
    ("systemInstruction", Field::SystemInstructions),
];

/// Is a parameter read, all of it?
pub fn takes(name: &[u8], value: Json) -> bool {
    text::lookup(FIELDS, name).is_some_and(|field| field != Field::OutputType || value.entries().count() <= 1)
}

/// Reads the parameters. False: one of them has no canonical field, so the source has to stay.
pub fn read<'a>(parameters: Json<'a>, trust: u8, source: u16, c: &mut Canonical<'a>, arena: &'a Bump) -> bool {
    let mut complete = true;
    for (key, value) in parameters.entries().filter(|(_, value)| !value.is_null()) {
        let Some(field) = text::lookup(FIELDS, key) else {
            // Google ADK says how it sends the request, and labels it with its agent, whose span has the name.
            let said = key == b"http_options" || key == b"labels" && value.entries().all(|(label, _)| label == b"adk_agent_name");
            complete &= said || value.is_object() && value.is_empty();
            continue;
        };
        let text = match field {
            Field::ToolDefinitions => {
                if let Some(definitions) = tools::definitions_of(value, arena) {
                    c.put(field, Value::Str(definitions), trust, source);
                }
                continue;
            }
            Field::SystemInstructions => {
                let text = value.text(arena).unwrap_or_else(|| value.to_text(arena));
                c.put(field, Value::Str(messages::instructions(text, arena)), trust, source);
                continue;
            }
            // {"type":"json_schema","json_schema":{…}}
            Field::OutputType => {
                complete &= value.entries().count() <= 1;
                value.get("type").unwrap_or(value).text(arena)
            }
            _ => value.text(arena),
        };
        let text = text.unwrap_or_else(|| value.to_text(arena));
        if let Some(value) = scalar::convert(field, &Value::Str(text), arena) {
            c.put(field, value, trust, source);
        }
    }
    complete
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_split_and_infinity_is_an_absence() {
        let arena = Bump::new();
        let mut c = Canonical::new(&arena);
        let text = br#"{"temperature": "0.2", "max_tokens": "Infinity", "top_p": 1, "stop": ["a"], "response_format": {"type": "json_schema"}, "seed": null}"#;
        assert!(read(crate::json::parse(text, &arena).unwrap(), 50, 0, &mut c, &arena));
        assert_eq!(
            c.fields().map(|field| (field, *c.value(field))).collect::<Vec<_>>(),
            [
                (Field::OutputType, Value::Str(b"json")),
                (Field::StopSequences, Value::Array(&[Value::Str(b"a")])),
                (Field::TopP, Value::Double(1.0)),
                (Field::Temperature, Value::Double(0.2)),
            ]
        );
        assert!(!read(crate::json::parse(br#"{"my_knob": 1}"#, &arena).unwrap(), 50, 0, &mut c, &arena));
        let schema = br#"{"response_format": {"type": "json_schema", "json_schema": {"name": "weather"}}}"#;
        assert!(!read(crate::json::parse(schema, &arena).unwrap(), 50, 0, &mut c, &arena));
    }
}
