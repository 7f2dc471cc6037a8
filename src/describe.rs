//! Resources and scopes as a destination gets them: its own attributes set, other destinations' secrets taken out.

use crate::config::{self, Destination, Profile, Scalar};
use crate::keys::Keys;
use crate::otlp::wire::Writer;
use crate::otlp::write::{self, number};
use crate::span::{Attr, Key, Value};

/// Langfuse puts the project's key on its scope: it has no meaning for any other backend.
const SCOPE_SECRETS: &[&[u8]] = &[b"public_key"];
/// Tencent's secret is a resource attribute, and applications set it on the resource of all their exporters.
const RESOURCE_SECRET: &[u8] = b"token";
const SERVICE_NAME: &[u8] = b"service.name";

/// What a destination makes of resources.
#[derive(Debug)]
pub struct ResourceRules {
    profile: Profile,
    sets: Vec<(String, Scalar)>,
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
        let sets = destination.resource_attributes().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        ResourceRules { profile: destination.profile, sets }
    }

    fn sets(&self, key: &[u8]) -> bool {
        self.sets.iter().any(|(set, _)| set.as_bytes() == key)
    }

    /// Would anything be different?
    pub fn touch(&self, attributes: &[Attr], keys: &Keys) -> bool {
        !self.sets.is_empty() || attributes.iter().any(|a| self.drops(keys.text(a.key)) || self.mended(a, keys).is_some())
    }

    fn drops(&self, key: &[u8]) -> bool {
        self.sets(key) || key == RESOURCE_SECRET && self.profile != Profile::Tencent
    }

    /// A service name that Tencent would refuse, made one that it takes: losing all spans of a service is worse.
    fn mended(&self, attr: &Attr, keys: &Keys) -> Option<String> {
        if self.profile != Profile::Tencent || keys.text(attr.key) != SERVICE_NAME {
            return None;
        }
        let name = String::from_utf8_lossy(attr.value.as_str()?);
        (!config::is_service_name(&name)).then(|| config::to_service_name(&name))
    }

    /// Writes the attributes of a `Resource`; true: a service name had to be mended.
    pub fn write(&self, w: &mut Writer, attributes: &[Attr], keys: &Keys) -> bool {
        let mut mended = false;
        for (key, value) in self.sets.iter().rev() {
            write::attribute(w, number::RESOURCE_ATTRIBUTES, Key::Text(key.as_bytes()), &value_of(value), keys);
        }
        for attr in attributes.iter().rev().filter(|a| !self.drops(keys.text(a.key))) {
            match self.mended(attr, keys) {
                Some(name) => {
                    write::attribute(w, number::RESOURCE_ATTRIBUTES, attr.key, &Value::Str(name.as_bytes()), keys);
                    mended = true;
                }
                None => write::kept_attribute(w, number::RESOURCE_ATTRIBUTES, attr, keys),
            }
        }
        mended
    }
}

/// Does the scope carry a secret?
pub fn scope_has_secret(attributes: &[Attr], keys: &Keys) -> bool {
    attributes.iter().any(|a| SCOPE_SECRETS.contains(&keys.text(a.key)))
}

/// Writes the attributes of an `InstrumentationScope`, without secrets.
pub fn scope_attributes(w: &mut Writer, attributes: &[Attr], keys: &Keys) {
    for attr in attributes.iter().rev().filter(|a| !SCOPE_SECRETS.contains(&keys.text(a.key))) {
        write::kept_attribute(w, number::SCOPE_ATTRIBUTES, attr, keys);
    }
}
