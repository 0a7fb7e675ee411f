//! Constants that are spelled shorter, or in more parts, than DataFusion reads them.

use datafusion::sql::sqlparser::ast::{
    CharacterLength, DataType, DateTimeField, Expr, Interval, Value, ValueWithSpan,
};

use super::names::folded;
use super::syntax::call;

/// Makes `eventtime` a text beside texts: of several values one is given, and all are of one type.
pub(super) fn agree(values: Vec<&mut Expr>) {
    let is_text = |value: &Expr| {
        matches!(
            value,
            Expr::Value(ValueWithSpan {
                value: Value::SingleQuotedString(_),
                ..
            })
        )
    };
    if !values.iter().any(|value| is_text(value)) {
        return;
    }
    for value in values {
        let name = match value {
            Expr::Identifier(name) => Some(folded(name)),
            Expr::CompoundIdentifier(parts) if parts.len() == 2 => parts.last().map(folded),
            _ => None,
        };
        if name.as_deref() == Some("eventtime") {
            *value = call("time_text", vec![value.clone()]);
        }
    }
}

/// Gives a time without seconds its seconds: `2023-07-06 13:51` is a timestamp in Trino.
pub(super) fn complete(data_type: &DataType, value: &mut ValueWithSpan) {
    let Value::SingleQuotedString(text) = &mut value.value else {
        return;
    };
    if matches!(data_type, DataType::Timestamp(..))
        && let Some(whole) = with_seconds(text)
    {
        *text = whole;
    }
}

/// How many characters a type of texts holds.
pub(super) fn length(data_type: &DataType) -> Option<u64> {
    match data_type {
        DataType::Varchar(Some(CharacterLength::IntegerLength { length, .. })) => Some(*length),
        _ => None,
    }
}

fn with_seconds(text: &str) -> Option<String> {
    let (day, rest) = text.trim().split_once([' ', 'T'])?;
    let (clock, zone) = match rest.split_once(' ') {
        Some((clock, zone)) => (clock, format!(" {zone}")),
        None => (rest, String::new()),
    };
    let (hour, minute) = clock.split_once(':')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(hour) && digits(minute)).then(|| format!("{day} {clock}:00{zone}"))
}

/// `INTERVAL '1 02:03' DAY TO MINUTE` by its parts, each with its unit.
pub(super) fn spell_out(interval: &mut Interval) {
    let (Some(first), Some(last)) = (&interval.leading_field, &interval.last_field) else {
        return;
    };
    let Expr::Value(ValueWithSpan {
        value: Value::SingleQuotedString(text),
        ..
    }) = interval.value.as_mut()
    else {
        return;
    };
    if let Some(spelled) = spelled_out(text, first, last) {
        *text = spelled;
        interval.leading_field = None;
        interval.last_field = None;
    }
}

fn spelled_out(text: &str, first: &DateTimeField, last: &DateTimeField) -> Option<String> {
    const OF_TIME: [&str; 4] = ["day", "hour", "minute", "second"];
    const OF_YEARS: [&str; 2] = ["year", "month"];
    let first = first.to_string().to_lowercase();
    let last = last.to_string().to_lowercase();
    let units: &[&str] = if OF_YEARS.contains(&first.as_str()) {
        &OF_YEARS
    } else {
        &OF_TIME
    };
    let from = units.iter().position(|unit| *unit == first)?;
    let to = units.iter().position(|unit| *unit == last)?;
    let units = units.get(from..=to)?;
    let (sign, text) = match text.trim().strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.trim()),
    };
    let parts: Vec<&str> = text.split([' ', ':', '-']).collect();
    if parts.len() != units.len() {
        return None;
    }
    let spelled = parts.iter().zip(units).map(|(part, unit)| {
        let number = part.trim_start_matches('0');
        let number = if number.is_empty() { "0" } else { number };
        format!("{sign}{number} {unit}")
    });
    Some(spelled.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_added_where_there_are_none() {
        for (text, expected) in [
            ("2023-07-06 13:51", Some("2023-07-06 13:51:00")),
            ("2023-07-06 13:51 UTC", Some("2023-07-06 13:51:00 UTC")),
            ("2023-07-06 13:51:09", None),
            ("2023-07-06", None),
            ("soon", None),
        ] {
            assert_eq!(with_seconds(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn intervals_are_spelled_out() {
        use DateTimeField::{Day, Hour, Minute, Month, Second, Year};
        for (text, first, last, expected) in [
            (
                "1 02:03:04",
                Day,
                Second,
                Some("1 day 2 hour 3 minute 4 second"),
            ),
            ("10:00", Hour, Minute, Some("10 hour 0 minute")),
            ("-1-2", Year, Month, Some("-1 year -2 month")),
            ("1", Day, Second, None),
        ] {
            assert_eq!(
                spelled_out(text, &first, &last).as_deref(),
                expected,
                "{text}"
            );
        }
    }
}
