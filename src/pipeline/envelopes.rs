//! What stands around spans: scopes and resources, described once, as each destination gets them.

use super::Pipeline;
use super::descriptions::Descriptions;
use crate::conventions::{self, ConventionSet};
use crate::describe::{self, ResourceRules};
use crate::entry::Destinations;
use crate::export::Envelopes;
use crate::keys::Keys;
use crate::protobuf::Writer;
use crate::span::Attr;

/// A scope.
pub struct Scope {
    pub name: Box<[u8]>,
    pub conventions: ConventionSet,
    /// The user's mappings that hold in it.
    pub mappings: ConventionSet,
    /// The fields of `ScopeSpans` but its spans.
    fields: Vec<u8>,
    /// The destinations that get its spans.
    pub allowed: Destinations,
    /// Something of the source's is not among the fields.
    pub has_secret: bool,
}

/// A resource.
pub struct Resource {
    /// By destination: the fields of `ResourceSpans` but its scopes.
    fields: Vec<Vec<u8>>,
    /// The first destination gets something else than what the source has.
    pub changes: bool,
    /// Its account at the destination of this index, by the token that it carries; empty: it carries none.
    account: Option<(usize, Box<[u8]>)>,
    /// The conventions that its attributes prove.
    pub conventions: ConventionSet,
}

impl Resource {
    /// Its account at a destination.
    pub fn account(&self, destination: usize) -> Option<&[u8]> {
        self.account.as_ref().filter(|(at, _)| *at == destination).map(|(_, token)| &token[..])
    }
}

/// The names of services whose resources lack the token that a destination wants: each is reported once, the first 100 of them.
#[derive(Default)]
pub struct Tokenless {
    names: Vec<Box<[u8]>>,
    reported: usize,
}

impl Tokenless {
    const MAX: usize = 100;

    fn add(&mut self, service: &[u8]) {
        if self.names.len() < Self::MAX && self.names.iter().all(|known| **known != *service) {
            self.names.push(service.into());
        }
    }

    /// The next name that is to be reported.
    pub fn next(&mut self) -> Option<&[u8]> {
        let name = self.names.get(self.reported)?;
        self.reported += 1;
        Some(name)
    }
}

/// The envelopes of the spans of a destination.
pub struct DestinationEnvelopes<'p> {
    pub scopes: &'p Descriptions<Scope>,
    pub resources: &'p Descriptions<Resource>,
    pub destination: usize,
}

impl Envelopes for DestinationEnvelopes<'_> {
    fn resource(&self, resource: u32) -> &[u8] {
        self.resources.get(resource).and_then(|r| r.fields.get(self.destination)).map_or(&[], Vec::as_slice)
    }

    fn scope(&self, scope: u32) -> &[u8] {
        self.scopes.get(scope).map_or(&[], |s| &s.fields)
    }

    fn account(&self, resource: u32) -> &[u8] {
        self.resources.get(resource).and_then(|r| r.account(self.destination)).unwrap_or_default()
    }
}

impl Pipeline {
    /// Adds the scope whose key and fields were just written.
    pub(super) fn add_scope(&mut self, name: &[u8], has_secret: bool) -> u32 {
        let allows = self.destinations.iter().enumerate().map(|(i, d)| Destinations::from(d.config.allows(name)) << i);
        let scope = Scope {
            name: name.into(),
            conventions: conventions::of_scope(name),
            mappings: self.engine.mappings.of_scope(name),
            fields: self.writer.written().to_vec(),
            allowed: allows.sum(),
            has_secret,
        };
        let bytes = scope.fields.len() + name.len();
        self.scopes.add(&self.key, scope, bytes)
    }

    /// Adds the resource whose key was just written. `write`, called for each destination, writes its fields, and gives whether a service name had to
    /// be mended.
    pub(super) fn add_resource(
        &mut self,
        attributes: &[Attr],
        changes: bool,
        keys: &Keys,
        write: &dyn Fn(&mut Writer, &ResourceRules) -> bool,
    ) -> u32 {
        let w = &mut self.writer;
        let mut fields = Vec::with_capacity(self.destinations.len());
        for d in &mut self.destinations {
            w.clear();
            d.mended_service_name |= write(w, &d.rules);
            fields.push(w.written().to_vec());
        }
        // The account that it belongs to, and the destination where it does.
        let account = self.destinations.iter().enumerate().find_map(|(i, d)| Some((i, d.rules.account(attributes, keys)?.into())));
        let token = account.as_ref().map(|(_, token): &(usize, Box<[u8]>)| &token[..]);
        let bytes = fields.iter().map(Vec::len).sum::<usize>() + token.map_or(0, <[u8]>::len);
        if token == Some(b"") {
            self.tokenless.add(describe::service_name(attributes, keys).unwrap_or_default());
        }
        let conventions = keys.conventions_of_resource(attributes);
        self.resources.add(&self.key, Resource { fields, changes, account, conventions }, bytes)
    }

    /// Forgets scopes and resources that no span stands in that waits, if there are too many.
    pub(super) fn make_room(&mut self) {
        if !self.scopes.may_forget() && !self.resources.may_forget() {
            return;
        }
        let waiting = self.destinations.iter().flat_map(|d| d.exporter.places());
        for place in waiting.chain(self.held.values().map(|held| held.place)) {
            self.scopes.keep(place.scope);
            self.resources.keep(place.resource);
        }
        if self.scopes.may_forget() {
            self.scopes.forget();
        }
        if self.resources.may_forget() {
            self.resources.forget();
        }
    }
}
