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
    /// A part of what is counted already.
    Detail(Field),
}

const BUCKETS: &[(&str, Bucket)] = {
    use Bucket::{Beside, Completion, Input, InputPart, Output, OutputBeside, Prompt, Total};
    const CACHE_READ: Bucket = Beside(Field::CacheReadTokens);
    const CACHE_WRITE: Bucket = Beside(Field::CacheWriteTokens);
    const PART_WRITTEN: Bucket = InputPart(Some(Field::CacheWriteTokens));
    const REASONING: Bucket = OutputBeside(Field::ReasoningTokens);
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
        ("thoughts_token_count", REASONING),
        ("thoughtsTokenCount", REASONING),
        ("thoughtsTokens", REASONING),
        ("prompt_tokens", Prompt),
        ("promptTokens", Prompt),
        ("input_tokens", Prompt),
        ("inputTokens", Prompt),
        ("completion_tokens", Completion),
        ("completionTokens", Completion),
        ("output_tokens", Completion),
        ("outputTokens", Completion),
        ("cache_read_input_tokens", CACHE_READ),
        ("cache_creation_input_tokens", CACHE_WRITE),
        // Bedrock.
        ("cacheReadInputTokens", CACHE_READ),
        ("cacheWriteInputTokens", CACHE_WRITE),
        ("input_cache_creation_5m", PART_WRITTEN),
        ("input_cache_creation_1h", PART_WRITTEN),
        // LangChain's details of Anthropic; `cache_creation` is 0 beside them.
        ("input_ephemeral_5m_input_tokens", PART_WRITTEN),
        ("input_ephemeral_1h_input_tokens", PART_WRITTEN),
    ]
};

fn bucket(key: &[u8]) -> Option<Bucket> {
    if let Some(bucket) = text::lookup(BUCKETS, key) {
        return Some(bucket);
    }
    if key.starts_with(b"input_priority") || key.starts_with(b"output_priority") {
        return None;
    }
    let part = part_named(key, None);
    match () {
        () if key.starts_with(b"cached_modality_") => Some(Bucket::InputPart(Some(Field::CacheReadTokens))),
        () if key.starts_with(b"input_") => Some(Bucket::InputPart(part)),
        () if key.starts_with(b"output_") => Some(Bucket::OutputPart(part)),
        () => part.map(Bucket::Detail),
    }
}

/// The words that name a count, as bits.
mod word {
    pub const INPUT: u16 = 1;
    pub const OUTPUT: u16 = 2;
    pub const DETAILS: u16 = 4;
    pub const CACHE: u16 = 8;
    pub const READ: u16 = 16;
    pub const WRITE: u16 = 32;
    pub const REASONING: u16 = 64;
    pub const AUDIO: u16 = 128;
    pub const IMAGE: u16 = 256;
    pub const TEXT: u16 = 512;
}

const WORDS: &[(&str, u16)] = {
    use word::*;
    &[
        ("tokens", 0),
        ("token", 0),
        ("count", 0),
        ("content", 0),
        ("experimental", 0),
        ("modality", 0),
        ("input", INPUT),
        ("prompt", INPUT),
        ("output", OUTPUT),
        ("completion", OUTPUT),
        ("candidates", OUTPUT),
        ("details", DETAILS),
        ("detail", DETAILS),
        ("cache", CACHE),
        ("cached", CACHE | READ),
        ("read", READ),
        ("hit", READ),
        ("write", WRITE),
        ("creation", WRITE),
        ("reasoning", REASONING),
        ("thinking", REASONING),
        ("thoughts", REASONING),
        ("audio", AUDIO),
        ("image", IMAGE),
        ("text", TEXT),
    ]
};

