//! One OTLP body in, one out: the engine with one destination, and neither a queue nor a clock. For the command line, and for hosts that
//! have bodies instead of spans.

use crate::body::{self, Admitted};
use crate::config::{Config, Convert, Entry, Format};
use crate::conventions;
use crate::describe::{self, ResourceRules};
use crate::engine::{self, Engine};
use crate::entry::{Decision, Reason};
use crate::error::{ConfigError, Error};
use crate::explain::Explainer;
use crate::hash::Hash;
use crate::keys::Keys;
use crate::normalize::{self, Context};
use crate::otlp::PartialSuccess;
use crate::otlp::envelope;
use crate::otlp::json;
use crate::otlp::read;
use crate::otlp::write::number;
use crate::privacy::{Hooks, Notes};
use crate::protobuf::Writer;
use bumpalo::Bump;
use std::hash::BuildHasher;

/// Normalises an `ExportTraceServiceRequest`, and marks its entries by what stands in this body alone: a parent that is
/// not in it counts as not LLM.
///
/// Order, ids, and all that no rule touches stay as they are, protobuf fields that are not known here among them. Spans that no backend would
/// take, such as those without ids, are left out: [`convert_with`] reports them. It is an error if no span is left.
pub fn convert(body: &[u8], options: &Convert) -> Result<Vec<u8>, Error> {
    convert_with(body, options, &Hooks::default()).map(|converted| converted.body)
}

/// The result of a conversion.
#[derive(Debug)]
pub struct Converted {
    /// The processed body, or the explanations.
    pub body: Vec<u8>,
    /// How many spans were left out, and why; `None` if all are there.
    pub partial_success: Option<PartialSuccess>,
}

/// As [`convert()`], with what the host does with content itself.
pub fn convert_with(body: &[u8], options: &Convert, hooks: &Hooks) -> Result<Converted, Error> {
    Converter::new(options).map_err(Error::Config)?.convert(body, hooks).map(Written::into_owned)
}

/// Why [`convert()`] gives what it gives: a JSON list with one object for each span, in the order of the body.
///
/// `{traceId, spanId, name, conventions: [name], entry: {is, code, why}, attributes, gone, goneEvents: [name]}`; the last three are left out where the
/// span goes out as it came. `attributes` holds every attribute that goes out, in order: `{key, from, convention, rule, how}` (the
/// source's key, the name of the convention, the row of its table, what that does), `{key, how}` where no attribute of the source gave it,
/// `{key, kept}` where it stays as the source had it; `mark: true` where it is a mark of the entry. `gone` holds the attributes of the source that do not go out, `{key, why, by: [key]}` and,
/// as above, the rule. `members` tells where each value inside of it is (`{path, in}`), `missing` the paths of those that nothing which goes out
/// has; an attribute that stays because others say a part of it has both too. Behind them stands what the privacy stage left out of events, of
/// links and of the status (`status.message`).
/// What the privacy stage did to an attribute stands in its `privacy`: `masked`, `mask failed`, `media replaced`, `truncated`, `dropped` (a
/// convention knows it as content) or `dropped: …` with the reason.
pub fn explain(body: &[u8], options: &Convert) -> Result<Vec<u8>, Error> {
    explain_with(body, options, &Hooks::default()).map(|explained| explained.body)
}

/// As [`explain()`], with what the host does with content itself.
pub fn explain_with(body: &[u8], options: &Convert, hooks: &Hooks) -> Result<Converted, Error> {
    Converter::new(options).map_err(Error::Config)?.explain(body, hooks)
}

/// Returns the body in the encoding `to`, without normalising it. Members that OTLP does not define are omitted; a body that is in that encoding
/// already is returned as it is. The encoding of the input is detected by its first bytes.
pub fn transcode(body: &[u8], to: Format) -> Result<Vec<u8>, Error> {
    match (body::format_of(body), to) {
        (Format::Json, Format::Protobuf) => json::to_protobuf(body).map_err(Error::Json),
        (Format::Protobuf, Format::Json) => json::from_protobuf(body).map_err(Error::Protobuf),
        _ => Ok(body.to_vec()),
    }
}

