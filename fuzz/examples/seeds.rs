//! `cargo run -p genspan-fuzz --example seeds -- DIR`: what each target starts from, as `DIR/<target>/<number>`.

use genspan_fuzz::{TARGETS, seeds};
use std::path::Path;

fn main() -> std::io::Result<()> {
    let dir = std::env::args().nth(1).unwrap_or_else(|| "target/fuzz/corpus".into());
    for (name, _) in TARGETS {
        let dir = Path::new(&dir).join(name);
        std::fs::create_dir_all(&dir)?;
        for (i, seed) in seeds::of(name).iter().enumerate() {
            std::fs::write(dir.join(format!("seed-{i}")), seed)?;
        }
    }
    Ok(())
}
