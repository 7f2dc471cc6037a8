use super::*;
use proptest::prelude::*;

const TRACE: TraceId = [7; 16];
const LIMITS: Limits = Limits { hold_ms: 1000.0, held: 100, spans: 10_000 };

fn empty() -> Tree {
    Tree::new(LIMITS, Siblings::Each)
}

fn start_of(trace_id: TraceId, span_id: SpanId, parent_id: SpanId, llm: bool) -> Started<'static> {
    Started { trace_id, span_id, parent_id, llm, ..Started::default() }
}

fn id(n: usize) -> SpanId {
    (n as u64 + 1).to_be_bytes()
}

/// A span of a finished trace: its parent, whether it is LLM from the start or by its end, its mark.
#[derive(Clone, Debug)]
struct Made {
    parent: Option<usize>,
    llm: bool,
    known_at_start: bool,
    mark: Option<bool>,
}

fn ancestors(spans: &[Made], n: usize) -> impl Iterator<Item = &Made> {
    std::iter::successors(spans[n].parent, |p| spans[*p].parent).map(|p| &spans[p])
}

/// The rule as the module says it, on the finished trace.
fn reference(spans: &[Made]) -> Vec<bool> {
    let mark_above = |n: usize| ancestors(spans, n).any(|a| a.mark == Some(true));
    let mark_below = |n: usize| {
        let below = |m: &usize| std::iter::successors(spans[*m].parent, |p| spans[*p].parent).any(|a| a == n);
        (0..spans.len()).filter(below).any(|m| spans[m].mark == Some(true))
    };
    let entry = |n: usize| match (spans[n].mark, spans[n].llm) {
        (Some(true), _) => !mark_above(n),
        (None, true) => !mark_above(n) && !mark_below(n) && !ancestors(spans, n).any(|a| a.llm),
        _ => false,
    };
    (0..spans.len()).map(entry).collect()
}

/// Starts parents first, ends in `order`, and gives what came out. A span that ends twice would panic the test.
fn run(spans: &[Made], order: &[usize], tree: &mut Tree) -> Vec<bool> {
    let mut out = vec![None; spans.len()];
    let mut settle = |id: SpanId, entry| {
        let n = u64::from_be_bytes(id) as usize - 1;
        assert_eq!(out[n].replace(entry), None, "span {n} was decided twice");
    };
    for (n, s) in spans.iter().enumerate() {
        tree.start(start_of(TRACE, id(n), s.parent.map_or(NO_PARENT, id), s.llm && s.known_at_start));
    }
    for &n in order {
        let s = &spans[n];
        let ended = Ended {
            trace_id: TRACE,
            span_id: id(n),
            parent_id: s.parent.map_or(NO_PARENT, id),
            llm: s.llm,
            mark: s.mark,
            ..Ended::default()
        };
        match tree.end(ended, 0.0).0 {
            Decision::Hold => {}
            decision => settle(id(n), decision == Decision::Entry),
        }
        while let Some((_, span, entry)) = tree.resolved() {
            settle(span, entry);
        }
    }
    out.into_iter().map(|o| o.expect("every span is decided when all have ended")).collect()
}

fn span(parent: Option<usize>, llm: bool) -> Made {
    Made { parent, llm, known_at_start: true, mark: None }
}

