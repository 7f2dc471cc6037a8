//! `cargo run --example options`: writes the option list of the core into the TypeScript types, the Python types and the READMEs. Its test
//! compares them.

use genspan::internals::config::{Group, groups};
use genspan::internals::options::{Info, Proxy};
use genspan::internals::profiles::Profile;
use std::fmt::Write;

const TYPES: &str = "pkg/src/options.ts";
const PYTHON: &str = "python/src/genspan/_options.py";
const PAGE: &str = "www/src/profiles.ts";
const READMES: [&str; 3] = ["pkg/README.md", "python/README.md", "examples/envoy/README.md"];

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
    let regional = rows(&|profile| profile.table().regional.map(|url| format!("\"{url}\"")).unwrap_or_default());
    writeln!(out, "\n/** The endpoint of a region. */\nexport const PROFILE_REGIONS: Partial<Record<Profile, string>> = {{\n{regional}}};")
        .unwrap();
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

/// The Python type of each TypeScript type. The numbers are whole, but for a ratio.
const PYTHON_TYPES: &[(&str, &str)] = &[
    ("number", "int"),
    ("number | null", "int | None"),
    ("boolean", "bool"),
    ("string", "str"),
    ("string | URL", "str"),
    ("string | RegExp", "str | re.Pattern[str]"),
    ("string[]", "Sequence[str]"),
    ("Record<string, string | number | boolean>", "Mapping[str, str | int | float | bool]"),
    ("HeadersLike | (() => HeadersLike | Promise<HeadersLike>)", "Mapping[str, str] | Callable[[], Mapping[str, str]]"),
    ("\"all\" | \"llm\" | FilterRules | SpanFilter", "Literal[\"all\", \"llm\"] | FilterRules | SpanFilter"),
    ("Mapping[]", "Sequence[KeyMapping]"),
    ("((text: string, key: string) => string)", "Callable[[str, str], str]"),
    ("((media: Media) => string | undefined)", "Callable[[Media], str]"),
    ("((partial: PartialSuccess) => void)", "Callable[[PartialSuccess], None]"),
];

/// What options mean in Python, where that differs.
const PYTHON_DOCS: &[(&str, &str)] = &[
    ("protocol", "How requests are made and encoded. `\"grpc\"` needs the extra `genspan[grpc]`."),
    ("headers", "Request headers: a mapping; or a function that returns one for each request, for tokens that change."),
    (
        "hostName",
        "Resource attribute `host.name`, at this destination only. Profile `\"tencent\"` has the machine's first address by default.",
    ),
    ("tls", "Certificates `{\"ca\": …, \"cert\": …, \"key\": …}`, PEM as text or bytes."),
    (
        "mask",
        "Called with every text among the attributes of a span that may be content, and its key, before genspan reads it; what it returns is sent.",
    ),
    ("onMedia", "Called with media in base64 before genspan reads the span; the text that it returns is sent in their place."),
    (
        "flushOnExit",
        "Shut down on SIGTERM, before the handler that was set before. The provider itself sees to an ordinary end. Construct the processor on the main thread.",
    ),
    (
        "meterProvider",
        "OpenTelemetry's `MeterProvider`: gets what `stats` counts as metrics, under the names that OpenTelemetry has for SDKs.",
    ),
    ("onPartialSuccess", "Called when a backend rejects spans of a batch that it accepts, or sends a warning."),
    (
        "spool",
        "Directory for batches that could not be delivered. They are sent later, after a restart too, to the same account. A destination whose `headers` are a function then needs a `name`, and so do several with one endpoint.",
    ),
];

fn snake(name: &str) -> String {
    name.chars().flat_map(|c| c.is_uppercase().then_some('_').into_iter().chain(c.to_lowercase())).collect()
}

/// The type of an option in Python.
fn python_type(info: &Info) -> String {
    if info.name == "sampleRatio" {
        return "float".to_owned();
    }
    if let Some((_, of)) = PYTHON_TYPES.iter().find(|(ts, _)| *ts == info.ts) {
        return (*of).to_owned();
    }
    let (of_one, is_list) = info.ts.strip_suffix("[]").map_or((info.ts, false), |of| (of.trim_matches(['(', ')']), true));
    let of_one = if of_one.starts_with('"') {
        format!("Literal[{}]", of_one.replace(" | ", ", "))
    } else {
        assert!(of_one.chars().all(char::is_alphanumeric), "PYTHON_TYPES has no type for {}: {}", info.name, info.ts);
        of_one.to_owned()
    };
    if is_list { format!("Sequence[{of_one}]") } else { of_one }
}

/// A text in which options have their names of Python.
fn in_python(text: &str) -> String {
    let mut text = text.replace("captureContent: false", "capture_content=False").replace("is_entry: true", "is_entry: True");
    for (info, _) in groups().iter().flat_map(|group| &group.options) {
        text = text.replace(&format!("`{}`", info.name), &format!("`{}`", snake(info.name)));
        text = text.replace(&format!(".{}`", info.name), &format!(".{}`", snake(info.name)));
    }
    text.replace("`forceFlush`", "`force_flush`").replace("true", "True").replace("false", "False")
}

fn python_doc(info: &Info) -> String {
    // The rules of masking have the name of the hook.
    let doc = PYTHON_DOCS.iter().find(|(name, _)| *name == info.name && info.ts != "MaskRule[]");
    doc.map_or_else(|| in_python(&sentence(info.doc)), |(_, doc)| (*doc).to_owned())
}

/// The default of an option, as the documentation of the Python package shows it.
fn python_default(option: &Documented) -> String {
    let info = &option.0;
    let default = if info.name == "onPartialSuccess" { "only the log has it".to_owned() } else { in_python(&default_of(option)) };
    let env = format!("`{}`", info.env);
    [default, env].into_iter().filter(|text| !["", "``", "required"].contains(&&text[..])).collect::<Vec<_>>().join(", or ")
}

