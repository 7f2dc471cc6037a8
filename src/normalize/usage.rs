//! Token counts and costs. The canonical counts are inclusive (rules.md 3): input holds what was cached, written to a
//! cache or audio, output holds reasoning. Langfuse's buckets are exclusive, OpenAI's and OTel's are not.

use crate::genai::{Canonical, DERIVED, Field};
use crate::json::Json;
use crate::span::Value;
use crate::text;

/// Where a count of a usage object belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bucket {
    /// All input tokens, in OpenAI's and Anthropic's word.
    Prompt,
    /// All output tokens, likewise.
    Completion,
    /// Langfuse's `input`: what no other input bucket holds, or all.
    Input,
    /// Langfuse's `output`, likewise.
    Output,
    Total,
    /// A part of the input, exclusive of the others in Langfuse's form.
    InputPart(Option<Field>),
    /// A part of the output.
    OutputPart(Option<Field>),
    /// A part of the input at the top level of Anthropic's raw form, where `input_tokens` does not hold it.
    Beside(Field),
    /// A part of the output that Gemini's candidates do not hold.
    OutputBeside(Field),
}

const BUCKETS: &[(&str, Bucket)] = {
    use Bucket::{Beside, Completion, Input, InputPart, Output, OutputBeside, OutputPart, Prompt, Total};
    const CACHE_READ: Bucket = InputPart(Some(Field::CacheReadTokens));
    const CACHE_WRITE: Bucket = InputPart(Some(Field::CacheWriteTokens));
    const REASONING: Bucket = OutputPart(Some(Field::ReasoningTokens));
    const AUDIO_IN: Bucket = InputPart(Some(Field::AudioInputTokens));
    const AUDIO_OUT: Bucket = OutputPart(Some(Field::AudioOutputTokens));
    &[
        ("input", Input),
        ("output", Output),
        ("total", Total),
        ("total_tokens", Total),
        ("totalTokens", Total),
        // Gemini, and Genkit in its likeness.
        ("total_token_count", Total),
        ("totalTokenCount", Total),
        ("prompt_token_count", Prompt),
        ("promptTokenCount", Prompt),
        ("candidates_token_count", Completion),
        ("candidatesTokenCount", Completion),
        ("thoughts_token_count", OutputBeside(Field::ReasoningTokens)),
        ("thoughtsTokenCount", OutputBeside(Field::ReasoningTokens)),
        ("thoughtsTokens", OutputBeside(Field::ReasoningTokens)),
        ("cached_content_token_count", CACHE_READ),
        ("cachedContentTokenCount", CACHE_READ),
        ("cachedContentTokens", CACHE_READ),
        ("prompt_tokens", Prompt),
        ("promptTokens", Prompt),
        ("input_tokens", Prompt),
        ("inputTokens", Prompt),
        ("completion_tokens", Completion),
        ("completionTokens", Completion),
        ("output_tokens", Completion),
        ("outputTokens", Completion),
        ("cache_read_input_tokens", Beside(Field::CacheReadTokens)),
        ("cache_creation_input_tokens", Beside(Field::CacheWriteTokens)),
        ("input_cached_tokens", CACHE_READ),
        ("input_cache_read", CACHE_READ),
        ("input_cache_creation", CACHE_WRITE),
        ("input_cache_creation_5m", CACHE_WRITE),
        ("input_cache_creation_1h", CACHE_WRITE),
        // LangChain's details of Anthropic; `cache_creation` is 0 beside them.
        ("input_ephemeral_5m_input_tokens", CACHE_WRITE),
        ("input_ephemeral_1h_input_tokens", CACHE_WRITE),
        ("output_reasoning_tokens", REASONING),
        ("output_reasoning", REASONING),
        ("input_audio_tokens", AUDIO_IN),
        ("input_audio", AUDIO_IN),
        ("input_modality_audio", AUDIO_IN),
        ("output_audio_tokens", AUDIO_OUT),
        ("output_audio", AUDIO_OUT),
        ("output_modality_audio", AUDIO_OUT),
        ("input_modality_text", InputPart(Some(Field::TextInputTokens))),
        ("input_modality_image", InputPart(Some(Field::ImageInputTokens))),
        ("output_modality_text", OutputPart(Some(Field::TextOutputTokens))),
        ("output_modality_image", OutputPart(Some(Field::ImageOutputTokens))),
    ]
};

