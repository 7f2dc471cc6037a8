//! A destination, and which spans it gets.

use super::Pipeline;
use super::descriptions::Descriptions;
use super::envelopes::{Resource, Scope};
use crate::config;
use crate::describe::ResourceRules;
use crate::entry::{Destinations, Tree};
use crate::export::{Exporter, Place};
use crate::keys::Keys;
use crate::normalize::Normal;
use crate::route::{self, Facts};
use crate::span::{Span, SpanId, TraceId};
use bumpalo::Bump;

/// A destination.
pub struct Destination {
    pub name: String,
    pub form: usize,
    pub rules: ResourceRules,
    pub exporter: Exporter,
    /// Of a batch.
    pub max_bytes: usize,
    /// The body that goes out, where that is JSON.
    pub json: Vec<u8>,
    /// A service name that the backend would refuse was mended.
    pub mended_service_name: bool,
    /// Spans of traces that its sample does not have.
    pub not_sampled: u64,
    /// Spans that its scopes and its filter keep away.
    pub filtered: u64,
    /// Spans that it would refuse because their resource carries no token.
    pub without_token: u64,
    pub config: config::Destination,
}

impl Pipeline {
    /// The destinations that get a span.
    pub(super) fn kept(&self, scope: &Scope, facts: &Facts, refused: Destinations) -> Destinations {
        let kept = scope.allowed & !refused;
        if !self.filters {
            return kept;
        }
        let stops = |(i, d): &(usize, &Destination)| !d.config.filter.passes(facts) && *i < Destinations::BITS as usize;
        let stopped: Destinations = self.destinations.iter().enumerate().filter(stops).map(|(i, _)| 1 << i).sum();
        kept & !stopped
    }
}

/// What a filter may ask of a span that ended.
pub fn facts<'s, 'a>(span: &'s Span<'a>, normal: Option<&Normal<'a>>, scope: &'s Scope, keys: &'s Keys, arena: &'s Bump) -> Facts<'s, 'a> {
    Facts {
        scope: &scope.name,
        name: span.name,
        llm: normal.is_some_and(Normal::is_llm),
        operation: normal.map_or(&[], |n| n.canonical.operation_name()),
        attributes: span.attributes,
        keys,
        arena,
    }
}

/// Where a span stands.
pub struct At {
    pub trace_id: TraceId,
    pub parent_id: SpanId,
    pub place: Place,
    /// Who gets it.
    pub kept: Destinations,
}

impl At {
    /// Hands an encoded span to the destinations of a form that get it.
    pub fn queue(
        &self,
        tree: &mut Tree,
        resources: &Descriptions<Resource>,
        destinations: &mut [Destination],
        form: usize,
        fields: [&[u8]; 2],
        now: f64,
    ) {
        for (i, d) in destinations.iter_mut().enumerate().filter(|(_, d)| d.form == form) {
            let bit = 1 << i;
            if self.kept & bit == 0 {
                d.filtered += 1;
                continue;
            }
            if !route::samples(d.config.sample_ratio, self.trace_id) {
                d.not_sampled += 1;
                continue;
            }
            if resources.get(self.place.resource).and_then(|r| r.account(i)) == Some(b"") {
                d.without_token += 1;
                continue;
            }
            let parent = tree.kept_parent(self.trace_id, self.parent_id, bit);
            let moved = (parent != self.parent_id)
                .then(|| route::with_parent(fields[0], [self.parent_id, parent], d.config.original_parent.as_deref()));
            match &moved {
                Some(Ok(moved)) => d.exporter.push(self.place, [moved, fields[1]], now),
                _ => d.exporter.push(self.place, fields, now),
            }
        }
    }
}
