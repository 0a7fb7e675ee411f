//! Columns of dates and times, read as calendar and clock show them and as moments, and written back.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err, plan_err};
use datafusion::logical_expr::Expr;

use super::iso;
use super::zone::Zone;
use crate::engine::functions::arguments::is_text;
use crate::engine::functions::trino::types::{event_time, timestamp};

/// What an argument may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot {
    /// A date, a timestamp, a time of day, or a text that is one.
    Time,
    Text,
    Whole,
    Number,
}

/// The types that a call's arguments become.
///
/// # Errors
///
/// Where they are too few, too many or of the wrong type.
pub(super) fn coerce(name: &str, types: &[DataType], slots: &[Slot]) -> Result<Vec<DataType>> {
    if types.len() != slots.len() {
        let (n, given) = (slots.len(), types.len());
        let s = if n == 1 { "" } else { "s" };
        return plan_err!("`{name}` takes {n} argument{s}, not {given}");
    }
    types
        .iter()
        .zip(slots)
        .map(|(data_type, slot)| slot.coerce(name, data_type))
        .collect()
}

impl Slot {
    fn coerce(self, name: &str, given: &DataType) -> Result<DataType> {
        use DataType::{
            Date32, Date64, Dictionary, Float64, Int64, Null, Time32, Time64, Utf8View,
        };
        match (self, given) {
            (slot, Dictionary(_, value)) => slot.coerce(name, value),
            (Self::Time, Null) => Ok(timestamp()),
            (Self::Text | Self::Time, text) if is_text(text) => Ok(Utf8View),
            (Self::Time, Date32 | Date64) => Ok(Date32),
            (Self::Time, DataType::Timestamp(..)) => Ok(given.clone()),
            (Self::Time, Time32(_) | Time64(_)) => Ok(Time64(TimeUnit::Microsecond)),
            (Self::Whole, Null) => Ok(Int64),
            (Self::Whole, whole) if whole.is_integer() => Ok(Int64),
            (Self::Number, Null) => Ok(Float64),
            (Self::Number, number) if number.is_numeric() => Ok(Float64),
            (slot, other) => {
                let wanted = match slot {
                    Self::Time => "a date or a time",
                    Self::Text => "a text",
                    Self::Whole => "a whole number",
                    Self::Number => "a number",
                };
                plan_err!("`{name}` takes {wanted} here, not {other}")
            }
        }
    }
}

/// How the numbers of a column count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Date,
    TimeOfDay,
    /// In a zone, or calendar and clock without one.
    Timestamp(TimeUnit, Option<Zone>),
}

/// One time, twice: as a moment, and as its zone's calendar and clock show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub utc: NaiveDateTime,
    pub local: NaiveDateTime,
}

impl Kind {
    /// That of a coerced argument; texts are read as event times.
    pub fn of(name: &str, data_type: &DataType) -> Result<Self> {
        match data_type {
            DataType::Date32 => Ok(Self::Date),
            DataType::Time64(TimeUnit::Microsecond) => Ok(Self::TimeOfDay),
            DataType::Utf8View => Ok(Self::Timestamp(TimeUnit::Microsecond, Some(Zone::UTC))),
            DataType::Timestamp(unit, None) => Ok(Self::Timestamp(*unit, None)),
            DataType::Timestamp(unit, Some(zone)) => match Zone::parse(zone) {
                Some(zone) => Ok(Self::Timestamp(*unit, Some(zone))),
                None => plan_err!("`{name}` does not know the time zone `{zone}`"),
            },
            other => plan_err!("`{name}` takes a date or a time, not {other}"),
        }
    }

    pub fn zone(self) -> Option<Zone> {
        match self {
            Self::Timestamp(_, zone) => zone,
            Self::Date | Self::TimeOfDay => None,
        }
    }