fn python() -> String {
    let mut out = String::from(
        "\"\"\"The options of the package, made from the list of the core by `cargo run --example options`. A test compares the two.\"\"\"\n\n\
         from __future__ import annotations\n\n\
         from typing import TYPE_CHECKING, Final, Literal, TypedDict\n\n\
         if TYPE_CHECKING:\n    import re\n    from collections.abc import Callable, Mapping, Sequence\n\n    \
         from opentelemetry.metrics import MeterProvider\n    \
         from typing_extensions import Required\n\n    \
         from ._types import FilterRules, KeyMapping, Media, PartialSuccess, Protocol, SpanFilter, Tls\n\n",
    );
    let names: Vec<_> = Profile::ALL.iter().map(|profile| format!("\"{}\"", profile.name())).collect();
    writeln!(out, "Profile = Literal[{}]\nKeep = Literal[\"unmapped\", \"all\", \"none\"]\n", names.join(", ")).unwrap();
    for group in groups() {
        let base = EXTENDS.iter().find(|(interface, _)| *interface == group.interface).map_or("TypedDict", |(_, of)| of);
        writeln!(out, "\nclass {}({base}, total=False):\n    \"\"\"{}\"\"\"\n", group.interface, in_python(group.doc)).unwrap();
        for option in of_package(&group) {
            let info = &option.0;
            let of_type = python_type(info);
            let of_type = if info.default == "required" { format!("Required[{of_type}]") } else { of_type };
            let default = python_default(option);
            let default = if default.is_empty() { default } else { format!(" Default: {default}.") };
            writeln!(out, "    {}: {of_type}\n    \"\"\"{}{default}\"\"\"", snake(info.name), python_doc(info).replace('\\', "\\\\"))
                .unwrap();
        }
        out.push('\n');
    }
    out.push_str("\nPROFILES: Final = (");
    writeln!(out, "{})", names.join(", ")).unwrap();
    out.push_str("\n# The headers that requests to a backend get.\nPROFILE_HEADERS: Final[dict[str, dict[str, str]]] = {\n");
    for profile in Profile::ALL.iter().filter(|profile| !profile.table().headers.is_empty()) {
        let headers: Vec<_> = profile.table().headers.iter().map(|(name, value)| format!("\"{name}\": \"{value}\"")).collect();
        writeln!(out, "    \"{}\": {{{}}},", profile.name(), headers.join(", ")).unwrap();
    }
    out.push_str("}\n\n# The defaults that the package needs itself.\n");
    for (interface, name) in DEFAULTS {
        let option = groups().into_iter().filter(|group| group.interface == *interface).flat_map(|group| group.options);
        let default = option.filter(|(info, _)| info.name == *name).map(|option| default_of(&option)).collect::<String>();
        writeln!(out, "{}: Final = {}", snake(name).to_uppercase(), default.split(' ').next().unwrap_or_default()).unwrap();
    }
    out.push_str("\n# The options of each group, by their names in Python, with those in the configuration of the core.\nNAMES: Final[dict[str, dict[str, str]]] = {\n");
    for group in groups() {
        writeln!(out, "    \"{}\": {{", group.interface).unwrap();
        for (info, _) in of_package(&group) {
            writeln!(out, "        \"{}\": \"{}\",", snake(info.name), info.name).unwrap();
        }
        out.push_str("    },\n");
    }
    out.push_str("}\n\n# The group of options that an option holds.\nGROUPS: Final = {\n");
    let all: Vec<_> = groups().iter().map(|group| group.interface).collect();
    let mut seen = Vec::new();
    for (info, _) in groups().iter().flat_map(of_package) {
        let of = info.ts.trim_end_matches("[]");
        if all.contains(&of) && !seen.contains(&(info.name, of)) && !(info.name == "mask" && of != "MaskRule") {
            seen.push((info.name, of));
            writeln!(out, "    \"{}\": \"{of}\",", snake(info.name)).unwrap();
        }
    }
    out.push_str("}\n");
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

/// The table of a group: for the proxy, what is its own; for Python, in its own names; else what is the package's.
fn table(name: &str) -> String {
    if let Some(interface) = name.strip_suffix(" of Python") {
        return python_table(interface);
    }
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

fn python_table(interface: &str) -> String {
    let mut out = String::from("| option | meaning | default |\n| --- | --- | --- |\n");
    let group =
        groups().into_iter().find(|group| group.interface == interface).unwrap_or_else(|| panic!("no options are called {interface}"));
    for option in of_package(&group) {
        let cell = |text: String| text.replace('|', "\\|");
        writeln!(out, "| `{}` | {} | {} |", snake(option.0.name), cell(python_doc(&option.0)), cell(python_default(option))).unwrap();
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
    write(PYTHON, python());
    write(PAGE, page());
    READMES.iter().for_each(|path| write(path, with_tables(&read(path))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_and_the_tables_are_those_of_the_list() {
        assert!(read(TYPES) == types(), "{TYPES} is stale: cargo run --example options");
        assert!(read(PYTHON) == python(), "{PYTHON} is stale: cargo run --example options");
        assert!(read(PAGE) == page(), "{PAGE} is stale: cargo run --example options");
        let help = read("pkg/bin/genspan.js");
        assert!(Profile::ALL.iter().all(|profile| help.contains(profile.name())), "genspan convert --help lists every profile");
        for path in READMES {
            let page = read(path);
            assert!(page.contains("<!-- options: ") && page == with_tables(&page), "{path} is stale: cargo run --example options");
        }
    }
}
