//! Entry detection against the rule: whole traces, made at random, through the streaming tree and through a slow reference that sees
//! everything at once. `GENSPAN_TRACES` and `GENSPAN_SEED` make a longer run of it.

use genspan::internals::entry::{Decision, Ended, Limits, Siblings, Started, Tree};
use std::collections::HashMap;

const NO_PARENT: [u8; 8] = [0; 8];
const LIMITS: Limits = Limits { hold_ms: f64::INFINITY, held: usize::MAX, spans: usize::MAX };

/// SplitMix64: the same traces for the same seed, everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

#[derive(Clone, Debug)]
struct Made {
    parent: Option<usize>,
    llm: bool,
    /// Its start already tells that it is LLM.
    known_at_start: bool,
    mark: Option<bool>,
    /// Its parent lives in another process, inside a segment.
    inside: bool,
    /// Never seen: it was not sampled, or its batch was lost.
    lost: bool,
}

/// A trace of 1 to 70 spans, up to 60 deep: chains, stars and what is between. More than half of them have marks below LLM spans.
fn made(random: &mut Random) -> Vec<Made> {
    let (count, bushy) = (1 + random.below(70), random.below(100));
    let marks = random.chance(65);
    let mut depth: Vec<usize> = Vec::new();
    let mut spans: Vec<_> = (0..count)
        .map(|n| {
            let nearest = n.checked_sub(1).filter(|last| depth[*last] < 60);
            let parent = match nearest {
                Some(last) if !random.chance(bushy) => Some(last),
                _ if n == 0 || random.chance(3) => None,
                _ => Some(random.below(n)).filter(|p| depth[*p] < 60),
            };
            depth.push(parent.map_or(0, |p| depth[p] + 1));
            Made {
                parent,
                llm: random.chance(40),
                known_at_start: random.chance(50),
                mark: [Some(true), Some(true), Some(false), None, None, None, None]
                    .get(random.below(if marks { 7 } else { 0 }))
                    .copied()
                    .flatten()
                    .filter(|_| marks),
                inside: random.chance(2),
                lost: false,
            }
        })
        .collect();
    let below_llm: Vec<_> = (0..count).filter(|n| ancestors(&spans, *n).any(|a| spans[a].llm)).collect();
    if marks && !below_llm.is_empty() {
        spans[below_llm[random.below(below_llm.len())]].mark = Some(true);
    }
    spans
}

fn ancestors(spans: &[Made], n: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(spans[n].parent, |p| spans[*p].parent)
}

fn has_mark_below_llm(spans: &[Made]) -> bool {
    (0..spans.len()).any(|n| spans[n].mark == Some(true) && ancestors(spans, n).any(|a| spans[a].llm))
}