    /// The time that a number of the column stands for.
    pub fn moment(self, raw: i64) -> Option<Moment> {
        let utc = match self {
            Self::Date => {
                let epoch = DateTime::UNIX_EPOCH.naive_utc();
                epoch.checked_add_signed(TimeDelta::try_days(raw)?)?
            }
            Self::TimeOfDay => DateTime::from_timestamp_micros(raw)?.naive_utc(),
            Self::Timestamp(TimeUnit::Second, _) => DateTime::from_timestamp(raw, 0)?.naive_utc(),
            Self::Timestamp(TimeUnit::Millisecond, _) => {
                DateTime::from_timestamp_millis(raw)?.naive_utc()
            }
            Self::Timestamp(TimeUnit::Microsecond, _) => {
                DateTime::from_timestamp_micros(raw)?.naive_utc()
            }
            Self::Timestamp(TimeUnit::Nanosecond, _) => {
                DateTime::from_timestamp_nanos(raw).naive_utc()
            }
        };
        let local = match self.zone() {
            Some(zone) => zone.local(utc)?,
            None => utc,
        };
        Some(Moment { utc, local })
    }

    /// The number of a moment, cut to what the column can count.
    pub fn raw_of_utc(self, utc: NaiveDateTime) -> Option<i64> {
        match self {
            Self::Date => Some(
                utc.date()
                    .signed_duration_since(NaiveDate::default())
                    .num_days(),
            ),
            Self::TimeOfDay => {
                let time = utc.time().signed_duration_since(NaiveTime::MIN);
                time.num_microseconds()
            }
            Self::Timestamp(TimeUnit::Second, _) => Some(utc.and_utc().timestamp()),
            Self::Timestamp(TimeUnit::Millisecond, _) => Some(utc.and_utc().timestamp_millis()),
            Self::Timestamp(TimeUnit::Microsecond, _) => Some(utc.and_utc().timestamp_micros()),
            Self::Timestamp(TimeUnit::Nanosecond, _) => utc.and_utc().timestamp_nanos_opt(),
        }
    }

    /// The number of what calendar and clock show.
    pub fn raw_of_local(self, local: NaiveDateTime) -> Option<i64> {
        match self.zone() {
            Some(zone) => self.raw_of_utc(zone.utc(local)?),
            None => self.raw_of_utc(local),
        }
    }

    pub fn data_type(self) -> DataType {
        match self {
            Self::Date => DataType::Date32,
            Self::TimeOfDay => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp(unit, zone) => {
                DataType::Timestamp(unit, zone.map(|zone| zone.name().into()))
            }
        }
    }

    /// A column of such numbers, in the very type of an argument.
    pub fn array(self, numbers: &Int64Array, data_type: &DataType) -> Result<ArrayRef> {
        if self == Self::Date {
            let days = numbers
                .iter()
                .map(|days| days.and_then(|days| days.try_into().ok()));
            return Ok(Arc::new(days.collect::<Date32Array>()));
        }
        Ok(cast(numbers, data_type)?)
    }

    /// One number as a constant.
    pub fn scalar(self, raw: i64, data_type: &DataType) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.array(&Int64Array::from(vec![raw]), data_type)?, 0)
    }
}

/// A column of dates or times.
pub(super) struct Moments {
    name: &'static str,
    pub kind: Kind,
    /// That of the column, and of answers that are of the same type.
    pub data_type: DataType,
    numbers: Int64Array,
}

impl Moments {
    /// # Errors
    ///
    /// Where a text is no time.
    pub fn new(name: &'static str, array: &ArrayRef) -> Result<Self> {
        let kind = Kind::of(name, array.data_type())?;
        let (numbers, data_type) = match array.data_type() {
            DataType::Utf8View => (read(name, array.as_string_view())?, event_time()),
            DataType::Date32 => {
                let days = cast(array, &DataType::Int32)?;
                (
                    cast(&days, &DataType::Int64)?.as_primitive().clone(),
                    DataType::Date32,
                )
            }
            other => (
                cast(array, &DataType::Int64)?.as_primitive().clone(),
                other.clone(),
            ),
        };
        Ok(Self {
            name,
            kind,
            data_type,
            numbers,
        })
    }

    /// `None` is NULL.
    ///
    /// # Errors
    ///
    /// Where the calendar does not reach so far.
    pub fn get(&self, row: usize) -> Result<Option<Moment>> {
        if !self.numbers.is_valid(row) {
            return Ok(None);
        }
        let raw = self.numbers.value(row);
        match self.kind.moment(raw) {
            Some(moment) => Ok(Some(moment)),
            None => exec_err!("`{}` cannot go to the year of the time `{raw}`", self.name),
        }
    }

