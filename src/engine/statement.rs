//! Text into statements: split and placed by the parser, so that semicolons in strings and comments
//! mean nothing.

use datafusion::common::DataFusionError;
use datafusion::sql::parser::{DFParserBuilder, Statement as DFStatement};
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Location, Token};

use super::{guard, message};
use crate::error::QueryError;

/// One statement that only reads.
#[derive(Debug, Clone)]
pub struct Statement {
    /// As written, with comments within and after it, without the semicolon.
    pub text: String,
    /// Where it begins, counted from 1.
    pub line: u64,
    pub(super) parsed: DFStatement,
}

impl Statement {
    /// Whether it asks which tables there are.
    pub(super) fn is_show_tables(&self) -> bool {
        matches!(&self.parsed, DFStatement::Statement(statement)
            if matches!(statement.as_ref(), SqlStatement::ShowTables { .. }))
    }

    /// The table whose columns it asks for with SHOW COLUMNS.
    pub(super) fn show_columns_of(&self) -> Option<String> {
        let DFStatement::Statement(statement) = &self.parsed else {
            return None;
        };
        match statement.as_ref() {
            SqlStatement::ShowColumns { show_options, .. } => {
                let parent = show_options.show_in.as_ref()?.parent_name.as_ref()?;
                Some(parent.to_string())
            }
            _ => None,
        }
    }
}

/// Parses and checks every statement of a text.
///
/// # Errors
///
/// The first thing that does not parse, with line and column, or a statement that does more than
/// read.
pub(super) fn parse(sql: &str) -> Result<Vec<Statement>, QueryError> {
    let dialect = GenericDialect {};
    let readable = |error: DataFusionError| message::of_parser(&error);
    let mut parser = DFParserBuilder::new(sql)
        .with_dialect(&dialect)
        .build()
        .map_err(readable)?;
    let mut statements = Vec::new();
    loop {
        while parser.parser.consume_token(&Token::SemiColon) {}
        let first = parser.parser.peek_token();
        if first.token == Token::EOF {
            return Ok(statements);
        }
        let parsed = parser.parse_statement().map_err(readable)?;
        let next = parser.parser.peek_token();
        if !matches!(next.token, Token::EOF | Token::SemiColon) {
            return Err(message::unexpected(&next));
        }
        let end = parser.parser.get_current_token().span.end;
        guard::check(&parsed).map_err(|error| at_line(error, first.span.start))?;
        statements.push(Statement {
            text: cut(sql, first.span.start, end).to_owned(),
            line: first.span.start.line,
            parsed,
        });
    }
}

fn at_line(mut error: QueryError, start: Location) -> QueryError {
    error.message = format!(
        "line {}, column {}: {}",
        start.line, start.column, error.message
    );
    error
}

/// The text between two places.
fn cut(text: &str, start: Location, end: Location) -> &str {
    let start = offset(text, start);
    let end = offset(text, end).max(start);
    text.get(start..end).unwrap_or(text).trim_end()
}

/// Byte offset of a place; lines and columns count from 1, columns in characters.
fn offset(text: &str, place: Location) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX))
        .map(str::len)
        .sum();
    let line = text.get(before..).unwrap_or_default();
    let column = usize::try_from(place.column.saturating_sub(1)).unwrap_or(usize::MAX);
    let within = line
        .char_indices()
        .nth(column)
        .map_or(line.len(), |(at, _)| at);
    before + within
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_cut_where_the_parser_says() {
        let text = "-- a; b\nSELECT 'a;é' ;;\n\n  SELECT /* ; */\n 2 -- end\n;SELECT 3";
        let statements = parse(text).unwrap();
        let cut: Vec<(u64, &str)> = statements
            .iter()
            .map(|statement| (statement.line, statement.text.as_str()))
            .collect();
        assert_eq!(
            cut,
            [
                (2, "SELECT 'a;é'"),
                (4, "SELECT /* ; */\n 2 -- end"),
                (6, "SELECT 3")
            ]
        );
    }

    #[test]
    fn nothing_is_no_statement() {
        for text in ["", " \n", ";;", "-- only a comment"] {
            assert!(parse(text).unwrap().is_empty(), "{text:?}");
        }
    }

    #[test]
    fn one_bad_statement_spoils_the_text() {
        for (text, expected) in [
            (
                "SELECT 1;\nDROP TABLE a",
                "line 2, column 1: `DROP TABLE` is refused: queries only read",
            ),
            (
                "SELECT 1;\nSELEC 2",
                "line 2, column 1: expected an SQL statement, found SELEC",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), expected);
        }
    }
}