/// By the beginning of a key that is not among [`BUCKETS`]; `None`: it counts nothing.
const BUCKETS_OF_PREFIXES: &[(&str, Option<Bucket>)] = &[
    ("input_priority", None),
    ("output_priority", None),
    ("cached_modality_", Some(Bucket::InputPart(Some(Field::CacheReadTokens)))),
    ("input_", Some(Bucket::InputPart(None))),
    ("output_", Some(Bucket::OutputPart(None))),
];

fn bucket(key: &[u8]) -> Option<Bucket> {
    text::lookup(BUCKETS, key)
        .or_else(|| BUCKETS_OF_PREFIXES.iter().find(|(prefix, _)| key.starts_with(prefix.as_bytes())).and_then(|(_, bucket)| *bucket))
}

/// The details that OpenAI's forms nest (or flatten with `_`): parts of what is counted already.
fn detail(side_input: bool, key: &[u8]) -> Option<Field> {
    const INPUT: &[(&str, Field)] = &[
        ("cached_tokens", Field::CacheReadTokens),
        ("cache_read", Field::CacheReadTokens),
        ("cacheReadTokens", Field::CacheReadTokens),
        ("cache_write_tokens", Field::CacheWriteTokens),
        ("cache_creation", Field::CacheWriteTokens),
        ("cacheWriteTokens", Field::CacheWriteTokens),
        ("audio_tokens", Field::AudioInputTokens),
        ("audio", Field::AudioInputTokens),
    ];
    const OUTPUT: &[(&str, Field)] = &[
        ("reasoning_tokens", Field::ReasoningTokens),
        ("reasoning", Field::ReasoningTokens),
        ("audio_tokens", Field::AudioOutputTokens),
        ("audio", Field::AudioOutputTokens),
    ];
    text::lookup(if side_input { INPUT } else { OUTPUT }, key)
}

/// `prompt_tokens_details`, `input_token_details` and the like: which side, and what comes after it in a flattened key.
fn details_of(key: &[u8]) -> Option<(bool, &[u8])> {
    const SIDES: &[(&[u8], bool)] = &[
        (b"prompt_tokens_details", true),
        (b"input_tokens_details", true),
        (b"input_token_details", true),
        (b"completion_tokens_details", false),
        (b"output_tokens_details", false),
        (b"output_token_details", false),
    ];
    let (side, input) = SIDES.iter().find(|(side, _)| key.starts_with(side))?;
    Some((*input, key[side.len()..].strip_prefix(b"_").unwrap_or(&key[side.len()..])))
}

#[derive(Clone, Copy, Default)]
struct Side {
    /// OpenAI's word.
    whole: Option<i64>,
    /// Langfuse's word.
    plain: Option<i64>,
    /// Exclusive parts.
    parts: i64,
    /// Parts beside the whole.
    beside: i64,
    /// Details were given inside OpenAI's form: the whole holds them.
    detailed: bool,
}

impl Side {
    /// With its parts added, and as it stands.
    #[inline(never)]
    fn readings(&self) -> [Option<i64>; 2] {
        let parts = sum(self.parts, self.beside);
        match (self.whole, self.plain) {
            (Some(whole), _) => [Some(if self.detailed { whole } else { sum(whole, self.beside) }), Some(whole)],
            (None, Some(plain)) => [Some(sum(plain, parts)), Some(plain)],
            (None, None) => [Some(parts).filter(|parts| *parts > 0), None],
        }
    }
}

/// Counts of any size add up.
#[inline(never)]
fn sum(a: i64, b: i64) -> i64 {
    a.saturating_add(b)
}

/// The counts that a usage object gives, by [`Field`]: those of tokens stand together.
#[derive(Default)]
struct Counts([Option<i64>; Field::AudioOutputTokens as usize - FIRST + 1]);

const FIRST: usize = Field::InputTokens as usize;

