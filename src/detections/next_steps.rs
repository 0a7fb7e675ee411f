//! The recipes that fit a finding, filled with its own values.
//!
//! Always true: a recipe works on something that the finding has. One for a user is left out where no
//! IAM user is involved, one for a role where the finding is about no role.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::row::{Row, text};
use super::rule::Rule;
use crate::config::Lists;
use crate::error::RuleError;
use crate::finding::{Finding, Remediation};
use crate::report::recipes::{Recipes, Target, target};

/// Most pairs of action and resource that a policy to add names; IAM takes 10,240 characters.
const MAX_MISSING: usize = 40;

/// The rule's recipes that fit, in the rule's order.
///
/// # Errors
///
/// Where a recipe is missing.
pub fn next_steps(
    recipes: &Recipes,
    rule: &Rule,
    lists: &Lists,
    finding: &Finding,
    worst: &Row,
) -> Result<Vec<Remediation>, RuleError> {
    let parties = Parties::of(finding, worst);
    let values = recipe_values(lists, finding, worst, &parties);
    let fitting = rule.remediation.iter().filter(|id| match target(id) {
        Target::User => parties.user.is_some(),
        Target::Role => values.contains_key("role_name"),
        Target::Holder => values.contains_key("role_name") || values.contains_key("holder_name"),
        Target::Account => true,
    });
    fitting
        .map(|id| {
            let mut recipe = recipes.render(id, &values).map_err(|source| RuleError {
                rule: rule.id.to_string(),
                message: format!("cannot fill the recipe `{id}`"),
                source: Some(source.into()),
            })?;
            let place = match target(id) {
                Target::User => parties.user,
                Target::Role | Target::Holder | Target::Account => parties.subject(),
            };
            let account = place
                .and_then(account_of)
                .filter(|account| finding.account.as_deref() != Some(*account));
            if let Some(account) = account {
                recipe.steps = format!("In account `{account}`.\n\n{}", recipe.steps);
                recipe.account = Some(account.to_owned());
            }
            Ok(recipe)
        })
        .collect()
}

/// Whom the finding concerns, as ARNs.
struct Parties<'a> {
    role: Option<&'a str>,
    user: Option<&'a str>,
    /// Whether the user is the one who called, and the recorded key its own.
    user_called: bool,
    other: Option<&'a str>,
}

impl<'a> Parties<'a> {
    fn of(finding: &'a Finding, worst: &'a Row) -> Self {
        let subject = finding.subject.as_str();
        let role = text(worst, "role_arn").or(Some(subject).filter(|arn| is_iam(arn, "role/")));
        let actor = text(worst, "actor");
        let user = [Some(subject), actor]
            .into_iter()
            .flatten()
            .find(|arn| is_iam(arn, "user/"));
        Self {
            role,
            user,
            user_called: user.is_some() && user == actor,
            other: Some(subject).filter(|arn| arn.starts_with("arn:")),
        }
    }

    fn subject(&self) -> Option<&'a str> {
        self.role.or(self.other)
    }
}

/// The names a recipe may use, from the finding and the columns of its worst row.
fn recipe_values(
    lists: &Lists,
    finding: &Finding,
    worst: &Row,
    parties: &Parties<'_>,
) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            values
                .entry(name.to_owned())
                .or_insert_with(|| value.to_owned());
        }
    };
    for (name, value) in worst {
        let fits = match name.as_str() {
            "user_name" => parties.user.is_some(),
            "access_key_id" => parties.user_called,
            _ => true,
        };
        put(name, value.as_str().filter(|_| fits));
    }
    put("role_arn", parties.role);
    put("role_name", parties.role.and_then(last_segment));
    put("user_name", parties.user.and_then(last_segment));
    let rights = text(worst, "rights");
    let policy_arn = rights.filter(|rights| rights.starts_with("arn:"));
    put("policy_arn", policy_arn);
    put("policy_name", rights.filter(|_| policy_arn.is_none()));
    let policy_arn = text(worst, "policy_arn").or(policy_arn);
    put("policy_name", policy_arn.and_then(last_segment));
    let provider = text(worst, "offending")
        .filter(|arn| is_iam(arn, "oidc-provider/") || is_iam(arn, "saml-provider/"));
    put("provider_arn", provider);
    let host = provider.and_then(|arn| arn.split_once(":oidc-provider/"));
    put("provider_host", host.map(|(_, host)| host));
    put("missing_policy", missing_policy(worst).as_deref());
    let arn = parties.subject();
    put("account_id", arn.and_then(|arn| arn.split(':').nth(4)));
    put("account_id", finding.account.as_deref());
    put("partition", arn.and_then(|arn| arn.split(':').nth(1)));
    put("partition", Some("aws"));
    // A trail is changed where it is at home, whatever Region saw the event.
    let trail = text(worst, "trail_arn").filter(|arn| arn.starts_with("arn:"));
    put("region", trail.and_then(|arn| arn.split(':').nth(3)));
    put("region", finding.regions.first().map(String::as_str));
    put("event_time", Some(&finding.first_time));
    put("org_id", lists.own_org_ids.first().map(String::as_str));
    values
}

