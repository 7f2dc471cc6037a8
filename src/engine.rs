//! The way of one span, from what a host's SDK or a body says of it to the bytes that go out. [`crate::Pipeline`] takes every span through here,
//! whether it comes in a frame or in a body, and so does [`crate::convert()`], which has a whole body and neither a queue nor a clock.
//!
//! Once it is normalised ([`Engine::understand`]), [`Engine::end`] counts its usage once, hands session and user down to it, and finds out whether
//! it is an entry. [`Encoder::encode`] writes it for a profile and applies the privacy settings.

use crate::body;
use crate::config::{self, Config, EntryValue};
use crate::conventions::custom::Mappings;
use crate::entry::{self, Decision, Destinations, Ended, Limits, Reason, Started, Tree};
use crate::error::{ConfigError, Error};
use crate::hash::Hash;
use crate::keys::Keys;
use crate::normalize::{self, Context, Normal};
use crate::privacy::{self, Hooks, Notes, Privacy};
use crate::profiles::write::{Keep, Writing};
use crate::protobuf::Writer;
use crate::span::{NO_PARENT, Span, SpanId};
use bumpalo::Bump;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::BuildHasher;

/// An arena is given back to the allocator when one span made it grow past this.
const ARENA_BYTES: usize = 4 << 20;

/// Empties an arena.
pub fn reset(arena: &mut Bump) {
    if arena.allocated_bytes() > ARENA_BYTES {
        *arena = Bump::new();
    } else {
        arena.reset();
    }
}

/// A span that ended, understood, and its context.
pub struct Understood<'s, 'a> {
    /// The span.
    pub span: &'s Span<'a>,
    /// Its message as it came in a body.
    pub raw: Option<&'s [u8]>,
    /// `None`: no convention knows it.
    pub normal: Option<&'s mut Normal<'a>>,
    /// Its parent may come later.
    pub patient: bool,
    /// Who gets it.
    pub kept: Destinations,
}

fn tree(config: &Config) -> Tree {
    let limits = Limits { hold_ms: config.entry.hold_millis, held: config.entry.max_held, spans: config.entry.max_spans };
    Tree::new(limits, config.entry.siblings)
}

/// Finds out what a span is.
pub struct Engine {
    /// All live and recent traces.
    pub tree: Tree,
    /// Writes what was found out.
    pub encoder: Encoder,
    /// How many spans ended.
    pub seen: u64,
    /// How many attributes and events were too large to be understood.
    pub unread: u64,
    /// How many spans may open a segment.
    pub llm: u64,
    /// All destinations.
    all: Destinations,
    mark_entries: bool,
    /// The provider is guessed where nothing names it.
    pub infer_provider: bool,
    /// A segment that began in another process has its entry there.
    pub across_processes: bool,
    /// Session and user are handed down to the spans that lack them.
    pub inherit_session: bool,
    /// What the user declared of keys.
    pub mappings: Mappings,
    /// How many bytes of memory what is in a body may take.
    pub max_unpacked_bytes: usize,
}

impl Engine {
    /// An engine by its configuration, without forms.
    pub fn new(config: &Config) -> Self {
        Engine {
            tree: tree(config),
            encoder: Encoder {
                forms: Vec::new(),
                entry_value: config.entry.value,
                counts: privacy::Counts::default(),
                scratch: Bump::new(),
                writer: Writer::default(),
            },
            seen: 0,
            unread: 0,
            llm: 0,
            all: Destinations::MAX >> (Destinations::BITS as usize - config.destinations.len()),
            mark_entries: config.entry.enabled,
            infer_provider: config.infer_provider,
            across_processes: config.entry.across_processes,
            inherit_session: config.inherit_session,
            mappings: config.mappings,
            max_unpacked_bytes: config.max_unpacked_bytes,
        }
    }

    /// Forgets all traces. `config` is that of the engine.
    pub fn forget(&mut self, config: &Config) {
        self.tree = tree(config);
    }

