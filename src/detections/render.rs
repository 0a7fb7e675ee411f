//! The words of a finding: its summary sentence, the next query, and what to do.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value;

use super::next_steps::next_steps;
use super::row::Row;
use super::rule::Rule;
use crate::config::Lists;
use crate::error::RuleError;
use crate::finding::Finding;
use crate::report::recipes::Recipes;

/// Up to this many events are named one by one in the next query; beyond it, who and when is shorter
/// to read and finds the same.
const MAX_LISTED_EVENTS: usize = 25;

/// What stands in a summary for a value that the records do not tell.
const UNTOLD: &str = "(unknown)";

/// How many values of a list a summary names before it counts the rest.
const MAX_NAMED: usize = 3;

/// Longest text of a log inside a summary, in characters.
const MAX_VALUE_CHARS: usize = 300;

/// Fills summary, next SQL and remediation of a finding.
///
/// # Errors
///
/// Where the summary's template is malformed or names a value that the row does not have, or where
/// a recipe is missing.
pub fn complete(
    recipes: &Recipes,
    rule: &Rule,
    lists: &Lists,
    finding: &mut Finding,
    worst: &Row,
) -> Result<(), RuleError> {
    finding.summary = summary(rule, finding, worst)?;
    finding.next_sql = next_sql(finding);
    finding.remediation = next_steps(recipes, rule, lists, finding, worst)?;
    Ok(())
}

/// Values of the group that a summary may name beside the columns of the worst row.
pub(super) const GROUPED: [&str; 10] = [
    "subject",
    "severity",
    "account",
    "count",
    "first_time",
    "last_time",
    "actors",
    "regions",
    "source_ips",
    "event_names",
];

/// The names that a summary's template expects to have a value.
///
/// # Errors
///
/// Where the text is no template; with its line within the text, from 1.
pub(super) fn variables(summary: &str) -> Result<BTreeSet<String>, (usize, String)> {
    let environment = environment();
    let refuse = |error: minijinja::Error| {
        let what = error
            .detail()
            .map_or_else(|| error.kind().to_string(), str::to_owned);
        (error.line().unwrap_or(1), what)
    };
    let template = environment.template_from_str(summary).map_err(refuse)?;
    Ok(template.undeclared_variables(false).into_iter().collect())
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("few", few);
    // A record may tell less than the sentence asks for.
    environment.set_formatter(|out, _state, value| {
        let text = if value.is_none() {
            UNTOLD.to_owned()
        } else {
            value.to_string()
        };
        out.write_str(&text).map_err(minijinja::Error::from)
    });
    environment
}

fn summary(rule: &Rule, finding: &Finding, worst: &Row) -> Result<String, RuleError> {
    let environment = environment();
    let mut context: BTreeMap<String, minijinja::Value> = worst
        .iter()
        .map(|(name, value)| (name.clone(), template_value(value)))
        .collect();
    let list = |values: &[String]| minijinja::Value::from(values.to_vec());
    let grouped = [
        ("subject", minijinja::Value::from(finding.subject.clone())),
        ("severity", finding.severity.as_str().into()),
        ("account", finding.account.clone().into()),
        ("count", finding.count.into()),
        ("first_time", finding.first_time.clone().into()),
        ("last_time", finding.last_time.clone().into()),
        ("actors", list(&finding.actors)),
        ("regions", list(&finding.regions)),
        ("source_ips", list(&finding.source_ips)),
        ("event_names", list(&finding.event_names)),
    ];
    context.extend(grouped.map(|(name, value)| (name.to_owned(), value)));
    let rendered = environment
        .render_str(rule.summary.trim(), minijinja::Value::from(context))
        .map_err(|source| RuleError {
            rule: rule.id.to_string(),
            message: "cannot fill the summary".to_owned(),
            source: Some(Box::new(source)),
        })?;
    // A template broken over lines for reading is still one sentence.
    Ok(rendered.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The first values of a list and how many more there are.
fn few(values: Vec<String>) -> String {
    let named = values.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>();
    match values.len().saturating_sub(MAX_NAMED) {
        0 => named.join(", "),
        n_more => format!("{} and {n_more} more", named.join(", ")),
    }
}

fn template_value(value: &Value) -> minijinja::Value {
    match value {
        Value::Null => ().into(),
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(float)) => float.into(),
            (None, None) => number.to_string().into(),
        },
        Value::String(text) => cut(text).into(),
        Value::Array(values) => {
            minijinja::Value::from(values.iter().map(template_value).collect::<Vec<_>>())
        }
        Value::Object(members) => {
            let members = members.iter();
            let members: BTreeMap<String, minijinja::Value> = members
                .map(|(name, value)| (name.clone(), template_value(value)))
                .collect();
            members.into()
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn next_sql(finding: &Finding) -> String {
    const COLUMNS: &str =
        "eventtime, eventname, awsregion, actor, sourceipaddress, errorcode, requestparameters";
    // Text, as Athena's column is; empty where no record has a time.
    let time = match finding.first_time.as_str() {
        "" => "eventtime IS NULL".to_owned(),
        first => format!(
            "eventtime BETWEEN {} AND {}",
            quoted(first),
            quoted(&finding.last_time)
        ),
    };
    let list = |values: &[String]| {
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        values.join(", ")
    };
    if finding.event_ids.len() <= MAX_LISTED_EVENTS {
        format!(
            "SELECT {COLUMNS}\nFROM activity\nWHERE eventid IN ({})\nORDER BY eventtime, eventid",
            list(&finding.event_ids)
        )
    } else if finding.actors.is_empty() || finding.actors.len() > MAX_LISTED_EVENTS {
        format!(
            "SELECT {COLUMNS}\nFROM activity\nWHERE eventname IN ({})\n  AND {time}\nORDER BY eventtime, eventid",
            list(&finding.event_names)
        )
    } else {
        format!(
            "SELECT {COLUMNS}\nFROM activity\nWHERE actor IN ({})\n  AND {time}\nORDER BY eventtime, eventid",
            list(&finding.actors)
        )
    }
}

/// A SQL text literal.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_record_tells_is_called_unknown() {
        let context = minijinja::context! { actor => (), n => 2, name => "x" };
        let text = environment().render_str("{{ actor }} {{ n }} {{ name }}", context);
        assert_eq!(text.unwrap(), "(unknown) 2 x");
    }

    #[test]
    fn lists_are_cut_to_a_few() {
        let of = |n: usize| few((0..n).map(|i| i.to_string()).collect());
        assert_eq!(of(0), "");
        assert_eq!(of(3), "0, 1, 2");
        assert_eq!(of(5), "0, 1, 2 and 2 more");
    }

    #[test]
    fn names_that_a_summary_needs_are_found() {
        let found = |summary| variables(summary).unwrap().into_iter().collect::<Vec<_>>();
        assert_eq!(
            found("{{ a }}{% if b %} {{ c | few }}{% endif %}."),
            ["a", "b", "c"]
        );
        assert_eq!(found("{% for x in list %}{{ x }}{% endfor %}"), ["list"]);
        assert_eq!(variables("a\n{{ b").unwrap_err().0, 2);
    }

    #[test]
    fn text_of_a_log_stays_inside_its_quotes() {
        assert_eq!(quoted("o'; DROP"), "'o''; DROP'");
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(cut("é").len(), 2);
        assert_eq!(cut(&"é".repeat(400)).chars().count(), MAX_VALUE_CHARS + 1);
    }
}