/// The words of a key in any spelling (`details.input_audio_tokens`, `cacheReadTokens`); `None`: one of them names no count.
fn words(key: &[u8]) -> Option<u16> {
    let (mut rest, mut found) = (key, 0);
    while let Some(first) = rest.first() {
        if matches!(first, b'.' | b'_') {
            rest = &rest[1..];
            continue;
        }
        // A word of capitals alone is one word.
        let is_end = |at: &usize| matches!(rest[*at], b'.' | b'_') || rest[*at].is_ascii_uppercase() && rest[*at - 1].is_ascii_lowercase();
        let (one, after) = rest.split_at((1..rest.len()).find(is_end).unwrap_or(rest.len()));
        found |= WORDS.iter().find(|(word, _)| one.eq_ignore_ascii_case(word.as_bytes()))?.1;
        rest = after;
    }
    Some(found)
}

/// The part of the input or of the output that a key counts, by its words. `side`: of the input, or of the output, where the key does not name it.
pub fn part_named(key: &[u8], side: Option<bool>) -> Option<Field> {
    use word::*;
    let found = words(key)?;
    let is_input = match found & (INPUT | OUTPUT) {
        0 => side,
        INPUT => Some(true),
        OUTPUT => Some(false),
        _ => return None,
    };
    let of = |input, output| is_input.map(|is_input| if is_input { input } else { output });
    match found & !(INPUT | OUTPUT | DETAILS) {
        found if found == CACHE | READ && is_input != Some(false) => Some(Field::CacheReadTokens),
        found if found & !READ == CACHE | WRITE && is_input != Some(false) => Some(Field::CacheWriteTokens),
        found if found & !READ == CACHE | AUDIO && is_input != Some(false) => Some(Field::AudioCacheReadTokens),
        REASONING if is_input != Some(true) => Some(Field::ReasoningTokens),
        AUDIO => of(Field::AudioInputTokens, Field::AudioOutputTokens),
        IMAGE => of(Field::ImageInputTokens, Field::ImageOutputTokens),
        TEXT => of(Field::TextInputTokens, Field::TextOutputTokens),
        _ => None,
    }
}

/// `prompt_tokens_details`, `inputTokenDetails` and the like: of the input?
fn details_of(key: &[u8]) -> Option<bool> {
    match words(key)? {
        found if found == word::INPUT | word::DETAILS => Some(true),
        found if found == word::OUTPUT | word::DETAILS => Some(false),
        _ => None,
    }
}

