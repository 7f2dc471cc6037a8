//! `cargo run --example options`: writes the option list of the core into the TypeScript types and the READMEs. Its test compares them.

use genspan::internals::config::{Group, groups};
use genspan::internals::options::{Info, Proxy};
use genspan::internals::profiles::Profile;
use std::fmt::Write;

const TYPES: &str = "pkg/src/options.ts";
const PAGE: &str = "www/src/profiles.ts";
const READMES: [&str; 2] = ["pkg/README.md", "examples/envoy/README.md"];

/// An interface that holds the options of another one too.
const EXTENDS: &[(&str, &str)] = &[("DestinationOptions", "DeliveryOptions"), ("GenSpanOptions", "DestinationOptions")];

/// The defaults that the package needs itself: of its transport and of its spool.
const DEFAULTS: &[(&str, &str)] = &[
    ("DeliveryOptions", "maxQueueSize"),
    ("DestinationOptions", "timeoutMillis"),
    ("GenSpanOptions", "flushTimeoutMillis"),
    ("GenSpanOptions", "maxIdleMemoryBytes"),
    ("SpoolOptions", "maxBytes"),
];

/// An option and its default, as the documentation shows it.
type Documented = (Info, String);

/// The default of an option; sizes also in MiB.
fn default_of((info, of_field): &Documented) -> String {
    if !info.default.is_empty() {
        return info.default.to_owned();
    }
    match of_field.parse::<usize>() {
        Ok(bytes) if info.name.ends_with("Bytes") && bytes >= 1 << 20 => format!("{bytes} ({} MiB)", bytes >> 20),
        _ => of_field.clone(),
    }
}

fn of_package(group: &Group) -> impl Iterator<Item = &Documented> {
    group.options.iter().filter(|(info, _)| info.proxy != Proxy::Only)
}