/// The rule on the finished trace: which spans are entries, and how many marks came too late.
///
/// - A span that is marked `true` and has no marked span above it is an entry.
/// - An LLM span with no LLM span and no marked span above it is an entry, unless it says `false` or a span below it is marked.
/// - Where such an LLM span had to be decided before any span below it ended with a mark, it stays the entry, and those marks are dropped.
/// - A span in or below a process that was called from inside a segment is no entry, and its mark is none.
///
/// A span is decided once it has ended and so has every span above it. Where a span above it was lost, it is decided at once, or with
/// `patient` at the very end. A mark is known to be below a span once it ended and the spans between them were seen.
fn reference(spans: &[Made], siblings: Siblings, Times { seen: seen_at, ended }: &Times, patient: bool) -> (Vec<bool>, usize) {
    let seen = |n: usize| spans[n].parent.filter(|p| !spans[*p].lost);
    let above = |n: usize| std::iter::successors(seen(n), |p| seen(*p));
    let self_and_above = |n: usize| std::iter::once(n).chain(above(n));
    let here = |n: usize| !spans[n].lost && !self_and_above(n).any(|a| spans[a].inside);
    let marked = |n: usize| here(n) && spans[n].mark == Some(true);
    let outermost_mark = |n: usize| marked(n) && !above(n).any(marked);
    let outermost_llm = |n: usize| {
        let stands_out = !above(n).any(|a| spans[a].llm || marked(a));
        here(n) && spans[n].llm && spans[n].mark.is_none() && stands_out
    };
    let decided_at = |n: usize| {
        let top = self_and_above(n).last().unwrap();
        if patient && spans[top].parent.is_some() { usize::MAX } else { self_and_above(n).map(|a| ended[a]).max().unwrap() }
    };
    // When the first mark below each span was known.
    let mut first_mark = vec![usize::MAX; spans.len()];
    for m in (0..spans.len()).filter(|m| marked(*m)) {
        let mut known = ended[m];
        for a in above(m) {
            first_mark[a] = first_mark[a].min(known);
            known = known.max(seen_at[a]);
        }
    }
    let inferred: Vec<_> =
        (0..spans.len()).map(|n| outermost_llm(n) && (first_mark[n] == usize::MAX || first_mark[n] > decided_at(n))).collect();
    let overruled = |n: usize| marked(n) && above(n).any(|a| inferred[a]);
    let plain_rule = |n: usize| inferred[n] || outermost_mark(n) && !overruled(n);
    // A mark that a span above it had when it ended is a copy, whatever was decided.
    let late = |n: &usize| overruled(*n) && !above(*n).any(|a| marked(a) && ended[a] < ended[*n]);
    let late = (0..spans.len()).filter(late).count();
    // From the leaves up: the entries below a span, and what becomes of them where they meet.
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    let mut entries = vec![false; spans.len()];
    for n in (0..spans.len()).rev().filter(|n| !spans[*n].lost) {
        let mut list = std::mem::take(&mut below[n]);
        if plain_rule(n) {
            list = vec![n];
        } else {
            let marked = list.iter().any(|e| spans[*e].mark == Some(true));
            match siblings {
                Siblings::Each => {}
                Siblings::First if marked => list.retain(|e| spans[*e].mark == Some(true)),
                Siblings::First => list = list.into_iter().min().into_iter().collect(),
                Siblings::CommonAncestor if list.len() > 1 && !marked && spans[n].mark.is_none() => list = vec![n],
                Siblings::CommonAncestor => {}
            }
        }
        match seen(n) {
            Some(parent) => below[parent].extend(list),
            None => list.into_iter().for_each(|e| entries[e] = true),
        }
    }
    (entries, late)
}

/// What the tree says of the spans of some traces.
struct Answers {
    spans: HashMap<([u8; 16], [u8; 8]), bool>,
}

impl Answers {
    fn settle(&mut self, trace: [u8; 16], span: [u8; 8], entry: bool) {
        assert_eq!(self.spans.insert((trace, span), entry), None, "a span was decided twice");
    }

    fn drain(&mut self, tree: &mut Tree) {
        while let Some((trace, span, entry)) = tree.resolved() {
            self.settle(trace, span, entry);
        }
    }

    fn end(&mut self, tree: &mut Tree, ended: Ended) {
        match tree.end(ended, 0.0).0 {
            Decision::Hold => {}
            decision => self.settle(ended.trace_id, ended.span_id, decision == Decision::Entry),
        }
        self.drain(tree);
    }

    fn of(&self, trace: usize, spans: &[Made]) -> Vec<bool> {
        (0..spans.len()).map(|n| !spans[n].lost && self.spans[&(trace_id(trace), span_id(n))]).collect()
    }
}

fn trace_id(n: usize) -> [u8; 16] {
    let mut id = [9; 16];
    id[8..].copy_from_slice(&(n as u64).to_be_bytes());
    id
}

/// The same in every trace.
fn span_id(n: usize) -> [u8; 8] {
    (n as u64 + 1).to_be_bytes()
}

fn started(trace: usize, n: usize, s: &Made) -> Started<'static> {
    Started {
        trace_id: trace_id(trace),
        span_id: span_id(n),
        parent_id: s.parent.map_or(NO_PARENT, span_id),
        llm: s.llm && s.known_at_start,
        inside_segment: s.inside,
        ..Default::default()
    }
}

