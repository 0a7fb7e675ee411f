//! What can stand where the cursor is: tables, columns, members of structs, functions, keywords, and
//! the commands with their arguments.

use std::collections::BTreeSet;

use super::commands::{self, COMMANDS};
use super::input::{Span, is_command, spans};
use crate::engine::TableInfo;

/// Words of SQL worth completing.
pub const KEYWORDS: &[&str] = &[
    "ALL",
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CROSS",
    "CURRENT_TIMESTAMP",
    "DATE",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OVER",
    "PARTITION",
    "RIGHT",
    "SELECT",
    "SHOW",
    "TABLES",
    "THEN",
    "TIMESTAMP",
    "TRUE",
    "UNION",
    "UNNEST",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

/// What names there are.
#[derive(Debug, Default)]
pub struct Names {
    tables: Vec<Table>,
    functions: Vec<String>,
    rules: Vec<String>,
}

#[derive(Debug)]
struct Table {
    name: String,
    columns: Vec<Member>,
}

/// A column, or a member of a struct.
#[derive(Debug, PartialEq, Eq)]
struct Member {
    name: String,
    members: Vec<Member>,
}

impl Names {
    pub fn new(tables: &[TableInfo], functions: Vec<String>, rules: Vec<String>) -> Self {
        let tables = tables.iter().map(|table| Table {
            name: table.name.clone(),
            columns: table
                .columns
                .iter()
                .map(|column| Member {
                    name: column.name.clone(),
                    members: members(&column.data_type),
                })
                .collect(),
        });
        Self {
            tables: tables.collect(),
            functions,
            rules,
        }
    }

    /// What can stand where the text ends: the length of the word to replace, and the words.
    pub fn complete(&self, text: &str) -> (usize, Vec<String>) {
        if is_command(text) {
            return self.complete_command(text);
        }
        if is_quoted(text) {
            return (0, Vec::new());
        }
        let start = text
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
            .map_or(0, |at| {
                at + text[at..].chars().next().map_or(1, char::len_utf8)
            });
        let word = &text[start..];
        let mut found = match word.rsplit_once('.') {
            Some((path, part)) => {
                let members = self.members_of(path, text);
                (part.len(), starting_with(part, members))
            }
            None => (word.len(), self.words(word, &text[..start])),
        };
        found.1.sort_by_key(|name| name.to_lowercase());
        found.1.dedup();
        found
    }

    fn words(&self, word: &str, before: &str) -> Vec<String> {
        let tables = self.tables.iter().map(|table| table.name.as_str());
        let last_word = before.split_whitespace().last().unwrap_or_default();
        let wants_table = ["from", "join", "describe"]
            .iter()
            .any(|keyword| last_word.eq_ignore_ascii_case(keyword));
        if wants_table {
            return starting_with(word, tables);
        }
        if word.is_empty() {
            return Vec::new();
        }
        let mut found = starting_with(word, tables);
        found.extend(starting_with(word, self.columns(before)));
        let functions = self.functions.iter().map(String::as_str);
        found.extend(
            starting_with(word, functions)
                .into_iter()
                .map(|name| name + "("),
        );
        let is_lower = word.chars().all(|c| !c.is_uppercase());
        let keywords = starting_with(word, KEYWORDS.iter().copied());
        found.extend(keywords.into_iter().map(|keyword| {
            if is_lower {
                keyword.to_lowercase()
            } else {
                keyword
            }
        }));
        found
    }

    /// Columns of the tables that the text names; of all where it names none.
    fn columns<'a>(&'a self, text: &str) -> impl Iterator<Item = &'a str> {
        self.tables_in(text)
            .into_iter()
            .flat_map(|table| table.columns.iter().map(|column| column.name.as_str()))
    }

    fn tables_in(&self, text: &str) -> Vec<&Table> {
        let words: BTreeSet<String> = text
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map(str::to_lowercase)
            .collect();
        let named = self
            .tables
            .iter()
            .filter(|table| words.contains(&table.name));
        let named: Vec<&Table> = named.collect();
        if named.is_empty() {
            self.tables.iter().collect()
        } else {
            named
        }
    }

    /// The members at the end of a dotted path. Its first part may be a column, a table, or an alias
    /// of one.
    fn members_of<'a>(&'a self, path: &str, text: &str) -> Vec<&'a str> {
        let parts: Vec<&str> = path.split('.').collect();
        let tables = self.tables_in(text);
        let at = |parts: &[&str]| -> Vec<&'a str> {
            let tables = tables.iter();
            tables
                .filter_map(|table| walk(&table.columns, parts))
                .flatten()
                .map(|member| member.name.as_str())
                .collect()
        };
        let from_column = at(&parts);
        if !from_column.is_empty() {
            return from_column;
        }
        let table = self
            .tables
            .iter()
            .find(|table| table.name == parts[0].to_lowercase());
        match (table, parts.len()) {
            (Some(table), _) => walk(&table.columns, &parts[1..])
                .into_iter()
                .flatten()
                .map(|member| member.name.as_str())
                .collect(),
            (None, 1) if is_alias(parts[0], text) => self.columns(text).collect(),
            (None, _) => at(&parts[1..]),
        }
    }

    fn complete_command(&self, text: &str) -> (usize, Vec<String>) {
        let Some((name, argument)) = text.trim_start().split_once(char::is_whitespace) else {
            let word = text.trim_start();
            let names = COMMANDS.iter().flat_map(|info| info.names.iter().copied());
            return (word.len(), starting_with(word, names));
        };
        let argument = argument.trim_start();
        let known = commands::find(name).map(|info| info.names[0]);
        let found = match known {
            Some(".schema") => starting_with(
                argument,
                self.tables.iter().map(|table| table.name.as_str()),
            ),
            Some(".mode") => {
                starting_with(argument, commands::formats().map(|format| format.as_str()))
            }
            Some(".timer") => starting_with(argument, ["on", "off"]),
            Some(".detect") => starting_with(argument, self.rules.iter().map(String::as_str)),
            _ => Vec::new(),
        };
        (argument.len(), found)
    }
}

