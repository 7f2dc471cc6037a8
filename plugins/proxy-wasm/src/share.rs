//! A gauge is the sum of what the plugins of all workers have added to it. A plugin that traps subtracts nothing. So the proxy keeps a table of what each
//! plugin has added, and the others subtract the part of a plugin that has stopped reporting.
//!
//! The table, little-endian: for each plugin its number, the time of its last report (ms) and its levels.

/// The number of gauges.
pub const GAUGES: usize = 5;
/// A plugin that has not reported for this time, in ms, counts as gone. Plugins report four times a second.
const GONE: f64 = 3_000.0;
const WORD: usize = 8;
const ENTRY: usize = WORD * (2 + GAUGES);

/// What one plugin has added to the gauges.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share {
    /// Its number in the table.
    number: u64,
    /// The time of its last report, in ms.
    at: f64,
    levels: [u64; GAUGES],
}

/// The table after a report, and the changes to the gauges that follow once the proxy has stored it.
#[derive(Debug)]
pub struct Report {
    /// The new table.
    pub table: Vec<u8>,
    /// The amount to add to each gauge.
    pub changes: [i64; GAUGES],
    /// The share from then on.
    pub share: Share,
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let word = bytes.get(at * WORD..).and_then(|rest| rest.first_chunk::<WORD>());
    word.map_or(0, |word| u64::from_le_bytes(*word))
}

impl Share {
    /// The share of a plugin that has added nothing. `number` must be unique.
    pub fn new(number: u64) -> Self {
        Share { number, ..Share::default() }
    }

    /// Puts new levels into the table, and removes the plugins that are gone. `now` is in ms.
    pub fn report(&self, table: &[u8], levels: [u64; GAUGES], now: f64) -> Report {
        // If two plugins create the table at once, one of them is missing in it. It knows what it has added, unless the others have taken it for gone.
        let mut before = if now - self.at <= GONE { self.levels } else { [0; GAUGES] };
        let mut gone = [0; GAUGES];
        let mut out = Vec::with_capacity(table.len() + ENTRY);
        for entry in table.chunks_exact(ENTRY) {
            let added = std::array::from_fn(|i| word(entry, 2 + i));
            if word(entry, 0) == self.number {
                before = added;
            } else if (now - f64::from_bits(word(entry, 1))).abs() <= GONE {
                out.extend_from_slice(entry);
            } else {
                gone.iter_mut().zip(added).for_each(|(sum, added)| *sum += added);
            }
        }
        let own = [self.number, now.to_bits()].into_iter().chain(levels);
        own.for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
        let changes = std::array::from_fn(|i| levels[i] as i64 - before[i] as i64 - gone[i] as i64);
        Report { table: out, changes, share: Share { at: now, levels, ..*self } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gauges of a proxy and its table.
    #[derive(Default)]
    struct Proxy {
        table: Vec<u8>,
        gauges: [i64; GAUGES],
    }

    impl Proxy {
        fn report(&mut self, share: &mut Share, level: u64, now: f64) {
            let report = share.report(&self.table, [level; GAUGES], now);
            self.table = report.table;
            self.gauges.iter_mut().zip(report.changes).for_each(|(gauge, change)| *gauge += change);
            *share = report.share;
        }
    }

    #[test]
    fn what_a_plugin_has_added_is_subtracted_when_it_stops_reporting() {
        let mut proxy = Proxy::default();
        let [mut one, mut other] = [1, 2].map(Share::new);
        proxy.report(&mut one, 5, 0.0);
        proxy.report(&mut other, 7, 100.0);
        proxy.report(&mut one, 6, 250.0);
        assert_eq!(proxy.gauges, [13; GAUGES]);
        // The other one traps, and a new one takes its place.
        let mut new = Share::new(3);
        proxy.report(&mut new, 1, 400.0);
        assert_eq!(proxy.gauges, [14; GAUGES]);
        proxy.report(&mut one, 6, 3_000.0);
        proxy.report(&mut new, 2, 3_200.0);
        assert_eq!(proxy.gauges, [8; GAUGES]);
        // One that could not report for long adds everything once more, because the others have subtracted it.
        proxy.report(&mut one, 6, 9_000.0);
        proxy.report(&mut new, 2, 9_100.0);
        assert_eq!(proxy.gauges, [8; GAUGES]);
    }

    #[test]
    fn two_plugins_that_create_the_table_at_once_are_counted_once() {
        let mut proxy = Proxy::default();
        let [mut one, mut other] = [1, 2].map(Share::new);
        proxy.report(&mut one, 5, 0.0);
        proxy.table.clear();
        proxy.report(&mut other, 7, 1.0);
        for now in [250.0, 500.0] {
            proxy.report(&mut one, 5, now);
            assert_eq!(proxy.gauges, [12; GAUGES]);
            proxy.report(&mut other, 7, now + 1.0);
        }
        assert_eq!(proxy.gauges, [12; GAUGES]);
    }
}