/// A policy of exactly what was refused, out of the column `missing`: texts `ACTION RESOURCE`, or
/// `ACTION` where the refusal names no resource. One statement for each resource; never a wildcard,
/// since a name in a log may hold one.
fn missing_policy(worst: &Row) -> Option<String> {
    const UNKNOWN: &str = "RESOURCE_ARN";
    let exact = |text: &str| !text.contains(['*', '?']);
    let mut statements: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let pairs = worst.get("missing")?.as_array()?;
    for pair in pairs.iter().filter_map(Value::as_str).take(MAX_MISSING) {
        let (action, resource) = pair.split_once(' ').unwrap_or((pair, UNKNOWN));
        let known = resource.starts_with("arn:") && exact(resource);
        let actions = statements
            .entry(if known { resource } else { UNKNOWN })
            .or_default();
        if exact(action) && !actions.contains(&action) {
            actions.push(action);
        }
    }
    statements.retain(|_, actions| !actions.is_empty());
    let statements: Vec<Value> = statements
        .into_iter()
        .map(|(resource, actions)| {
            json!({"Effect": "Allow", "Action": actions, "Resource": [resource]})
        })
        .collect();
    (!statements.is_empty())
        .then(|| json!({"Version": "2012-10-17", "Statement": statements}).to_string())
}

/// Whether the text is an ARN of IAM whose resource begins so.
fn is_iam(text: &str, resource: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    parts.next() == Some("arn")
        && parts.nth(1) == Some("iam")
        && parts.nth(2).is_some_and(|rest| rest.starts_with(resource))
}

fn account_of(arn: &str) -> Option<&str> {
    let account = arn.split(':').nth(4)?;
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some(account)
}

fn last_segment(arn: &str) -> Option<&str> {
    arn.rsplit('/').next()
}

#[cfg(test)]
mod tests {
    use super::super::loader::RuleSet;
    use super::*;
    use crate::finding::Severity;

    const ROLE: &str = "arn:aws:iam::444455556666:role/team/app";
    const USER: &str = "arn:aws:iam::111122223333:user/ann";

    fn steps(rule: &str, subject: &str, worst: Value) -> Vec<Remediation> {
        let set = RuleSet::bundled().unwrap();
        let finding = Finding {
            id: "1".to_owned(),
            rule: rule.to_owned(),
            title: String::new(),
            severity: Severity::High,
            first_time: String::new(),
            last_time: String::new(),
            count: 1,
            account: Some("111122223333".to_owned()),
            regions: Vec::new(),
            actors: Vec::new(),
            origins: Vec::new(),
            subject: subject.to_owned(),
            source_ips: Vec::new(),
            event_names: Vec::new(),
            summary: String::new(),
            evidence: serde_json::Map::new(),
            event_ids: Vec::new(),
            next_sql: String::new(),
            remediation: Vec::new(),
        };
        let recipes = Recipes::load().unwrap();
        let rule = set.rule(rule).unwrap();
        let worst = worst.as_object().unwrap();
        next_steps(&recipes, rule, &Lists::default(), &finding, worst).unwrap()
    }

