//! Forms of Trino that DataFusion does not plan, made into forms that it does.
//!
//! | written | becomes |
//! |---|---|
//! | `x[1].name`, `f(x).name`, `r.name` of a lambda's `r` | a member by its name in brackets |
//! | `if(c, a, b)` | `CASE` |
//! | `TRY(x)` | `try(() -> x)` |
//! | `x AT TIME ZONE z` | `at_timezone(x, z)` |
//! | `extract(year FROM x)`, `substring(x FROM a FOR b)` | `year(x)`, `substr(x, a, b)` |
//! | `x LIKE 'a\_'`, `… ESCAPE '!'` | `LIKE` with a backslash before what is meant as it stands |
//! | `map(k, v)`, `listagg(x, s) WITHIN GROUP (ORDER BY y)` | `trino_map(k, v)`, `listagg(x, s ORDER BY y)` |
//! | `JSON '…'`, `TIMESTAMP '2023-07-06 13:51'`, `INTERVAL '1 02:03' DAY TO MINUTE` | `json_parse('…')`, with seconds, by its parts |
//! | `CAST(x AS varchar(10))` | the first ten characters |
//! | `map_keys(requestparameters)`, `UNNEST(requestparameters)` | of the map that the JSON text is |
//! | `EXISTS (SELECT … FROM UNNEST(x) AS t (r) WHERE c)` | `any_match(x, r -> c)` |
//! | `(a, b) IN (SELECT c, d …)` | one row on both sides |
//! | `a = 'x' OR a = 'y' OR …`, `a <> 'x' AND a <> 'y' AND …` | `a IN (…)`, `a NOT IN (…)` |
//! | `FETCH FIRST 5 ROWS ONLY` | `LIMIT 5` |
//! | `… CROSS JOIN UNNEST(x) AS t(y)` | a join of its own in parentheses, for [`super::unnest`] |

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, CastKind, DataType, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Ident,
    Interval, LambdaFunction, LambdaSyntax, ObjectName, OneOrManyWithParens, Query, Select,
    SetExpr, SetOperator, SetQuantifier, Spanned, Statement, Subscript, TableFactor, TimezoneInfo,
    Value, ValueWithSpan, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::from::{joined, limit_of_fetch};
use super::names::folded;
use super::patterns::escape;
use super::types::WRITTEN_TYPE;
use super::{chains, literals, subqueries};
use crate::error::QueryError;

/// The parts of a time that are functions of one argument in Trino.
const PARTS_OF_TIME: [&str; 18] = [
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "day_of_month",
    "day_of_week",
    "dow",
    "day_of_year",
    "doy",
    "year_of_week",
    "yow",
    "hour",
    "minute",
    "second",
    "week_of_year",
    "timezone_hour",
    "timezone_minute",
];

/// Functions over JSON text, which in some tables is what `useridentity` is.
const JSON_READERS: [&str; 4] = [
    "json_extract",
    "json_extract_scalar",
    "json_parse",
    "json_size",
];

/// The columns that are structs or lists here and texts in some tables.
const STRUCTURES: [&str; 3] = ["useridentity", "resources", "tlsdetails"];

/// Functions over maps, which in CloudTrail Lake the bodies of calls are.
const MAP_READERS: [&str; 7] = [
    "map_keys",
    "map_values",
    "map_entries",
    "map_concat",
    "map_filter",
    "transform_keys",
    "transform_values",
];

/// Those bodies.
const LAKE_MAPS: [&str; 4] = [
    "requestparameters",
    "responseelements",
    "additionaleventdata",
    "serviceeventdetails",
];

/// Rewrites every such form.
///
/// # Errors
///
/// What cannot be run, by its name and place.
pub(super) fn rewrite(statement: &mut Statement) -> Result<(), QueryError> {
    match statement.visit(&mut Forms::default()) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(*error),
    }
}

#[derive(Default)]
struct Forms {
    /// The parameters of each lambda around the place.
    lambdas: Vec<Vec<String>>,
}

