//! The work of the tree grows with the number of spans, and hardly faster, whatever the shape of a trace and the way in which it comes:
//! counted in steps, not timed.

use super::*;
use std::cell::Cell;

thread_local! {
    /// How many steps the tree took on this thread.
    pub(super) static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// A span of a trace, which stand in the order in which they start.
#[derive(Clone, Copy, Default)]
struct Made {
    /// Index of the parent; its own index: none.
    parent: usize,
    llm: bool,
    mark: Option<bool>,
    /// It names a session of its own.
    named: bool,
    /// Its parent is never seen.
    lost_parent: bool,
}

/// SplitMix64.
fn random(seed: &mut u64) -> usize {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (z ^ (z >> 27)) as usize >> 8
}

fn below(parent: usize) -> Made {
    Made { parent, ..Made::default() }
}

fn llm(parent: usize) -> Made {
    Made { llm: true, ..below(parent) }
}

fn marked(parent: usize) -> Made {
    Made { mark: Some(true), ..llm(parent) }
}

/// A chain of plain spans, then leaves at its end.
fn broom(n: usize, leaf: fn(usize) -> Made) -> Vec<Made> {
    (0..n).map(|i| if i < n / 2 { below(i.saturating_sub(1)) } else { leaf(n / 2 - 1) }).collect()
}

/// A chain, and a leaf at each of its spans.
fn comb(n: usize, link: fn(usize) -> Made, leaf: fn(usize) -> Made) -> Vec<Made> {
    (0..n).map(|i| if i % 2 == 0 { link(i.saturating_sub(2)) } else { leaf(i - 1) }).collect()
}

/// The parent of a span is chosen from among the `near` ones before it. One in three is LLM, one in ten is marked.
fn at_random(n: usize, near: usize) -> Vec<Made> {
    let mut seed = 7;
    let mut made = |i: usize| {
        let parent = i.saturating_sub(1 + random(&mut seed) % near.min(i.max(1)));
        let mark = [Some(true), Some(false)].get(random(&mut seed) % 20).copied().flatten();
        Made { llm: random(&mut seed).is_multiple_of(3), mark, named: random(&mut seed).is_multiple_of(100), ..below(parent) }
    };
    (0..n).map(&mut made).collect()
}

type Shape = (&'static str, fn(usize) -> Vec<Made>);

const SHAPES: [Shape; 21] = [
    ("a chain", |n| (0..n).map(|i| below(i.saturating_sub(1))).collect()),
    ("LLM leaves at the end of a chain", |n| broom(n, llm)),
    ("marked leaves at the end of a chain", |n| broom(n, marked)),
    ("named leaves at the end of a chain", |n| broom(n, |parent| Made { named: true, ..llm(parent) })),
    ("a fan below a plain span", |n| (0..n).map(|i| if i == 0 { below(0) } else { llm(0) }).collect()),
    ("a comb with LLM teeth", |n| comb(n, below, llm)),
    ("a comb with marked teeth below LLM spans", |n| comb(n, llm, marked)),
    ("a heap", |n| (0..n).map(|i| if i % 3 == 0 { llm(i.saturating_sub(1) / 2) } else { below(i.saturating_sub(1) / 2) }).collect()),
    ("a random tree", |n| at_random(n, usize::MAX)),
    ("a deep random tree", |n| at_random(n, 8)),
    ("a cycle with leaves", |n| {
        let mut spans = broom(n, llm);
        spans[0].parent = n / 2 - 1;
        spans
    }),
    ("a chain that ends in a span that is never seen", |n| {
        let mut spans = broom(n, llm);
        spans[0].lost_parent = true;
        spans
    }),
    ("a chain of LLM spans", |n| (0..n).map(|i| llm(i.saturating_sub(1))).collect()),
    ("a chain of LLM spans that refuse", |n| (0..n).map(|i| Made { mark: Some(false), ..llm(i.saturating_sub(1)) }).collect()),
    ("a chain of marked spans", |n| (0..n).map(|i| marked(i.saturating_sub(1))).collect()),
    ("LLM leaves below a chain of which the last span refuses", |n| {
        let mut spans = broom(n, llm);
        spans[n / 2 - 1] = Made { mark: Some(false), llm: true, ..spans[n / 2 - 1] };
        spans
    }),
    ("a fan", |n| (0..n).map(|_| llm(0)).collect()),
    ("a comb with some marked teeth", |n| {
        let mut spans = comb(n, below, llm);
        spans.iter_mut().step_by(9).for_each(|span| span.mark = Some(true));
        spans
    }),
    ("many chains", |n| {
        let length = n.isqrt();
        (0..n).map(|i| if i % length < 2 { llm(0) } else { below(i - 1) }).collect()
    }),
    ("many cycles with leaves", |n| {
        (0..n).map(|i| if i % 3 == 2 { llm(i - 1) } else { below(i ^ usize::from(i + 1 < n && i % 3 == 0)) }).collect()
    }),
    ("spans below one that is never seen", |n| (0..n).map(|_| Made { lost_parent: true, ..llm(0) }).collect()),
];

/// A trace comes in one of these ways.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// From a host, children ending first.
    Frames,
    /// From a host, parents ending first.
    FramesParentsFirst,
    /// From a host, the ends in any order.
    FramesAnyOrder,
    /// In one body, its spans in any order.
    Body,
    /// In bodies of 500 spans, parents first.
    Bodies,
    /// In bodies of 500 spans, children first.
    BodiesChildrenFirst,
    /// By `convert`.
    Convert,
}

const TRACE: TraceId = [7; 16];

fn id(n: usize) -> SpanId {
    (n as u64 + 1).to_be_bytes()
}

struct Run<'m> {
    tree: Tree,
    spans: &'m [Made],
    decided: usize,
    patient: bool,
}

