//! Feeds frames that `benches/js/frames.mjs` wrote to the core, as often as told: `replay FILE ROUNDS`. For a profiler, or a counter of instructions.

use genspan::Pipeline;
use genspan::internals::config::Config;

const KEY: u8 = 0;
const SCOPE: u8 = 1;
const RESOURCE: u8 = 2;
const START: u8 = 3;
/// Where the trace id stands in a `start` and in a `span` record.
const TRACE_ID: [usize; 2] = [2, 8];

/// What it is, and its bytes.
type Record = (u8, Vec<u8>);

fn records(mut file: &[u8]) -> Result<Vec<Record>, Box<dyn std::error::Error>> {
    let mut records = Vec::new();
    while let Some((head, rest)) = file.split_first_chunk::<5>() {
        let [what, length @ ..] = *head;
        let (record, rest) = rest.split_at_checked(u32::from_le_bytes(length) as usize).ok_or("the file ends early")?;
        records.push((what, record.to_vec()));
        file = rest;
    }
    Ok(records)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, file, rounds] = &std::env::args().collect::<Vec<_>>()[..] else { return Err("replay FILE ROUNDS".into()) };
    let mut pipeline = Pipeline::new(&Config::from_json(r#"{"destinations":[{"profile":"otel"}]}"#)?, 1)?;
    let mut spans = Vec::new();
    for (what, record) in records(&std::fs::read(file)?)? {
        match what {
            KEY => drop(pipeline.intern(&record)),
            SCOPE => drop(pipeline.scope(&record)?),
            RESOURCE => drop(pipeline.resource(&record)?),
            _ => spans.push((what, record)),
        }
    }
    let mut bytes = 0;
    for round in 0..rounds.parse::<u64>()? {
        for (what, record) in &mut spans {
            // Traces that were not there before.
            let at = TRACE_ID[usize::from(*what != START)];
            record.get_mut(at..at + 8).ok_or("a record without ids")?.copy_from_slice(&round.to_le_bytes());
            if *what == START { pipeline.start(record, 0, 0.0) } else { pipeline.end(record, 0, 0.0) }?;
        }
        pipeline.flush(0.0);
        while let Some((_, transmit)) = pipeline.poll(0.0) {
            let id = transmit.id;
            bytes += transmit.body.len();
            pipeline.response(id, 200, None, b"", 0.0);
        }
    }
    let stats = pipeline.stats();
    println!("{} spans ended, {} sent in {bytes} bytes, {} entries", stats.seen, stats.destinations[0].sent, stats.entries);
    Ok(())
}
