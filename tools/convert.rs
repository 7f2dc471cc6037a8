//! `cargo run --example convert -- [--profile NAME] FILE`: one OTLP body through the native core, to standard output.

use genspan::internals::config::Convert;
use std::io::Write;
use std::process::ExitCode;

fn run() -> Result<(), String> {
    let mut options = Convert::default();
    let mut file = None;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg != "--profile" {
            file = Some(arg);
            continue;
        }
        let profile = args.next().unwrap_or_default();
        options = Convert::from_json(&format!("{{\"profile\":{profile:?}}}")).map_err(|e| e.to_string())?;
    }
    let file = file.ok_or("usage: convert [--profile NAME] FILE")?;
    let body = std::fs::read(&file).map_err(|e| format!("{file}: {e}"))?;
    let out = genspan::convert(&body, &options).map_err(|e| format!("{file}: {e}"))?;
    std::io::stdout().write_all(&out).map_err(|e| e.to_string())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("convert: {message}");
            ExitCode::FAILURE
        }
    }
}
