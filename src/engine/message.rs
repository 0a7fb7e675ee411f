//! Errors of the parser, the planner and the engine in words that a person can use.

use datafusion::common::{Column, DataFusionError, SchemaError};
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::TokenWithSpan;

use super::catalog::Catalog;
use super::session::{CATALOG, SCHEMA};
use crate::error::QueryError;
use crate::schema::EVENT_COLUMNS;

/// How many names an error lists at most.
const LISTED_NAMES: usize = 30;

/// A text that does not parse.
pub(super) fn of_parser(error: &DataFusionError) -> QueryError {
    let text = match root(error) {
        DataFusionError::SQL(parser, _) => match parser.as_ref() {
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.clone(),
            ParserError::RecursionLimitExceeded => "the statement nests too deep".to_owned(),
        },
        other => other.message().into_owned(),
    };
    let error = QueryError::new(placed(&text));
    if text.contains(['‘', '’', '“', '”']) {
        return error.with_hint("texts stand in straight single quotes: `'…'`");
    }
    error
}

/// A token after the end of a statement.
pub(super) fn unexpected(token: &TokenWithSpan) -> QueryError {
    let start = token.span.start;
    QueryError::new(format!(
        "line {}, column {}: expected the end of the statement, found `{}`",
        start.line, start.column, token.token
    ))
}

/// `Expected: x, found: y at Line: 1, Column: 8` as `line 1, column 8: expected x, found y`.
fn placed(text: &str) -> String {
    let (what, place) = match text.rsplit_once(" at Line: ") {
        Some((what, place)) => (what, place.split_once(", Column: ")),
        None => (text, None),
    };
    let what = lower_first(
        &what
            .replace("Expected: ", "expected ")
            .replace("found: EOF", "found the end of the text")
            .replace("found: ", "found "),
    );
    match place {
        Some((line, column)) => format!("line {line}, column {column}: {what}"),
        None => what,
    }
}

/// A statement that cannot be planned.
pub(super) fn of_planner(error: &DataFusionError, catalog: &Catalog) -> QueryError {
    let place = error
        .diagnostic()
        .and_then(|diagnostic| diagnostic.span)
        .map(|span| format!("line {}, column {}: ", span.start.line, span.start.column))
        .unwrap_or_default();
    let (what, hint) = explain(error, catalog);
    QueryError {
        message: format!("{place}{what}"),
        hint,
        source: None,
    }
}

fn explain(error: &DataFusionError, catalog: &Catalog) -> (String, Option<String>) {
    let root = root(error);
    if let DataFusionError::SchemaError(schema_error, _) = root {
        match schema_error.as_ref() {
            SchemaError::FieldNotFound {
                field,
                valid_fields,
            } => {
                return missing_column(field, valid_fields);
            }
            SchemaError::AmbiguousReference { field } => {
                let what = format!("column `{}` is in more than one table", field.name());
                return (what, Some("put the table's name before it".to_owned()));
            }
            SchemaError::DuplicateQualifiedField { .. }
            | SchemaError::DuplicateUnqualifiedField { .. } => {}
        }
    }
    let text = root.message().into_owned();
    if let Some(table) = missing_table(&text) {
        let error = no_table(&table, catalog);
        return (error.message, error.hint);
    }
    if let Some(member) = between(&text, "Field ", " not found in struct") {
        let members: Vec<String> = members();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        let hint = nearest(member, &members).map(did_you_mean);
        return (format!("a struct has no member `{member}`"), hint);
    }
    if let Some(explained) = of_kind(&text) {
        return explained;
    }
    if let Some(name) = between(&text, "Placeholder '", "' was not provided a value")
        .or_else(|| between(&text, "No value found for placeholder with name ", ""))
    {
        return (format!("there is no value for `{name}`"), None);
    }
    if let Some(function) = between(&text, "table function '", "' not found") {
        return (format!("there is no table function `{function}`"), None);
    }
    if let Some(what) = between(
        &text,
        "coercion failed with: Error during planning: ",
        ". No function matches",
    ) {
        return (what.to_owned(), None);
    }
    if let Some((function, hint)) = missing_function(&text) {
        return (format!("there is no function `{function}`"), hint);
    }
    // Where the planner knows a way out, its words to the user are better than its message.
    if let Some(diagnostic) = error.diagnostic()
        && let Some(help) = diagnostic.helps.first()
    {
        let what = lower_first(first_line(&diagnostic.message));
        return (what, Some(lower_first(&help.message)));
    }
    (lower_first(first_line(&text)), None)
}

