//! Statements as they are written for Athena and CloudTrail Lake, read so that DataFusion runs them.
//!
//! Four steps, each on what it needs to know:
//! - [`tokens`]: what no parser takes: names that are not names (`<EDS ID>`, `5e2676f8-…`), types of CAST;
//! - [`names`] and [`syntax`], on the syntax tree: which table and column is meant, and forms that
//!   DataFusion does not plan;
//! - [`operators`] and [`unnest`], while the plan is made, where types are known: members of JSON text,
//!   the right side of a join over the left side's arrays;
//! - [`meaning`], on the plan before types are made to agree: times, truth values and numbers compared
//!   with texts.
//!
//! The bundled views are written for DataFusion itself and pass only the last two.

mod calls;
mod chains;
mod columns;
mod from;
mod literals;
mod meaning;
mod names;
mod operators;
mod outputs;
mod partitions;
mod patterns;
mod subqueries;
mod syntax;
mod tables;
mod tokens;
mod types;
mod unnest;

use std::any::TypeId;
use std::sync::Arc;

use datafusion::logical_expr::planner::{ExprPlanner, RelationPlanner, TypePlanner};
use datafusion::optimizer::AnalyzerRule;
use datafusion::sql::parser::Statement as DFStatement;
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, TokenizerError};

use crate::error::QueryError;

pub(super) use calls::Calls;
pub(super) use tables::Tables;

/// Says which options of the grammar are on.
macro_rules! takes {
    ($($option:ident),+ $(,)?) => {
        $(fn $option(&self) -> bool {
            true
        })+
    };
}

/// The grammar: the generic one, with lambdas, and a comma after the last column.
#[derive(Debug)]
pub(super) struct Athena;

impl Dialect for Athena {
    // The parser asks in many places whether it is the generic one.
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_delimited_identifier_start(&self, character: char) -> bool {
        matches!(character, '"' | '`')
    }

    fn is_identifier_start(&self, character: char) -> bool {
        GenericDialect.is_identifier_start(character)
    }

    fn is_identifier_part(&self, character: char) -> bool {
        GenericDialect.is_identifier_part(character)
    }

    takes![
        allow_extract_custom,
        allow_extract_single_quotes,
        supports_array_typedef_with_brackets,
        supports_bitwise_shift_operators,
        supports_comma_separated_trim,
        supports_explain_with_utility_options,
        supports_extract_comma_syntax,
        supports_filter_during_aggregation,
        supports_group_by_expr,
        supports_group_by_with_modifier,
        supports_interval_options,
        supports_lambda_functions,
        supports_left_associative_joins_without_parens,
        supports_limit_comma,
        supports_match_recognize,
        supports_parens_around_table_factor,
        supports_projection_trailing_commas,
        supports_select_wildcard_except,
        supports_select_wildcard_exclude,
        supports_string_escape_constant,
        supports_unicode_string_literal,
        supports_values_as_table_factor,
        supports_window_clause_named_window_reference,
        supports_window_function_null_treatment_arg,
        supports_within_after_array_aggregation,
    ];
}

/// The tokens of a text, with what no parser takes made into what it takes.
///
/// # Errors
///
/// Where the text does not come apart into tokens: a string that does not end, mostly.
pub(super) fn tokenize(sql: &str) -> Result<Vec<TokenWithSpan>, TokenizerError> {
    let tokens = match sql.strip_prefix('\u{feff}') {
        // A byte order mark; the space keeps the places.
        Some(rest) => Tokenizer::new(&Athena, &format!(" {rest}")).tokenize_with_location()?,
        None => Tokenizer::new(&Athena, sql).tokenize_with_location()?,
    };
    Ok(tokens::mended(sql, tokens))
}

/// Rewrites a statement so that it can be planned. Gives the tables that were read as another: the name
/// as written, and the table.
///
/// # Errors
///
/// What cannot be done, by its name and place.
pub(super) fn rewrite(
    statement: &mut DFStatement,
    tables: &Tables,
) -> Result<Vec<(String, String)>, QueryError> {
    match statement {
        DFStatement::Statement(statement) => {
            outputs::name(statement);
            names::fold(statement);
            let read_as = tables::resolve(statement, tables)?;
            columns::resolve(statement);
            syntax::rewrite(statement)?;
            Ok(read_as)
        }
        DFStatement::Explain(explain) => rewrite(&mut explain.statement, tables),
        DFStatement::CreateExternalTable(_) | DFStatement::CopyTo(_) | DFStatement::Reset(_) => {
            Ok(Vec::new())
        }
    }
}

/// What plans expressions, ahead of DataFusion's own planners.
pub(super) fn expr_planner(calls: &Arc<Calls>) -> Arc<dyn ExprPlanner> {
    let calls = Arc::clone(calls);
    Arc::new(operators::Operators { calls })
}

/// What plans the relations of FROM, ahead of DataFusion.
pub(super) fn relation_planner() -> Arc<dyn RelationPlanner> {
    Arc::new(unnest::Unnest)
}

/// What plans the names of types.
pub(super) fn type_planner() -> Arc<dyn TypePlanner> {
    Arc::new(types::Types)
}

/// What goes over a plan ahead of DataFusion's coercion of types.
pub(super) fn analyzer_rule(calls: &Arc<Calls>) -> Arc<dyn AnalyzerRule + Send + Sync> {
    let calls = Arc::clone(calls);
    Arc::new(meaning::Meaning { calls })
}

/// Whether a token says nothing.
fn is_space(token: &Token) -> bool {
    matches!(token, Token::Whitespace(_))
}