fn sentence(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

fn types() -> String {
    let mut out = String::from(
        "// The options of the package, made from the list of the core by `cargo run --example options`. A test compares the two.\n\
         import type { HeadersLike } from \"./headers.js\";\n\
         import type { FilterRules, Mapping, Media, MeterProvider, PartialSuccess, Protocol, SpanFilter, Tls } from \"./types.js\";\n\n",
    );
    let names: Vec<_> = Profile::ALL.iter().map(|profile| format!("\"{}\"", profile.name())).collect();
    writeln!(out, "export const PROFILES = [{}] as const;", names.join(", ")).unwrap();
    out.push_str("/** The attributes that a backend reads: `\"otel\"` is OpenTelemetry GenAI 0.1.0, `\"openinference\"` is for Phoenix and Arize. */\n");
    out.push_str("export type Profile = (typeof PROFILES)[number];\n");
    out.push_str("/** Which source attributes stay. */\nexport type Keep = \"unmapped\" | \"all\" | \"none\";\n");
    for group in groups() {
        let extends = EXTENDS.iter().find(|(interface, _)| *interface == group.interface);
        let extends = extends.map(|(_, of)| format!(" extends {of}")).unwrap_or_default();
        writeln!(out, "\n/** {} */\nexport interface {}{extends} {{", group.doc, group.interface).unwrap();
        for option in of_package(&group) {
            let info = &option.0;
            let default = default_of(option);
            let env = format!("`{}`", info.env);
            let default =
                [default, env].into_iter().filter(|text| !["", "``", "required"].contains(&&text[..])).collect::<Vec<_>>().join(", or ");
            let default = if default.is_empty() { default } else { format!(" Default: {default}.") };
            let required = if info.default == "required" { "" } else { "?" };
            let unset = if required.is_empty() { "" } else { " | undefined" };
            writeln!(out, "  /** {}{default} */", sentence(info.doc)).unwrap();
            writeln!(out, "  {}{required}: {}{unset};", info.name, info.ts).unwrap();
        }
        out.push_str("}\n");
    }
    let rows = |of: &dyn Fn(Profile) -> String| {
        let rows = Profile::ALL.iter().map(|profile| (profile.name(), of(*profile))).filter(|(_, value)| !value.is_empty());
        rows.map(|(name, value)| format!("  \"{name}\": {value},\n")).collect::<String>()
    };
    let headers = rows(&|profile| {
        let headers: Vec<_> = profile.table().headers.iter().map(|(name, value)| format!("\"{name}\": \"{value}\"")).collect();
        if headers.is_empty() { String::new() } else { format!("{{ {} }}", headers.join(", ")) }
    });
    writeln!(out, "\n/** The headers that requests to a backend get. */\nexport const PROFILE_HEADERS: Partial<Record<Profile, Record<string, string>>> = {{\n{headers}}};").unwrap();
    out.push_str("\n/** The defaults that the package needs itself. */\nexport const DEFAULTS = {\n");
    for (interface, name) in DEFAULTS {
        let option = groups().into_iter().filter(|group| group.interface == *interface).flat_map(|group| group.options);
        let default = option.filter(|(info, _)| info.name == *name).map(|option| default_of(&option)).collect::<String>();
        writeln!(out, "  {name}: {},", default.split(' ').next().unwrap_or_default()).unwrap();
    }
    out.push_str("} as const;\n");
    out.push_str(
        "\n/** The names of the options of each interface, without those that it takes over from another one. */\nexport const NAMES = {\n",
    );
    for group in groups() {
        let names: Vec<_> = of_package(&group).map(|(info, _)| format!("\"{}\"", info.name)).collect();
        writeln!(out, "  {}: [{}],", group.interface, names.join(", ")).unwrap();
    }
    out.push_str("} as const;\n");
    out
}

/// What the inspector knows of profiles.
fn page() -> String {
    let mut out = String::from(
        "// The profiles, made from the list of the core by `cargo run --example options`. A test compares the two.\n\
         \n/** The endpoint of each profile in the configuration to copy. */\nexport const ENDPOINTS = {\n",
    );
    for profile in Profile::ALL {
        let name = profile.name();
        let name = if name.contains('-') { format!("\"{name}\"") } else { name.to_owned() };
        writeln!(out, "  {name}: \"{}\",", profile.table().endpoint).unwrap();
    }
    out + "} as const;\n\nexport type Profile = keyof typeof ENDPOINTS;\nexport const PROFILES = Object.keys(ENDPOINTS) as Profile[];\n"
}

/// The table of a group: for the proxy, what is its own; else what is the package's.
fn table(name: &str) -> String {
    let (interface, of_proxy) = name.strip_suffix(" of the proxy").map_or((name, false), |interface| (interface, true));
    let group = groups().into_iter().find(|group| group.interface == interface).unwrap_or_else(|| panic!("no options are called {name}"));
    let mut out = String::from("| option | meaning | default |\n| --- | --- | --- |\n");
    for option in group.options.iter().filter(|(info, _)| (info.proxy == Proxy::Only) == of_proxy) {
        let info = &option.0;
        let mut default = default_of(option);
        if !info.env.is_empty() {
            let separator = if default.is_empty() { "" } else { ", or " };
            default = format!("`{}`{separator}{default}", info.env);
        }
        let cell = |text: String| text.replace('|', "\\|");
        writeln!(out, "| `{}` | {} | {} |", info.name, cell(sentence(info.doc)), cell(default)).unwrap();
    }
    out
}

/// A page with its tables made anew: each stands between `<!-- options: NAME -->` and `<!-- end -->`.
fn with_tables(page: &str) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("<!-- options: ") {
        let (name, after) = after.split_once(" -->\n").expect("the name of a table ends in -->");
        let (_, after) = after.split_once("<!-- end -->").expect("a table ends in <!-- end -->");
        write!(out, "{before}<!-- options: {name} -->\n\n{}\n<!-- end -->", table(name)).unwrap();
        rest = after;
    }
    out + rest
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn main() {
    let write = |path: &str, text: String| std::fs::write(path, text).unwrap_or_else(|error| panic!("{path}: {error}"));
    write(TYPES, types());
    write(PAGE, page());
    READMES.iter().for_each(|path| write(path, with_tables(&read(path))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_and_the_tables_are_those_of_the_list() {
        assert!(read(TYPES) == types(), "{TYPES} is stale: cargo run --example options");
        assert!(read(PAGE) == page(), "{PAGE} is stale: cargo run --example options");
        let help = read("pkg/bin/genspan.js");
        assert!(Profile::ALL.iter().all(|profile| help.contains(profile.name())), "genspan convert --help lists every profile");
        for path in READMES {
            let page = read(path);
            assert!(page.contains("<!-- options: ") && page == with_tables(&page), "{path} is stale: cargo run --example options");
        }
    }
}
