//! Reads the tables of `tests/fixtures/conventions`: comma-separated, quotes doubled inside quotes, one record a line.

use std::sync::OnceLock;

pub fn enums() -> &'static [Vec<String>] {
    static ROWS: OnceLock<Vec<Vec<String>>> = OnceLock::new();
    ROWS.get_or_init(|| all("enums"))
}

/// The rows of a table, then those of its continuation: sources that appeared or changed by November 2026.
pub fn all(table: &str) -> Vec<Vec<String>> {
    [".csv", "-2026-11.csv"].iter().flat_map(|rest| read(&format!("{table}{rest}"))).collect()
}

pub fn read(file: &str) -> Vec<Vec<String>> {
    let path = format!("{}/tests/fixtures/conventions/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.lines().skip(1).map(record).collect()
}

fn record(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => fields.last_mut().unwrap().push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => fields.last_mut().unwrap().push(c),
        }
    }
    fields
}
