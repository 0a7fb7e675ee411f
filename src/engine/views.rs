//! The views of `sql/views/`, in the order in which they build on one another.

/// A view that every session has.
#[derive(Debug, Clone, Copy)]
pub struct View {
    pub name: &'static str,
    /// What it is, in one line.
    pub what: &'static str,
    pub sql: &'static str,
}

macro_rules! view {
    ($name:literal, $what:literal) => {
        View {
            name: $name,
            what: $what,
            sql: include_str!(concat!("../../sql/views/", $name, ".sql")),
        }
    };
}

/// All of them.
#[rustfmt::skip]
pub const VIEWS: &[View] = &[
    view!("activity", "every event with the vocabulary of the rules: who, on what, with what outcome"),
    view!("callers", "every event with the sign by which its caller is told apart"),
    view!("credential_grants", "records of calls that issued credentials or began a session"),
    view!("session_events", "which session made which event"),
    view!("aws_cloudtrail_view", "the events under the names of the Elastic Common Schema"),
    view!("addenda", "records that amend earlier ones, each with the record it amends"),
    view!("recorded", "from when to when each account was recorded, and from when on something counts as new"),
    view!("principals", "who acted: one row for each principal key"),
    view!("role_assumptions", "calls that take a role, one row for each, whichever accounts recorded it"),
    view!("role_changes", "changes to roles and rights, with what their documents amount to"),
    view!("workload_sessions", "sessions that instances, functions, tasks, pods and builds act in"),
    view!("roles_passed", "roles handed to compute and services, which iam:PassRole itself does not log"),
    view!("role_births", "when roles were created"),
    view!("trust_changes", "successive trust policies of each role, each with the one before it"),
    view!("role_state", "what is known of each role at a time: trust, policies, boundary, maker, birth"),
    view!("policy_versions", "documents of customer managed policies that the evidence shows"),
    view!("strong_roles", "roles that are sensitive by name or have an administrator's rights"),
    view!("role_grants", "roles granted to anybody but a service, each with the session that asked"),
    view!("role_steps", "steps onto roles, each with the step whose session it was made in"),
    view!("trust_exposures", "what is noteworthy in trust policies, one row for each call and code"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_says_what_it_is_for() {
        for view in VIEWS {
            assert!(view.sql.starts_with("-- "), "{}", view.name);
        }
    }
}