impl Run<'_> {
    fn parent_id(&self, n: usize) -> SpanId {
        match self.spans[n] {
            Made { lost_parent: true, .. } => [0xee; 8],
            Made { parent, .. } if parent == n => NO_PARENT,
            Made { parent, .. } => id(parent),
        }
    }

    fn start(&mut self, n: usize) {
        let Made { llm, named, .. } = self.spans[n];
        let name = [n as u8, (n >> 8) as u8, (n >> 16) as u8];
        self.tree.start(Started {
            trace_id: TRACE,
            span_id: id(n),
            parent_id: self.parent_id(n),
            llm,
            patient: self.patient,
            people: [named.then_some(&name), None, None],
            // One destination gets LLM spans only.
            kept: 2 | Destinations::from(llm),
            ..Started::default()
        });
        self.ask(n);
    }

    /// A request is made in a span of a host.
    fn ask(&mut self, n: usize) {
        if !self.patient {
            self.tree.segment(TRACE, id(n));
        }
    }

    fn end(&mut self, n: usize) {
        let Made { llm, mark, .. } = self.spans[n];
        let parent_id = self.parent_id(n);
        let used = Usage { tokens: [1, 1], has_tokens: llm, ..Usage::default() };
        self.tree.repeats(TRACE, id(n), parent_id, if llm { used } else { Usage { sums: true, ..Usage::default() } }, true);
        if llm {
            let named = self.tree.people(TRACE, id(n)).map(|name| name.map(<[u8]>::to_vec));
            self.tree.introduce(TRACE, id(n), named.each_ref().map(Option::as_deref));
        }
        let kept = 2 | Destinations::from(llm);
        let ended = Ended { trace_id: TRACE, span_id: id(n), parent_id, llm, mark, patient: self.patient, kept, ..Ended::default() };
        let (decision, _) = self.tree.end(ended, n as f64 / 1_000.0);
        self.decided += usize::from(decision != Decision::Hold);
        self.tree.kept_parent(TRACE, parent_id, 1);
        self.tree.kept_parent(TRACE, parent_id, 2);
        self.ask(self.spans.len() - 1);
        self.drain();
    }

    fn drain(&mut self) {
        self.decided += std::iter::from_fn(|| self.tree.resolved()).count();
    }

    fn body(&mut self, spans: &[usize]) {
        spans.iter().for_each(|n| self.start(*n));
        let ids: Vec<_> = spans.iter().map(|n| (TRACE, id(*n), self.parent_id(*n))).collect();
        super::children_first(&ids).into_iter().for_each(|i| self.end(spans[i]));
    }
}

