//! What was used and what it cost, in whatever words and shapes: parts that never exceed their whole, buckets that add up.

use crate::body::{attributes, request, spans};
use genspan::internals::config::{Convert, Format, Profile};
use serde_json::{Map, Value as Json, json};

fn out(scope: &str, source: &Json, profile: Profile) -> Map<String, Json> {
    let mut all = json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"});
    all.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
    let options = Convert { profile, to: Format::Protobuf, ..Convert::default() };
    attributes(&spans(&genspan::convert(&request(scope, "x", &all), &options).unwrap())[0]).into_iter().collect()
}

fn object(out: &Map<String, Json>, key: &str) -> Json {
    out.get(key).map_or(Json::Null, |text| serde_json::from_str(text.as_str().unwrap()).unwrap())
}

/// Every spelling below `gen_ai.usage.` that some source writes, from any scope, and the registry's key.
#[test]
fn parts_are_read_in_every_spelling_from_any_scope() {
    for (part, registry) in [
        ("cache_read_tokens", "cache_read.input_tokens"),
        ("cached_tokens", "cache_read.input_tokens"),
        ("cached_input_tokens", "cache_read.input_tokens"),
        ("input_cached_tokens", "cache_read.input_tokens"),
        ("input_tokens.cached", "cache_read.input_tokens"),
        ("input_tokens.cache_read", "cache_read.input_tokens"),
        ("prompt_cache_hit_tokens", "cache_read.input_tokens"),
        ("cacheReadInputTokens", "cache_read.input_tokens"),
        ("details.cache_read_tokens", "cache_read.input_tokens"),
        ("prompt_tokens_details.cached_tokens", "cache_read.input_tokens"),
        ("prompt_token_details.cached_read_tokens", "cache_read.input_tokens"),
        ("cache_write_tokens", "cache_write.input_tokens"),
        ("cache_creation_tokens", "cache_write.input_tokens"),
        ("cache_write_input_tokens", "cache_write.input_tokens"),
        ("input_tokens.cache_write", "cache_write.input_tokens"),
        ("input_tokens.cache_creation", "cache_write.input_tokens"),
        ("prompt_token_details.cached_write_tokens", "cache_write.input_tokens"),
        ("output_tokens.reasoning", "reasoning.output_tokens"),
        ("reasoning_output_tokens", "reasoning.output_tokens"),
        ("details.reasoning_tokens", "reasoning.output_tokens"),
        ("details.thoughts_tokens", "reasoning.output_tokens"),
        ("completion_token_details.reasoning_tokens", "reasoning.output_tokens"),
        ("thinking_tokens", "reasoning.output_tokens"),
        ("details.input_audio_tokens", "audio.input_tokens"),
        ("audio_input_tokens", "audio.input_tokens"),
        ("prompt_tokens_details.audio_tokens", "audio.input_tokens"),
        ("output_audio_tokens", "audio.output_tokens"),
        ("completion_tokens_details.audio_tokens", "audio.output_tokens"),
        ("input_text_tokens", "text.input_tokens"),
        ("details.text_prompt_tokens", "text.input_tokens"),
        ("input_token_details.image_tokens", "image.input_tokens"),
        ("output_image_tokens", "image.output_tokens"),
        ("completion_token_details.text_tokens", "text.output_tokens"),
    ] {
        let source = json!({"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50, (format!("gen_ai.usage.{part}")): 7});
        let out = out("my.tracer", &source, Profile::OTEL);
        assert_eq!(out.get(&format!("gen_ai.usage.{registry}")), Some(&json!(7)), "{part}: {out:?}");
        assert!(!out.contains_key(&format!("gen_ai.usage.{part}")), "{part}");
    }
}

/// What counts something else, or a part of a part, stays as it is.
#[test]
fn other_counts_stay() {
    for key in [
        "partial.input_tokens",
        "details.accepted_prediction_tokens",
        "audio.cache_read.input_tokens",
        "video.input_tokens",
        "seconds",
        "audio_tokens",
    ] {
        let source = json!({"gen_ai.usage.input_tokens": 100, (format!("gen_ai.usage.{key}")): 7});
        let out = out("my.tracer", &source, Profile::OTEL);
        assert_eq!(out.get(&format!("gen_ai.usage.{key}")), Some(&json!(7)), "{key}: {out:?}");
    }
}

#[test]
fn details_are_read_in_every_shape_of_a_usage_object() {
    for (usage, expected) in [
        (
            json!({"input_tokens": 50, "output_tokens": 9, "input_tokens_details": {"text_tokens": 10, "image_tokens": 40}}),
            json!({"text.input_tokens": 10, "image.input_tokens": 40}),
        ),
        (
            json!({"promptTokenCount": 50, "candidatesTokenCount": 9, "totalTokenCount": 59,
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 10}, {"modality": "AUDIO", "tokenCount": 40}]}),
            json!({"text.input_tokens": 10, "audio.input_tokens": 40}),
        ),
        (
            json!({"inputTokens": 50, "outputTokens": 9, "totalTokens": 59, "cachedInputTokens": 4, "reasoningTokens": 3}),
            json!({"cache_read.input_tokens": 4, "reasoning.output_tokens": 3}),
        ),
        (
            json!({"prompt_tokens": 50, "completion_tokens": 9, "completion_tokens_details": {"image_tokens": 5, "text_tokens": 4}}),
            json!({"image.output_tokens": 5, "text.output_tokens": 4}),
        ),
        (
            json!({"input_tokens": 50, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 3}}),
            json!({"reasoning.output_tokens": 3}),
        ),
    ] {
        let whole = json!({"choices": [{"message": {"role": "assistant", "content": "ok"}}], "usage": usage});
        for (scope, source) in [
            ("langfuse-sdk", json!({"langfuse.observation.usage_details": usage.to_string()})),
            ("openinference.instrumentation.x", json!({"openinference.span.kind": "LLM", "output.value": whole.to_string()})),
            ("mlflow", json!({"mlflow.spanType": "CHAT_MODEL", "mlflow.spanOutputs": whole.to_string()})),
        ] {
            let out = out(scope, &source, Profile::OTEL);
            assert_eq!(
                (&out["gen_ai.usage.input_tokens"], &out["gen_ai.usage.output_tokens"]),
                (&json!(50), &json!(9)),
                "{scope}: {usage}"
            );
            for (key, n) in expected.as_object().unwrap() {
                assert_eq!(out.get(&format!("gen_ai.usage.{key}")), Some(n), "{scope}: {usage}");
            }
        }
    }
    // What no field has keeps its source.
    let usage =
        json!({"prompt_tokens": 5, "completion_tokens": 9, "completion_tokens_details": {"accepted_prediction_tokens": 7}}).to_string();
    let out = out("langfuse-sdk", &json!({"langfuse.observation.usage_details": usage}), Profile::OTEL);
    assert_eq!(out["langfuse.observation.usage_details"], usage);
}

