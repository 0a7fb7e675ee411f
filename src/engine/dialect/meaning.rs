//! What comparisons and casts mean where Athena's table has text and ours has a type.
//!
//! | written | meant |
//! |---|---|
//! | a time compared with a text | the text of the time, `time_text(…)`, whose comparisons choose row groups |
//! | a time `LIKE 'P%'` | a range of times |
//! | a truth value compared with a text | `'true'` and `'false'` |
//! | a text compared with a number | the number that the text is, if it is one |
//! | a partition column of time | [`super::partitions`] |
//! | a row `IS NULL`, `count(row)` | whether all its members are NULL: the object was not there |
//! | times of two zones | both in UTC |
//! | the time between two events, compared with an interval | as so many nanoseconds |
//! | `CAST(x AS date)` of a time | `date(x)`, whose comparisons choose row groups |
//! | CAST from and to JSON | `json_cast`, `to_json` |
//!
//! Binary operators come here while the plan is made, all else goes over the plan before types are made
//! to agree.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef, Fields, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::functions::core::{get_field, named_struct};
use datafusion::functions::datetime::to_local_time;
use datafusion::logical_expr::expr::{AggregateFunction, Between, InList, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    Cast, Expr, ExprSchemable, Like, LogicalPlan, Operator, TryCast, binary_expr, lit, when,
};
use datafusion::optimizer::AnalyzerRule;

use super::calls::Calls;
use super::partitions::{is_partition, respelled, respelled_pattern, text_of};
use crate::engine::functions::prefix_range;
use crate::engine::functions::types::{event_time, is_address, is_json};

/// How the zone of the session is spelled.
const UTC: [&str; 3] = ["UTC", "+00:00", "Z"];

#[derive(Debug)]
pub(super) struct Meaning {
    pub calls: Arc<Calls>,
}

impl AnalyzerRule for Meaning {
    fn name(&self) -> &'static str {
        "meaning"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|plan| self.over_node(plan))?;
        Ok(plan.data)
    }
}