    fn ids(recipes: &[Remediation]) -> Vec<&str> {
        recipes.iter().map(|recipe| recipe.id.as_str()).collect()
    }

    #[test]
    fn only_recipes_that_fit_are_given() {
        let session = "arn:aws:iam::111122223333:role/scan/job";
        let role = "arn:aws:iam::111122223333:role/scan";
        let group = "arn:aws:iam::111122223333:group/ops";
        let check = |rule: &str, subject: &str, worst: Value, expected: &[&str]| {
            assert_eq!(
                ids(&steps(rule, subject, worst)),
                expected,
                "{rule} {subject}"
            );
        };
        let sweep = "assume-role-denied-sweep";
        check(sweep, USER, json!({"actor": USER}), &["contain-user"]);
        check(
            sweep,
            session,
            json!({"actor": session, "role_arn": role}),
            &["revoke-sessions", "least-privilege"],
        );
        check(sweep, "203.0.113.7", json!({}), &[]);
        check(
            "admin-policy-attached",
            group,
            json!({"actor": role, "holder_kind": "group", "holder_name": "ops"}),
            &["remove-permissions"],
        );
        check(
            "trust-policy-federated-unscoped",
            ROLE,
            json!({"actor": role}),
            &[
                "correct-trust-policy",
                "harden-trust-statement",
                "identity-provider",
            ],
        );
    }

    #[test]
    fn steps_have_the_values_and_the_account() {
        let worst = json!({"actor": USER, "access_key_id": "AKIAEXAMPLE", "session_name": "s1",
            "role_id": "AROAEXAMPLE"});
        let given = steps("assume-role-denied-then-success", ROLE, worst);
        assert_eq!(given[0].id, "contain-user");
        assert_eq!(given[0].account, None);
        assert!(
            given[0]
                .steps
                .contains("--user-name ann --access-key-id AKIAEXAMPLE ")
        );
        assert_eq!(given[1].account.as_deref(), Some("444455556666"));
        assert!(given[1].steps.starts_with("In account `444455556666`.\n\n"));
        assert!(given[1].steps.contains("AROAEXAMPLE:s1"));

        let policy = "arn:aws:iam::aws:policy/AdministratorAccess";
        let given = steps("backdoor-role-sequence", ROLE, json!({"rights": policy}));
        let removal = given
            .iter()
            .find(|recipe| recipe.id == "remove-permissions");
        assert!(
            removal
                .unwrap()
                .steps
                .contains(&format!("--role-name app --policy-arn {policy}"))
        );

        // The role that gave the rights away is not the one that has them.
        let worst = json!({"role_arn": ROLE, "role_name": "app", "holder_kind": "role",
            "holder_name": "backup", "policy_arn": policy});
        let given = steps("admin-policy-attached", ROLE, worst);
        assert!(
            given[0]
                .steps
                .contains(&format!("--role-name backup --policy-arn {policy}"))
        );

        let provider =
            "arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com";
        let given = steps(
            "trust-policy-federated-unscoped",
            ROLE,
            json!({"offending": provider}),
        );
        assert!(
            given[1]
                .steps
                .contains(&format!(r#"{{"Federated":"{provider}"}}"#))
        );
        assert!(
            given[1]
                .steps
                .contains(r#""token.actions.githubusercontent.com:sub""#)
        );
    }

    #[test]
    fn what_is_missing_is_named_exactly() {
        let missing = json!([
            "s3:GetObject arn:aws:s3:::b/k",
            "s3:GetObjectTagging arn:aws:s3:::b/k",
            "s3:PutObject arn:aws:s3:::b/*",
            "ecr:GetAuthorizationToken",
            "s3:*"
        ]);
        let policy = missing_policy(json!({"missing": missing}).as_object().unwrap()).unwrap();
        let policy: Value = serde_json::from_str(&policy).unwrap();
        let expected = json!([
            {"Effect": "Allow", "Action": ["s3:PutObject", "ecr:GetAuthorizationToken"],
                "Resource": ["RESOURCE_ARN"]},
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectTagging"],
                "Resource": ["arn:aws:s3:::b/k"]},
        ]);
        assert_eq!(policy["Statement"], expected);
    }
}
