//! Text into statements: split and placed by the parser, so that semicolons in strings and comments
//! mean nothing.

use datafusion::common::DataFusionError;
use datafusion::sql::parser::{DFParser, DFParserBuilder, Statement as DFStatement};
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, SetExpr, Statement as SqlStatement};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Location, Token};

use super::dialect::{self, Athena, Tables};
use super::places::{self, cut};
use super::{event_json, guard, message};
use crate::error::QueryError;

/// One statement that only reads.
#[derive(Debug, Clone)]
pub struct Statement {
    /// As written, with comments within and after it, without the semicolon.
    pub text: String,
    /// Where it begins, counted from 1.
    pub line: u64,
    /// The column of its beginning, counted from 1, in characters.
    pub column: u64,
    /// What the user should know of how it was read, a sentence each.
    pub notes: Vec<String>,
    pub(super) parsed: DFStatement,
}

impl Statement {
    /// The statement that runs: as written, with the forms of Athena and CloudTrail Lake made into those
    /// of DataFusion.
    pub fn rewritten(&self) -> String {
        self.parsed.to_string()
    }

    /// Gives an error about a name the place where the name is written, if it has none.
    pub(super) fn place(&self, mut error: QueryError) -> QueryError {
        let message = &error.message;
        if message.starts_with("line ") {
            return error;
        }
        let word = message.split('`').nth(1).unwrap_or_default();
        let word = word.rsplit('.').next().unwrap_or_default();
        // A name that stands for nothing is wrong wherever it is; another may be right elsewhere.
        let is_nothing = message.starts_with("there is no ") || message.contains(" no member ");
        let found = places::find(&self.text, word);
        if let [first, rest @ ..] = found.as_slice()
            && (rest.is_empty() || is_nothing)
        {
            let line = self.line + first.line - 1;
            let column = match first.line {
                1 => self.column + first.column - 1,
                _ => first.column,
            };
            error.message = format!("line {line}, column {column}: {}", error.message);
        }
        error
    }

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
pub(super) fn parse(sql: &str, tables: &Tables) -> Result<Vec<Statement>, QueryError> {
    let readable = |error: DataFusionError| message::of_parser(&error);
    let mut parser = parser_of(sql)?;
    let mut statements = Vec::new();
    loop {
        while parser.parser.consume_token(&Token::SemiColon) {}
        let first = parser.parser.peek_token();
        if first.token == Token::EOF {
            return Ok(statements);
        }
        let mut parsed = parser.parse_statement().map_err(readable)?;
        let next = parser.parser.peek_token();
        let lacks_semicolon = begins_query(&next.token);
        if !lacks_semicolon && !matches!(next.token, Token::EOF | Token::SemiColon) {
            return Err(message::unexpected(&next));
        }
        let end = parser.parser.get_current_token().span.end;
        guard::check(&parsed).map_err(|error| at_line(error, first.span.start))?;
        let mut notes = rewrite(&mut parsed, tables)?;
        if lacks_semicolon {
            let at = next.span.start;
            notes.push(format!(
                "a `;` is missing before line {}, column {}: two statements are run",
                at.line, at.column
            ));
        }
        statements.push(Statement {
            text: cut(sql, first.span.start, end).to_owned(),
            line: first.span.start.line,
            column: first.span.start.column,
            notes,
            parsed,
        });
    }
}

/// Parses one SELECT, and a condition that is joined to its WHERE.
///
/// # Errors
///
/// As [`parse`], for the condition.
pub(super) fn parse_where(
    select: &str,
    condition: &str,
    tables: &Tables,
) -> Result<Statement, QueryError> {
    let expr = parse_expr(condition)?;
    let mut statements = parse(select, tables)?;
    let (Some(mut statement), true) = (statements.pop(), statements.is_empty()) else {
        return Err(QueryError::new("expected one statement"));
    };
    let DFStatement::Statement(parsed) = &mut statement.parsed else {
        return Err(QueryError::new("expected a SELECT"));
    };
    let SqlStatement::Query(query) = parsed.as_mut() else {
        return Err(QueryError::new("expected a SELECT"));
    };
    let SetExpr::Select(body) = query.body.as_mut() else {
        return Err(QueryError::new("expected a SELECT"));
    };
    let nested = |expr: Expr| Box::new(Expr::Nested(Box::new(expr)));
    body.selection = Some(match body.selection.take() {
        Some(own) => Expr::BinaryOp {
            left: nested(own),
            op: BinaryOperator::And,
            right: nested(expr),
        },
        None => expr,
    });
    guard::check(&statement.parsed)?;
    rewrite(&mut statement.parsed, tables)?;
    Ok(statement)
}

/// Whether a second statement begins here, as where two examples were pasted into one file.
fn begins_query(token: &Token) -> bool {
    matches!(token, Token::Word(word)
        if word.quote_style.is_none() && word.keyword == Keyword::SELECT)
}

fn parser_of(sql: &str) -> Result<DFParser<'_>, QueryError> {
    let readable = |error: DataFusionError| message::of_parser(&error);
    let tokens =
        dialect::tokenize(sql).map_err(|error| readable(ParserError::from(error).into()))?;
    DFParserBuilder::new(tokens)
        .with_dialect(&Athena)
        .build()
        .map_err(readable)
}