#[test]
fn a_part_never_exceeds_its_whole() {
    for (whole, part) in [
        ("input_tokens", "cache_read.input_tokens"),
        ("input_tokens", "cache_write.input_tokens"),
        ("input_tokens", "audio.input_tokens"),
        ("input_tokens", "image.input_tokens"),
        ("output_tokens", "reasoning.output_tokens"),
        ("output_tokens", "audio.output_tokens"),
    ] {
        for total in [None, Some(12), Some(20)] {
            let mut source =
                json!({"gen_ai.usage.input_tokens": 8, "gen_ai.usage.output_tokens": 12, (format!("gen_ai.usage.{part}")): 918});
            if let Some(total) = total {
                source["gen_ai.usage.total_tokens"] = json!(total);
            }
            let out = out("x", &source, Profile::OTEL);
            let expected = 918 + if whole == "input_tokens" { 8 } else { 12 };
            assert_eq!(out[&format!("gen_ai.usage.{whole}")], json!(expected), "{part}, total {total:?}");
            // A total that contradicts does not stay beside it.
            assert!(!out.contains_key("gen_ai.usage.total_tokens"));
        }
    }
}

/// Langfuse adds up what it finds: whatever the parts are, its buckets are those of the whole.
#[test]
fn buckets_of_langfuse_add_up_to_the_total() {
    let counts = [0, 3, 40, 100];
    for cached in counts {
        for audio in counts {
            for reasoning in counts {
                let source = json!({
                    "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50, "gen_ai.usage.cache_read.input_tokens": cached,
                    "gen_ai.usage.audio.input_tokens": audio, "gen_ai.usage.reasoning.output_tokens": reasoning, "gen_ai.usage.audio.output_tokens": 20,
                });
                let details = object(&out("x", &source, Profile::LANGFUSE), "langfuse.observation.usage_details");
                let side = |side: &str| -> i64 {
                    let of_side = details.as_object().unwrap().iter().filter(|(key, _)| key.starts_with(side));
                    of_side.map(|(_, n)| n.as_i64().unwrap()).sum()
                };
                assert_eq!(side("input") + side("output"), details["total"].as_i64().unwrap(), "{source}: {details}");
            }
        }
    }
}