#[test]
fn usage_that_repeats_what_ran_below_is_told_from_that_which_does_not() {
    // An agent, its call, the client's span of the same call, and a second call of the agent.
    let mut tree = empty();
    for (n, parent) in [(0, None), (1, Some(0)), (2, Some(1)), (3, Some(0))] {
        tree.start(start_of(TRACE, id(n), parent.map_or(NO_PARENT, id), true));
    }
    let call = |tokens: Tokens| Usage { tokens, has_tokens: tokens != [0; 2], ..Usage::default() };
    let agent = |tokens| Usage { sums: true, ..call(tokens) };
    let mut repeats = |n: usize, parent: Option<usize>, used| {
        let parent_id = parent.map_or(NO_PARENT, id);
        let repeated = tree.repeats(TRACE, id(n), parent_id, used, true);
        tree.end(Ended { trace_id: TRACE, span_id: id(n), parent_id, llm: true, mark: None, ..Ended::default() }, 0.0);
        repeated.tokens
    };
    assert!(!repeats(2, Some(1), call([57, 17])), "the innermost is the call");
    assert!(repeats(1, Some(0), call([57, 17])));
    assert!(repeats(1, Some(0), call([57, 17])), "delivered once more, it is what it was");
    assert!(!repeats(3, Some(0), call([10, 1])));
    assert!(repeats(0, None, agent([67, 18])), "the total of an agent");
    // A call inside a call counts by itself if its numbers differ; an agent above a call counts nothing, whatever its numbers.
    for (outer, repeated) in [(call([80, 17]), false), (agent([80, 17]), true), (agent([3, 1]), true), (agent([0, 0]), true)] {
        let mut tree = empty();
        tree.start(start_of(TRACE, id(0), NO_PARENT, true));
        tree.start(start_of(TRACE, id(1), id(0), true));
        assert!(!tree.repeats(TRACE, id(1), id(0), call([57, 17]), true).tokens);
        assert_eq!(tree.repeats(TRACE, id(0), NO_PARENT, outer, true).tokens, repeated, "{outer:?}");
    }
    // An agent whose calls report nothing, or not to every destination, keeps its own.
    for (used, everywhere) in [(call([0, 0]), true), (call([57, 17]), false)] {
        let mut tree = empty();
        tree.start(start_of(TRACE, id(0), NO_PARENT, true));
        tree.start(start_of(TRACE, id(1), id(0), true));
        tree.repeats(TRACE, id(1), id(0), used, everywhere);
        assert!(!tree.repeats(TRACE, id(0), NO_PARENT, agent([57, 17]), true).tokens, "{used:?}");
    }
}

#[test]
fn usage_below_is_known_on_a_span_far_above_and_where_what_is_between_has_ended() {
    let mut tree = empty();
    for n in 0..4 {
        tree.start(start_of(TRACE, id(n), n.checked_sub(1).map_or(NO_PARENT, id), true));
    }
    // The span in the middle ends before the call below it does.
    tree.repeats(TRACE, id(1), id(0), Usage::default(), true);
    tree.end(ended(1, id(0), true, None), 0.0);
    let call = Usage { tokens: [5, 1], has_tokens: true, has_cost: true, ..Usage::default() };
    assert_eq!(tree.repeats(TRACE, id(3), id(2), call, true), Repeated::default());
    let agent = Usage { tokens: [9, 9], has_tokens: true, has_cost: true, sums: true, ..Usage::default() };
    assert_eq!(tree.repeats(TRACE, id(0), NO_PARENT, agent, true), Repeated { tokens: true, cost: true });
    // Calls that say no cost leave an agent its own.
    let mut tree = empty();
    tree.start(start_of(TRACE, id(0), NO_PARENT, true));
    tree.start(start_of(TRACE, id(1), id(0), true));
    tree.repeats(TRACE, id(1), id(0), Usage { has_cost: false, ..call }, true);
    assert_eq!(tree.repeats(TRACE, id(0), NO_PARENT, agent, true), Repeated { tokens: true, cost: false });
}

#[test]
fn the_outermost_llm_span_below_an_http_span_is_the_entry_and_the_only_one_held() {
    let spans = [span(None, false), span(Some(0), true), span(Some(1), true), span(Some(1), true)];
    let mut tree = empty();
    for (n, s) in spans.iter().enumerate() {
        tree.start(start_of(TRACE, id(n), s.parent.map_or(NO_PARENT, id), s.llm));
    }
    let end = |tree: &mut Tree, n: usize| {
        let parent_id = spans[n].parent.map_or(NO_PARENT, id);
        tree.end(Ended { trace_id: TRACE, span_id: id(n), parent_id, llm: spans[n].llm, mark: None, ..Ended::default() }, 0.0).0
    };
    assert_eq!([3, 2, 1].map(|n| end(&mut tree, n)), [Decision::Plain, Decision::Plain, Decision::Hold]);
    assert_eq!((tree.held(), tree.resolved()), (1, None));
    assert_eq!(end(&mut tree, 0), Decision::Plain);
    assert_eq!((tree.held(), tree.resolved()), (0, Some((TRACE, id(1), true))));
}

