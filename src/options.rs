//! The form in which options are declared. An option is written down once, where its struct is: its name, its field, its default, its TypeScript
//! type, the environment variable that stands for it, what it means, and what the proxy does with it. The reader of the configuration, the
//! TypeScript types, the tables of the READMEs and the proxy's list are made from that: [`crate::config::groups`].

/// An option, as the documentation has it.
#[derive(Clone, Copy)]
pub struct Info {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Its type in TypeScript.
    pub ts: &'static str,
    /// Its default in words, where that is not the default of its field.
    pub default: &'static str,
    /// The environment variable that is read where the option is not set, or an empty text.
    pub env: &'static str,
    /// What the proxy does with it.
    pub proxy: Proxy,
    /// What it means: lines of whole sentences.
    pub doc: &'static [&'static str],
}

/// What the proxy does with an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// What the package does.
    Same,
    /// It is the proxy's own: the package does not have it.
    Only,
    /// It is ignored, for this reason.
    Ignored(&'static str),
    /// It is refused, with what to do instead.
    Refused(&'static str),
}

/// Declares a struct of options: its fields, its default, its reader and its part of the list. After `@` come fields that are no options, after
/// `..` one whose own options stand among these.
macro_rules! options {
    (
        $(#[$meta:meta])*
        pub struct $type:ident {
            $(
                $(#[doc = $doc:literal])*
                $name:literal $(| $alias:literal)* => $field:ident: $of:ty = $default:expr, $ts:literal
                    $(, default: $shown:literal)? $(, env: $env:literal)? $(, proxy: $proxy:expr)?;
            )*
            $(@ $(#[$also_meta:meta])* $also:ident: $also_of:ty = $also_default:expr;)*
            $(.. $(#[$rest_meta:meta])* $rest:ident: $rest_of:ty;)*
        }
    ) => {
        $(#[$meta])*
        pub struct $type {
            $($(#[doc = $doc])* pub $field: $of,)*
            $($(#[$also_meta])* pub $also: $also_of,)*
            $($(#[$rest_meta])* pub $rest: $rest_of,)*
        }

        impl Default for $type {
            fn default() -> Self {
                $type {
                    $($field: $default,)*
                    $($also: $also_default,)*
                    $($rest: Default::default(),)*
                }
            }
        }

        impl $crate::json::read::Members for $type {
            fn member<'d>(&mut self, name: &[u8], json: $crate::json::Json<'d>, arena: &'d bumpalo::Bump) -> $crate::json::read::Member {
                let names: &[&[&str]] = &[$(&[$name $(, $alias)*],)*];
                match names.iter().position(|names| $crate::text::any(name, names)) {
                    Some(at) => {
                        let fields: &mut [&mut dyn $crate::json::read::Read] = &mut [$(&mut self.$field,)*];
                        Some(fields[at].read(json, arena))
                    }
                    None => None$(.or_else(|| self.$rest.member(name, json, arena)))*,
                }
            }

            fn names(&self, known: &mut Vec<&'static str>) {
                known.extend_from_slice(&[$($name,)*]);
                $(self.$rest.names(known);)*
            }
        }

        impl $crate::json::read::Read for $type {
            fn blank() -> Self {
                Self::default()
            }

            fn read<'d>(&mut self, json: $crate::json::Json<'d>, arena: &'d bumpalo::Bump) -> Result<(), $crate::json::read::Error> {
                *self = Self::blank();
                $crate::json::read::all_members(self, json, arena)
            }
        }

        impl $type {
            /// The options, each with the default of its field as the documentation shows it.
            pub fn options() -> Vec<($crate::options::Info, String)> {
                use $crate::json::read::Shown;
                let default = Self::default();
                vec![$((
                    $crate::options::Info {
                        name: $name,
                        ts: $ts,
                        default: concat!($($shown)?),
                        env: concat!($($env)?),
                        proxy: [$($proxy,)? $crate::options::Proxy::Same][0],
                        doc: &[$($doc,)*],
                    },
                    default.$field.shown(),
                ),)*]
            }
        }
    };
}
pub(crate) use options;
