//! Worked examples of trust policies, one JSON object a line, against the analysis.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::Value;
use spoor::policy::trust::{Code, TrustContext, analyze};

use super::Report;

#[derive(Deserialize)]
struct Example {
    id: String,
    /// A document, or its text where the form of the text matters.
    policy: Value,
    verdict: String,
    severity: String,
    codes: Vec<String>,
}

/// Judges every example in the world that all of them share.
pub fn check(path: &Path, report: &mut Report) -> Result<()> {
    let text = std::fs::read_to_string(path)?;
    let context = world();
    let mut n_examples = 0;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let example: Example = serde_json::from_str(line).context("an example that is none")?;
        let document = match &example.policy {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let found = analyze(&document, &context);
        let codes: Vec<&str> = found.codes().into_iter().map(Code::as_str).collect();
        let found = (found.verdict.as_str(), found.severity.as_str(), codes);
        let expected = (
            example.verdict.as_str(),
            example.severity.as_str(),
            example.codes.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        if found != expected {
            let words = format!("{expected:?} expected, {found:?} found");
            report.differ(&example.id, &words);
        }
        n_examples += 1;
    }
    report.figure("trust policy examples", n_examples);
    Ok(())
}

fn world() -> TrustContext {
    let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    TrustContext {
        role_account: Some("111111111111".to_owned()),
        role_arn: Some("arn:aws:iam::111111111111:role/app".to_owned()),
        own_accounts: set(&["111111111111", "222222222222"]),
        vendor_accounts: set(&["333333333333"]),
        own_org_ids: set(&["o-exampleorg1"]),
        oidc_subjects: Vec::new(),
    }
}
