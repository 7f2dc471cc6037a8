//! Walks `mapping.csv` and `enums.csv`: a sample span for each row, through `convert`, must come out as the row says.
//!
//! `GENSPAN_ROWS=<convention or category>` lists the rows that do not.

mod csv;
mod enums;
mod exceptions;
mod expect;
mod parts;
mod sample;
mod sources;
mod span;
mod special;

use exceptions::{DONE, EXCEPTIONS};
use expect::Case;

/// A row of either table.
struct Checked {
    group: String,
    key: String,
    wrong: Option<String>,
}

fn check(group: &str, key: String, cases: &[Case]) -> Checked {
    let wrong = cases.iter().find_map(|case| case.run().err());
    Checked { group: group.into(), key, wrong }
}

fn excepted(row: &Checked) -> bool {
    EXCEPTIONS.iter().any(|(group, key, _)| *group == row.group && *key == row.key)
}

fn report(table: &str, rows: &[Checked]) {
    let listed = std::env::var("GENSPAN_ROWS").unwrap_or_default();
    let mut groups: Vec<&str> = Vec::new();
    rows.iter().for_each(|row| if !groups.contains(&row.group.as_str()) { groups.push(&row.group) });
    let mut out = format!("\n{table}: rows honoured / rows (treated otherwise on purpose)\n");
    let line = |name: &str, of: &dyn Fn(&&Checked) -> bool| {
        let rows: Vec<_> = rows.iter().filter(of).collect();
        let honoured = rows.iter().filter(|row| row.wrong.is_none()).count();
        let otherwise = rows.iter().filter(|row| row.wrong.is_some() && excepted(row)).count();
        let open = rows.len() - honoured - otherwise;
        format!("  {name:24} {honoured:5} / {:5}   ({otherwise}){}\n", rows.len(), if open > 0 { format!("  {open} open") } else { String::new() })
    };
    for group in &groups {
        out += &line(group, &|row| row.group == *group);
    }
    out += &line("all", &|_| true);
    for row in rows.iter().filter(|row| row.group == listed || listed == "all") {
        if let Some(wrong) = row.wrong.as_ref().filter(|_| !excepted(row)) {
            out += &format!("  {}: {}: {wrong}\n", row.group, row.key);
        }
    }
    println!("{out}");
    let open: Vec<_> = rows.iter().filter(|row| DONE.contains(&row.group.as_str()) && row.wrong.is_some() && !excepted(row)).collect();
    let open: Vec<_> = open.iter().map(|row| format!("  {}: {}: {}", row.group, row.key, row.wrong.as_ref().unwrap())).collect();
    assert!(open.is_empty(), "{table}: rows that are not honoured:\n{}", open.join("\n"));
}

#[test]
fn rows_of_the_mapping() {
    let rows: Vec<_> = sample::rows().iter().map(|row| check(&row.convention, format!("{} → {}", row.key, row.target), &row.cases())).collect();
    report("mapping.csv", &rows);
}

#[test]
fn rows_of_the_enums() {
    let name = |row: &enums::Row| format!("{} {} {}", row.convention, row.key, row.value);
    let rows: Vec<_> = enums::rows().iter().map(|row| check(&row.category, name(row), &row.cases())).collect();
    report("enums.csv", &rows);
}