#[test]
fn a_mark_that_was_inherited_counts_once() {
    let marked = |parent| Made { mark: Some(true), ..span(parent, true) };
    let spans = [span(None, false), marked(Some(0)), marked(Some(1)), marked(Some(2))];
    assert_eq!(run(&spans, &[3, 2, 1, 0], &mut empty()), [false, true, false, false]);
}

#[test]
fn a_marked_span_that_is_not_llm_is_the_entry_of_what_is_below() {
    let spans = [Made { mark: Some(true), ..span(None, false) }, span(Some(0), true)];
    assert_eq!(run(&spans, &[1, 0], &mut empty()), [true, false]);
}

#[test]
fn a_mark_below_an_unmarked_llm_span_decides_its_segment() {
    let marked = |parent| Made { mark: Some(true), ..span(Some(parent), true) };
    // An agent, two marked spans below it, a copy below one of them, and a call beside them.
    let spans = [span(None, true), marked(0), marked(0), marked(1), span(Some(0), true)];
    assert_eq!(run(&spans, &[4, 3, 2, 1, 0], &mut empty()), [false, true, true, false, false]);
    // The copy ends first; and the agent ends before the marked span, but after its copy.
    assert_eq!(run(&spans, &[3, 4, 0, 2, 1], &mut empty()), [false, true, true, false, false]);
}

#[test]
fn a_mark_that_comes_after_the_entry_above_it_is_dropped_and_counted() {
    let marked = |parent| Made { mark: Some(true), ..span(Some(parent), true) };
    let mut tree = empty();
    let spans = [span(None, true), marked(0), marked(1)];
    assert_eq!(run(&spans, &[0, 1, 2], &mut tree), [true, false, false]);
    assert_eq!(tree.counts().late_marks, 1, "the last one is a copy");
    assert_eq!(
        (0..3).map(|n| tree.reason(TRACE, id(n))).collect::<Vec<_>>(),
        [Reason::Outermost, Reason::LateMark, Reason::CopiedMark].map(Some)
    );
    // What waited and was sent counts likewise, also where the late mark is above it.
    let mut tree = empty();
    let spans = [Made { mark: Some(true), ..span(None, false) }, span(Some(0), true)];
    for (n, s) in spans.iter().enumerate() {
        tree.start(start_of(TRACE, id(n), s.parent.map_or(NO_PARENT, id), s.llm));
    }
    assert_eq!(tree.end(ended(1, id(0), true, None), 0.0).0, Decision::Hold);
    tree.flush();
    assert_eq!(tree.resolved(), Some((TRACE, id(1), true)));
    assert_eq!(tree.end(ended(0, NO_PARENT, false, Some(true)), 0.0).0, Decision::Plain);
    assert_eq!(tree.counts().late_marks, 1);
    // A retry of it is not another one.
    assert_eq!(tree.end(ended(0, NO_PARENT, false, Some(true)), 0.0).0, Decision::Plain);
    assert_eq!(tree.counts().late_marks, 1);
}

#[test]
fn a_mark_in_a_process_that_was_called_from_inside_a_segment_leaves_the_entry_to_the_caller() {
    // An agent calls a service, in which a span is marked; all of it comes to one tree.
    let mut tree = empty();
    tree.start(start_of(TRACE, id(0), NO_PARENT, true));
    tree.start(Started { inside_segment: true, caller: id(0), ..start_of(TRACE, id(1), id(0), false) });
    tree.start(start_of(TRACE, id(2), id(1), true));
    let ends =
        [ended(2, id(1), true, Some(true)), Ended { caller: Some(id(0)), ..ended(1, id(0), false, None) }, ended(0, NO_PARENT, true, None)];
    let decisions = ends.map(|span| tree.end(span, 0.0).0);
    assert_eq!(decisions, [Decision::Plain, Decision::Plain, Decision::Entry]);
    assert_eq!(tree.reason(TRACE, id(2)), Some(Reason::CalledFromSegment));
}

#[test]
fn a_marked_segment_below_a_common_ancestor_stands_for_itself() {
    let mut tree = Tree::new(LIMITS, Siblings::CommonAncestor);
    let marked = |parent| Made { mark: Some(true), ..span(Some(parent), true) };
    // Two segments below one span, and in the first of them a marked span.
    let spans = [span(None, false), span(Some(0), true), marked(1), span(Some(0), true)];
    assert_eq!(run(&spans, &[2, 1, 3, 0], &mut tree), [false, false, true, true]);
    let mut tree = Tree::new(LIMITS, Siblings::First);
    assert_eq!(run(&spans, &[2, 1, 3, 0], &mut tree), [false, false, true, false]);
}