impl Counts {
    #[inline(never)]
    fn add(&mut self, field: Option<Field>, n: Option<i64>) {
        if let (Some(field), Some(n)) = (field, n)
            && let Some(known) = self.0.get_mut((field as usize).wrapping_sub(FIRST))
        {
            *known = Some(sum(known.unwrap_or(0), n));
        }
    }
}

/// Reads a usage object into the canonical counts. False: something in it has no canonical field, so the source has to stay.
#[inline(never)]
pub fn read(usage: Json, trust: u8, source: u16, c: &mut Canonical) -> bool {
    let [mut input, mut output] = [Side::default(); 2];
    let mut total = None;
    let mut counts = Counts::default();
    let mut complete = true;
    for (key, value) in usage.entries() {
        if let Some((is_input, rest)) = details_of(key) {
            let side = if is_input { &mut input } else { &mut output };
            side.detailed |= !value.is_null();
            counts.add(detail(is_input, rest), value.as_i64());
            if rest.is_empty() {
                value.entries().for_each(|(key, value)| counts.add(detail(is_input, key), value.as_i64()));
            }
            continue;
        }
        let (Some(bucket), Some(n)) = (bucket(key), value.as_i64()) else {
            complete &= value.is_null();
            continue;
        };
        let whole = match bucket {
            Bucket::Prompt => &mut input.whole,
            Bucket::Completion => &mut output.whole,
            Bucket::Input => &mut input.plain,
            Bucket::Output => &mut output.plain,
            Bucket::Total => &mut total,
            Bucket::InputPart(field) | Bucket::OutputPart(field) => {
                let side = if matches!(bucket, Bucket::InputPart(_)) { &mut input } else { &mut output };
                side.parts = sum(side.parts, n);
                counts.add(field, Some(n));
                // Predictions are part of the output sum and of no field of their own.
                complete &= field.is_some() || key.ends_with(b"_prediction_tokens");
                continue;
            }
            Bucket::Beside(field) | Bucket::OutputBeside(field) => {
                let side = if matches!(bucket, Bucket::Beside(_)) { &mut input } else { &mut output };
                side.beside = sum(side.beside, n);
                counts.add(Some(field), Some(n));
                continue;
            }
        };
        *whole = Some(n);
    }
    let (ins, outs) = (input.readings(), output.readings());
    // A total decides which reading holds; as it stands comes first. Without one, the parts are exclusive.
    let adds_up = |(i, o): (usize, usize)| total.is_some_and(|t| sum(ins[i].unwrap_or(0), outs[o].unwrap_or(0)) == t);
    let whole = [(1, 1), (0, 0), (0, 1), (1, 0)].into_iter().find(|reading| adds_up(*reading));
    let (i, o) = whole.unwrap_or((0, 0));
    let stands = i + o == 2;
    counts.add(Some(Field::InputTokens), ins[i].or(ins[0].filter(|_| stands)));
    counts.add(Some(Field::OutputTokens), outs[o].or(outs[0].filter(|_| stands)));
    counts.add(Some(Field::TotalTokens), total);
    for (field, n) in Field::ALL[FIRST..].iter().zip(counts.0) {
        if let Some(n) = n {
            c.put(*field, Value::Int(n), trust, source);
        }
    }
    complete
}

/// Reads the details that OpenAI's forms nest, beside counts that are known.
pub fn read_details(usage: Json, c: &mut Canonical) {
    for (key, value) in usage.entries() {
        let Some((is_input, b"")) = details_of(key) else { continue };
        for (key, value) in value.entries() {
            if let (Some(field), Some(n)) = (detail(is_input, key), value.as_i64()) {
                c.derive(field, Value::Int(n));
            }
        }
    }
}