impl Meaning {
    fn over_node(&self, plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let mut schema = merge_schema(&plan.inputs());
        if let LogicalPlan::TableScan(scan) = &plan {
            let source = DFSchema::try_from_qualified_schema(
                scan.table_name.clone(),
                &scan.source.schema(),
            )?;
            schema.merge(&source);
        }
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let expr = expr.transform_up(|expr| self.over_expr(expr, &schema))?;
            Ok(expr.update_data(|expr| name.restore(expr)))
        })?
        .map_data(LogicalPlan::recompute_schema)
    }

    fn over_expr(&self, expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        let meant = match &expr {
            Expr::BinaryExpr(binary) if binary.op.supports_propagation() => {
                compared(&self.calls, &binary.left, binary.op, &binary.right, schema)?
            }
            Expr::Between(between) => self.between(between, schema)?,
            Expr::InList(list) => self.listed(list, schema)?,
            Expr::Like(like) => self.like(like, schema)?,
            Expr::IsNull(row) => {
                has_content(row, schema).map(|content| Expr::Not(Box::new(content)))
            }
            Expr::IsNotNull(row) => has_content(row, schema),
            Expr::AggregateFunction(call) if call.func.name() == "count" => counted(call, schema),
            Expr::Cast(Cast { expr: inner, field }) => self.cast(inner, field, false, schema)?,
            Expr::TryCast(TryCast { expr: inner, field }) => {
                self.cast(inner, field, true, schema)?
            }
            _ => None,
        };
        Ok(match meant {
            Some(meant) => Transformed::yes(meant),
            None => Transformed::no(expr),
        })
    }

    /// `x BETWEEN a AND b` as two comparisons, where one of them means something else.
    fn between(&self, between: &Between, schema: &DFSchema) -> Result<Option<Expr>> {
        let side = |op, bound| compared(&self.calls, &between.expr, op, bound, schema);
        let low = side(Operator::GtEq, &between.low)?;
        let high = side(Operator::LtEq, &between.high)?;
        if low.is_none() && high.is_none() {
            return Ok(None);
        }
        let plain = |op, bound: &Expr| binary_expr((*between.expr).clone(), op, bound.clone());
        let both = low
            .unwrap_or_else(|| plain(Operator::GtEq, &between.low))
            .and(high.unwrap_or_else(|| plain(Operator::LtEq, &between.high)));
        Ok(Some(if between.negated {
            Expr::Not(Box::new(both))
        } else {
            both
        }))
    }

    /// `x IN (…)`: as one comparison for each, where one of them means something else.
    fn listed(&self, list: &InList, schema: &DFSchema) -> Result<Option<Expr>> {
        // Texts among texts mean what they say; lists of indicators are long.
        let plain = !matches!(list.expr.as_ref(), Expr::ScalarFunction(_))
            && !is_partition(&list.expr)
            && list.expr.get_type(schema).is_ok_and(|own| is_text(&own));
        if plain && list.list.iter().all(|item| text_of(item).is_some()) {
            return Ok(None);
        }
        let mut found = false;
        let mut any: Option<Expr> = None;
        for item in &list.list {
            let meant = compared(&self.calls, &list.expr, Operator::Eq, item, schema)?;
            found |= meant.is_some();
            let one = meant.unwrap_or_else(|| (*list.expr).clone().eq(item.clone()));
            any = Some(match any {
                Some(any) => any.or(one),
                None => one,
            });
        }
        Ok(any.filter(|_| found).map(|any| {
            if list.negated {
                Expr::Not(Box::new(any))
            } else {
                any
            }
        }))
    }

    fn like(&self, like: &Like, schema: &DFSchema) -> Result<Option<Expr>> {
        let data_type = like.expr.get_type(schema)?;
        if let Some(pattern) =
            text_of(&like.pattern).and_then(|pattern| respelled_pattern(&like.expr, pattern))
        {
            return Ok(Some(Expr::Like(Like {
                pattern: Box::new(lit(ScalarValue::Utf8View(Some(pattern)))),
                ..like.clone()
            })));
        }
        if is_text(&data_type) && !self.is_time_text(&like.expr) {
            return Ok(None);
        }
        if let Some(time) = self.time_of(&like.expr, schema)?
            && let Some(prefix) = text_of(&like.pattern).and_then(only_prefix)
            && let Some((start, end)) = prefix_range(prefix)
            && !like.case_insensitive
        {
            let within = time.clone().gt_eq(moment(start)).and(time.lt(moment(end)));
            return Ok(Some(if like.negated {
                Expr::Not(Box::new(within))
            } else {
                within
            }));
        }
        if is_text(&data_type) {
            return Ok(None);
        }
        let text = self.text(&like.expr, &data_type)?;
        Ok(text.map(|text| {
            Expr::Like(Like {
                expr: Box::new(text),
                ..like.clone()
            })
        }))
    }

    /// The text of a value that is not text.
    fn text(&self, expr: &Expr, data_type: &DataType) -> Result<Option<Expr>> {
        if *data_type == DataType::Null {
            return Ok(None);
        }
        if *data_type == event_time() {
            return self.calls.call("time_text", vec![expr.clone()]).map(Some);
        }
        if data_type.is_nested() {
            return self.calls.call("to_json", vec![expr.clone()]).map(Some);
        }
        Ok(Some(as_text(expr.clone())))
    }

    fn is_time_text(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::ScalarFunction(call) if call.name() == "time_text")
    }

    /// The time whose text is asked for: of CloudTrail's times, and of their text.
    fn time_of(&self, expr: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
        if let Expr::ScalarFunction(ScalarFunction { func, args }) = expr
            && func.name() == "time_text"
        {
            return Ok(args.first().cloned());
        }
        let is_time = expr.get_type(schema)? == event_time();
        Ok(is_time.then(|| expr.clone()))
    }

    /// A number as a whole one: Trino rounds, halves away from zero; DataFusion cuts.
    fn rounded(&self, inner: &Expr, field: &FieldRef, lenient: bool) -> Result<Option<Expr>> {
        if matches!(inner, Expr::ScalarFunction(call) if call.name() == "round") {
            return Ok(None);
        }
        let whole = Box::new(self.calls.call("round", vec![inner.clone()])?);
        let target = field.data_type().clone();
        Ok(Some(if lenient {
            Expr::TryCast(TryCast::new(whole, target))
        } else {
            Expr::Cast(Cast::new(whole, target))
        }))
    }

    /// A cast from or to JSON, or of a time to its text.
    fn cast(
        &self,
        inner: &Expr,
        field: &FieldRef,
        lenient: bool,
        schema: &DFSchema,
    ) -> Result<Option<Expr>> {
        let (_, from) = inner.to_field(schema)?;
        if is_address(field) {
            let name = if lenient {
                "try_ip_address"
            } else {
                "ip_address"
            };
            return self.calls.call(name, vec![inner.clone()]).map(Some);
        }
        if is_json(field) {
            if is_json(&from) {
                return Ok(Some(inner.clone()));
            }
            return self.calls.call("to_json", vec![inner.clone()]).map(Some);
        }
        if is_json(&from) || (is_text(from.data_type()) && field.data_type().is_nested()) {
            let name = if lenient {
                "try_json_cast"
            } else {
                "json_cast"
            };
            let target = Expr::Literal(ScalarValue::try_new_null(field.data_type())?, None);
            return self.calls.call(name, vec![inner.clone(), target]).map(Some);
        }
        if let (DataType::Struct(of), DataType::Struct(to)) = (from.data_type(), field.data_type())
            && of.len() == to.len()
        {
            return row_by_position(inner, of, to).map(Some);
        }
        let is_time = matches!(from.data_type(), DataType::Timestamp(..));
        if is_time && *field.data_type() == DataType::Date32 {
            return self.calls.call("date", vec![inner.clone()]).map(Some);
        }
        if let (DataType::Timestamp(_, Some(zone)), DataType::Timestamp(_, None)) =
            (from.data_type(), field.data_type())
            && !UTC.contains(&zone.as_ref())
        {
            // The reading of calendar and clock in that zone.
            let local = to_local_time().call(vec![inner.clone()]);
            let target = field.data_type().clone();
            return Ok(Some(Expr::Cast(Cast::new(Box::new(local), target))));
        }
        let is_computed = matches!(inner, Expr::ScalarFunction(_));
        if *from.data_type() == event_time() && is_text(field.data_type()) && !is_computed {
            return self.calls.call("time_text", vec![inner.clone()]).map(Some);
        }
        if is_time && is_text(field.data_type()) {
            let text = self.calls.call("timestamp_text", vec![inner.clone()])?;
            return Ok(Some(text));
        }
        if from.data_type().is_floating() && field.data_type().is_integer() {
            return self.rounded(inner, field, lenient);
        }
        if from.data_type().is_nested() && is_text(field.data_type()) {
            return self.calls.call("to_json", vec![inner.clone()]).map(Some);
        }
        Ok(None)
    }
}