    /// Understands the spans of a body that are of one scope, and adds them to others.
    pub fn understand<'s, 'a>(
        &self,
        spans: &'s [(&'a [u8], Span<'a>)],
        cx: &Context<'a>,
        patient: bool,
        all: &mut Vec<Understood<'s, 'a>>,
    ) -> Result<(), Error> {
        for (raw, span) in spans {
            if cx.arena.allocated_bytes() > self.max_unpacked_bytes {
                return Err(body::too_large(self.max_unpacked_bytes));
            }
            // It is too large to be moved about.
            let normal = normalize::normalize(span, cx).map(|normal| cx.arena.alloc(normal));
            all.push(Understood { span, raw: Some(*raw), normal, patient, kept: self.all });
        }
        Ok(())
    }

    /// The spans of a body start, in the order of their clocks; sessions and users are handed down from above. Gives the order in which they
    /// end: children before their parents.
    pub fn start_all(&mut self, spans: &[Understood]) -> Vec<usize> {
        // A heap, since a stable sort is 3 KB of the module.
        let mut earliest: BinaryHeap<_> = spans.iter().enumerate().map(|(i, all)| Reverse((all.span.start, i))).collect();
        while let Some(Reverse((_, i))) = earliest.pop() {
            let Some(Understood { span, normal, patient, kept, .. }) = spans.get(i) else { continue };
            // Delivered once more: what it is has been decided.
            if self.tree.knows(span.trace_id, span.span_id) {
                continue;
            }
            let caller = self.caller(span);
            self.tree.start(Started {
                trace_id: span.trace_id,
                span_id: span.span_id,
                parent_id: span.parent_id,
                llm: self.mark_entries && normal.as_deref().is_some_and(|n| n.opens_segment),
                inside_segment: caller.is_some(),
                caller: caller.unwrap_or(NO_PARENT),
                patient: *patient,
                kept: *kept,
                ..Started::default()
            });
        }
        let ids: Vec<_> = spans.iter().map(|all| (all.span.trace_id, all.span.span_id, all.span.parent_id)).collect();
        let children_first = entry::children_first(&ids);
        for Understood { span, normal, .. } in children_first.iter().rev().filter_map(|i| spans.get(*i)) {
            if let Some(n) = normal.as_deref().filter(|n| self.inherit_session && n.is_llm()) {
                self.tree.introduce(span.trace_id, span.span_id, n.people());
            }
        }
        children_first
    }

    fn caller(&self, span: &Span) -> Option<SpanId> {
        entry::caller(span.trace_state).filter(|_| self.across_processes)
    }

    /// Returns true if a span of a body was taken before, as it is, from a resource of this number: it is the same once more.
    pub fn comes_again(&mut self, of: &Understood, resource: u32) -> bool {
        let print = Hash::default().hash_one((resource, of.raw)) as u32 | 1;
        self.tree.comes_again(of.span.trace_id, of.span.span_id, print)
    }

    /// A span ended: gives what it is, which [`Encoder::encode`] needs to know. Those who get it become those that rely on it too.
    pub fn end<'a>(&mut self, ended: &mut Understood<'_, 'a>, keys: &Keys, arena: &'a Bump, now: f64) -> Decision {
        let Understood { span, normal, patient, kept, .. } = ended;
        let (trace_id, span_id, parent_id) = (span.trace_id, span.span_id, span.parent_id);
        self.seen += 1;
        let used = normal.as_deref().map(Normal::usage).unwrap_or_default();
        let repeated = self.tree.repeats(trace_id, span_id, parent_id, used, *kept & self.all == self.all);
        let (mut llm, mut mark, mut root) = (false, None, None);
        if let Some(n) = normal.as_deref_mut() {
            self.unread += u64::from(n.unread);
            self.llm += u64::from(n.opens_segment);
            n.leave_to_children(repeated);
            if self.inherit_session && n.is_llm() {
                let known = self.tree.people(trace_id, span_id);
                n.inherit(known, arena);
                if n.people() != known {
                    self.tree.introduce(trace_id, span_id, n.people());
                }
            }
            if self.mark_entries {
                (llm, mark) = (n.opens_segment, n.mark);
                // It counts where the parent is not known.
                if n.says_root() && !self.tree.knows(trace_id, parent_id) {
                    root = normalize::root(span, keys);
                }
            }
        }
        let remote = span.parent_is_remote();
        let (caller, patient) = (self.caller(span), *patient);
        let decision;
        (decision, *kept) =
            self.tree.end(Ended { trace_id, span_id, parent_id, llm, mark, remote, caller, root, patient, kept: *kept }, now);
        decision
    }

    /// Why a span is, or is not, the entry; `None`: it is not decided, or entries are not looked for.
    pub fn reason(&self, span: &Span) -> Option<Reason> {
        self.tree.reason(span.trace_id, span.span_id).filter(|_| self.mark_entries)
    }
}