#[test]
fn false_suppresses_the_inference_and_not_a_mark_below() {
    let refused = Made { mark: Some(false), ..span(None, true) };
    assert_eq!(run(&[refused.clone(), span(Some(0), true)], &[1, 0], &mut empty()), [false, false]);
    let marked = Made { mark: Some(true), ..span(Some(0), true) };
    assert_eq!(run(&[refused, marked], &[1, 0], &mut empty()), [false, true]);
}

#[test]
fn a_segment_that_began_in_another_process_has_its_entry_there() {
    let mut tree = empty();
    tree.start(Started { inside_segment: true, ..start_of(TRACE, id(0), id(9), true) });
    let ended = Ended { trace_id: TRACE, span_id: id(0), parent_id: id(9), llm: true, mark: None, ..Ended::default() };
    assert_eq!(tree.end(ended, 0.0).0, Decision::Plain);
}

#[test]
fn the_end_tells_what_the_start_could_not() {
    let mut tree = empty();
    tree.start(start_of(TRACE, id(0), NO_PARENT, true));
    let ended = Ended { trace_id: TRACE, span_id: id(0), parent_id: NO_PARENT, llm: false, mark: None, ..Ended::default() };
    assert_eq!(tree.end(ended, 0.0).0, Decision::Plain);
}

#[test]
fn a_candidate_that_is_held_too_long_is_decided_and_its_ancestors_know() {
    let mut tree = empty();
    tree.start(start_of(TRACE, id(0), NO_PARENT, false));
    tree.start(start_of(TRACE, id(1), id(0), true));
    let candidate = Ended { trace_id: TRACE, span_id: id(1), parent_id: id(0), llm: true, mark: None, ..Ended::default() };
    assert_eq!(tree.end(candidate, 0.0).0, Decision::Hold);
    assert_eq!(tree.wake(), Some(1000.0));
    tree.tick(999.0);
    assert_eq!(tree.resolved(), None);
    tree.tick(1000.0);
    assert_eq!(tree.resolved(), Some((TRACE, id(1), true)));
    assert_eq!((tree.counts().hold_expired, tree.wake()), (1, None));
    let late = Ended { trace_id: TRACE, span_id: id(0), parent_id: NO_PARENT, llm: true, mark: Some(true), ..Ended::default() };
    assert_eq!(tree.end(late, 2000.0).0, Decision::Plain);
}

#[test]
fn what_is_over_a_bound_is_decided_and_counted() {
    let mut tree = Tree::new(Limits { held: 1, spans: 4, ..LIMITS }, Siblings::Each);
    for trace in 0..4u8 {
        let trace_id = [trace; 16];
        tree.start(start_of(trace_id, id(0), NO_PARENT, false));
        tree.start(start_of(trace_id, id(1), id(0), true));
        tree.end(Ended { trace_id, span_id: id(1), parent_id: id(0), llm: true, mark: None, ..Ended::default() }, 0.0);
    }
    let resolved: Vec<_> = std::iter::from_fn(|| tree.resolved()).map(|(trace, _, entry)| (trace[0], entry)).collect();
    assert_eq!(resolved, [(0, true), (1, true), (2, true)]);
    assert_eq!((tree.held(), tree.tracked()), (1, 4));
    assert_eq!((tree.counts().hold_overflow, tree.counts().traces_evicted), (3, 2));
}

#[test]
fn a_cycle_of_parents_ends() {
    let spans = [Made { parent: Some(1), ..span(None, true) }, Made { parent: Some(0), ..span(None, false) }];
    let mut tree = empty();
    for (n, s) in spans.iter().enumerate() {
        tree.start(start_of(TRACE, id(n), id(1 - n), s.llm));
    }
    for (n, s) in spans.iter().enumerate() {
        tree.end(Ended { trace_id: TRACE, span_id: id(n), parent_id: id(1 - n), llm: s.llm, mark: None, ..Ended::default() }, 0.0);
    }
    assert_eq!(tree.held(), 0);
}

