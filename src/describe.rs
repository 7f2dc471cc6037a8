//! Resources and scopes in the form for one destination: its own attributes are set, and other destinations' secrets removed.

use crate::config::{Destination, Scalar};
use crate::keys::Keys;
use crate::otlp::read::{Described, Part};
use crate::otlp::write::{self, number};
use crate::profiles::{Paths, Table};
use crate::protobuf::Writer;
use crate::span::value;
use crate::span::{Attr, Key, Value};
use bumpalo::Bump;

/// Langfuse puts the project's key on its scope; it has no meaning for other backends.
const SCOPE_SECRETS: &[&[u8]] = &[b"public_key"];
/// Tencent's secret is a resource attribute, and applications set it on the resource of all their exporters.
const RESOURCE_SECRET: &[u8] = b"token";
const SERVICE_NAME: &[u8] = b"service.name";
const HOST_NAME: &[u8] = b"host.name";

/// The changes that a destination makes to resources.
#[derive(Debug)]
pub struct ResourceRules {
    table: &'static Table,
    sets: Vec<(String, Scalar)>,
    /// Whether a resource without a host name gets the sender's, if that is known.
    peer_host_name: bool,
    /// Whether the backend identifies accounts by the tokens in the senders' resources.
    sender_tokens: bool,
}

fn value_of(scalar: &Scalar) -> Value<'_> {
    match scalar {
        Scalar::Bool(b) => Value::Bool(*b),
        Scalar::Int(n) => Value::Int(*n),
        Scalar::Double(n) => Value::Double(*n),
        Scalar::Str(text) => Value::Str(text.as_bytes()),
    }
}

impl ResourceRules {
    /// The rules of a destination.
    pub fn new(destination: &Destination) -> Self {
        let sets: Vec<(String, Scalar)> =
            destination.resource_attributes().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let table = destination.profile.table();
        let peer_host_name = table.host_name.is_some() && sets.iter().all(|(key, _)| key.as_bytes() != HOST_NAME);
        let sender_tokens = table.token.is_some() && sets.iter().all(|(key, _)| key.as_bytes() != RESOURCE_SECRET);
        ResourceRules { table, sets, peer_host_name, sender_tokens }
    }

    fn sets(&self, key: &[u8]) -> bool {
        self.sets.iter().any(|(set, _)| set.as_bytes() == key)
    }

    /// Returns true if anything would change.
    pub fn touch(&self, attributes: &[Attr], keys: &Keys) -> bool {
        !self.sets.is_empty()
            || self.table.has_paths
            || attributes.iter().any(|a| self.drops(keys.text(a.key)) || self.is_no_text(a, keys) || self.mended(a, keys).is_some())
    }

    /// Returns true if the backend needs a text here, and this is not one.
    fn is_no_text(&self, attr: &Attr, keys: &Keys) -> bool {
        attr.value.as_str().is_none() && self.table.texts.contains(&keys.text(attr.key))
    }

    fn drops(&self, key: &[u8]) -> bool {
        self.sets(key) || key == RESOURCE_SECRET && self.table.token.is_none()
    }

    /// Replaces a service name that the backend would refuse by an acceptable one, because losing all spans of a service would be worse.
    fn mended(&self, attr: &Attr, keys: &Keys) -> Option<String> {
        let rule = self.table.service_name.as_ref().filter(|_| keys.text(attr.key) == SERVICE_NAME)?;
        let name = String::from_utf8_lossy(attr.value.as_str()?);
        (!(rule.takes)(&name)).then(|| (rule.nearest)(&name))
    }

    /// Writes the attributes of a `Resource`; returns true if a service name was replaced.
    pub fn write(&self, w: &mut Writer, attributes: &[Attr], keys: &Keys) -> bool {
        let arena = Bump::new();
        let (mut mended, mut paths) = (false, Paths::default());
        for (key, value) in self.sets.iter().rev() {
            write::attribute(w, number::RESOURCE_ATTRIBUTES, Key::Text(key.as_bytes()), &value_of(value), keys);
        }
        let kept = attributes.iter().rev().filter(|a| !self.drops(keys.text(a.key)));
        if self.table.has_paths {
            self.sets.iter().for_each(|(key, _)| paths.add(key.as_bytes(), true));
            kept.clone().for_each(|attr| paths.add(keys.text(attr.key), false));
        }
        for attr in kept {
            let key = keys.text(attr.key);
            let place = if self.table.has_paths { paths.place(key, &arena) } else { Some(key) };
            if place != Some(key) {
                let moved = place.map(|key| Attr { key: Key::Text(key), raw: None, ..*attr });
                moved.iter().for_each(|attr| write::kept_attribute(w, number::RESOURCE_ATTRIBUTES, attr, keys));
                continue;
            }
            match self.mended(attr, keys) {
                None if self.is_no_text(attr, keys) => {
                    let arena = Bump::new();
                    let text = Value::Str(value::to_json(&attr.value, &arena));
                    write::attribute(w, number::RESOURCE_ATTRIBUTES, attr.key, &text, keys);
                }
                Some(name) => {
                    write::attribute(w, number::RESOURCE_ATTRIBUTES, attr.key, &Value::Str(name.as_bytes()), keys);
                    mended = true;
                }
                None => write::kept_attribute(w, number::RESOURCE_ATTRIBUTES, attr, keys),
            }
        }
        mended
    }

