//! Each target on mutations of its seeds, the same ones in every run: what `make fuzz` searches for hours is looked at for seconds.

use genspan_fuzz::{TARGETS, seeds};

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 16) as usize % n.max(1)
    }
}

fn mutate(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut data = seeds[random.below(seeds.len())].clone();
    for _ in 0..random.below(4) + 1 {
        let at = random.below(data.len());
        let end = (at + random.below(32)).min(data.len());
        match random.below(8) {
            0 if !data.is_empty() => data[at] ^= 1 << random.below(8),
            1 if !data.is_empty() => data[at] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'{', b'\\'][random.below(8)],
            2 => drop(data.drain(at..end)),
            3 => data.truncate(at),
            4 => {
                let piece = data[at..end].to_vec();
                data.splice(at..at, piece);
            }
            5 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len());
                data.splice(at..at, other[from..(from + 64).min(other.len())].iter().copied());
            }
            6 => data.insert(at.min(data.len()), random.next() as u8),
            _ => {
                let key = &seeds::keys()[random.below(seeds::keys().len())];
                data.splice(at..end, key.bytes());
            }
        }
    }
    data
}

/// `FUZZ_RUNS` is how often each target runs.
#[test]
fn what_must_hold_holds_for_mutations_of_captured_bodies() {
    let runs = std::env::var("FUZZ_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(400);
    for (name, target) in TARGETS {
        let seeds = seeds::of(name);
        assert!(seeds.len() >= 4, "{name} has seeds");
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for seed in seeds.iter().take(40) {
            target(seed);
        }
        for run in 0..runs {
            let data = mutate(&seeds, &mut random);
            if std::panic::catch_unwind(|| target(&data)).is_err() {
                let path = std::env::temp_dir().join(format!("genspan-{name}-{run}"));
                std::fs::write(&path, &data).expect("the input is kept");
                panic!("{name}: run {run} failed on {}", path.display());
            }
        }
    }
}

/// A seed that is refused at once would say nothing.
#[test]
fn the_records_of_a_host_are_taken() {
    let seen: u64 = seeds::of("frames").iter().map(|records| genspan_fuzz::hand_over(records).stats().seen).sum();
    assert!(seen > 300, "{seen} spans");
}