/// What a [`Converter`] wrote, in its memory.
#[derive(Debug)]
pub struct Written<'c> {
    /// The body.
    pub body: &'c [u8],
    /// As [`Converted::partial_success`].
    pub partial_success: Option<PartialSuccess>,
}

impl Written<'_> {
    fn into_owned(self) -> Converted {
        Converted { body: self.body.to_vec(), partial_success: self.partial_success }
    }
}

/// Converts bodies one after the other with the same options, each as if it were the only one. It keeps the dictionary and its memory: to make
/// them takes as long as to convert several spans.
pub struct Converter {
    from: Format,
    to: Format,
    config: Config,
    rules: ResourceRules,
    keys: Keys,
    arena: Bump,
    engine: Engine,
    form: usize,
    writer: Writer,
    /// The body that was written last, where that is JSON.
    json: Vec<u8>,
}

/// The most keys that the dictionary may have while a body is read, and before. It begins anew with those of the profile.
const MAX_KEYS: [usize; 2] = [1 << 16, 1 << 12];
/// The memory of a longer body is given back to the allocator before the next one is written.
const MAX_KEPT_BYTES: usize = 16 << 20;

/// A dictionary that knows no key but those of the profile, and what belongs to it: an engine, and the number of its form.
fn knowledge(config: &Config) -> Result<(Keys, Engine, usize), ConfigError> {
    let (mut keys, mut engine) = (Keys::new(MAX_KEYS[0]), Engine::new(config));
    keys.mappings = config.mappings;
    let form = engine.encoder.form(config, 0, &mut keys)?;
    Ok((keys, engine, form))
}

impl Converter {
    /// A converter by its options. The seed of its maps is that of [`crate::seed_hashes`].
    pub fn new(options: &Convert) -> Result<Self, ConfigError> {
        options.validate()?;
        let config = Config {
            destinations: vec![options.destination()],
            entry: Entry { hold_millis: f64::INFINITY, max_held: usize::MAX, max_spans: usize::MAX, ..options.entry.clone() },
            privacy: options.privacy.clone(),
            mappings: options.mappings,
            infer_provider: options.infer_provider,
            inherit_session: options.inherit_session,
            max_unpacked_bytes: options.max_unpacked_bytes,
            ..Config::default()
        };
        let (keys, engine, form) = knowledge(&config)?;
        Ok(Converter {
            from: options.from,
            to: options.to,
            rules: ResourceRules::new(&config.destinations[0]),
            config,
            keys,
            arena: Bump::new(),
            engine,
            form,
            writer: Writer::default(),
            json: Vec::new(),
        })
    }