/// Whether an object was there: rows are put together from their members, so that a row itself is never
/// NULL. `None` for what is no row.
fn has_content(row: &Expr, schema: &DFSchema) -> Option<Expr> {
    let is_path = match row {
        Expr::Column(_) => true,
        Expr::ScalarFunction(call) => call.name() == "get_field",
        _ => false,
    };
    let DataType::Struct(fields) = row.get_type(schema).ok()? else {
        return None;
    };
    is_path.then(|| any_member(row, &fields)).flatten()
}

/// Whether any member of a row is not NULL, at any depth.
fn any_member(row: &Expr, fields: &Fields) -> Option<Expr> {
    let members = fields.iter().filter_map(|field| {
        let member = get_field().call(vec![row.clone(), lit(field.name().as_str())]);
        match field.data_type() {
            DataType::Struct(fields) => any_member(&member, fields),
            _ => Some(member.is_not_null()),
        }
    });
    members.reduce(Expr::or)
}

/// `count(row)`, which counts the rows that were there.
fn counted(call: &AggregateFunction, schema: &DFSchema) -> Option<Expr> {
    let [row] = call.params.args.as_slice() else {
        return None;
    };
    if call.params.distinct {
        return None;
    }
    let there = when(has_content(row, schema)?, lit(true)).end().ok()?;
    let mut call = call.clone();
    call.params.args = vec![there];
    Some(Expr::AggregateFunction(call))
}

/// Whether an expression is an address, as a cast has made it.
fn is_ip(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(call)
        if ["ip_address", "try_ip_address"].contains(&call.name()))
}