/// A random tree: each span's parent is one before it (or none), in any shape from a chain to a star.
fn trees() -> impl Strategy<Value = (Vec<Made>, Vec<usize>)> {
    let mark = prop_oneof![5 => Just(None), 2 => Just(Some(true)), 1 => Just(Some(false))];
    let one = (any::<prop::sample::Index>(), prop::bool::weighted(0.1), any::<bool>(), any::<bool>(), mark);
    prop::collection::vec(one, 1..40).prop_flat_map(|list| {
        let spans: Vec<_> = list
            .iter()
            .enumerate()
            .map(|(n, (parent, root, llm, known_at_start, mark))| Made {
                parent: (n > 0 && !root).then(|| parent.index(n)),
                llm: *llm,
                known_at_start: *known_at_start,
                mark: *mark,
            })
            .collect();
        let order = Just((0..spans.len()).collect::<Vec<_>>()).prop_shuffle();
        (Just(spans), order)
    })
}

fn children_first(spans: &[Made]) -> Vec<usize> {
    (0..spans.len()).rev().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_the_order_of_ending_the_rule_holds((mut spans, order) in trees()) {
        let expected = reference(&spans);
        prop_assert_eq!(&run(&spans, &children_first(&spans), &mut empty()), &expected);
        // A mark that comes after an entry above it was decided changes nothing: in any order only without marks.
        spans.iter_mut().for_each(|s| s.mark = s.mark.filter(|mark| !mark));
        prop_assert_eq!(&run(&spans, &order, &mut empty()), &reference(&spans));
    }

    #[test]
    fn at_most_one_entry_on_each_path_and_exactly_one_in_a_segment_without_marks((mut spans, order) in trees()) {
        let paths = |spans: &[Made]| {
            let is_leaf = |n: &usize| spans.iter().all(|s| s.parent != Some(*n));
            let path = |leaf| std::iter::successors(Some(leaf), |n: &usize| spans[*n].parent).collect::<Vec<_>>();
            (0..spans.len()).filter(is_leaf).map(path).collect::<Vec<_>>()
        };
        let entries = run(&spans, &order, &mut empty());
        for path in paths(&spans) {
            prop_assert!(path.iter().filter(|n| entries[**n]).count() <= 1, "path {:?} of {:?}", path, spans);
        }
        spans.iter_mut().for_each(|s| s.mark = None);
        let entries = run(&spans, &order, &mut empty());
        for path in paths(&spans) {
            let count = path.iter().filter(|n| entries[**n]).count();
            prop_assert_eq!(count, usize::from(path.iter().any(|n| spans[*n].llm)), "path {:?} of {:?}", path, spans);
        }
    }
}

fn ended(n: usize, parent_id: SpanId, llm: bool, mark: Option<bool>) -> Ended {
    Ended { trace_id: TRACE, span_id: id(n), parent_id, llm, mark, ..Ended::default() }
}

#[test]
fn a_candidate_that_is_delivered_twice_is_one_entry_and_its_twin_none() {
    let mut tree = empty();
    tree.start(start_of(TRACE, id(0), NO_PARENT, false));
    tree.start(start_of(TRACE, id(1), id(0), true));
    assert_eq!(tree.end(ended(1, id(0), true, None), 0.0).0, Decision::Hold);
    // Delivered once more while it waits, and a span that was given the same id.
    assert_eq!(tree.end(ended(1, id(0), true, None), 0.0).0, Decision::Plain);
    tree.start(start_of(TRACE, id(1), NO_PARENT, true));
    assert_eq!(tree.end(ended(1, NO_PARENT, true, None), 0.0).0, Decision::Plain);
    assert_eq!(tree.held(), 1);
    assert_eq!(tree.end(ended(0, NO_PARENT, false, None), 0.0).0, Decision::Plain);
    assert_eq!((tree.resolved(), tree.resolved()), (Some((TRACE, id(1), true)), None));
}

#[test]
fn a_retry_of_an_entry_is_the_same_entry() {
    let mut tree = empty();
    for _ in 0..2 {
        assert_eq!(tree.end(ended(0, NO_PARENT, true, None), 0.0).0, Decision::Entry);
        assert_eq!(tree.end(ended(1, id(0), true, None), 0.0).0, Decision::Plain);
    }
    assert_eq!(tree.end(Ended { parent_id: id(5), ..ended(0, id(5), true, None) }, 0.0).0, Decision::Plain, "another span of that id");
}