fn ended(trace: usize, n: usize, s: &Made) -> Ended {
    Ended {
        trace_id: trace_id(trace),
        span_id: span_id(n),
        parent_id: s.parent.map_or(NO_PARENT, span_id),
        llm: s.llm,
        mark: s.mark,
        caller: s.inside.then_some(NO_PARENT),
        ..Default::default()
    }
}

/// Starts and ends of a trace in an order that can be: a span starts after its parent. With `nested` it ends before it, too.
fn run_of(spans: &[Made], nested: bool, random: &mut Random) -> Vec<(bool, usize)> {
    let mut order = Vec::new();
    let (mut next, mut open): (usize, Vec<usize>) = (0, Vec::new());
    let mut children: Vec<usize> = vec![0; spans.len()];
    spans.iter().filter_map(|s| s.parent).for_each(|p| children[p] += 1);
    while next < spans.len() || !open.is_empty() {
        let can_end: Vec<usize> = open.iter().copied().filter(|n| !nested || children[*n] == 0).collect();
        if next < spans.len() && (can_end.is_empty() || random.chance(50)) {
            order.push((true, next));
            open.push(next);
            next += 1;
        } else {
            let n = can_end[random.below(can_end.len())];
            order.push((false, n));
            open.retain(|o| *o != n);
            if let Some(parent) = spans[n].parent {
                children[parent] -= 1;
            }
        }
    }
    order.retain(|(_, n)| !spans[*n].lost);
    order
}

/// When each span was first seen, and when it ended, by the place of these events in their order.
#[derive(Clone)]
struct Times {
    seen: Vec<usize>,
    ended: Vec<usize>,
}

impl Times {
    /// `run`: a start (`true`) or an end of a span, in order.
    fn new(count: usize, run: &[(bool, usize)]) -> Self {
        let mut times = Times { seen: vec![usize::MAX; count], ended: vec![usize::MAX; count] };
        for (at, (start, n)) in run.iter().enumerate() {
            let of = if *start { &mut times.seen } else { &mut times.ended };
            of[*n] = at;
        }
        times
    }
}