/// Reads the details of a side, which are parts of what is counted already: members by name, or Gemini's list of modalities. False: one of
/// them counts something else.
fn read_parts(details: Json, is_input: bool, take: &mut dyn FnMut(Field, i64)) -> bool {
    let mut complete = true;
    let mut part = |name: &[u8], count: Option<i64>| match (part_named(name, Some(is_input)), count) {
        (Some(field), Some(n)) => take(field, n),
        (_, count) => complete &= count == Some(0),
    };
    details.entries().filter(|(_, value)| !value.is_empty()).for_each(|(name, value)| part(name, value.as_i64()));
    for item in details.items() {
        let name = item.get("modality").and_then(Json::word).unwrap_or_default();
        part(name, item.any(&["tokenCount", "token_count"]).and_then(Json::as_i64));
    }
    complete
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
struct Counts([Option<i64>; Field::AudioCacheReadTokens as usize - FIRST + 1]);

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
    for (key, value) in usage.entries().filter(|(_, value)| !value.is_null()) {
        if let Some(is_input) = details_of(key) {
            let side = if is_input { &mut input } else { &mut output };
            side.detailed = true;
            complete &= read_parts(value, is_input, &mut |field, n| counts.add(Some(field), Some(n)));
            continue;
        }
        if is_cost(key) {
            complete &= read_cost_member(key, value, trust, source, c);
            continue;
        }
        let (Some(bucket), Some(n)) = (bucket(key), value.as_i64()) else {
            complete &= value.as_i64() == Some(0);
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
            Bucket::Detail(field) => {
                counts.add(Some(field), Some(n));
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

/// Reads the details and the cost of a usage object beside counts that are known.
pub fn read_details(usage: Json, c: &mut Canonical) {
    for (key, value) in usage.entries() {
        if let Some(is_input) = details_of(key) {
            read_parts(value, is_input, &mut |field, n| c.derive(field, Value::Int(n)));
        } else if is_cost(key) {
            read_cost_member(key, value, 0, DERIVED, c);
        }
    }
}

/// Reads an object of details whose key names their side. False: something in it has no canonical field.
pub fn read_side(key: &[u8], details: Json, c: &mut Canonical) -> bool {
    let side = details_of(key).filter(|_| details.is_object() || details.is_array());
    side.is_some_and(|is_input| read_parts(details, is_input, &mut |field, n| c.derive(field, Value::Int(n))))
}

/// Returns true if every member of a usage object counts something that has a field.
pub fn is_whole(usage: Json) -> bool {
    usage.entries().filter(|(_, value)| !value.is_null()).all(|(key, value)| match details_of(key) {
        Some(is_input) => read_parts(value, is_input, &mut |_, _| {}),
        None if is_cost(key) => costs(key, value, &mut |_, _| {}),
        None => {
            value.as_i64() == Some(0)
                || matches!(bucket(key), Some(bucket) if !matches!(bucket, Bucket::InputPart(None) | Bucket::OutputPart(None)))
        }
    })
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
    // A part never exceeds its whole.
    let add_reasoning = reasoning > output || !adds_up(cached) && (adds_up(reasoning) || adds_up(sum(cached, reasoning)));
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
    for (whole, parts) in [
        (Field::InputTokens, [Field::AudioInputTokens, Field::ImageInputTokens, Field::TextInputTokens]),
        (Field::OutputTokens, [Field::AudioOutputTokens, Field::ImageOutputTokens, Field::TextOutputTokens]),
    ] {
        for part in parts {
            if let (Some(n), Some(part)) = (c.int(whole), c.int(part).filter(|part| Some(*part) > c.int(whole))) {
                c.reading = c.origin(whole);
                c.put(whole, Value::Int(sum(n, part)), u8::MAX, c.source(whole));
            }
        }
    }
    if let (Some(Value::Double(input)), Some(Value::Double(output))) = (c.get(Field::InputCost), c.get(Field::OutputCost)) {
        c.reading = c.origin(Field::InputCost);
        c.derive(Field::Cost, Value::Double(input + output));
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

/// What a cost is of, by the member of an object of costs; `cost` is what the provider or the gateway billed.
const COSTS: &[(&str, Field)] = &[
    ("total", Field::Cost),
    ("cost", Field::Cost),
    ("total_cost", Field::Cost),
    ("totalCost", Field::Cost),
    ("input", Field::InputCost),
    ("input_cost", Field::InputCost),
    ("inputCost", Field::InputCost),
    ("input_tokens_cost", Field::InputCost),
    ("prompt_cost", Field::InputCost),
    ("output", Field::OutputCost),
    ("output_cost", Field::OutputCost),
    ("outputCost", Field::OutputCost),
    ("output_tokens_cost", Field::OutputCost),
    ("completion_cost", Field::OutputCost),
];

/// Does a member of a usage object tell of money?
fn is_cost(key: &[u8]) -> bool {
    text::position(key, b"cost").is_some() || key.ends_with(b"Cost")
}

/// The costs that a member tells, a number or an object of them. False: it tells others too.
fn costs(key: &[u8], value: Json, take: &mut dyn FnMut(Field, f64)) -> bool {
    if value.is_object() {
        let members = value.entries().filter(|(_, value)| !value.is_null());
        return members.fold(true, |all, (key, value)| all & (!value.is_object() && costs(key, value, take)));
    }
    match (text::lookup(COSTS, key), value.as_f64()) {
        (Some(field), Some(cost)) if cost.is_finite() => take(field, cost),
        (_, cost) => return cost == Some(0.0),
    }
    true
}

/// Reads a member that tells of money, in USD. False: something in it has no canonical field, so the source has to stay.
fn read_cost_member(key: &[u8], value: Json, trust: u8, source: u16, c: &mut Canonical) -> bool {
    costs(key, value, &mut |field, cost| {
        c.put(field, Value::Double(cost), trust, source);
    })
}

/// Reads a cost, or an object of costs. False: something in it has no canonical field.
pub fn read_cost(cost: Json, trust: u8, source: u16, c: &mut Canonical) -> bool {
    read_cost_member(b"cost", cost, trust, source, c)
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
