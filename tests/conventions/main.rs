//! Walks `mapping.csv` and `enums.csv`: a sample span for each row, through `convert`, must come out as the row says.
//!
//! `GENSPAN_ROWS=<convention, category or all>` lists the rows that do not.

mod csv;
mod enums;
mod exceptions;
mod expect;
mod newer;
mod parts;
mod sample;
mod sources;
mod span;
mod special;

use exceptions::EXCEPTIONS;
use expect::Case;

/// A row of either table.
#[derive(Clone)]
struct Checked {
    group: String,
    key: String,
    wrong: Option<String>,
}

/// Checks the cases of all rows (group, key, cases).
fn check(rows: Vec<(String, String, Vec<Case>)>) -> Vec<Checked> {
    let sources: Vec<_> = rows.iter().flat_map(|(_, _, cases)| cases).map(|case| &case.source).collect();
    let outputs = span::convert(&sources);
    assert_eq!(outputs.len(), sources.len(), "as many spans come out as go in");
    let mut outputs = outputs.iter();
    let wrong: Vec<Vec<_>> = rows
        .iter()
        .map(|(_, _, cases)| cases.iter().zip(outputs.by_ref()).filter_map(|(case, out)| case.check(out).err()).collect())
        .collect();
    rows.into_iter().zip(wrong).map(|((group, key, _), wrong)| Checked { group, key, wrong: wrong.into_iter().next() }).collect()
}

type Exception = (&'static str, &'static str, &'static str);

fn is_of(row: &Checked, (group, pattern, _): &Exception) -> bool {
    *group == row.group
        && match pattern.strip_suffix('*') {
            Some(prefix) => row.key.starts_with(prefix),
            None => *pattern == row.key,
        }
}

fn excepted(row: &Checked) -> bool {
    EXCEPTIONS.iter().any(|exception| is_of(row, exception))
}

fn report(table: &str, rows: &[Checked]) {
    let listed = std::env::var("GENSPAN_ROWS").unwrap_or_default();
    let mut groups: Vec<&str> = Vec::new();
    rows.iter().for_each(|row| {
        if !groups.contains(&row.group.as_str()) {
            groups.push(&row.group)
        }
    });
    let mut out = format!("\n{table}: rows honoured / rows (treated otherwise on purpose)\n");
    let line = |name: &str, of: &dyn Fn(&&Checked) -> bool| {
        let rows: Vec<_> = rows.iter().filter(of).collect();
        let honoured = rows.iter().filter(|row| row.wrong.is_none()).count();
        let otherwise = rows.iter().filter(|row| row.wrong.is_some() && excepted(row)).count();
        let open = rows.len() - honoured - otherwise;
        format!(
            "  {name:24} {honoured:5} / {:5}   ({otherwise}){}\n",
            rows.len(),
            if open > 0 { format!("  {open} open") } else { String::new() }
        )
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
    let open: Vec<_> = rows.iter().filter(|row| row.wrong.is_some() && !excepted(row)).collect();
    let open: Vec<_> = open.iter().map(|row| format!("  {}: {}: {}", row.group, row.key, row.wrong.as_ref().unwrap())).collect();
    let idle: Vec<_> = EXCEPTIONS
        .iter()
        .filter(|exception| groups.contains(&exception.0) && !rows.iter().any(|row| row.wrong.is_some() && is_of(row, exception)))
        .collect();
    assert!(idle.is_empty(), "{table}: exceptions that no row needs: {idle:#?}");
    assert!(open.is_empty(), "{table}: rows that are not honoured:\n{}", open.join("\n"));
}

fn mapping() -> Vec<Checked> {
    let row = |row: &sample::Row| (row.convention.clone(), format!("{} → {}", row.key, row.target), row.cases());
    check(sample::rows().iter().map(row).collect())
}

fn enums() -> Vec<Checked> {
    let row = |row: &enums::Row| (row.category.clone(), format!("{} {} {}", row.convention, row.key, row.value), row.cases());
    check(enums::rows().iter().map(row).collect())
}

#[test]
fn rows_of_the_mapping() {
    report("mapping.csv", &mapping());
}

#[test]
fn rows_of_the_enums() {
    report("enums.csv", &enums());
}

#[test]
fn the_readme_states_how_many_rows_there_are() {
    let rows = [mapping(), enums()].concat();
    let otherwise = rows.iter().filter(|row| row.wrong.is_some() && excepted(row)).count();
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap().replace('\n', " ");
    let figures = format!(
        "{},{:03} rows of attributes that sources write, row by row; {otherwise} rows are deliberate exceptions",
        rows.len() / 1000,
        rows.len() % 1000
    );
    assert!(readme.contains(&figures), "the README should say: {figures}");
}
