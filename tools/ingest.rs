//! One OTLP body through the pipeline of a proxy: `ingest PROFILE FILE` writes what takes its place. For the tests, and to try what the plugin does.

use genspan::Pipeline;
use genspan::internals::config::Config;
use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, profile, file] = &std::env::args().collect::<Vec<_>>()[..] else { return Err("ingest PROFILE FILE".into()) };
    let config = Config::from_json(&format!(r#"{{"destinations":[{{"profile":"{profile}"}}],"entry":{{"holdMillis":0}}}}"#))?;
    let mut pipeline = Pipeline::new(&config, 1)?;
    let body = std::fs::read(file)?;
    std::io::stdout().write_all(&pipeline.rewrite(&body, None, 0.0)?)?;
    Ok(())
}