    /// An answer for every row; NULL for NULL.
    ///
    /// # Errors
    ///
    /// Those of `answer`.
    pub fn rows<T>(
        &self,
        n_rows: usize,
        mut answer: impl FnMut(usize, Moment) -> Result<Option<T>>,
    ) -> Result<Vec<Option<T>>> {
        (0..n_rows)
            .map(|row| match self.get(row)? {
                Some(moment) => answer(row, moment),
                None => Ok(None),
            })
            .collect()
    }

    /// A column of the same type, from what calendar and clock show, row by row.
    ///
    /// # Errors
    ///
    /// Those of `answer`, and where the type does not reach so far.
    pub fn map(
        &self,
        n_rows: usize,
        answer: impl FnMut(usize, Moment) -> Result<Option<i64>>,
    ) -> Result<ArrayRef> {
        let numbers = Int64Array::from(self.rows(n_rows, answer)?);
        self.kind.array(&numbers, &self.data_type)
    }

    /// The number of what calendar and clock show.
    ///
    /// # Errors
    ///
    /// Where the type does not reach so far.
    pub fn number(&self, local: Option<NaiveDateTime>) -> Result<Option<i64>> {
        let number = local.and_then(|local| self.kind.raw_of_local(local));
        number.map(Some).ok_or_else(|| self.too_far())
    }

    /// The number of a moment.
    ///
    /// # Errors
    ///
    /// Where the type does not reach so far.
    pub fn number_of_utc(&self, utc: Option<NaiveDateTime>) -> Result<Option<i64>> {
        let number = utc.and_then(|utc| self.kind.raw_of_utc(utc));
        number.map(Some).ok_or_else(|| self.too_far())
    }

    fn too_far(&self) -> datafusion::common::DataFusionError {
        exec_datafusion_err!("`{}` goes beyond the years that a time can have", self.name)
    }
}

fn read(name: &str, texts: &StringViewArray) -> Result<Int64Array> {
    let kind = Kind::Timestamp(TimeUnit::Microsecond, Some(Zone::UTC));
    let rows = texts.iter().map(|text| match text {
        None => Ok(None),
        Some(text) => match iso::read(text).and_then(|time| kind.raw_of_utc(time)) {
            Some(micros) => Ok(Some(micros)),
            None => exec_err!("`{name}` cannot read `{text}` as a time"),
        },
    });
    rows.collect()
}

/// A constant as calendar and clock show it in the zone of its type.
pub(super) fn literal(value: &ScalarValue) -> Option<Moment> {
    if value.is_null() {
        return None;
    }
    let array = value.to_array_of_size(1).ok()?;
    if array.data_type() == &DataType::Utf8View {
        return None;
    }
    Moments::new("", &array).ok()?.get(0).ok()?
}

/// The texts of a coerced argument.
///
/// # Errors
///
/// Where the argument was not coerced.
pub(super) fn texts(array: &ArrayRef) -> Result<&StringViewArray> {
    let texts = array.as_string_view_opt();
    texts.ok_or_else(|| exec_datafusion_err!("expected texts, not {}", array.data_type()))
}

/// The text of a row; `None` is NULL.
pub(super) fn text(texts: &StringViewArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}

/// The whole numbers of a coerced argument.
///
/// # Errors
///
/// Where the argument was not coerced.
pub(super) fn whole_numbers(array: &ArrayRef) -> Result<&Int64Array> {
    let numbers = array.as_primitive_opt();
    numbers.ok_or_else(|| exec_datafusion_err!("expected numbers, not {}", array.data_type()))
}

/// The number of a row; `None` is NULL.
pub(super) fn whole_number(numbers: &Int64Array, row: usize) -> Option<i64> {
    numbers.is_valid(row).then(|| numbers.value(row))
}

/// The text of a constant.
pub(super) fn literal_text(expr: &Expr) -> Option<&str> {
    expr.as_literal()?.try_as_str()?
}