impl VisitorMut for Forms {
    type Break = Box<QueryError>;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        if let Some(operation) = counting_operation(&query.body) {
            let error = QueryError::new(format!("`{operation}` is not there"));
            let error = error.with_hint("number the rows with row_number() and leave out ALL");
            return ControlFlow::Break(Box::new(error));
        }
        match limit_of_fetch(query) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(Box::new(error)),
        }
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        select.from = joined(std::mem::take(&mut select.from));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Self::Break> {
        if let TableFactor::UNNEST { array_exprs, .. } = factor {
            for expr in array_exprs.iter_mut() {
                if is_one_of(expr, &LAKE_MAPS) {
                    *expr = as_map(expr.clone());
                }
            }
        }
        let what = match factor {
            TableFactor::MatchRecognize { .. } => "MATCH_RECOGNIZE",
            TableFactor::Pivot { .. } => "PIVOT",
            TableFactor::Unpivot { .. } => "UNPIVOT",
            TableFactor::JsonTable { .. } => "JSON_TABLE",
            TableFactor::TableFunction { .. } => "TABLE(…)",
            TableFactor::Table {
                sample: Some(_), ..
            } => "TABLESAMPLE",
            _ => return ControlFlow::Continue(()),
        };
        let error = refused(what, factor.span());
        ControlFlow::Break(Box::new(match what {
            "MATCH_RECOGNIZE" => {
                error.with_hint("use window functions: lag(), lead(), count() OVER")
            }
            _ => error,
        }))
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        // Ahead of what is within: its lambda's parameters have members.
        match expr {
            Expr::Exists { subquery, negated } => {
                if let Some(matched) = subqueries::exists(subquery, *negated) {
                    *expr = matched;
                }
            }
            Expr::Subquery(subquery) => {
                subqueries::flatten(subquery);
                if let Some(counted) = subqueries::count(subquery) {
                    *expr = counted;
                }
            }
            Expr::InSubquery { expr, subquery, .. } => subqueries::join_columns(expr, subquery),
            Expr::AnyOp { .. } | Expr::AllOp { .. } => {
                if let Some(listed) = subqueries::as_list(expr) {
                    *expr = listed;
                } else if let Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } = expr {
                    subqueries::enclose(right);
                }
            }
            _ => {}
        }
        if let Expr::Lambda(lambda) = expr {
            let names = lambda
                .params
                .iter()
                .map(|parameter| folded(&parameter.name));
            self.lambdas.push(names.collect());
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        match expr {
            Expr::Lambda(_) => {
                self.lambdas.pop();
            }
            Expr::CompoundIdentifier(parts) if self.is_parameter(parts.first()) => {
                *expr = member_of_parameter(parts);
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                name_members(root, access_chain);
            }
            Expr::Like {
                pattern,
                escape_char,
                ..
            }
            | Expr::ILike {
                pattern,
                escape_char,
                ..
            } => {
                if let Err(error) = escape(pattern, escape_char) {
                    return ControlFlow::Break(Box::new(error));
                }
            }
            Expr::Interval(interval) => {
                if let Some(error) = placeholder(interval) {
                    return ControlFlow::Break(Box::new(error));
                }
                literals::spell_out(interval);
            }
            Expr::Function(function) if replaces_by_lambda(function) => {
                let error = refused("regexp_replace with a lambda", function.name.span());
                return ControlFlow::Break(Box::new(error));
            }
            _ => {
                if let Some(other) = other_form(expr) {
                    *expr = other;
                }
            }
        }
        ControlFlow::Continue(())
    }
}

impl Forms {
    fn is_parameter(&self, name: Option<&Ident>) -> bool {
        let Some(name) = name.map(folded) else {
            return false;
        };
        self.lambdas
            .iter()
            .any(|parameters| parameters.contains(&name))
    }
}

/// An error for what is not there.
fn refused(what: &str, span: Span) -> QueryError {
    let start = span.start;
    let place = match start.line {
        0 => String::new(),
        line => format!("line {line}, column {}: ", start.column),
    };
    QueryError::new(format!("{place}`{what}` is not there"))
}

/// `r.a.b` as `r['a']['b']`.
fn member_of_parameter(parts: &[Ident]) -> Expr {
    let mut parts = parts.iter().cloned();
    let root = parts
        .next()
        .map_or(Expr::value(Value::Null), Expr::Identifier);
    let access_chain: Vec<AccessExpr> = parts.map(|part| member(&part)).collect();
    Expr::CompoundFieldAccess {
        root: Box::new(root),
        access_chain,
    }
}

/// Members after the leading names, which the planner takes for columns of tables.
fn name_members(root: &Expr, access_chain: &mut [AccessExpr]) {
    let mut leading = matches!(root, Expr::Identifier(_));
    for access in access_chain {
        match access {
            AccessExpr::Dot(Expr::Identifier(_)) if leading => {}
            AccessExpr::Dot(Expr::Identifier(name)) => *access = member(name),
            _ => leading = false,
        }
    }
}

fn member(name: &Ident) -> AccessExpr {
    let value = Value::SingleQuotedString(name.value.clone());
    AccessExpr::Subscript(Subscript::Index {
        index: Expr::Value(ValueWithSpan {
            value,
            span: name.span,
        }),
    })
}