    /// As [`convert()`]; the body is valid until the next call.
    pub fn convert(&mut self, body: &[u8], hooks: &Hooks) -> Result<Written<'_>, Error> {
        let mut from = self.from;
        let (_, partial_success) = self.process(body, hooks, &mut from, false)?;
        let body = match if self.to == Format::Auto { from } else { self.to } {
            Format::Json => {
                self.json = json::from_protobuf(self.writer.written()).map_err(Error::Protobuf)?;
                &self.json
            }
            _ => self.writer.written(),
        };
        Ok(Written { body, partial_success })
    }

    /// As [`explain()`].
    pub fn explain(&mut self, body: &[u8], hooks: &Hooks) -> Result<Converted, Error> {
        let (body, partial_success) = self.process(body, hooks, &mut { self.from }, true)?;
        Ok(Converted { body, partial_success })
    }

    /// Reads, processes and encodes a body as protobuf, and explains it if asked to. `format` becomes that of the body.
    fn process(
        &mut self,
        body: &[u8],
        hooks: &Hooks,
        format: &mut Format,
        explained: bool,
    ) -> Result<(Vec<u8>, Option<PartialSuccess>), Error> {
        if self.keys.count() > MAX_KEYS[1] {
            (self.keys, self.engine, self.form) = knowledge(&self.config).map_err(Error::Config)?;
        }
        let Admitted { body, partial_success, .. } = body::admitted(body, format, self.config.max_unpacked_bytes)?;
        let explanation = self.write(&body, hooks, explained);
        // What is in this body means nothing for the next one.
        self.engine.forget(&self.config);
        engine::reset(&mut self.arena);
        Ok((explanation?, partial_success))
    }

    fn write(&mut self, body: &[u8], hooks: &Hooks, explained: bool) -> Result<Vec<u8>, Error> {
        let Converter { config, rules, keys, arena, engine, form, writer: w, .. } = self;
        // Every key is interned by now, since what is understood borrows the dictionary.
        let request = read::parts(body, keys, arena).map_err(Error::Protobuf)?;
        let (keys, arena) = (&*keys, &*arena);
        let room = normalize::room(arena, body.len(), config.max_unpacked_bytes);
        // By span: a hash of the resource that it is of.
        let (mut spans, mut resources) = (Vec::new(), Vec::new());
        for of_resource in &request.resources {
            let attributes = of_resource.resource.as_ref().map_or(&[][..], |(_, described)| described.attributes);
            let proven = keys.conventions_of_resource(attributes);
            for of_scope in &of_resource.scopes {
                let name = of_scope.scope.as_ref().map_or(&[][..], |(_, scope)| scope.name);
                let scope_conventions = conventions::of_scope(name) | config.mappings.of_scope(name) | proven;
                let cx = Context { keys, arena, scope: name, scope_conventions, infer_provider: config.infer_provider, room };
                engine.understand(&of_scope.spans, &cx, false, &mut spans)?;
            }
            let raw = of_resource.resource.as_ref().map(|(raw, _)| *raw);
            resources.resize(spans.len(), Hash::default().hash_one(raw) as u32);
        }
        for i in engine.start_all(&spans) {
            if engine.comes_again(&spans[i], resources[i]) {
                spans[i].kept = 0;
            } else {
                engine.end(&mut spans[i], keys, arena, 0.0);
            }
        }
        engine.tree.flush();
        let mut explainer = explained.then(|| Explainer::new(keys, arena));
        if w.mark() > MAX_KEPT_BYTES {
            *w = Writer::default();
        }
        w.clear();
        envelope::write(
            w,
            &request,
            &mut |w, resource| {
                rules.write_read(w, resource, None, keys);
            },
            &mut |w, scope| describe::write_read_scope(w, scope, keys),
            &mut |w, _| {
                let Some(of) = spans.pop().filter(|of| of.kept != 0) else { return };
                let reason = engine.reason(of.span);
                let decision = if reason.is_some_and(Reason::is_entry) { Decision::Entry } else { Decision::Plain };
                let (mark, mut notes) = (w.mark(), Notes::new());
                let [fields, entry_fields] = engine.encoder.encode(*form, &of, decision, keys, hooks, explained.then_some(&mut notes));
                w.bytes(entry_fields);
                w.bytes(fields);
                if let Some(explainer) = &mut explainer {
                    explainer.span(&of, engine.encoder.writing(*form), (&w.written()[..w.mark() - mark], &notes), reason);
                }
                w.close(number::SCOPE_SPANS_SPANS, mark);
            },
        );
        Ok(explainer.map_or_else(Vec::new, Explainer::finish))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protobuf_body_that_begins_like_json_is_protobuf() {
        // ResourceSpans of 123 bytes: a line feed, then a brace.
        let mut body = vec![0x0a, 0x7b, 0x1a, 121];
        body.extend_from_slice(&[b'x'; 121]);
        assert_eq!(convert(&body, &Convert::default()).unwrap(), body);
        assert_eq!(convert(b"\n{\"resourceSpans\": []}", &Convert::default()).unwrap(), b"{}");
    }
}
