//! The table of modules in `docs/architecture.md`, held against the sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// A source file with the module it belongs to.
struct SourceFile {
    module: String,
    path: PathBuf,
    /// Without comments.
    text: String,
}

impl SourceFile {
    /// What is not its tests.
    fn program(&self) -> &str {
        let is_tests = self.path.ends_with("tests.rs");
        let inline = self.text.find("#[cfg(test)]\nmod tests {");
        let end = inline.unwrap_or(self.text.len());
        if is_tests { "" } else { &self.text[..end] }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Row by module, as the page has it.
fn rows() -> BTreeMap<String, u32> {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let cells = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let row = cells.next()?.parse().ok()?;
        let module = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
        Some((module.to_owned(), row))
    });
    cells.collect()
}

fn sources() -> Vec<SourceFile> {
    let folder = root().join("src");
    let files = WalkDir::new(&folder).into_iter().map(Result::unwrap);
    let mut sources = Vec::new();
    for file in files.filter(|file| file.path().extension().is_some_and(|ending| ending == "rs")) {
        let inner = file.path().strip_prefix(&folder).unwrap();
        let first = inner.components().next().unwrap().as_os_str();
        let module = first.to_str().unwrap().trim_end_matches(".rs");
        // These two only say which modules there are.
        if !["lib", "main"].contains(&module) {
            sources.push(SourceFile {
                module: module.to_owned(),
                path: inner.to_owned(),
                text: without_comments(&fs::read_to_string(file.path()).unwrap()),
            });
        }
    }
    assert!(sources.len() > 50, "the sources were not found");
    sources
}

fn without_comments(text: &str) -> String {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// Whether a name ends before `at`, so that what is there is only the end of a longer one.
fn is_inside_name(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$')
}

/// The modules in `use crate::…`, in `use crate::{…}` and in paths without `use`.
fn imports(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, start) in text.match_indices("crate::") {
        if is_inside_name(text, at) {
            continue;
        }
        let rest = &text[at + start.len()..];
        let statement = rest.split(';').next().unwrap_or_default();
        match statement.strip_prefix('{') {
            Some(list) => {
                let mut depth = 0;
                for part in list.split(',') {
                    if depth == 0 {
                        found.push(first_name(part));
                    }
                    depth += part.matches('{').count();
                    depth = depth.saturating_sub(part.matches('}').count());
                }
            }
            None => found.push(first_name(statement)),
        }
    }
    // The library's error and result types are re-exported at its root.
    found.retain(|name| !name.is_empty() && !name.starts_with(char::is_uppercase));
    found
}

fn first_name(path: &str) -> &str {
    let path = path.trim();
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_');
    &path[..end.unwrap_or(path.len())]
}

#[test]
fn imports_are_read_in_every_form() {
    let check = |text, expected: &[&str]| assert_eq!(imports(text), expected, "{text}");
    check(
        "use crate::lake::Lake;\nuse crate::error;",
        &["lake", "error"],
    );
    check(
        "use crate::{Error, lake::{Lake, is_lake}, schema};",
        &["lake", "schema"],
    );
    check(
        "fn f(a: &crate::lake::Lake) -> crate::Result<()>",
        &["lake"],
    );
    check("use super::lake; use std::fs; use mycrate::lake;", &[]);
}

#[test]
fn modules_import_from_rows_above() {
    let rows = rows();
    for source in sources() {
        let place = source.path.display();
        let Some(own) = rows.get(&source.module) else {
            panic!("`{}` has no row", source.module);
        };
        for import in imports(&source.text) {
            let Some(other) = rows.get(import) else {
                panic!("{place} imports `{import}`, which has no row");
            };
            assert!(
                other < own || import == "error" || import == source.module,
                "{place} (row {own}) imports `{import}` (row {other})"
            );
        }
    }
}

#[test]
fn every_row_has_its_module() {
    let sources = sources();
    for module in rows().keys() {
        let exists = sources.iter().any(|source| source.module == *module);
        assert!(exists, "there is no module `{module}`");
    }
}

fn has_word(line: &str, word: &str) -> bool {
    let mut found = line.match_indices(word);
    found.any(|(at, _)| !is_inside_name(line, at))
}

#[test]
fn what_belongs_to_few_modules_stays_there() {
    let check = |words: &[&str], allowed: &[&str]| {
        for source in sources() {
            let mut lines = source.program().lines();
            let word = lines.find(|line| words.iter().any(|word| has_word(line, word)));
            assert!(
                word.is_none() || allowed.contains(&source.module.as_str()),
                "{}: {}",
                source.path.display(),
                word.unwrap_or_default()
            );
        }
    };
    check(&["clap::", "use clap"], &["cli"]);
    check(&["rustyline::", "use rustyline"], &["repl"]);
    check(&["deltalake::", "use deltalake"], &["lake"]);
    check(&["println!", "eprintln!", "print!"], &["cli", "repl"]);
    check(&["io::stdout()", "io::stderr()"], &["cli", "repl"]);
    check(&["process::exit", "process::abort"], &["cli"]);
    check(&["fs::write", "fs::rename", "File::create"], &["util"]);
    check(&["create_dir", "create_dir_all"], &["lake", "util"]);
    check(
        &["datafusion::", "use datafusion"],
        &["engine", "detections", "app", "repl", "cli"],
    );
}