#[test]
fn a_late_span_below_an_entry_and_a_late_parent_above_one_are_no_second_entry() {
    let mut tree = empty();
    assert_eq!(tree.end(ended(1, id(0), true, None), 0.0).0, Decision::Entry, "its parent is nobody's");
    assert_eq!(tree.end(ended(2, id(1), true, None), 0.0).0, Decision::Plain);
    tree.start(start_of(TRACE, id(0), id(7), true));
    assert_eq!(tree.end(ended(0, id(7), true, Some(true)), 0.0).0, Decision::Plain);
    assert_eq!(tree.end(ended(7, NO_PARENT, true, None), 0.0).0, Decision::Plain, "nor its own parent");
}

#[test]
fn ids_that_come_again_in_another_trace_have_nothing_to_do_with_it() {
    let mut tree = empty();
    for trace in 0..3 {
        let trace_id = [trace; 16];
        tree.start(start_of(trace_id, id(0), NO_PARENT, false));
        tree.start(start_of(trace_id, id(1), id(0), true));
    }
    for trace in 0..3 {
        let trace_id = [trace; 16];
        assert_eq!(tree.end(Ended { trace_id, ..ended(1, id(0), true, None) }, 0.0).0, Decision::Hold);
        assert_eq!(tree.end(Ended { trace_id, ..ended(0, NO_PARENT, false, None) }, 0.0).0, Decision::Plain);
        assert_eq!(tree.resolved(), Some((trace_id, id(1), true)));
    }
}

#[test]
fn where_the_parent_is_not_known_the_span_may_know_that_it_is_none() {
    let inner = |n, mark| Ended { root: Some(false), ..ended(n, id(9), true, mark) };
    let mut tree = empty();
    assert_eq!(tree.end(inner(1, None), 0.0).0, Decision::Plain);
    assert_eq!(tree.end(inner(2, Some(true)), 0.0).0, Decision::Entry, "a mark is stronger");
    tree.start(start_of(TRACE, id(3), NO_PARENT, false));
    assert_eq!(tree.end(Ended { parent_id: id(3), ..inner(4, None) }, 0.0).0, Decision::Hold, "its parent is here");
}

