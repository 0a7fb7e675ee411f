//! The records of a case, written short.
//!
//! An entry names templates that it is `like`, whose members are laid under its own, and says `with`
//! what values their `{names}` are filled. A text with a name that has no value is left out with its
//! member, so that one template serves records with and without it; `"$absent"` leaves out a member
//! of a template. What else stands in an entry is the record's, as it is.
//!
//! Every case has ids, keys and accounts of its own, made of its number, so that all cases can lie in one
//! heap of evidence: `{1}` to `{9}` are accounts, `{asia:x}` and `{akia:x}` keys, `{role:1/x}` and
//! `{user:1/x}` ids of roles and users, `{id:e1}` the id of an event. Placeholders that the logs of
//! others are full of are written out, and thus shared by all cases.

use chrono::{DateTime, Duration, SecondsFormat};
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// How deep templates may name templates.
const MAX_DEPTH: usize = 8;

/// Turns entries of one case into records.
pub struct Shorthand<'a> {
    pub templates: &'a Object,
    /// The case's number among all.
    pub case: usize,
}

impl Shorthand<'_> {
    pub fn records(&self, entries: &[Value]) -> Vec<Value> {
        let mut records = Vec::new();
        for entry in entries {
            let own = entry.get("with").cloned().unwrap_or_default();
            let mut entry = self.resolve(entry.as_object().expect("an object"), 0);
            let times = match entry.remove("repeat") {
                Some(times) => times.as_i64().expect("`repeat` is a number"),
                None => 1,
            };
            let with = entry.remove("with").unwrap_or_default();
            self.assert_used(&entry, &own);
            for n in 1..=times {
                let values = self.values(&with, n, records.len() + 1);
                let record = self.fill(&Value::Object(entry.clone()), &values);
                records.push(record.expect("a record is not left out"));
            }
        }
        records
    }

    /// The entry over what it is like, the last of which lies uppermost.
    fn resolve(&self, entry: &Object, depth: usize) -> Object {
        assert!(depth < MAX_DEPTH, "templates name one another in a circle");
        let mut entry = entry.clone();
        let names = match entry.remove("like") {
            None => return entry,
            Some(Value::String(name)) => vec![name],
            Some(names) => serde_json::from_value(names).expect("names of templates"),
        };
        let mut record = Object::new();
        for name in names {
            let template = self.templates.get(&name).and_then(Value::as_object);
            let template = template.unwrap_or_else(|| panic!("there is no template `{name}`"));
            lay_over(&mut record, self.resolve(template, depth + 1));
        }
        lay_over(&mut record, entry);
        record
    }

    /// A value that no member asks for is a slip of the pen.
    fn assert_used(&self, entry: &Object, with: &Value) {
        let text = Value::Object(entry.clone()).to_string();
        for name in with.as_object().into_iter().flatten().map(|(name, _)| name) {
            let implies =
                ["account", "taccount", "user", "role", "target"].contains(&name.as_str());
            let used = implies || text.contains(&format!("{{{name}}}"));
            assert!(used, "case {}: `{name}` is not used by {text}", self.case);
        }
    }

    /// What the names of an entry stand for, given and implied ones.
    fn values(&self, with: &Value, n: i64, place: usize) -> Vec<(String, String)> {
        let own = vec![
            ("n".to_owned(), n.to_string()),
            ("m".to_owned(), (n - 1).to_string()),
        ];
        let mut values = own.clone();
        for (name, value) in with.as_object().into_iter().flatten() {
            let value = value.as_str().expect("a value is a text");
            let value = self.text(value, &own).expect("a value has no open names");
            values.push((name.clone(), value));
        }
        let given = |values: &[(String, String)], name: &str| {
            let found = values.iter().find(|(other, _)| other == name);
            found.map(|(_, value)| value.clone())
        };
        let at = given(&values, "t").map(|at| time(&at, n - 1));
        let ends = at.as_deref().and_then(an_hour_after);
        let mut imply = |name: &str, otherwise: String| {
            let value = given(&values, name).unwrap_or(otherwise);
            values.retain(|(other, _)| other != name);
            values.push((name.to_owned(), value.clone()));
            value
        };
        if let Some(ends) = ends {
            imply("ends", ends);
        }
        let account = imply("account", "1".to_owned());
        imply("to", account.clone());
        let target_account = imply("taccount", account.clone());
        imply("p", "aws".to_owned());
        imply("id", format!("e{place}"));
        imply("req", format!("r{place}"));
        for (id, name, kind, home) in [
            ("roleid", "role", "AROA", &account),
            ("targetid", "target", "AROA", &target_account),
            ("userid", "user", "AIDA", &account),
        ] {
            if let (Some(name), None) = (given(&values, name), given(&values, id)) {
                values.push((id.to_owned(), self.unique_id(kind, home, &name)));
            }
        }
        for (name, value) in &mut values {
            *value = match name.as_str() {
                "t" | "since" | "expires" => time(value, n - 1),
                "key" | "issued" => self.key(value),
                "id" | "req" | "shared" | "original" => self.id(value),
                "account" | "to" | "taccount" => self.account(value),
                _ => continue,
            };
        }
        values
    }

    /// Texts are filled; `None` where one has a name without a value. Objects that lose all go too.
    fn fill(&self, value: &Value, values: &[(String, String)]) -> Option<Value> {
        match value {
            Value::String(text) if text == "$absent" => None,
            Value::String(text) => self.text(text, values).map(Value::from),
            Value::Array(elements) => {
                let filled = elements.iter().filter_map(|value| self.fill(value, values));
                Some(Value::Array(filled.collect()))
            }
            Value::Object(members) => {
                let filled = members
                    .iter()
                    .filter_map(|(name, value)| Some((name.clone(), self.fill(value, values)?)));
                let filled: Object = filled.collect();
                (members.is_empty() || !filled.is_empty()).then_some(Value::Object(filled))
            }
            _ => Some(value.clone()),
        }
    }

    /// The text with values in place of its names.
    pub fn text(&self, text: &str, values: &[(String, String)]) -> Option<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            filled.push_str(before);
            let own = values.iter().find(|(other, _)| other == name);
            match own {
                Some((_, value)) => filled.push_str(value),
                None => filled.push_str(&self.named(name)?),
            }
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }

    /// What every case has.
    fn named(&self, name: &str) -> Option<String> {
        if name == "case" {
            return Some(format!("{:03}", self.case));
        }
        if name.len() == 1 && name.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(self.account(name));
        }
        let (kind, rest) = name.split_once(':')?;
        match kind {
            "asia" | "akia" => Some(self.key(name)),
            "id" => Some(self.id(rest)),
            "role" | "user" => {
                let (account, name) = rest.split_once('/')?;
                let prefix = if kind == "role" { "AROA" } else { "AIDA" };
                Some(self.unique_id(prefix, account, name))
            }
            _ => None,
        }
    }

    fn account(&self, text: &str) -> String {
        if text.len() == 1 {
            format!("{}{:04}", text.repeat(8), self.case)
        } else {
            text.to_owned()
        }
    }

    pub fn id(&self, text: &str) -> String {
        format!("c{:03}-{text}", self.case)
    }

    /// `asia:x` and `akia:x` are keys of the case, other texts stay.
    pub fn key(&self, text: &str) -> String {
        match text.split_once(':') {
            Some((kind @ ("asia" | "akia"), name)) => {
                let name = format!("{kind}{}{:03}", plain(name), self.case);
                format!("{:Q<20}", name.to_uppercase())
            }
            _ => text.to_owned(),
        }
    }

    fn unique_id(&self, prefix: &str, account: &str, name: &str) -> String {
        let id = format!("{prefix}{}{account}{:03}", plain(name), self.case);
        format!("{:Q<21}", id.to_uppercase())
    }
}

/// When credentials end, as CloudTrail spells it.
fn an_hour_after(time: &str) -> Option<String> {
    let time = DateTime::parse_from_rfc3339(time).ok()? + Duration::hours(1);
    Some(time.format("%b %-d, %Y, %-I:%M:%S %p").to_string())
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn lay_over(under: &mut Object, over: Object) {
    for (name, value) in over {
        match (under.get_mut(&name), value) {
            (Some(Value::Object(under)), Value::Object(over)) => lay_over(under, over),
            (_, value) => {
                under.insert(name, value);
            }
        }
    }
}

/// `10:00:00` is on the first day, `2/10:00:00` on the second; the n-th of a repeated entry comes that
/// many minutes later. Other texts stay.
pub fn time(text: &str, minutes: i64) -> String {
    let (day, clock) = text.split_once('/').unwrap_or(("1", text));
    let (Ok(day), 8) = (day.parse::<i64>(), clock.len()) else {
        return text.to_owned();
    };
    let first = DateTime::parse_from_rfc3339(&format!("2025-03-01T{clock}Z")).expect("a time");
    let time = first + Duration::days(day - 1) + Duration::minutes(minutes);
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
