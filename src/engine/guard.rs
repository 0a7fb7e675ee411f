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