/// What a comparison means where its sides are of kinds that Athena's table has otherwise; `None` where
/// it means what it says.
///
/// # Errors
///
/// Where a side has no type.
pub(super) fn compared(
    calls: &Calls,
    left: &Expr,
    op: Operator,
    right: &Expr,
    schema: &DFSchema,
) -> Result<Option<Expr>> {
    if let Some((left, right)) = respelled(calls, left, right, schema)? {
        return Ok(Some(binary_expr(left, op, right)));
    }
    if let Some((right, left)) = respelled(calls, right, left, schema)? {
        return Ok(Some(binary_expr(left, op, right)));
    }
    if is_ip(left) && is_ip(right) {
        let order = |side: &Expr| calls.call("ip_order", vec![side.clone()]);
        return Ok(Some(binary_expr(order(left)?, op, order(right)?)));
    }
    if let Some(range) = cut_time_compared(left, op, right, schema)? {
        return Ok(Some(range));
    }
    // A side without a type is a mistake that the planner places.
    let (Ok(left_type), Ok(right_type)) = (left.get_type(schema), right.get_type(schema)) else {
        return Ok(None);
    };
    if let (DataType::Struct(_), text) | (text, DataType::Struct(_)) = (&left_type, &right_type)
        && is_text(text)
    {
        return plan_err!(
            "a row is compared with a text; name one of its members, such as `useridentity.arn`"
        );
    }
    Ok(match (left_type, right_type) {
        (left_type, right_type) if left_type == event_time() && is_text(&right_type) => {
            let text = calls.call("time_text", vec![left.clone()])?;
            Some(binary_expr(text, op, right.clone()))
        }
        (left_type, right_type) if right_type == event_time() && is_text(&left_type) => {
            let text = calls.call("time_text", vec![right.clone()])?;
            Some(binary_expr(left.clone(), op, text))
        }
        (DataType::Duration(_), DataType::Interval(_)) => {
            duration(right).map(|right| binary_expr(left.clone(), op, right))
        }
        (DataType::Interval(_), DataType::Interval(_)) => duration(left)
            .zip(duration(right))
            .map(|(left, right)| binary_expr(left, op, right)),
        (DataType::Interval(_), DataType::Duration(_)) => {
            duration(left).map(|left| binary_expr(left, op, right.clone()))
        }
        (
            DataType::Timestamp(left_unit, left_zone),
            DataType::Timestamp(right_unit, right_zone),
        ) if left_zone != right_zone => {
            let left_utc = in_utc(left, left_unit, left_zone.as_deref());
            let right_utc = in_utc(right, right_unit, right_zone.as_deref());
            (left_utc.is_some() || right_utc.is_some()).then(|| {
                binary_expr(
                    left_utc.unwrap_or_else(|| left.clone()),
                    op,
                    right_utc.unwrap_or_else(|| right.clone()),
                )
            })
        }
        (DataType::Boolean, text) if is_text(&text) => Some(match truth(right) {
            Some(truth) => binary_expr(left.clone(), op, lit(truth)),
            None => binary_expr(as_text(left.clone()), op, right.clone()),
        }),
        (text, DataType::Boolean) if is_text(&text) => Some(match truth(left) {
            Some(truth) => binary_expr(lit(truth), op, right.clone()),
            None => binary_expr(left.clone(), op, as_text(right.clone())),
        }),
        (text, number) if is_text(&text) && number.is_numeric() => {
            Some(binary_expr(as_number(left, &number), op, right.clone()))
        }
        (number, text) if is_text(&text) && number.is_numeric() => {
            Some(binary_expr(left.clone(), op, as_number(right, &number)))
        }
        _ => None,
    })
}

/// `substr(eventtime, 1, 10) = '2023-07-06'`, and the like, as a range of times.
fn cut_time_compared(
    left: &Expr,
    op: Operator,
    right: &Expr,
    schema: &DFSchema,
) -> Result<Option<Expr>> {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = left else {
        return Ok(None);
    };
    let number = |expr: &Expr| match expr {
        Expr::Literal(value, _) => value.to_string().parse::<usize>().ok(),
        _ => None,
    };
    let [time, from, length] = args.as_slice() else {
        return Ok(None);
    };
    let cuts = func.name() == "substr" && number(from) == Some(1);
    let (true, Some(length), Some(text)) = (cuts, number(length), text_of(right)) else {
        return Ok(None);
    };
    let time = match time {
        Expr::ScalarFunction(call) if call.name() == "time_text" => call.args.first(),
        time => (time.get_type(schema)? == event_time()).then_some(time),
    };
    let (Some(time), Some((start, end))) = (time, prefix_range(text)) else {
        return Ok(None);
    };
    if text.chars().count() != length {
        return Ok(None);
    }
    let time = time.clone();
    Ok(match op {
        Operator::Eq => Some(time.clone().gt_eq(moment(start)).and(time.lt(moment(end)))),
        Operator::NotEq => Some(time.clone().lt(moment(start)).or(time.gt_eq(moment(end)))),
        Operator::Lt => Some(time.lt(moment(start))),
        Operator::LtEq => Some(time.lt(moment(end))),
        Operator::Gt => Some(time.gt_eq(moment(end))),
        Operator::GtEq => Some(time.gt_eq(moment(start))),
        _ => None,
    })
}

