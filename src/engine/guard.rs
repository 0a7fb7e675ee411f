//! What a statement may do: read. Rule packs and pasted queries are not trusted with more.
//!
//! The decision is made on the syntax tree. As a second line, the plan is checked again before it
//! runs, and a session has no file formats, no table factories and no store for files.

use std::ops::ControlFlow;

use datafusion::common::Result;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement as DFStatement;
use datafusion::sql::sqlparser::ast::{Query, Select, SetExpr, Statement, Visit, Visitor};

use crate::error::QueryError;

/// Refuses a statement that is not a query or a description of one.
///
/// # Errors
///
/// Names the kind of statement.
pub(super) fn check(statement: &DFStatement) -> Result<(), QueryError> {
    match statement {
        DFStatement::Statement(statement) => match statement.visit(&mut ReadOnly) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(kind) => Err(refused(&kind)),
        },
        DFStatement::Explain(explain) => check(&explain.statement),
        DFStatement::CreateExternalTable(_) => Err(refused("CREATE EXTERNAL TABLE")),
        DFStatement::CopyTo(_) => Err(refused("COPY")),
        DFStatement::Reset(_) => Err(refused("RESET")),
    }
}

/// Refuses a plan that does more than read.
///
/// # Errors
///
/// DataFusion's, which names the operation.
pub(super) fn check_plan(plan: &LogicalPlan) -> Result<()> {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(plan)
}

fn refused(kind: &str) -> QueryError {
    let hint = match kind {
        "SET" | "RESET" => "settings are flags of the command: `--memory-limit`",
        "COPY" | "SELECT INTO" | "CREATE EXTERNAL TABLE" => {
            "`-o FILE` writes a query's rows to a file"
        }
        _ => "use SELECT, WITH, VALUES, EXPLAIN, DESCRIBE or SHOW TABLES",
    };
    QueryError::new(format!("`{kind}` is refused: queries only read")).with_hint(hint)
}

/// Finds the first part of a statement that is not a read; its kind is the break value.
struct ReadOnly;

impl Visitor for ReadOnly {
    type Break = String;

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<String> {
        match statement {
            Statement::Query(_)
            | Statement::Explain { .. }
            | Statement::ExplainTable { .. }
            | Statement::ShowTables { .. }
            | Statement::ShowColumns { .. } => ControlFlow::Continue(()),
            other => ControlFlow::Break(kind(other)),
        }
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        match query.body.as_ref() {
            SetExpr::Insert(_) => ControlFlow::Break("INSERT".to_owned()),
            SetExpr::Update(_) => ControlFlow::Break("UPDATE".to_owned()),
            SetExpr::Delete(_) => ControlFlow::Break("DELETE".to_owned()),
            SetExpr::Merge(_) => ControlFlow::Break("MERGE".to_owned()),
            SetExpr::Select(_)
            | SetExpr::Query(_)
            | SetExpr::SetOperation { .. }
            | SetExpr::Values(_)
            | SetExpr::Table(_) => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<String> {
        match select.into {
            Some(_) => ControlFlow::Break("SELECT INTO".to_owned()),
            None => ControlFlow::Continue(()),
        }
    }
}

/// The statement's leading key words: two for CREATE, ALTER and DROP, else one.
fn kind(statement: &Statement) -> String {
    let text = statement.to_string();
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default().to_uppercase();
    match (first.as_str(), words.next()) {
        ("CREATE" | "ALTER" | "DROP", Some(second)) => format!("{first} {}", second.to_uppercase()),
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::parser::DFParser;

    fn check_text(sql: &str) -> Result<(), String> {
        let statements = DFParser::parse_sql(sql).unwrap();
        let checked = statements.iter().try_for_each(check);
        checked.map_err(|error| error.to_string())
    }

    #[test]
    fn reads_are_let_through() {
        for sql in [
            "SELECT 1",
            "WITH a AS (SELECT 1) SELECT * FROM a UNION ALL VALUES (2)",
            "EXPLAIN ANALYZE SELECT 1",
            "SHOW TABLES",
            "SHOW COLUMNS FROM cloudtrail",
            "DESCRIBE cloudtrail",
        ] {
            assert_eq!(check_text(sql), Ok(()), "{sql}");
        }
    }

    #[test]
    fn everything_else_is_refused_by_its_kind() {
        for (sql, kind) in [
            ("CREATE TABLE a AS SELECT 1", "CREATE TABLE"),
            ("CREATE VIEW a AS SELECT 1", "CREATE VIEW"),
            (
                "CREATE EXTERNAL TABLE a STORED AS CSV LOCATION '/etc/passwd'",
                "CREATE EXTERNAL TABLE",
            ),
            (
                "CREATE FUNCTION f() RETURNS INT RETURN 1",
                "CREATE FUNCTION",
            ),
            ("DROP TABLE events", "DROP TABLE"),
            ("ALTER TABLE events ADD COLUMN a INT", "ALTER TABLE"),
            ("INSERT INTO events SELECT 1", "INSERT"),
            (
                "WITH a AS (SELECT 1) INSERT INTO events SELECT * FROM a",
                "INSERT",
            ),
            ("UPDATE events SET a = 1", "UPDATE"),
            ("DELETE FROM events", "DELETE"),
            ("TRUNCATE events", "TRUNCATE"),
            ("COPY events TO '/tmp/a.csv'", "COPY"),
            ("COPY (SELECT 1) TO '/tmp/a.csv' STORED AS CSV", "COPY"),
            ("EXPLAIN COPY events TO '/tmp/a.csv'", "COPY"),
            ("EXPLAIN INSERT INTO events SELECT 1", "INSERT"),
            ("EXPLAIN ANALYZE DELETE FROM events", "DELETE"),
            ("SELECT * INTO a FROM events", "SELECT INTO"),
            ("SELECT * FROM (SELECT * INTO a FROM events)", "SELECT INTO"),
            ("SET datafusion.execution.batch_size = 1", "SET"),
            ("SET TIME ZONE = 'UTC'", "SET"),
            ("RESET datafusion.execution.batch_size", "RESET"),
            ("SHOW datafusion.execution.batch_size", "SHOW"),
            ("PREPARE a AS SELECT 1", "PREPARE"),
            ("EXECUTE a(1)", "EXECUTE"),
            ("BEGIN", "BEGIN"),
            ("USE other", "USE"),
            ("GRANT SELECT ON events TO me", "GRANT"),
        ] {
            let refused = check_text(sql).unwrap_err();
            assert_eq!(
                refused,
                format!("`{kind}` is refused: queries only read"),
                "{sql}"
            );
        }
    }
}