/// Whether the text ends inside a quote or a comment.
fn is_quoted(text: &str) -> bool {
    match spans(text).last() {
        Some((Span::Comment, part)) => !part.text.ends_with(['\n', '/']),
        Some((Span::Text | Span::Name, part)) => !part.is_closed,
        Some((Span::Code, _)) | None => false,
    }
}

fn starting_with<'a>(start: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let start = start.to_lowercase();
    let names = names.into_iter();
    names
        .filter(|name| name.to_lowercase().starts_with(&start))
        .map(str::to_owned)
        .collect()
}

/// Whether a word stands behind a name or a closing parenthesis in the FROM part, as an alias does.
fn is_alias(word: &str, text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || c == ',')
        .any(|other| other.eq_ignore_ascii_case(word))
}

fn walk<'a>(members: &'a [Member], path: &[&str]) -> Option<&'a [Member]> {
    let Some((first, rest)) = path.split_first() else {
        return Some(members);
    };
    let member = members
        .iter()
        .find(|member| member.name.eq_ignore_ascii_case(first))?;
    walk(&member.members, rest)
}

/// The members of a type in SQL's words: those of `struct<a text, b struct<c bigint>>`.
fn members(data_type: &str) -> Vec<Member> {
    let inner = data_type.strip_prefix("struct<");
    let Some(inner) = inner.and_then(|text| text.strip_suffix('>')) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    let ends = inner.char_indices().chain([(inner.len(), ',')]);
    for (at, c) in ends {
        match c {
            '<' | '(' => depth += 1,
            '>' | ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 || at == inner.len() => {
                if let Some((name, data_type)) = inner[start..at].trim().split_once(' ') {
                    found.push(Member {
                        name: name.to_owned(),
                        members: members(data_type),
                    });
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ColumnInfo;

    fn names() -> Names {
        let column = |(name, data_type): (&str, &str)| ColumnInfo {
            name: name.to_owned(),
            data_type: data_type.to_owned(),
        };
        let table = |name: &str, columns: &[(&str, &str)]| TableInfo {
            name: name.to_owned(),
            what: String::new(),
            columns: columns.iter().copied().map(column).collect(),
        };
        let identity = "struct<type text, arn text, sessioncontext struct<attributes \
                        struct<mfaauthenticated text>, sessionissuer struct<arn text>>>";
        let tables = [
            table(
                "cloudtrail",
                &[("eventname", "text"), ("useridentity", identity)],
            ),
            table("sources", &[("uri", "text"), ("n_rows", "bigint")]),
        ];
        let functions = vec!["role_name".to_owned(), "count".to_owned()];
        Names::new(&tables, functions, vec!["trust-policy-public".to_owned()])
    }

    #[test]
    fn words_complete_where_they_fit() {
        let names = names();
        let check = |text: &str, expected: &[&str]| {
            let (n_bytes, found) = names.complete(text);
            assert_eq!(found, expected, "{text}");
            assert!(text.is_char_boundary(text.len() - n_bytes));
        };
        check("SELECT * FROM ", &["cloudtrail", "sources"]);
        check("SELECT * FROM cl", &["cloudtrail"]);
        check("sel", &["select"]);
        check("SEL", &["SELECT"]);
        check("SELECT ev", &["eventname"]);
        check("SELECT ro", &["role_name("]);
        check(
            "SELECT u",
            &["union", "unnest", "uri", "useridentity", "using"],
        );
        check("SELECT * FROM sources WHERE use", &[]);
        check("SELECT useridentity.", &["arn", "sessioncontext", "type"]);
        check("SELECT useridentity.sessioncontext.se", &["sessionissuer"]);
        check(
            "SELECT userIdentity.sessionContext.sessionissuer.",
            &["arn"],
        );
        check("SELECT * FROM cloudtrail c WHERE c.ev", &["eventname"]);
        check(
            "SELECT * FROM cloudtrail c WHERE c.useridentity.a",
            &["arn"],
        );
        check("SELECT sources.", &["n_rows", "uri"]);
        check("SELECT 'ev", &[]);
        check("SELECT 1 -- ev", &[]);
        check("SELECT é, ev", &["eventname"]);
    }

    #[test]
    fn commands_complete_with_their_arguments() {
        let names = names();
        let check = |text: &str, expected: &[&str]| assert_eq!(names.complete(text).1, expected);
        check(".t", &[".tables", ".timer", ".trace"]);
        check(".schema so", &["sources"]);
        check("\\d c", &["cloudtrail"]);
        check(".mode v", &["vertical"]);
        check(".mode p", &[]);
        check(".detect tr", &["trust-policy-public"]);
        check(".timer o", &["on", "off"]);
    }
}