/// Whether a type is a text; NULL alone is none.
pub(super) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

pub(super) fn as_text(expr: Expr) -> Expr {
    Expr::Cast(Cast::new(Box::new(expr), DataType::Utf8View))
}

/// A constant interval as the time that it lasts: times of two events are so far apart, and an interval
/// would be compared by its fields. `None` where it has months.
fn duration(interval: &Expr) -> Option<Expr> {
    const NANOSECONDS_PER_DAY: i64 = 86_400_000_000_000;
    let nanoseconds = match interval {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _)
            if interval.months == 0 =>
        {
            i64::from(interval.days)
                .checked_mul(NANOSECONDS_PER_DAY)?
                .checked_add(interval.nanoseconds)?
        }
        Expr::Literal(ScalarValue::IntervalDayTime(Some(interval)), _) => i64::from(interval.days)
            .checked_mul(NANOSECONDS_PER_DAY)?
            .checked_add(i64::from(interval.milliseconds).checked_mul(1_000_000)?)?,
        _ => return None,
    };
    let value = ScalarValue::DurationNanosecond(Some(nanoseconds));
    Some(Expr::Literal(value, None))
}

/// A time of another zone, or of none, as one of UTC, which is the session's zone; `None` where it is
/// one already.
fn in_utc(time: &Expr, unit: TimeUnit, zone: Option<&str>) -> Option<Expr> {
    if zone.is_some_and(|zone| UTC.contains(&zone)) {
        return None;
    }
    let utc = DataType::Timestamp(unit, Some("UTC".into()));
    Some(Expr::Cast(Cast::new(Box::new(time.clone()), utc)))
}

/// The number that a text is, or NULL.
fn as_number(text: &Expr, like: &DataType) -> Expr {
    let number = if like.is_integer() {
        DataType::Int64
    } else {
        DataType::Float64
    };
    Expr::TryCast(TryCast::new(Box::new(text.clone()), number))
}

/// A row as another: Trino casts the members in their order, whatever they are called.
///
/// # Errors
///
/// None that is expected: an empty condition.
fn row_by_position(row: &Expr, of: &Fields, to: &Fields) -> Result<Expr> {
    let members = of.iter().zip(to).flat_map(|(from, to)| {
        let member = get_field().call(vec![row.clone(), lit(from.name().as_str())]);
        let member = if from.data_type() == to.data_type() {
            member
        } else {
            Expr::Cast(Cast::new(Box::new(member), to.data_type().clone()))
        };
        [lit(to.name().as_str()), member]
    });
    when(
        row.clone().is_not_null(),
        named_struct().call(members.collect()),
    )
    .end()
}

fn truth(expr: &Expr) -> Option<bool> {
    match text_of(expr)?.to_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The prefix in a pattern `P%` without any other wildcard or escape.
fn only_prefix(pattern: &str) -> Option<&str> {
    let prefix = pattern.strip_suffix('%')?;
    (!prefix.contains(['%', '_', '\\'])).then_some(prefix)
}

fn moment(microseconds: i64) -> Expr {
    let value = ScalarValue::TimestampMicrosecond(Some(microseconds), Some("UTC".into()));
    Expr::Literal(value, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_prefixes_are_ranges() {
        for (pattern, expected) in [
            ("2023-07-%", Some("2023-07-")),
            ("2023-07-06", None),
            ("%2023%", None),
            ("2023-0_-%", None),
            ("%", Some("")),
        ] {
            assert_eq!(only_prefix(pattern), expected, "{pattern}");
        }
    }
}