/// Makes a statement one that can be planned; gives what the user should know of it.
fn rewrite(parsed: &mut DFStatement, tables: &Tables) -> Result<Vec<String>, QueryError> {
    let read_as = dialect::rewrite(parsed, tables)?;
    event_json::rewrite(parsed)?;
    let note = |(written, table): (String, String)| format!("{written} is read as `{table}`");
    Ok(read_as.into_iter().map(note).collect())
}

fn parse_expr(text: &str) -> Result<Expr, QueryError> {
    let readable = |error: DataFusionError| message::of_parser(&error);
    let mut parser = parser_of(text)?;
    let expr = parser.parser.parse_expr();
    let expr = expr.map_err(|error| readable(error.into()))?;
    let next = parser.parser.peek_token();
    match next.token {
        Token::EOF => Ok(expr),
        _ => Err(message::unexpected(&next)),
    }
}

fn at_line(mut error: QueryError, start: Location) -> QueryError {
    error.message = format!(
        "line {}, column {}: {}",
        start.line, start.column, error.message
    );
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_cut_where_the_parser_says() {
        let text = "-- a; b\nSELECT 'a;é' ;;\n\n  SELECT /* ; */\n 2 -- end\n;SELECT 3";
        let statements = parse(text, &Tables::default()).unwrap();
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
    fn a_condition_is_joined_as_a_whole() {
        let joined = |condition| {
            parse_where(
                "SELECT 1 FROM a WHERE b = 1 ORDER BY c",
                condition,
                &Tables::default(),
            )
        };
        assert_eq!(
            joined("d = 2 OR e -- why").unwrap().parsed.to_string(),
            "SELECT 1 AS \"1\" FROM a WHERE (b = 1) AND (d = 2 OR e) ORDER BY c"
        );
        for (condition, expected) in [
            ("", "expected an expression, found the end of the text"),
            (
                "d = 2;\nDROP TABLE a",
                "line 1, column 6: expected the end of the statement, found `;`",
            ),
            (
                "d = 2\n) OR (e",
                "line 2, column 1: expected the end of the statement, found `)`",
            ),
            (
                "d IN (SELECT 1 INTO f)",
                "`SELECT INTO` is refused: queries only read",
            ),
        ] {
            assert_eq!(joined(condition).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn nothing_is_no_statement() {
        for text in ["", " \n", ";;", "-- only a comment"] {
            assert!(
                parse(text, &Tables::default()).unwrap().is_empty(),
                "{text:?}"
            );
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
            assert_eq!(
                parse(text, &Tables::default()).unwrap_err().to_string(),
                expected
            );
        }
    }
}
