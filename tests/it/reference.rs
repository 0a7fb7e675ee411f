//! `docs/functions.md` is what the registered functions say of themselves, and their examples are true.
//!
//! `SPOOR_WRITE_DOCS=1 cargo test --test it reference` writes the page anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use spoor::engine::{Engine, EngineOptions, FunctionInfo, FunctionReference, Params};

const HEAD: &str = "# Functions

What a statement may call beside what [the SQL page](sql.md) names. Made from the functions themselves by \
`tests/it/reference.rs`: change their documentation, then run `SPOOR_WRITE_DOCS=1 cargo test --test it reference`.

Names are not told apart by case. Where nothing else is said, a null argument gives null, positions count from 1, \
and `eventtime` and booleans may stand where text is expected: they are read as CloudTrail spells them.
";

/// Functions whose examples need an event.
const OVER_COLUMNS: [&str; 2] = ["principal_key", "resource_arn"];

async fn functions() -> Vec<FunctionInfo> {
    let engine = Engine::over_batches(Vec::new(), EngineOptions::default());
    engine.await.unwrap().functions()
}

#[tokio::test]
async fn the_page_is_what_the_functions_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/functions.md");
    let made = page(&functions().await);
    if std::env::var_os("SPOOR_WRITE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(made.lines()).position(|(a, b)| a != b);
    assert!(
        kept == made,
        "docs/functions.md is out of step from line {}: SPOOR_WRITE_DOCS=1 writes it anew",
        differs.map_or(kept.lines().count().min(made.lines().count()), |n| n) + 1
    );
}

/// An example is a call, or a whole statement, and its answer after `-- `.
#[tokio::test]
async fn examples_are_true() {
    let engine = Engine::over_batches(Vec::new(), EngineOptions::default());
    let engine = engine.await.unwrap();
    let mut wrong = Vec::new();
    for function in engine.functions() {
        if is_over_rows(&function) {
            continue;
        }
        let example = function.reference.and_then(|reference| reference.example);
        let Some((call, answer)) = example.as_deref().and_then(|text| text.rsplit_once("-- "))
        else {
            continue;
        };
        let call = call.trim().trim_end_matches(';');
        let sql = match call.get(..6) {
            Some(word) if word.eq_ignore_ascii_case("SELECT") => call.to_owned(),
            _ => format!("SELECT {call}"),
        };
        let found = first_cell(&engine, &sql).await;
        if plain(&found) != plain(answer.trim()) {
            wrong.push(format!(
                "{}: {sql}\n  says {answer}\n  gives {found}",
                function.name
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether an example needs events: of aggregates, and of what takes a column as it is.
fn is_over_rows(function: &FunctionInfo) -> bool {
    let page = function
        .reference
        .as_ref()
        .and_then(|reference| reference.page.as_deref());
    page.is_some_and(|page| page.ends_with("aggregate.html"))
        || OVER_COLUMNS.contains(&function.name.as_str())
}

async fn first_cell(engine: &Engine, sql: &str) -> String {
    let rows = match engine.query(sql, &Params::new()).await {
        Ok(rows) => rows.collect().await,
        Err(error) => return error.to_string(),
    };
    let batches = match rows {
        Ok(batches) => batches,
        Err(error) => return error.to_string(),
    };
    let options = FormatOptions::default().with_null("NULL");
    let cell = batches.iter().find(|batch| batch.num_rows() > 0);
    cell.map_or_else(String::new, |batch| {
        let column = ArrayFormatter::try_new(batch.column(0), &options).unwrap();
        column.value(0).to_string()
    })
}

/// Without what Arrow and Trino write each in its own way: `{a: 1}` and `{a=1}`, `T…Z` and ` … UTC`,
/// milliseconds that are none, names of members without one, quotes around the whole.
fn plain(text: &str) -> String {
    let text = text.trim_matches('\'').replace(": ", "=");
    let text = text.replace("field0=", "").replace("field1=", "");
    text.replace(" UTC", "Z")
        .replace(".000", "")
        .replacen('T', " ", 1)
}

/// A heading, and the page that its functions follow.
type Chapter<'a> = (&'a str, Option<&'a str>);

/// The whole page.
fn page(functions: &[FunctionInfo]) -> String {
    let mut chapters: BTreeMap<Chapter<'_>, Vec<(&FunctionInfo, &FunctionReference)>> =
        BTreeMap::new();
    let mut others = Vec::new();
    for function in functions {
        match &function.reference {
            Some(reference) => {
                let key = (reference.chapter.as_str(), reference.page.as_deref());
                chapters.entry(key).or_default().push((function, reference));
            }
            None => others.push(format!("`{}`", function.name)),
        }
    }
    let mut text = HEAD.to_owned();
    for ((title, source), functions) in chapters {
        write!(text, "\n## {title}\n").unwrap();
        if let Some(source) = source {
            write!(text, "\nAs in [Trino]({source}).\n").unwrap();
        }
        for (function, reference) in functions {
            text.push_str(&entry(function, reference));
        }
    }
    write!(
        text,
        "\n## Further functions\n\nDataFusion's own, as [its documentation]\
         (https://datafusion.apache.org/user-guide/sql/index.html) has them:\n\n{}.\n",
        others.join(", ")
    )
    .unwrap();
    text
}

fn entry(function: &FunctionInfo, reference: &FunctionReference) -> String {
    let mut text = format!("\n### {}\n\n", function.name);
    write!(
        text,
        "```text\n{}\n```\n\n{}\n",
        reference.syntax,
        words(&reference.description)
    )
    .unwrap();
    if !function.aliases.is_empty() {
        let aliases = function.aliases.iter().map(|alias| format!("`{alias}`"));
        let aliases = aliases.collect::<Vec<_>>().join(", ");
        write!(text, "\nAlso {aliases}.\n").unwrap();
    }
    if !reference.arguments.is_empty() {
        text.push('\n');
        for (name, meaning) in &reference.arguments {
            writeln!(text, "- `{name}`: {}", words(meaning)).unwrap();
        }
    }
    if let Some(example) = &reference.example {
        write!(text, "\n```sql\n{}\n```\n", example.trim()).unwrap();
    }
    text
}

/// One line, however the source breaks it.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