/// Mistakes of which the planner says how it works and not what is wrong.
fn of_kind(text: &str) -> Option<(String, Option<String>)> {
    let hinted = |what: &str, hint: &str| Some((what.to_owned(), Some(hint.to_owned())));
    if let Some(path) = between(text, "could not parse compound identifier from [", "]") {
        let path = path.replace(['"', ' '], "").replace(',', ".");
        let (owner, member) = path.rsplit_once('.')?;
        return Some((format!("`{owner}` has no member `{member}`"), None));
    }
    if text.contains("is not Struct, Map, or Null") {
        let hint = if text.contains("type List(") {
            "of an array: `x[1].member`, or `CROSS JOIN UNNEST(x) AS t (r)` and `r.member`"
        } else {
            "rows have members, such as `useridentity.arn`, and JSON text has"
        };
        return hinted("what stands before the point has no members", hint);
    }
    if let Some(function) = between(text, "Function '", "' failed to match any signature") {
        return Some((
            format!("`{function}` takes no arguments of these types"),
            Some("docs/functions.md says what functions take".to_owned()),
        ));
    }
    if text.contains("does not support logical expression WindowFunction") {
        return hinted(
            "window functions stand in SELECT and ORDER BY only",
            "put the query into a subquery and filter its column, or use QUALIFY",
        );
    }
    if text.contains("does not support logical expression AggregateFunction") {
        return hinted(
            "aggregates stand in SELECT, HAVING and ORDER BY only",
            "use HAVING, or a subquery",
        );
    }
    if let Some(kinds) = between(
        text,
        "annot infer common argument type for comparison operation ",
        "",
    ) && ["Timestamp", "Date"]
        .iter()
        .any(|time| kinds.contains(time))
    {
        return hinted(
            "a time is compared with what is none",
            "write times as text: `'2023-07-06'` or `'2023-07-06T13:51:00Z'`",
        );
    }
    if let Some(node) = between(text, "Unsupported ast node ", " ") {
        let form = node.split(['(', '{']).next().unwrap_or(node);
        return Some((format!("`{form}` is not there"), None));
    }
    None
}

/// A column that is not there, and what it may have meant.
fn missing_column(field: &Column, valid_fields: &[Column]) -> (String, Option<String>) {
    let names: Vec<&str> = valid_fields.iter().map(|field| field.name()).collect();
    let is_table = |table: &str| {
        let mut relations = valid_fields
            .iter()
            .filter_map(|field| field.relation.as_ref());
        relations.any(|relation| relation.table() == table)
    };
    // What stands before a point is a table, or a column with members.
    let (name, shown) = match &field.relation {
        Some(relation) if !is_table(relation.table()) => {
            (relation.table(), relation.table().to_owned())
        }
        _ => (field.name(), field.flat_name()),
    };
    let mut hint = suggest(name, &names);
    if field.relation.is_none()
        && nearest(name, &names).is_none()
        && let Some(hint) = &mut hint
    {
        *hint = format!("a text stands in single quotes, a name in double ones; {hint}");
    }
    (format!("there is no column `{shown}`"), hint)
}

/// A name that is no table's.
pub(super) fn no_table(table: &str, catalog: &Catalog) -> QueryError {
    let names = catalog.names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut error = QueryError::new(format!("there is no table `{table}`"));
    error.hint = suggest(table, &names);
    if nearest(table, &names).is_none()
        && let Some(hint) = &mut error.hint
    {
        *hint = format!("{hint}; `--alias {table}=cloudtrail` reads it as that");
    }
    error
}

/// The members that events have, at any depth.
fn members() -> Vec<String> {
    let paths = EVENT_COLUMNS.iter().flat_map(|column| column.path);
    let mut members: Vec<String> = paths.map(|member| member.to_lowercase()).collect();
    members.sort();
    members.dedup();
    members
}

/// The text after `before` and, unless it is empty, ahead of `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    match after {
        "" => Some(rest),
        after => rest.split_once(after).map(|(found, _)| found),
    }
}