/// The steps that a trace takes.
fn steps(spans: &[Made], siblings: Siblings, way: Way) -> u64 {
    let limits = match way {
        Way::Convert => Limits { hold_ms: f64::INFINITY, held: usize::MAX, spans: usize::MAX },
        // The defaults.
        _ => Limits { hold_ms: 30_000.0, held: 1_000, spans: 50_000 },
    };
    let patient = matches!(way, Way::Body | Way::Bodies | Way::BodiesChildrenFirst);
    let mut run = Run { tree: Tree::new(limits, siblings), spans, decided: 0, patient };
    let mut order: Vec<_> = (0..spans.len()).collect();
    let mut seed = 11;
    let mut shuffle = |order: &mut [usize]| (1..order.len()).for_each(|i| order.swap(i, random(&mut seed) % (i + 1)));
    STEPS.set(0);
    match way {
        Way::Frames | Way::FramesParentsFirst | Way::FramesAnyOrder => {
            order.iter().for_each(|n| run.start(*n));
            match way {
                Way::Frames => order.reverse(),
                Way::FramesAnyOrder => shuffle(&mut order),
                _ => {}
            }
            order.iter().for_each(|n| run.end(*n));
        }
        Way::Body | Way::Convert => {
            shuffle(&mut order);
            run.body(&order);
        }
        Way::Bodies => order.chunks(500).for_each(|body| run.body(body)),
        Way::BodiesChildrenFirst => {
            order.reverse();
            order.chunks(500).for_each(|body| run.body(body));
        }
    }
    run.tree.flush();
    run.drain();
    assert_eq!((run.decided, run.tree.held()), (spans.len(), 0), "each span is decided once: {way:?}");
    STEPS.get()
}

/// Ten times the spans are less than twenty times the work (it would be a hundred times if it were quadratic), and 150 steps a span
/// are enough.
fn near_linear(shapes: &[Shape], siblings: Siblings, ways: &[Way], sizes: &[usize]) {
    for (shape, make) in shapes {
        for way in ways {
            let counts: Vec<_> = sizes.iter().map(|n| steps(&make(*n), siblings, *way)).collect();
            println!("{siblings:?}, {way:?}, {shape}: steps for {sizes:?} spans are {counts:?}");
            for (n, pair) in sizes.iter().zip(counts.windows(2)) {
                assert!(pair[1] <= 20 * pair[0].max(*n as u64), "{shape}, {siblings:?}, {way:?}: steps for {sizes:?} spans are {counts:?}");
            }
            let enough = sizes.iter().zip(&counts).all(|(n, steps)| *steps <= 150 * *n as u64);
            assert!(enough, "{shape}, {siblings:?}, {way:?}: steps for {sizes:?} spans are {counts:?}");
        }
    }
}

const SIZES: [usize; 2] = [400, 4_000];
const LARGE: [usize; 2] = [10_000, 100_000];

#[test]
fn traces_of_a_host_take_work_near_linear_in_their_spans() {
    near_linear(&SHAPES, Siblings::Each, &[Way::Frames, Way::FramesParentsFirst, Way::FramesAnyOrder], &SIZES);
}

#[test]
fn traces_in_bodies_take_work_near_linear_in_their_spans() {
    near_linear(&SHAPES, Siblings::Each, &[Way::Body, Way::Bodies, Way::BodiesChildrenFirst], &SIZES);
}

/// Nothing bounds the tree here.
#[test]
fn converted_traces_take_work_near_linear_in_their_spans() {
    near_linear(&SHAPES[12..], Siblings::Each, &[Way::Convert], &SIZES);
}

// Two tests for two threads.
#[test]
fn large_converted_traces_take_work_near_linear_in_their_spans() {
    near_linear(&SHAPES[..6], Siblings::Each, &[Way::Convert], &LARGE);
}

#[test]
fn other_large_converted_traces_take_work_near_linear_in_their_spans() {
    near_linear(&SHAPES[6..12], Siblings::Each, &[Way::Convert], &LARGE);
}

#[test]
fn siblings_of_which_one_is_the_entry_take_work_near_linear_in_their_number() {
    for siblings in [Siblings::First, Siblings::CommonAncestor] {
        near_linear(&SHAPES, siblings, &[Way::Frames, Way::FramesAnyOrder, Way::Body, Way::Convert], &SIZES);
    }
}
