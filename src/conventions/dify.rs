//! Dify's exporter for Tencent Cloud, old and new: numbers and booleans may be text, providers are paths of plugins.

use super::{Convention, To, field, row, trusted};
use crate::genai::Field;

/// Keys taken over from OpenLLMetry.
const INHERITED: u8 = 40;

pub const DIFY: Convention = Convention {
    id: "dify-tencent",
    scopes: &["dify-sdk"],
    keys: &[],
    rules: &[
        row("gen_ai.framework", To::Proof(&["dify"])),
        // It has no key for the model that was asked for.
        row("gen_ai.response.model", To::Model),
        field("gen_ai.prompt_template.template", Field::PromptTemplate),
        field("gen_ai.prompt_template.variable", Field::PromptVariables),
        trusted("llm.is_streaming", Field::Stream, INHERITED),
        field("retrieval.query", Field::RetrievalQuery),
        field("retrieval.document", Field::RetrievalDocuments),
        field("tool.name", Field::ToolName),
        field("tool.description", Field::ToolDescription),
        row("tool.parameters", To::ToolParameters),
    ],
    ..Convention::EMPTY
};