/// Profile, keep and privacy that at least one destination has; destinations with the same share the bytes.
struct Form {
    writing: Writing,
    privacy: Privacy,
    of: (config::Profile, Keep, privacy::Settings),
}

/// Writes a span as it leaves.
pub struct Encoder {
    forms: Vec<Form>,
    entry_value: EntryValue,
    /// What the privacy settings did.
    pub counts: privacy::Counts,
    /// Memory of one span, while a profile writes it.
    scratch: Bump,
    writer: Writer,
}

impl Encoder {
    /// The number of the form that a destination of the configuration gets.
    pub fn form(&mut self, config: &Config, destination: usize, keys: &mut Keys) -> Result<usize, ConfigError> {
        let d = &config.destinations[destination];
        let (privacy, at) = match &d.privacy {
            Some(own) => (own, format!("destinations[{destination}].")),
            None => (&config.privacy, String::new()),
        };
        let of = (d.profile, d.keep.unwrap_or(d.profile.table().keep), privacy.clone());
        if let Some(form) = self.forms.iter().position(|form| form.of == of) {
            return Ok(form);
        }
        let table = of.0.table();
        let privacy = Privacy::new(privacy, table, &at)?;
        keys.add_profile(&table.written());
        self.forms.push(Form { writing: Writing::new(table, of.1, keys), privacy, of });
        Ok(self.forms.len() - 1)
    }

    /// How many forms there are.
    pub fn forms(&self) -> usize {
        self.forms.len()
    }

    /// The profile of a form.
    pub fn writing(&self, form: usize) -> &Writing {
        &self.forms[form].writing
    }

    /// The fields of a span in a form, and those that it gets as an entry; none where it is sure to be plain. `notes` takes what the privacy settings
    /// did to it.
    pub fn encode<'e>(
        &'e mut self,
        form: usize,
        of: &'e Understood,
        decision: Decision,
        keys: &'e Keys,
        hooks: &'e Hooks,
        notes: Option<&'e mut Notes>,
    ) -> [&'e [u8]; 2] {
        reset(&mut self.scratch);
        let (form, w, arena) = (&self.forms[form], &mut self.writer, &self.scratch);
        let normal = of.normal.as_deref();
        let mut entry_fields = &[][..];
        w.clear();
        if decision != Decision::Plain {
            form.writing.entry_mark(w, &self.entry_value.mark(), keys);
            if let Some(n) = normal {
                form.writing.entry_content(w, of.span, n, keys, arena);
            }
            entry_fields = arena.alloc_slice_copy(w.written());
            w.clear();
        }
        let fields = match of.raw.filter(|_| normal.is_none() && !form.writing.has_paths()) {
            Some(raw) => raw,
            None => {
                form.writing.span(w, of.span, normal, keys, arena);
                w.written()
            }
        };
        let is_recognised = normal.is_some_and(Normal::is_recognised);
        let run = privacy::Run { keys, arena, hooks, counts: &mut self.counts, notes };
        form.privacy.apply([fields, entry_fields], is_recognised, run)
    }

    /// The fields of a span cut to half their length, or as far as that can be done.
    pub fn shorten<'e>(&mut self, form: usize, fields: &'e [u8], keys: &Keys, hooks: &Hooks, arena: &'e Bump) -> &'e [u8] {
        let run = privacy::Run { keys, arena, hooks, counts: &mut self.counts, notes: None };
        self.forms[form].privacy.shorten(fields, fields.len() / 2, run)
    }

    /// Returns true if the privacy settings of a form change nothing in a body that no convention knows.
    pub fn is_idle(&self, form: usize, body: &[u8], hooks: &Hooks) -> bool {
        !self.forms[form].writing.has_paths() && self.forms[form].privacy.is_idle([body, &[]], false, hooks)
    }
}