/// The other form of an expression, if it needs one.
fn other_form(expr: &mut Expr) -> Option<Expr> {
    match expr {
        Expr::AtTimeZone {
            timestamp,
            time_zone,
        } => Some(call(
            "at_timezone",
            vec![(**timestamp).clone(), (**time_zone).clone()],
        )),
        Expr::Extract { field, expr, .. } => {
            let part = field.to_string().to_lowercase();
            PARTS_OF_TIME
                .contains(&part.as_str())
                .then(|| call(&part, vec![(**expr).clone()]))
        }
        Expr::Substring {
            expr,
            substring_from,
            substring_for,
            ..
        } => {
            let from = substring_from.clone().map(|from| *from);
            let mut arguments = vec![(**expr).clone()];
            arguments
                .push(from.unwrap_or_else(|| Expr::value(Value::Number("1".to_owned(), false))));
            arguments.extend(substring_for.clone().map(|length| *length));
            Some(call("substr", arguments))
        }
        Expr::Case {
            operand,
            conditions,
            else_result,
            ..
        } => {
            let results = conditions.iter_mut().map(|when| &mut when.result);
            literals::agree(results.chain(else_result.as_deref_mut()).collect());
            let compared = conditions.iter_mut().map(|when| &mut when.condition);
            if let Some(operand) = operand {
                literals::agree(compared.chain([operand.as_mut()]).collect());
            }
            None
        }
        Expr::Function(function) => other_call(function),
        Expr::BinaryOp { left, op, right } => {
            distinct(left, op, right).or_else(|| chains::joined(left, op, right))
        }
        Expr::TypedString(text) if text.data_type == DataType::JSON => {
            Some(call("json_parse", vec![Expr::Value(text.value.clone())]))
        }
        Expr::TypedString(text) => {
            literals::complete(&text.data_type, &mut text.value);
            None
        }
        Expr::Cast {
            kind,
            expr,
            data_type,
            ..
        } => {
            if let Expr::Value(text) = expr.as_mut() {
                literals::complete(data_type, text);
            }
            let length = literals::length(data_type)?;
            let whole = Expr::Cast {
                kind: kind.clone(),
                expr: expr.clone(),
                data_type: DataType::Varchar(None),
                array: false,
                format: None,
            };
            let number = |n: u64| Expr::value(Value::Number(n.to_string(), false));
            Some(call("substr", vec![whole, number(1), number(length)]))
        }
        _ => None,
    }
}

/// A set operation that counts copies, which DataFusion does not do.
fn counting_operation(body: &SetExpr) -> Option<String> {
    let SetExpr::SetOperation {
        op,
        set_quantifier,
        left,
        right,
    } = body
    else {
        return None;
    };
    if *set_quantifier == SetQuantifier::All && *op != SetOperator::Union {
        return Some(format!("{op} ALL"));
    }
    counting_operation(left).or_else(|| counting_operation(right))
}

/// `IS [NOT] DISTINCT FROM`, from the operators that the tokens were made into.
fn distinct(left: &mut Expr, op: &BinaryOperator, right: &Expr) -> Option<Expr> {
    match (op, left) {
        (BinaryOperator::Spaceship, left) => Some(Expr::IsNotDistinctFrom(
            Box::new(left.clone()),
            Box::new(right.clone()),
        )),
        (BinaryOperator::Eq, Expr::IsNotDistinctFrom(left, inner)) => match right {
            Expr::Value(ValueWithSpan {
                value: Value::Boolean(false),
                ..
            }) => Some(Expr::IsDistinctFrom(left.clone(), inner.clone())),
            _ => None,
        },
        _ => None,
    }
}

fn replaces_by_lambda(function: &Function) -> bool {
    let FunctionArguments::List(list) = &function.args else {
        return false;
    };
    let is_lambda = |argument: &FunctionArg| {
        matches!(
            argument,
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Lambda(_)))
        )
    };
    function
        .name
        .to_string()
        .eq_ignore_ascii_case("regexp_replace")
        && list.args.iter().any(is_lambda)
}