/// Runs traces through one tree, their calls mixed, and holds what comes out against the rule. Gives how many entries there were, and
/// how many marks came too late.
fn hold(traces: &[Vec<Made>], siblings: Siblings, nested: bool, random: &mut Random) -> (usize, usize) {
    let runs: Vec<_> = traces.iter().map(|spans| run_of(spans, nested, random)).collect();
    let times: Vec<_> = runs.iter().zip(traces).map(|(run, spans)| Times::new(spans.len(), run)).collect();
    let mut runs: Vec<_> = runs.into_iter().map(Vec::into_iter).collect();
    let mut tree = Tree::new(LIMITS, siblings);
    let mut answers = Answers { spans: HashMap::new() };
    let mut running: Vec<usize> = (0..traces.len()).collect();
    while !running.is_empty() {
        let at = random.below(running.len());
        let trace = running[at];
        match runs[trace].next() {
            None => drop(running.swap_remove(at)),
            Some((true, n)) => tree.start(started(trace, n, &traces[trace][n])),
            Some((false, n)) => answers.end(&mut tree, ended(trace, n, &traces[trace][n])),
        }
    }
    assert_eq!(tree.held(), 0, "all have ended");
    let (mut entries, mut late) = (0, 0);
    for (trace, spans) in traces.iter().enumerate() {
        let (expected, late_here) = reference(spans, siblings, &times[trace], false);
        assert_eq!(answers.of(trace, spans), expected, "{siblings:?}, trace {trace}: {spans:#?}");
        for n in 0..spans.len() {
            let above = ancestors(spans, n).take_while(|a| !spans[*a].lost);
            assert!(!expected[n] || above.filter(|a| expected[*a]).count() == 0, "at most one on each path: {spans:#?}");
        }
        (entries, late) = (entries + expected.iter().filter(|entry| **entry).count(), late + late_here);
    }
    assert_eq!(tree.counts().late_marks, late as u64, "{siblings:?}");
    (entries, late)
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

#[test]
fn whatever_happens_at_once_the_rule_holds() {
    let (count, seed) = (number("GENSPAN_TRACES", 6_000), number("GENSPAN_SEED", 20_261_125) as u64);
    let mut random = Random(seed);
    let (mut done, mut spans, mut entries, mut marked, mut late) = (0, 0, 0, 0, 0);
    while done < count {
        let mut traces: Vec<_> = (0..1_000.min(count - done)).map(|_| made(&mut random)).collect();
        let (each, late_marks) = hold(&traces, Siblings::Each, false, &mut random);
        hold(&traces, Siblings::Each, true, &mut random);
        hold(&traces, Siblings::First, true, &mut random);
        hold(&traces, Siblings::CommonAncestor, true, &mut random);
        // The same with spans that nobody sees.
        marked += traces.iter().filter(|spans| has_mark_below_llm(spans)).count();
        traces.iter_mut().flatten().for_each(|s| s.lost = random.chance(10));
        hold(&traces, Siblings::Each, false, &mut random);
        (done, spans, entries) = (done + traces.len(), spans + traces.iter().map(Vec::len).sum::<usize>(), entries + each);
        late += late_marks;
    }
    println!(
        "seed {seed}: {done} traces, {marked} with marks below LLM spans, {spans} spans, {entries} entries, {late} late marks, each trace five times"
    );
    assert!(entries > count, "the traces are such that most have an entry");
    assert!(marked * 2 > count && late > 0, "half of the traces have marks below LLM spans: {marked}, some of them too late: {late}");
}

/// Spans of finished traces come in bodies, in any order. Gives the times of each trace, too.
fn in_bodies(traces: &[Vec<Made>], random: &mut Random) -> (Answers, Vec<Times>) {
    let mut runs: Vec<Vec<(bool, usize)>> = vec![Vec::new(); traces.len()];
    let mut all: Vec<_> = traces.iter().enumerate().flat_map(|(t, spans)| (0..spans.len()).map(move |n| (t, n))).collect();
    all.retain(|(t, n)| !traces[*t][*n].lost);
    for i in (1..all.len()).rev() {
        all.swap(i, random.below(i + 1));
    }
    let mut tree = Tree::new(LIMITS, Siblings::Each);
    let mut answers = Answers { spans: HashMap::new() };
    while !all.is_empty() {
        let body = all.split_off(all.len().saturating_sub(1 + random.below(200)));
        for &(t, n) in &body {
            let s = &traces[t][n];
            runs[t].push((true, n));
            tree.start(Started { llm: s.llm, patient: true, ..started(t, n, s) });
        }
        let ids: Vec<_> = body.iter().map(|&(t, n)| (trace_id(t), span_id(n), traces[t][n].parent.map_or(NO_PARENT, span_id))).collect();
        for i in genspan::internals::entry::children_first(&ids) {
            let (t, n) = body[i];
            runs[t].push((false, n));
            answers.end(&mut tree, Ended { patient: true, ..ended(t, n, &traces[t][n]) });
        }
    }
    tree.flush();
    answers.drain(&mut tree);
    let times = traces.iter().zip(&runs).map(|(spans, run)| Times::new(spans.len(), run)).collect();
    (answers, times)
}

#[test]
fn out_of_bodies_in_any_order_the_rule_holds_where_the_window_is_long_enough() {
    let mut random = Random(7);
    for _ in 0..40 {
        let mut traces: Vec<_> = (0..20).map(|_| made(&mut random)).collect();
        let (answers, times) = in_bodies(&traces, &mut random);
        for (trace, spans) in traces.iter().enumerate() {
            let (expected, _) = reference(spans, Siblings::Each, &times[trace], true);
            assert_eq!(answers.of(trace, spans), expected, "trace {trace}: {spans:#?}");
        }
        traces.iter_mut().flatten().for_each(|s| s.lost = random.chance(10));
        let (answers, times) = in_bodies(&traces, &mut random);
        for (trace, spans) in traces.iter().enumerate() {
            // What is below a span that never came is one segment: of its entries one stays, and the marked ones.
            let (found, mut expected) = (answers.of(trace, spans), reference(spans, Siblings::Each, &times[trace], true).0);
            let top = |n: usize| std::iter::successors(Some(n), |n| spans[*n].parent.filter(|p| !spans[*p].lost)).last().unwrap();
            let mut of_lost: HashMap<usize, (usize, usize, usize)> = HashMap::new();
            for n in 0..spans.len() {
                if !expected[n] {
                    continue;
                }
                let Some(lost) = spans[top(n)].parent else { continue };
                let (marked, inferred, kept) = of_lost.entry(lost).or_default();
                if spans[n].mark == Some(true) {
                    *marked += 1;
                } else {
                    *inferred += 1;
                    *kept += usize::from(found[n]);
                    expected[n] = found[n];
                }
            }
            assert_eq!(found, expected, "trace {trace}: {spans:#?}");
            for (marked, inferred, kept) in of_lost.into_values() {
                let one = if marked > 0 { kept <= 1 } else { kept == inferred.min(1) };
                assert!(one, "{kept} of {inferred} below one lost span: {spans:#?}");
            }
        }
    }
}

#[test]
fn traces_whose_roots_never_end_stay_under_the_bound() {
    let limits = Limits { hold_ms: 30_000.0, held: 1_000, spans: 50_000 };
    let mut tree = Tree::new(limits, Siblings::Each);
    let (mut most, mut entries) = (0, 0);
    for trace in 0..100_000 {
        let span = |parent, llm| Made { parent, llm, known_at_start: true, mark: None, inside: false, lost: false };
        let (root, child) = (span(None, false), span(Some(0), true));
        tree.start(started(trace, 0, &root));
        tree.start(started(trace, 1, &child));
        assert_eq!(tree.end(ended(trace, 1, &child), trace as f64).0, Decision::Hold);
        tree.tick(trace as f64);
        entries += std::iter::from_fn(|| tree.resolved()).filter(|(.., entry)| *entry).count();
        most = most.max(tree.tracked());
        assert!(tree.held() <= limits.held);
    }
    tree.flush();
    entries += std::iter::from_fn(|| tree.resolved()).filter(|(.., entry)| *entry).count();
    assert_eq!((most, entries), (limits.spans, 100_000), "every candidate is an entry, though its root never ended");
    println!("100,000 traces whose roots never end: {most} spans remembered at most, {} candidates held", limits.held);
}

#[test]
fn one_trace_that_never_ends_forgets_what_is_finished_and_makes_no_second_entry() {
    let limits = Limits { hold_ms: 1e9, held: 10, spans: 1_000 };
    let mut tree = Tree::new(limits, Siblings::Each);
    let span = |parent, llm| Made { parent, llm, known_at_start: true, mark: None, inside: false, lost: false };
    let agent = span(None, true);
    tree.start(started(0, 0, &agent));
    for n in 1..20_000 {
        let call = span(Some(0), true);
        tree.start(started(0, n, &call));
        assert_eq!(tree.end(ended(0, n, &call), 0.0).0, Decision::Plain);
        assert!(tree.tracked() <= limits.spans);
    }
    // A late one below a call that is forgotten.
    let late = span(Some(5), true);
    tree.start(started(0, 20_000, &late));
    assert_eq!(tree.end(ended(0, 20_000, &late), 0.0).0, Decision::Plain);
    assert_eq!(tree.end(ended(0, 0, &agent), 0.0).0, Decision::Entry);
    assert!(tree.counts().spans_forgotten > 10_000 && tree.counts().traces_evicted == 0, "{:?}", tree.counts());
}
