//! `date_add` and `date_diff`.

use std::sync::Arc;

use arrow::array::Int64Array;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs};

use super::FAMILY;
use super::cuts::{same_as, unit_of};
use super::moments::{
    Kind, Moment, Moments, Slot, coerce, literal, literal_text, text, texts, whole_number,
    whole_numbers,
};
use super::range;
use super::units::Unit;
use super::zone::Zone;
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};

pub(super) const FUNCTIONS: [Function; 2] = [ADD, DIFF];

const ADD: Function = Function::new(
    "date_add",
    Doc {
        family: FAMILY,
        syntax: "date_add(unit, value, x) → [same as x]",
        description: "So many units later, or earlier where the value is negative. Units are those of \
                      `date_trunc`. Where a month is too short for the day, its last day. Days and longer \
                      units follow the clocks of the zone of the type.",
        example: "SELECT date_add('month', 1, DATE '2024-01-31'); -- 2024-02-29",
    },
    |types| coerce("date_add", types, &[Slot::Text, Slot::Whole, Slot::Time]),
    Returns::Type(|types| Ok(same_as(types.last()))),
    add,
)
.with_preimage(add_preimage);

const DIFF: Function = Function::new(
    "date_diff",
    Doc {
        family: FAMILY,
        syntax: "date_diff(unit, x1, x2) → bigint",
        description: "How many whole units there are from the first time to the second; negative where the \
                      second is earlier.",
        example: "SELECT date_diff('day', TIMESTAMP '2020-03-01 00:00:00', TIMESTAMP '2020-03-02 12:00:00'); -- 1",
    },
    |types| coerce("date_diff", types, &[Slot::Text, Slot::Time, Slot::Time]),
    Returns::Type(|_| Ok(DataType::Int64)),
    diff,
)
.with_preimage(diff_preimage);

fn add(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, n_rows| {
        let [units, values, times] = arrays else {
            return exec_err!("`date_add` takes 3 arguments");
        };
        let (units, values) = (texts(units)?, whole_numbers(values)?);
        let moments = Moments::new("date_add", times)?;
        moments.map(n_rows, |row, moment| {
            let (Some(unit), Some(n)) = (text(units, row), whole_number(values, row)) else {
                return Ok(None);
            };
            let unit = unit_of("date_add", unit, moments.kind)?;
            if unit.is_of_clock() {
                moments.number_of_utc(unit.add(moment.utc, n))
            } else {
                moments.number(unit.add(moment.local, n))
            }
        })
    })
}

fn add_preimage(args: &[Expr], constant: &Expr, info: &SimplifyContext) -> Result<PreimageResult> {
    let ([unit, n, argument], Some(constant)) = (args, constant.as_literal().and_then(literal))
    else {
        return Ok(PreimageResult::None);
    };
    let unit = literal_text(unit).and_then(Unit::named);
    let n = n.as_literal().cloned().map(i64::try_from);
    let (Some(unit), Some(Ok(n))) = (unit, n) else {
        return Ok(PreimageResult::None);
    };
    // What cannot be added to a column is an error, and must stay one.
    let Ok(kind) = Kind::of("", &info.get_data_type(argument)?) else {
        return Ok(PreimageResult::None);
    };
    if unit_of("", unit.name(), kind).is_err() {
        return Ok(PreimageResult::None);
    }
    range::preimage(argument, info, |moment| {
        Some(unit.add(moment.local, n)?.cmp(&constant.local))
    })
}

fn diff(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, n_rows| {
        let [units, from, to] = arrays else {
            return exec_err!("`date_diff` takes 3 arguments");
        };
        let units = texts(units)?;
        let from = Moments::new("date_diff", from)?;
        let to = Moments::new("date_diff", to)?;
        let (kind, zone) = (wider(from.kind, to.kind), from.kind.zone());
        let rows = from.rows(n_rows, |row, from| {
            let (Some(unit), Some(to)) = (text(units, row), to.get(row)?) else {
                return Ok(None);
            };
            let unit = unit_of("date_diff", unit, kind)?;
            Ok(difference(unit, zone, from, to))
        })?;
        Ok(Arc::new(Int64Array::from(rows)))
    })
}

/// The type that two have in common.
fn wider(one: Kind, other: Kind) -> Kind {
    if one == Kind::Date { other } else { one }
}

/// Days and longer units are counted by the clocks of the first time's zone.
fn difference(unit: Unit, zone: Option<Zone>, from: Moment, to: Moment) -> Option<i64> {
    if unit.is_of_clock() {
        return Some(unit.between(from.utc, to.utc));
    }
    let zone = zone.unwrap_or(Zone::UTC);
    Some(unit.between(zone.local(from.utc)?, zone.local(to.utc)?))
}

/// The later the second time, the longer it is since the first one.
fn diff_preimage(args: &[Expr], constant: &Expr, info: &SimplifyContext) -> Result<PreimageResult> {
    let [unit, from, argument] = args else {
        return Ok(PreimageResult::None);
    };
    let constant = constant.as_literal().cloned().map(i64::try_from);
    let (Some(unit), Some(from), Some(Ok(constant))) =
        (literal_text(unit), from.as_literal(), constant)
    else {
        return Ok(PreimageResult::None);
    };
    let from_kind = Kind::of("", &from.data_type());
    let to_kind = Kind::of("", &info.get_data_type(argument)?);
    let (Ok(from_kind), Ok(to_kind), Some(from)) = (from_kind, to_kind, literal(from)) else {
        return Ok(PreimageResult::None);
    };
    let zone = from_kind.zone();
    let Ok(unit) = unit_of("", unit, wider(from_kind, to_kind)) else {
        return Ok(PreimageResult::None);
    };
    if zone.is_some_and(|zone| !zone.is_fixed()) {
        return Ok(PreimageResult::None);
    }
    range::preimage(argument, info, |moment| {
        Some(difference(unit, zone, from, moment)?.cmp(&constant))
    })
}