#[test]
fn a_parent_that_may_still_come_is_waited_for_and_what_follows_is_of_its_segment() {
    let mut tree = empty();
    let patient = |n, parent: usize| Ended { patient: true, ..ended(n, id(parent), true, None) };
    let from_body = |tree: &mut Tree, ended: Ended, now| {
        tree.start(Started { patient: true, ..start_of(TRACE, ended.span_id, ended.parent_id, true) });
        tree.end(ended, now).0
    };
    assert_eq!(from_body(&mut tree, patient(1, 8), 0.0), Decision::Hold);
    assert_eq!(from_body(&mut tree, patient(2, 9), 0.0), Decision::Hold);
    // The one parent comes, the other one does not.
    assert_eq!(from_body(&mut tree, Ended { parent_id: NO_PARENT, ..patient(8, 0) }, 10.0), Decision::Entry);
    assert_eq!(tree.resolved(), Some((TRACE, id(1), false)));
    tree.tick(1000.0);
    assert_eq!(tree.resolved(), Some((TRACE, id(2), true)));
    assert_eq!(from_body(&mut tree, patient(3, 9), 1100.0), Decision::Plain);
    let called = Ended { remote: true, ..patient(4, 9) };
    assert_eq!(from_body(&mut tree, called, 1100.0), Decision::Hold, "a service that is called twice has two segments");
    assert_eq!(
        from_body(&mut tree, Ended { root: Some(true), ..patient(5, 9) }, 1100.0),
        Decision::Hold,
        "it says that it is one of its own"
    );
    assert_eq!(from_body(&mut tree, Ended { parent_id: NO_PARENT, ..patient(9, 0) }, 1200.0), Decision::Plain, "too late");
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_for_longer_than_the_limit() {
    let mut tree = empty();
    tree.start(start_of(TRACE, id(0), NO_PARENT, false));
    assert_eq!(tree.end(ended(1, id(0), true, None), 5_000_000.0).0, Decision::Hold);
    tree.tick(1_000.0);
    assert_eq!(tree.resolved(), Some((TRACE, id(1), true)));
}

#[test]
fn a_span_is_of_a_segment_below_an_llm_span_below_a_mark_and_where_the_caller_is() {
    let mut tree = empty();
    tree.start(start_of(TRACE, id(0), NO_PARENT, false));
    tree.start(start_of(TRACE, id(1), id(0), true));
    tree.start(start_of(TRACE, id(2), id(1), false));
    tree.start(Started { inside_segment: true, caller: id(7), ..start_of(TRACE, id(3), id(9), false) });
    assert_eq!([0, 1, 2, 3, 4].map(|n| tree.segment(TRACE, id(n))), [Some(id(1)), Some(id(1)), Some(id(1)), Some(id(7)), None]);
    // Once the segment is over, what is beside it is not in it.
    tree.end(ended(1, id(0), true, None), 0.0);
    assert_eq!([0, 2].map(|n| tree.segment(TRACE, id(n))), [None, Some(id(1))]);
    // Of several beside it the nearest counts, then the one that started first. One whose parent was not known is beside nothing.
    for (n, parent, llm) in [(4, 0, true), (5, 0, false), (6, 5, true), (7, 5, true), (8, 5, false), (9, 10, true), (10, 5, false)] {
        tree.start(start_of(TRACE, id(n), id(parent), llm));
    }
    assert_eq!([8, 10].map(|n| tree.segment(TRACE, id(n))), [Some(id(6)); 2]);
    tree.end(ended(6, id(5), true, None), 0.0);
    assert_eq!(tree.segment(TRACE, id(8)), Some(id(7)));
    tree.end(ended(7, id(5), true, None), 0.0);
    assert_eq!(tree.segment(TRACE, id(8)), Some(id(4)));
    tree.end(ended(4, id(0), true, None), 0.0);
    assert_eq!(tree.segment(TRACE, id(8)), None);
    assert_eq!(caller(b"vendor=1, genspan=llm"), Some(NO_PARENT));
    assert_eq!(caller(b"genspan=llm:00000000000000ff,vendor=1"), Some([0, 0, 0, 0, 0, 0, 0, 255]));
    for other in [
        &b""[..],
        b"xgenspan=llm",
        b"genspan=no",
        b"genspan=llm:1",
        b"genspan=llmx",
        b"genspan=llm:000000000000000g",
        b"genspan=llm:+00000000000000f",
    ] {
        assert_eq!(caller(other), None);
    }
}

#[test]
fn a_live_parent_on_which_a_child_relied_is_kept_and_a_cycle_ends() {
    let mut tree = empty();
    let start = |n: usize, parent, kept| Started { kept, ..start_of(TRACE, id(n), parent, false) };
    tree.start(start(0, NO_PARENT, 0b11));
    tree.start(start(1, id(0), 0b10));
    assert_eq!(tree.kept_parent(TRACE, id(1), 0b01), id(0));
    assert_eq!(tree.kept_parent(TRACE, id(1), 0b10), id(1));
    assert_eq!(tree.kept_parent(TRACE, id(5), 0b10), id(5), "nobody knows it");
    // What neither has in the end, they have where a child is below them.
    let kept = [tree.end(ended(1, id(0), false, None), 0.0).1, tree.end(ended(0, NO_PARENT, false, None), 0.0).1];
    assert_eq!(kept, [0b10, 0b01]);
    // Between it and its caller is a span that goes nowhere: it hangs below the LLM span of the caller, or is a root.
    let mut tree = empty();
    tree.start(start(0, id(9), 0));
    tree.start(Started { inside_segment: true, caller: id(7), ..start(1, id(9), 0) });
    assert_eq!([0, 1].map(|n| tree.kept_parent(TRACE, id(n), 1)), [NO_PARENT, id(7)]);
    let mut tree = empty();
    tree.start(start(0, id(1), 0));
    tree.start(start(1, id(0), 0));
    assert_eq!(tree.kept_parent(TRACE, id(0), 1), NO_PARENT);
}

#[test]
fn children_come_first_and_those_in_a_cycle_last() {
    let spans = [(TRACE, id(0), NO_PARENT), (TRACE, id(1), id(2)), (TRACE, id(2), id(1)), (TRACE, id(3), id(0)), (TRACE, id(4), id(3))];
    assert_eq!(super::children_first(&spans), [4, 3, 0, 1, 2]);
}
