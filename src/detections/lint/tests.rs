use super::*;
use crate::detections::attack::Attack;
use crate::detections::loader::CaseText;

const GOOD: &str = r#"/*---
id = "made-up"
title = "A user was made"
severity = "low"
maturity = "sandbox"
kind = "stateless"
risk = ["x"]
attack = []
description = "d"
summary = "{{ actor }} made {{ subject }} ({{ count }} times)."
false_positives = ["Pipelines: name them in `ci_principals`."]
triage = ["Who?"]
remediation = ["contain-user"]
references = ["https://example.com/"]
group_by = ["eventname"]
---*/
SELECT eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname, subject,
  'ci_principals: ' || pattern AS suppressed_by
FROM activity
LEFT JOIN ci_principals ON glob_match(pattern, actor)
WHERE eventname = 'CreateUser'
"#;

const CASES: &str = r#"[
  {"name": "hit", "events": [{"like": ["iam", "ann"]}], "expect": [{"subject": "s"}]},
  {"name": "miss", "events": [], "expect": []}
]"#;

/// The problems of a rule with cases, as printed.
async fn problems(text: &str, cases: Option<&str>) -> Vec<String> {
    let mut set = RuleSet::default();
    match Rule::parse("mine/made-up.sql", text, &Attack::pinned().unwrap()) {
        Ok(rule) => {
            if let Some(text) = cases {
                let cases = CaseText {
                    path: "mine/made-up.cases.json".to_owned(),
                    text: text.to_owned(),
                };
                set.cases.insert(rule.id.clone(), cases);
            }
            set.rules.push(rule);
        }
        Err(error) => set.errors.push(error),
    }
    let found = lint(&set, |id| id == "made-up").await.unwrap();
    let of_rule = found.iter().filter(|problem| problem.path != LISTS_FILE);
    of_rule.map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_good_rule_has_no_problem() {
    assert_eq!(problems(GOOD, Some(CASES)).await, Vec::<String>::new());
}

#[tokio::test]
async fn each_problem_has_its_place() {
    let long = "A user was made ".repeat(5);
    for (from, to, expected) in [
        (
            "attack = []",
            "attack = [\"T1562.008\"]",
            "mine/made-up.sql:8: error: `T1562.008` is `T1685.002` in ATT&CK",
        ),
        (
            "A user was made",
            long.trim(),
            "mine/made-up.sql:3: warning: the title has 79 characters, more than 70",
        ),
        (
            "was made\"",
            "was made.\"",
            "mine/made-up.sql:3: warning: a title ends without",
        ),
        (
            "times).",
            "times)",
            "mine/made-up.sql:10: warning: the summary is a sentence",
        ),
        (
            "{{ subject }}",
            "{{ sbject }}",
            "mine/made-up.sql:10: error: the summary names `sbject`, which is no column",
        ),
        (
            "{{ subject }}",
            "{{ subject",
            "mine/made-up.sql:10: error: the summary is no template",
        ),
        (
            "Who?",
            "Who.",
            "mine/made-up.sql:12: warning: an entry of `triage` is a question",
        ),
        (
            "https:",
            "http:",
            "mine/made-up.sql:14: warning: `http://example.com/` is no https address",
        ),
        (
            "[\"https://example.com/\"]",
            "[]",
            "mine/made-up.sql:14: warning: no `references`",
        ),
        (
            "`ci_principals`",
            "`iac_principals`",
            "mine/made-up.sql:11: warning: `false_positives` names `iac_principals`",
        ),
        (
            "[\"eventname\"]",
            "[\"evname\"]",
            "mine/made-up.sql:15: error: `group_by` names `evname`",
        ),
        (
            "awsregion, actor",
            "awsregoin, actor",
            "mine/made-up.sql:17:48: error: ",
        ),
        (
            "eventid, recip",
            "recip",
            "mine/made-up.sql:17: error: column 2 is `recipientaccountid`, not `eventid`",
        ),
        (
            "'ci_principals: ' || pattern AS suppressed_by",
            "1 AS severity",
            "mine/made-up.sql:17: error: column `severity` is a text",
        ),
        (
            "'CreateUser'",
            "'CreateUser",
            "mine/made-up.sql:21: error: ",
        ),
        (
            "WHERE eventname = 'CreateUser'",
            "WHERE ok",
            "mine/made-up.sql:17: warning: the rule reads all events once",
        ),
        (
            "group_by",
            "full_scan = \"history\"\ngroup_by",
            "mine/made-up.sql:15: warning: `full_scan` is declared and not needed",
        ),
        (
            "\"stateless\"",
            "\"first-seen\"",
            "mine/made-up.sql:17: warning: a first-seen rule without",
        ),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let found = problems(&GOOD.replacen(from, to, 1), Some(CASES)).await;
        assert_eq!(found.len(), 1, "{from} -> {to}: {found:#?}");
        assert!(found[0].starts_with(expected), "{from} -> {to}: {found:#?}");
    }
    let everything = GOOD
        .replace("WHERE eventname = 'CreateUser'", "WHERE ok")
        .replace("group_by", "full_scan = \"history\"\ngroup_by");
    assert!(problems(&everything, Some(CASES)).await.is_empty());
}

#[tokio::test]
async fn cases_have_a_hit_and_a_near_miss() {
    let hit = r#"{"name": "h", "events": [], "expect": [{"subject": "s"}]}"#;
    let miss = r#"{"name": "m", "events": [], "expect": []}"#;
    let only = |case: &str| format!("[{case}]");
    for (cases, expected) in [
        (None, "mine/made-up.sql:1: error: no cases"),
        (
            Some("[]".to_owned()),
            "mine/made-up.cases.json: error: there is no case",
        ),
        (
            Some(only(hit)),
            "mine/made-up.cases.json: error: no case is a near miss",
        ),
        (
            Some(only(miss)),
            "mine/made-up.cases.json: error: no case expects",
        ),
        (
            Some("[\n{]".to_owned()),
            "mine/made-up.cases.json:2: error: cannot read the cases",
        ),
        (
            Some(only(
                &miss.replace("[], \"ex", "[{\"like\": \"nobody\"}], \"ex"),
            )),
            "mine/made-up.cases.json: error: case `m`: there is no template `nobody`",
        ),
    ] {
        let found = problems(GOOD, cases.as_deref()).await;
        assert!(
            found.len() == 1 && found[0].starts_with(expected),
            "{expected}: {found:#?}"
        );
    }
}

#[tokio::test]
async fn lists_that_no_rule_reads_are_named() {
    let mut set = RuleSet::default();
    let attack = Attack::pinned().unwrap();
    set.rules
        .push(Rule::parse("mine/made-up.sql", GOOD, &attack).unwrap());
    let found = lint(&set, |_| true).await.unwrap();
    let names = |list: &str| {
        let message = format!("no rule reads the list `{list}`");
        found
            .iter()
            .any(|problem| problem.message == message && problem.path == LISTS_FILE)
    };
    assert!(names("saml_issuers") && names("own_accounts"));
    assert!(!names("ci_principals"));
}
