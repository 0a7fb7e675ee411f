//! Documents with repeated member names, and what they may mean.
//!
//! IAM's grammar forbids to repeat a name, and parsers disagree about which member counts. Whoever
//! hides a principal that way must not get away with it, so every reading is looked at.

use std::collections::HashMap;

use super::document::Json;

/// Most readings of one document with repeated names.
const MAX_READINGS: usize = 64;
/// Bound for readings times values, so that a large document gets fewer readings.
const MAX_READING_VALUES: usize = 200_000;
/// Repeated member names: the statement they are in, where they are in one, and the name.
///
/// Names inside a `Condition` count as repeated also when only their case differs, because IAM
/// compares operators and condition keys without regard to case.
pub fn duplicate_names(document: &Json) -> Vec<(Option<usize>, String)> {
    let mut found = Vec::new();
    collect_duplicates(document.members(), 0, None, &mut found);
    for (name, value) in document.members() {
        if name == "Statement" {
            for (index, statement) in value.items().iter().enumerate() {
                collect_in(statement, 0, Some(index), &mut found);
            }
        } else {
            collect_in(value, 0, None, &mut found);
        }
    }
    found.sort();
    found.dedup();
    found
}

type Found = Vec<(Option<usize>, String)>;

fn collect_in(value: &Json, folded_levels: usize, statement: Option<usize>, found: &mut Found) {
    match value {
        Json::List(items) => {
            for item in items {
                collect_in(item, folded_levels, statement, found);
            }
        }
        Json::Object(members) => {
            collect_duplicates(members, folded_levels, statement, found);
            for (name, value) in members {
                collect_in(value, levels_below(name, folded_levels), statement, found);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => {}
    }
}

fn collect_duplicates(
    members: &[(String, Json)],
    folded_levels: usize,
    statement: Option<usize>,
    found: &mut Found,
) {
    let mut names: Vec<String> = members
        .iter()
        .map(|(name, _)| group_name(name, folded_levels))
        .collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        if let [a, b] = pair
            && a == b
        {
            found.push((statement, a.clone()));
        }
    }
}

/// The operators and the keys below a `Condition` are compared without regard to case.
fn levels_below(name: &str, folded_levels: usize) -> usize {
    if name == "Condition" {
        2
    } else {
        folded_levels.saturating_sub(1)
    }
}

fn group_name(name: &str, folded_levels: usize) -> String {
    if folded_levels > 0 {
        name.to_ascii_lowercase()
    } else {
        name.to_owned()
    }
}

/// Every reading of a document with repeated names, each without repetition.
///
/// All combinations, as long as they are few. Beyond the bound, enough readings that each repeated
/// member is in at least one of them. A document without repetition has one reading: itself.
pub fn readings(document: &Json) -> Vec<Json> {
    if duplicate_names(document).is_empty() {
        return vec![document.clone()];
    }
    let limit = (MAX_READING_VALUES / document.count_values().max(1)).clamp(2, MAX_READINGS);
    expand(document, 0, limit)
}

fn expand(value: &Json, folded_levels: usize, limit: usize) -> Vec<Json> {
    match value {
        Json::List(items) => {
            let choices = items
                .iter()
                .map(|item| expand(item, folded_levels, limit))
                .collect::<Vec<_>>();
            combine(&choices, limit)
                .into_iter()
                .map(Json::List)
                .collect()
        }
        Json::Object(members) => {
            let mut names: Vec<(String, &str)> = Vec::new();
            let mut choices: Vec<Vec<Json>> = Vec::new();
            let mut place = HashMap::new();
            for (name, value) in members {
                let group = group_name(name, folded_levels);
                let mut read = expand(value, levels_below(name, folded_levels), limit);
                let at = *place.entry(group.clone()).or_insert_with(|| {
                    names.push((group, name));
                    choices.push(Vec::new());
                    choices.len() - 1
                });
                if let Some(choice) = choices.get_mut(at) {
                    choice.append(&mut read);
                }
            }
            combine(&choices, limit)
                .into_iter()
                .map(|values| {
                    let names = names.iter().map(|(_, name)| (*name).to_owned());
                    Json::Object(names.zip(values).collect())
                })
                .collect()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => vec![value.clone()],
    }
}

/// One value from each choice, in all combinations or, beyond the limit, side by side.
fn combine(choices: &[Vec<Json>], limit: usize) -> Vec<Vec<Json>> {
    let total = choices
        .iter()
        .try_fold(1_usize, |total, choice| total.checked_mul(choice.len()))
        .filter(|total| *total <= limit);
    let rounds = total.unwrap_or_else(|| {
        let most = choices.iter().map(Vec::len).max().unwrap_or(1);
        most.min(limit)
    });
    (0..rounds)
        .map(|round| {
            let mut rest = round;
            choices
                .iter()
                .filter_map(|choice| {
                    let at = rest % choice.len().max(1);
                    if total.is_some() {
                        rest /= choice.len().max(1);
                    }
                    choice.get(at).cloned()
                })
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::document::read;

    #[test]
    fn repeated_names_give_all_readings() {
        let document = read(
            r#"{"Statement":[{"Effect":"Allow","Effect":"Deny",
                "Condition":{"Bool":{"a:B":"1","A:b":"2"}}}]}"#,
        )
        .expect("readable");
        assert_eq!(
            duplicate_names(&document),
            [(Some(0), "Effect".to_owned()), (Some(0), "a:b".to_owned())]
        );
        let all = readings(&document);
        assert_eq!(all.len(), 4);
        assert!(
            all.iter()
                .all(|reading| duplicate_names(reading).is_empty())
        );
    }

    #[test]
    fn many_repeated_names_stay_bounded_and_covered() {
        let pairs: Vec<String> = (0..40)
            .map(|n| format!(r#""k{n}":"first","k{n}":"second""#))
            .collect();
        let document = read(&format!("{{{}}}", pairs.join(","))).expect("readable");
        let all = readings(&document);
        assert!(all.len() <= MAX_READINGS);
        for n in 0..40 {
            for wanted in ["first", "second"] {
                let name = format!("k{n}");
                assert!(
                    all.iter()
                        .any(|r| r.get(&name) == Some(&Json::Text(wanted.to_owned())))
                );
            }
        }
    }
}
