//! The SQL functions of the shared vocabulary: who acted, on which role, from where, and what a policy
//! document lets in.
//!
//! One file per function or small family, each with its documentation and tests; [`all`] lists them.
//! The functions are pure and total: hostile text gives NULL or a verdict that says so, never an error.
//! Views in `sql/views/` give their results names.

mod arguments;
mod arn;
mod denied;
mod event_json;
mod event_name;
mod glob;
mod iam_arn;
mod network;
mod permissions;
mod principal;
mod record_time;
mod resource;
mod target;
mod text;
pub(super) mod trino;
mod trust;
mod trust_diff;

use std::sync::Arc;

use datafusion::logical_expr::{DocSection, ScalarUDF};

pub(super) use event_json::EVENT_JSON;
pub(super) use trino::{
    aggregate_functions, higher_order_functions, prefix_range, scalar_functions, spelled_day, types,
};

use crate::config::Lists;
use crate::policy::trust::TrustContext;

/// What the functions know of the case.
#[derive(Debug, Clone, Default)]
pub struct FunctionContext {
    /// Judges trust policies. Its role account is the one assumed where a call gives none.
    pub trust: Arc<TrustContext>,
}

impl FunctionContext {
    /// From the case's lists. Where these name no own accounts, `recording_accounts` stand in: the
    /// accounts that the evidence was recorded in.
    pub fn new(lists: &Lists, recording_accounts: &[String]) -> Self {
        let own_accounts = if lists.own_accounts.is_empty() {
            recording_accounts
        } else {
            &lists.own_accounts
        };
        let vendors = lists.vendor_accounts.iter();
        // The lists say `issuer subject`; the policy names the issuer by itself.
        let subject = |pattern: &String| match pattern.split_once(' ') {
            Some((_, subject)) => subject.trim().to_owned(),
            None => pattern.clone(),
        };
        Self {
            trust: Arc::new(TrustContext {
                role_account: own_accounts.first().cloned(),
                role_arn: None,
                own_accounts: own_accounts.iter().cloned().collect(),
                vendor_accounts: vendors.map(|vendor| vendor.account.clone()).collect(),
                own_org_ids: lists.own_org_ids.iter().cloned().collect(),
                oidc_subjects: lists.oidc_subjects.iter().map(subject).collect(),
            }),
        }
    }
}

/// Every scalar function: the vocabulary in the order of the documentation, then those of the dialect.
pub fn all(context: &FunctionContext) -> Vec<ScalarUDF> {
    let mut functions = vocabulary(context);
    functions.extend(trino::scalar_functions());
    functions
}

/// Whether a chapter of the function reference is one of ours: the vocabulary, or one that follows a page
/// of Trino's documentation.
pub(super) fn is_own_chapter(section: &DocSection) -> bool {
    let page = section.description;
    *section == arguments::SECTION || page.is_some_and(|page| page.starts_with("https://trino.io/"))
}

fn vocabulary(context: &FunctionContext) -> Vec<ScalarUDF> {
    let mut functions = vec![
        arn::arn_account(),
        arn::arn_resource(),
        arn::role_name(),
        iam_arn::iam_arn(),
        resource::resource_arn(),
        principal::principal_key(),
        denied::denied_target(),
        network::ip_network(),
        network::is_public_ip(),
        network::in_network(),
        record_time::record_time(),
        event_name::base_event_name(),
        glob::glob_match(),
        event_json::event_json(),
    ];
    functions.extend(target::target_functions());
    functions.extend(trust::trust_functions(&context.trust));
    functions.extend(trust_diff::trust_diff_functions(&context.trust));
    functions.extend(permissions::permission_functions());
    functions
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_function_is_named_once_and_documented() {
        let functions = all(&FunctionContext::default());
        let names: BTreeSet<_> = functions.iter().map(ScalarUDF::name).collect();
        assert_eq!(names.len(), functions.len());
        for function in &functions {
            let documentation = function.documentation().unwrap();
            assert!(
                documentation.syntax_example.starts_with(function.name()),
                "{}",
                function.name()
            );
        }
    }

    #[test]
    fn own_accounts_fall_back_to_the_recording_ones() {
        let recording = ["111122223333".to_owned()];
        let context = FunctionContext::new(&Lists::default(), &recording);
        assert_eq!(context.trust.role_account.as_deref(), Some("111122223333"));
        let lists = Lists {
            own_accounts: vec!["444455556666".to_owned()],
            oidc_subjects: vec!["token.actions.githubusercontent.com repo:acme/*".to_owned()],
            ..Lists::default()
        };
        let context = FunctionContext::new(&lists, &recording);
        assert_eq!(context.trust.role_account.as_deref(), Some("444455556666"));
        assert!(!context.trust.own_accounts.contains("111122223333"));
        assert_eq!(context.trust.oidc_subjects, ["repo:acme/*"]);
    }
}