    /// The account of a resource: its token, if the configuration has none. `Some(b"")` means that the backend will not accept its spans.
    pub fn account<'a>(&self, attributes: &[Attr<'a>], keys: &Keys) -> Option<&'a [u8]> {
        self.sender_tokens
            .then(|| text_of(RESOURCE_SECRET, attributes, keys).filter(|token| !token.trim_ascii().is_empty()).unwrap_or_default())
    }

    /// Returns true if the resource of a body would change, as in [`ResourceRules::write_read`].
    pub fn changes(&self, resource: Option<&Part>, peer: Option<&str>, keys: &Keys) -> bool {
        let attributes = resource.map_or(&[][..], |(_, d)| d.attributes);
        self.wants(attributes, peer, keys).is_some() || self.touch(attributes, keys)
    }

    /// The host name for a resource without one.
    fn wants<'p>(&self, attributes: &[Attr], peer: Option<&'p str>, keys: &Keys) -> Option<&'p str> {
        peer.filter(|_| self.peer_host_name && attributes.iter().all(|a| keys.text(a.key) != HOST_NAME))
    }

    /// Writes the resource of a `ResourceSpans` from a body, sent by `peer` if that is known; unchanged if no rule applies to it.
    pub fn write_read(&self, w: &mut Writer, resource: Option<&Part>, peer: Option<&str>, keys: &Keys) -> bool {
        let attributes = resource.map_or(&[][..], |(_, d)| d.attributes);
        let peer = self.wants(attributes, peer, keys);
        let mut mended = false;
        if peer.is_some() || self.touch(attributes, keys) {
            let mark = w.mark();
            if let Some(peer) = peer {
                write::attribute(w, number::RESOURCE_ATTRIBUTES, Key::Text(HOST_NAME), &Value::Str(peer.as_bytes()), keys);
            }
            resource.iter().flat_map(|(_, d)| d.raw_fields.iter().rev()).for_each(|raw| w.bytes(raw));
            mended = self.write(w, attributes, keys);
            w.close(number::RESOURCE_SPANS_RESOURCE, mark);
        } else if let Some((raw, _)) = resource {
            w.bytes_field(number::RESOURCE_SPANS_RESOURCE, raw);
        }
        mended
    }
}

/// The text of an attribute.
fn text_of<'a>(key: &[u8], attributes: &[Attr<'a>], keys: &Keys) -> Option<&'a [u8]> {
    attributes.iter().find(|a| keys.text(a.key) == key).and_then(|a| a.value.as_str())
}

/// The name of the service that a resource describes.
pub fn service_name<'a>(attributes: &[Attr<'a>], keys: &Keys) -> Option<&'a [u8]> {
    text_of(SERVICE_NAME, attributes, keys)
}

/// Returns true if a scope carries a secret.
pub fn is_secret(scope: &Described, keys: &Keys) -> bool {
    scope.attributes.iter().any(|a| SCOPE_SECRETS.contains(&keys.text(a.key)))
}

/// Writes the scope of a `ScopeSpans` from a body; unchanged if it carries no secret.
pub fn write_read_scope(w: &mut Writer, scope: Option<&Part>, keys: &Keys) {
    let Some((raw, d)) = scope else { return };
    if is_secret(d, keys) {
        let mark = w.mark();
        scope_attributes(w, d.attributes, keys);
        d.raw_fields.iter().rev().for_each(|raw| w.bytes(raw));
        w.close(number::SCOPE_SPANS_SCOPE, mark);
    } else {
        w.bytes_field(number::SCOPE_SPANS_SCOPE, raw);
    }
}

/// Writes the attributes of an `InstrumentationScope`, without secrets.
pub fn scope_attributes(w: &mut Writer, attributes: &[Attr], keys: &Keys) {
    for attr in attributes.iter().rev().filter(|a| !SCOPE_SECRETS.contains(&keys.text(a.key))) {
        write::kept_attribute(w, number::SCOPE_ATTRIBUTES, attr, keys);
    }
}