/// A failure while a query runs.
pub(super) fn of_engine(error: &DataFusionError) -> QueryError {
    let root = root(error);
    let hint = matches!(root, DataFusionError::ResourcesExhausted(_))
        .then(|| "give it more with `--memory-limit`, or ask for fewer columns or rows".to_owned());
    QueryError {
        message: lower_first(first_line(&root.message())),
        hint,
        source: None,
    }
}

/// The error below all wrappers: what went wrong, without who passed it on.
fn root(error: &DataFusionError) -> &DataFusionError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => root(inner),
        DataFusionError::Shared(inner) => root(inner),
        DataFusionError::Collection(errors) => errors.first().map_or(error, root),
        other => other,
    }
}

/// The table in `table 'catalog.schema.name' not found`.
fn missing_table(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("table '")?;
    let (name, _) = rest.split_once("' not found")?;
    let ours = [format!("{CATALOG}.{SCHEMA}."), format!("{CATALOG}.")];
    let name = ours
        .iter()
        .find_map(|ours| name.strip_prefix(ours.as_str()))
        .unwrap_or(name);
    Some(name.to_owned())
}

/// The function in `Invalid function 'name'` and what it may have meant.
fn missing_function(text: &str) -> Option<(String, Option<String>)> {
    let (_, rest) = text.split_once("Invalid function '")?;
    let (name, rest) = rest.split_once('\'')?;
    let meant = rest
        .split_once("Did you mean '")
        .and_then(|(_, rest)| rest.split_once('\''));
    Some((name.to_owned(), meant.map(|(meant, _)| did_you_mean(meant))))
}

fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}

/// The nearest name, or all of them where none is near.
fn suggest(name: &str, names: &[&str]) -> Option<String> {
    if let Some(known) = nearest(name, names) {
        return Some(did_you_mean(known));
    }
    if names.is_empty() {
        return None;
    }
    let more = if names.len() > LISTED_NAMES {
        ", …"
    } else {
        ""
    };
    let listed = names.get(..LISTED_NAMES).unwrap_or(names).join(", ");
    Some(format!("there are {listed}{more}"))
}

/// The name that is most like `name`, if a third of the letters or fewer would have to change.
pub(super) fn nearest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let name = name.to_lowercase();
    let distances = names
        .iter()
        .map(|known| (edit_distance(&name, &known.to_lowercase()), *known));
    let (distance, known) = distances.min()?;
    (distance * 3 <= name.chars().count().max(3)).then_some(known)
}

/// Insertions, deletions and changes of one character that make `a` into `b`.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            let cost = usize::from(from != *to);
            let best = (diagonal + cost).min(*cell + 1).min(left + 1);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

fn first_line(text: &str) -> &str {
    text.lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches('.')
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        // A word in capitals is a name.
        Some(first)
            if !characters
                .as_str()
                .starts_with(|next: char| next.is_uppercase()) =>
        {
            first.to_lowercase().chain(characters).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "ab", 2),
            ("eventnam", "eventname", 1),
            ("evntname", "eventname", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edit_distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn the_parsers_place_comes_first() {
        for (text, expected) in [
            (
                "Expected: an expression, found: FROM at Line: 2, Column: 8",
                "line 2, column 8: expected an expression, found FROM",
            ),
            ("Unterminated string literal", "unterminated string literal"),
        ] {
            assert_eq!(placed(text), expected);
        }
    }

    #[test]
    fn near_names_are_suggested_and_far_ones_listed() {
        let names = ["eventname", "eventtime"];
        assert_eq!(
            suggest("eventnme", &names).unwrap(),
            "did you mean `eventname`?"
        );
        assert_eq!(
            suggest("zzz", &names).unwrap(),
            "there are eventname, eventtime"
        );
        assert_eq!(suggest("zzz", &[]), None);
    }

    #[test]
    fn too_little_memory_has_a_way_out() {
        let error = DataFusionError::ResourcesExhausted("Failed to allocate 5 bytes".to_owned());
        let error = of_engine(&error.context("while sorting"));
        assert_eq!(error.to_string(), "failed to allocate 5 bytes");
        assert!(error.hint.unwrap().contains("--memory-limit"));
    }
}