/// Sets the total where only its halves are known; before, adds what the halves leave out.
///
/// `uncached`: the source says that its input is without the cached tokens. Else only a total that the halves do not reach,
/// and that their parts make up, shows it (Bedrock's input, Gemini's output).
pub fn complete(c: &mut Canonical, uncached: bool) {
    let part = |field| c.int(field).unwrap_or(0);
    let (input, output) = (part(Field::InputTokens), part(Field::OutputTokens));
    let cached = sum(part(Field::CacheReadTokens), part(Field::CacheWriteTokens));
    let reasoning = part(Field::ReasoningTokens);
    let missing = c.int(Field::TotalTokens).map(|total| total.saturating_sub(sum(input, output)));
    let adds_up = |n: i64| n != 0 && missing == Some(n);
    let add_cached = uncached && missing.is_none() || cached > input || adds_up(cached) || adds_up(sum(cached, reasoning));
    let add_reasoning = !adds_up(cached) && (adds_up(reasoning) || adds_up(sum(cached, reasoning)));
    // Google ADK adds the reasoning to an output of LiteLLM's, which holds it.
    if reasoning > 0 && missing == Some(-reasoning) {
        c.put(Field::OutputTokens, Value::Int(output - reasoning), u8::MAX, c.source(Field::OutputTokens));
    }
    for (add, field, n, extra) in [(add_cached, Field::InputTokens, input, cached), (add_reasoning, Field::OutputTokens, output, reasoning)]
    {
        if add && extra > 0 && c.has(field) {
            c.reading = c.origin(field);
            c.put(field, Value::Int(sum(n, extra)), u8::MAX, c.source(field));
        }
    }
    c.reading = DERIVED;
    if let Some(input) = c.int(Field::InputTokens) {
        let sum = sum(input, c.int(Field::OutputTokens).unwrap_or(0));
        // Less than its halves: the sum of what the source counted without the cache.
        match c.int(Field::TotalTokens) {
            Some(total) if total < sum => {
                c.reading = c.origin(Field::TotalTokens);
                c.put(Field::TotalTokens, Value::Int(sum), u8::MAX, c.source(Field::TotalTokens));
            }
            Some(_) => {}
            None => c.derive(Field::TotalTokens, Value::Int(sum)),
        }
    }
}