#[test]
fn what_was_billed_reaches_the_cost_keys_of_each_profile() {
    let answer = |usage: Json| json!({"choices": [{"message": {"role": "assistant", "content": "ok"}}], "usage": usage}).to_string();
    let counts = json!({"prompt_tokens": 10, "completion_tokens": 2, "cost": 0.0123});
    for (scope, source) in [
        ("x", json!({"openinference.span.kind": "LLM", "output.value": answer(counts.clone())})),
        ("langfuse-sdk", json!({"langfuse.observation.output": answer(counts.clone())})),
        ("langfuse-sdk", json!({"langfuse.observation.usage_details": counts.to_string()})),
        ("mlflow", json!({"mlflow.spanType": "CHAT_MODEL", "mlflow.spanOutputs": answer(counts.clone())})),
        (
            "logfire.openai",
            json!({"response_data": json!({"message": {"role": "assistant", "content": "ok"}, "usage": counts}).to_string()}),
        ),
        // Beside counts that are known.
        ("x", json!({"openinference.span.kind": "LLM", "llm.token_count.prompt": 10, "output.value": answer(counts.clone())})),
        // As decimal text, and in an object.
        ("x", json!({"openinference.span.kind": "LLM", "output.value": answer(json!({"prompt_tokens": 10, "cost": "0.0123"}))})),
        (
            "x",
            json!({"openinference.span.kind": "LLM", "output.value": answer(json!({"prompt_tokens": 10, "cost": {"total_cost": 0.0123}}))}),
        ),
        (
            "ai",
            json!({"ai.operationId": "ai.generateText.doGenerate", "ai.response.providerMetadata": r#"{"openrouter":{"usage":{"cost":0.0123}}}"#}),
        ),
        (
            "ai",
            json!({"ai.operationId": "ai.generateText.doGenerate", "ai.response.providerMetadata": r#"{"gateway":{"cost":"0.0123","generationId":"g"}}"#}),
        ),
        ("vercel", json!({"vercel.ai_gateway.cost.total": "0.0123"})),
        ("litellm", json!({"gen_ai.cost.total_cost": 0.0123})),
        ("litellm", json!({"litellm.cost.total": 0.0123})),
        ("agentgateway", json!({"agw.ai.usage.cost.total": "0.0123"})),
        ("openrouter", json!({"gen_ai.usage.total_cost": 0.0123})),
        ("logfire.claude_agent_sdk", json!({"operation.cost": 0.0123})),
    ] {
        assert_eq!(out(scope, &source, Profile::OTEL).get("gen_ai.usage.cost"), Some(&json!(0.0123)), "{scope}: {source}");
        assert_eq!(out(scope, &source, Profile::OPENINFERENCE).get("llm.cost.total"), Some(&json!(0.0123)), "{scope}: {source}");
        let details = object(&out(scope, &source, Profile::LANGFUSE), "langfuse.observation.cost_details");
        assert_eq!(details["total"], json!(0.0123), "{scope}: {source}");
    }
    // With a key of the customer's own, what the provider billed beside the gateway stays in the source.
    let byok = answer(json!({"prompt_tokens": 10, "cost": 0.001, "is_byok": true, "cost_details": {"upstream_inference_cost": 0.0042}}));
    let out = out("x", &json!({"openinference.span.kind": "LLM", "output.value": byok}), Profile::OTEL);
    assert_eq!((&out["gen_ai.usage.cost"], &out["output.value"]), (&json!(0.001), &json!(byok)));
}

#[test]
fn parts_of_the_cost_have_their_places() {
    for (scope, [input, output, total]) in [
        ("litellm", ["gen_ai.cost.input_cost", "gen_ai.cost.output_cost", "gen_ai.cost.total_cost"]),
        ("litellm", ["litellm.cost.input", "litellm.cost.output", "litellm.cost.total"]),
        ("openlit", ["gen_ai.token.cost.input", "gen_ai.token.cost.output", "gen_ai.token.cost.total"]),
        ("x", ["gen_ai.usage.input_cost", "gen_ai.usage.output_cost", "gen_ai.usage.cost"]),
        ("openinference.instrumentation.x", ["llm.cost.prompt", "llm.cost.completion", "llm.cost.total"]),
    ] {
        let whole = json!({input: 0.001, output: 0.002, total: 0.003});
        let parts = json!({input: 0.001, output: 0.002});
        for source in [whole, parts] {
            let details = object(&out(scope, &source, Profile::LANGFUSE), "langfuse.observation.cost_details");
            assert_eq!(details, json!({"input": 0.001, "output": 0.002, "total": 0.003}), "{scope}: {source}");
            let arize = out(scope, &source, Profile::OPENINFERENCE);
            assert_eq!((&arize["llm.cost.prompt"], &arize["llm.cost.completion"]), (&json!(0.001), &json!(0.002)), "{scope}");
            // OTel has no key for the parts.
            assert_eq!(out(scope, &source, Profile::OTEL)[input], json!(0.001), "{scope}");
        }
    }
    let costs = json!({"langfuse.observation.cost_details": r#"{"input":0.001,"output":0.002,"total":0.003}"#});
    let arize = out("langfuse-sdk", &costs, Profile::OPENINFERENCE);
    assert_eq!((&arize["llm.cost.prompt"], &arize["llm.cost.total"]), (&json!(0.001), &json!(0.003)));
}