fn other_call(function: &mut Function) -> Option<Expr> {
    let name = function.name.to_string().to_lowercase();
    if name == "localtimestamp" {
        return Some(local_now());
    }
    if name == "current_timestamp" {
        function.args = FunctionArguments::None;
        return None;
    }
    let FunctionArguments::List(list) = &mut function.args else {
        return None;
    };
    match name.as_str() {
        "if" => case(&list.args),
        // DataFusion plans calls of `map` by itself, and not all of them.
        "map" => {
            function.name = ObjectName::from(vec![Ident::new("trino_map")]);
            None
        }
        "listagg" if !function.within_group.is_empty() => {
            if list.args.len() == 1 {
                let nothing = Expr::value(Value::SingleQuotedString(String::new()));
                list.args
                    .push(FunctionArg::Unnamed(FunctionArgExpr::Expr(nothing)));
            }
            let order = std::mem::take(&mut function.within_group);
            list.clauses.push(FunctionArgumentClause::OrderBy(order));
            None
        }
        "try" => {
            if let [FunctionArg::Unnamed(FunctionArgExpr::Expr(body))] = list.args.as_mut_slice()
                && !matches!(body, Expr::Lambda(_))
            {
                // Constants are worked out ahead of the plan, where nothing catches their errors.
                let _: ControlFlow<()> = body.visit(&mut LenientCasts);
                *body = Expr::Lambda(LambdaFunction {
                    params: OneOrManyWithParens::Many(Vec::new()),
                    body: Box::new(body.clone()),
                    syntax: LambdaSyntax::Arrow,
                });
            }
            None
        }
        "coalesce" | "nullif" | "greatest" | "least" => {
            let exprs = list.args.iter_mut().filter_map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                _ => None,
            });
            literals::agree(exprs.collect());
            None
        }
        reader if MAP_READERS.contains(&reader) => {
            if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(first))) = list.args.first_mut()
                && is_one_of(first, &LAKE_MAPS)
            {
                *first = as_map(first.clone());
            }
            None
        }
        reader if JSON_READERS.contains(&reader) => {
            if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(first))) = list.args.first_mut()
                && is_one_of(first, &STRUCTURES)
            {
                *first = call("to_json", vec![first.clone()]);
            }
            None
        }
        _ => None,
    }
}

/// JSON text as the map that CloudTrail Lake has in its place; what is no object is NULL.
fn as_map(text: Expr) -> Expr {
    let map = ObjectName::from(vec![Ident::new(WRITTEN_TYPE)]);
    Expr::Cast {
        kind: CastKind::TryCast,
        expr: Box::new(call("json_parse", vec![text])),
        data_type: DataType::Custom(map, vec!["map(varchar, varchar)".to_owned()]),
        array: false,
        format: None,
    }
}

fn is_one_of(expr: &Expr, columns: &[&str]) -> bool {
    let name = match expr {
        Expr::Identifier(name) => name,
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [_, name] => name,
            _ => return false,
        },
        _ => return false,
    };
    columns.contains(&folded(name).as_str())
}

/// Makes casts of constants give NULL in place of an error.
struct LenientCasts;

impl VisitorMut for LenientCasts {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Cast { kind, expr, .. } = expr
            && matches!(**expr, Expr::Value(_))
        {
            *kind = CastKind::TryCast;
        }
        ControlFlow::Continue(())
    }
}

/// An interval whose length is still to be filled in.
fn placeholder(interval: &Interval) -> Option<QueryError> {
    let Expr::Value(ValueWithSpan {
        value: Value::SingleQuotedString(text),
        span,
    }) = interval.value.as_ref()
    else {
        return None;
    };
    if text.contains(|character: char| character.is_ascii_digit()) {
        return None;
    }
    let start = span.start;
    let error = QueryError::new(format!(
        "line {}, column {}: `{text}` is not the length of an interval",
        start.line, start.column
    ));
    Some(error.with_hint("put a number in its place: `INTERVAL '7' DAY`"))
}

/// `localtimestamp`: the time without its zone, which is UTC.
fn local_now() -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(call("now", Vec::new())),
        data_type: DataType::Timestamp(None, TimezoneInfo::None),
        array: false,
        format: None,
    }
}

/// `if(c, a, b)` as a CASE.
fn case(arguments: &[FunctionArg]) -> Option<Expr> {
    let mut exprs = Vec::new();
    for argument in arguments {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument else {
            return None;
        };
        exprs.push(expr.clone());
    }
    let (condition, result, otherwise) = match exprs.as_slice() {
        [condition, result] => (condition, result, None),
        [condition, result, otherwise] => (condition, result, Some(otherwise)),
        _ => return None,
    };
    let (mut result, mut otherwise) = (result.clone(), otherwise.cloned());
    literals::agree([&mut result].into_iter().chain(&mut otherwise).collect());
    Some(Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen {
            condition: condition.clone(),
            result,
        }],
        else_result: otherwise.map(Box::new),
    })
}

/// A call of a function with plain arguments.
pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let argument = |expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.into_iter().map(argument).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