/// Reads a cost, or an object of costs, in USD. Its parts have no canonical field: the source stays.
pub fn read_cost<'a>(cost: Json<'a>, trust: u8, source: u16, c: &mut Canonical<'a>) {
    let part = |keys: [&str; 2]| cost.any(&keys).and_then(|v| v.as_f64());
    let total = cost.as_f64().or_else(|| part(["total", "total_cost"])).or_else(|| {
        match (part(["input", "input_cost"]), part(["output", "output_cost"])) {
            (None, None) => None,
            (input, output) => Some(input.unwrap_or(0.0) + output.unwrap_or(0.0)),
        }
    });
    if let Some(total) = total.filter(|t| t.is_finite()) {
        c.put(Field::Cost, Value::Double(total), trust, source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bumpalo::Bump;

    /// input, cache read, cache write, output, reasoning, and whether the source may go.
    #[track_caller]
    fn reads(text: &str, expected: [Option<i64>; 5], complete: bool) {
        let arena = Bump::new();
        let mut c = Canonical::new(&arena);
        let all = read(crate::json::parse(text.as_bytes(), &arena).unwrap(), 50, 0, &mut c);
        let fields = [Field::InputTokens, Field::CacheReadTokens, Field::CacheWriteTokens, Field::OutputTokens, Field::ReasoningTokens];
        assert_eq!((fields.map(|f| c.int(f)), all), (expected, complete), "{text}");
    }

    #[test]
    fn exclusive_buckets_are_summed() {
        let langchain = r#"{"input": 25, "output": 9, "total": 74, "input_audio": 0, "input_cache_read": 32, "output_audio": 0, "output_reasoning": 8}"#;
        reads(langchain, [Some(57), Some(32), None, Some(17), Some(8)], true);
        let js = r#"{"input":25,"output":9,"total":74,"input_cached_tokens":32,"output_reasoning_tokens":8,"output_rejected_prediction_tokens":0}"#;
        reads(js, [Some(57), Some(32), None, Some(17), Some(8)], true);
        reads(r#"{"input": 3, "output": 4, "cache_read_input_tokens": 1}"#, [Some(4), Some(1), None, Some(4), None], true);
        reads(r#"{"input": 1, "input_cache_creation_5m": 2, "input_cache_creation_1h": 3}"#, [Some(6), None, Some(5), None, None], true);
        let anthropic =
            r#"{"input":20,"output":17,"total":74,"input_cache_read":32,"input_cache_creation":0,"input_ephemeral_5m_input_tokens":5}"#;
        reads(anthropic, [Some(57), Some(32), Some(5), Some(17), None], true);
    }

    #[test]
    fn a_total_that_the_plain_fields_reach_means_inclusive() {
        reads(
            r#"{"input":57,"output":17,"total":74,"input_cached_tokens":32,"output_reasoning_tokens":8}"#,
            [Some(57), Some(32), None, Some(17), Some(8)],
            true,
        );
    }

    #[test]
    fn openai_and_anthropic_forms() {
        let openai = r#"{"completion_tokens": 17, "prompt_tokens": 57, "total_tokens": 74, "completion_tokens_details": {"reasoning_tokens": 8, "audio_tokens": 0}, "prompt_tokens_details": {"cached_tokens": 32, "audio_tokens": null}}"#;
        reads(openai, [Some(57), Some(32), None, Some(17), Some(8)], true);
        reads(
            r#"{"input_tokens":57,"output_tokens":17,"input_tokens_details":{"cached_tokens":32}}"#,
            [Some(57), Some(32), None, Some(17), None],
            true,
        );
        reads(
            r#"{"input_tokens":25,"cache_read_input_tokens":30,"cache_creation_input_tokens":2,"output_tokens":17}"#,
            [Some(57), Some(30), Some(2), Some(17), None],
            true,
        );
        reads(
            r#"{"prompt_tokens":"57","completion_tokens":"17.0","prompt_tokens_details_cached_tokens":32}"#,
            [Some(57), Some(32), None, Some(17), None],
            true,
        );
    }

    #[test]
    fn gemini_counts_thoughts_beside_the_candidates() {
        let gemini = r#"{"prompt_token_count":57,"candidates_token_count":9,"thoughts_token_count":8,"cached_content_token_count":32,"total_token_count":74}"#;
        reads(gemini, [Some(57), Some(32), None, Some(17), Some(8)], true);
    }

    #[test]
    fn a_total_shows_what_the_halves_leave_out_or_say_twice() {
        // input, output, cache read, cache write, reasoning, total, whether the source says that its input is uncached
        let completes = |counts: [Option<i64>; 6], uncached, expected| {
            let arena = Bump::new();
            let mut c = Canonical::new(&arena);
            let fields = [
                Field::InputTokens,
                Field::OutputTokens,
                Field::CacheReadTokens,
                Field::CacheWriteTokens,
                Field::ReasoningTokens,
                Field::TotalTokens,
            ];
            fields.into_iter().zip(counts).for_each(|(f, n)| n.into_iter().for_each(|n| c.derive(f, Value::Int(n))));
            complete(&mut c, uncached);
            assert_eq!([Field::InputTokens, Field::OutputTokens, Field::TotalTokens].map(|f| c.int(f)), expected, "{counts:?}");
        };
        completes([Some(25), Some(17), Some(30), Some(2), None, Some(74)], false, [Some(57), Some(17), Some(74)]);
        completes([Some(57), Some(17), Some(30), Some(2), None, Some(74)], true, [Some(57), Some(17), Some(74)]);
        completes([Some(25), Some(17), Some(30), Some(2), None, None], true, [Some(57), Some(17), Some(74)]);
        completes([Some(57), Some(17), Some(30), None, None, None], false, [Some(57), Some(17), Some(74)]);
        completes([Some(57), Some(9), Some(32), None, Some(8), Some(74)], false, [Some(57), Some(17), Some(74)]);
        completes([Some(25), Some(9), Some(32), None, Some(8), Some(74)], false, [Some(57), Some(17), Some(74)]);
        // The reasoning was added to an output that held it.
        completes([Some(57), Some(25), Some(32), None, Some(8), Some(74)], false, [Some(57), Some(17), Some(74)]);
    }

    #[test]
    fn zero_is_a_value_and_priority_is_no_bucket() {
        reads(r#"{"input": 0, "output": 0}"#, [Some(0), None, None, Some(0), None], true);
        reads(r#"{"input": 5, "output": 1, "input_priority_cache_read": 3}"#, [Some(5), None, None, Some(1), None], false);
        reads(r#"{"input": 5, "my_units": 3}"#, [Some(5), None, None, None, None], false);
    }
}
