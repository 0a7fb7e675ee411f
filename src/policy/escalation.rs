//! Known paths from some rights to more, and which of them a permission policy opens.
//!
//! The paths are data, `data/reference/escalation-paths.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::permissions::allowed_sets;

const TABLE: &str = include_str!("../../data/reference/escalation-paths.toml");

/// What a path does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PathKind {
    /// Acts on one's own rights.
    Own,
    /// Takes over another principal.
    Other,
    /// Hands a role to something new.
    New,
    /// Steers something that already has a role.
    Existing,
}

impl PathKind {
    /// The word of the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Other => "other",
            Self::New => "new",
            Self::Existing => "existing",
        }
    }
}

/// One way to more rights.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationPath {
    pub id: String,
    pub kind: PathKind,
    /// All of these are needed.
    pub permissions: Vec<String>,
    /// Names of the events that show it.
    pub events: Vec<String>,
}

/// The table of paths.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationPaths {
    /// As of when.
    pub date: String,
    pub source: String,
    #[serde(rename = "path")]
    pub paths: Vec<EscalationPath>,
}

static PATHS: LazyLock<EscalationPaths> =
    LazyLock::new(|| toml::from_str(TABLE).expect("a test reads the built-in table"));

impl EscalationPaths {
    /// The built-in table.
    pub fn built_in() -> &'static Self {
        &PATHS
    }
}

/// The ids of the paths that a permission policy opens, in the order of the table: each permission is
/// allowed without a condition and on a broad resource, as [`super::permissions`] reads it. `None` for a
/// text that is no policy.
pub fn escalation_paths(text: &str) -> Option<Vec<&'static str>> {
    let paths = &EscalationPaths::built_in().paths;
    let sets: Vec<&[String]> = paths
        .iter()
        .map(|path| path.permissions.as_slice())
        .collect();
    let allowed = allowed_sets(text, &sets)?;
    let open = paths.iter().zip(allowed).filter(|(_, allowed)| *allowed);
    Some(open.map(|(path, _)| path.id.as_str()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(statements: &str, expected: &str) {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        assert_eq!(
            escalation_paths(&text).unwrap().join(" "),
            expected,
            "{text}"
        );
    }

    fn allow(actions: &str, resources: &str) -> String {
        format!(r#"{{"Effect":"Allow","Action":[{actions}],"Resource":"{resources}"}}"#)
    }

    #[test]
    fn the_table_reads_and_each_path_is_whole() {
        let table: EscalationPaths = toml::from_str(TABLE).unwrap();
        let mut ids: Vec<&str> = table.paths.iter().map(|path| path.id.as_str()).collect();
        let n_ids = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), n_ids);
        for path in &table.paths {
            assert!(!path.events.is_empty(), "{}", path.id);
            assert!(!path.permissions.is_empty(), "{}", path.id);
            assert!(
                path.permissions.iter().all(|action| action.contains(':')),
                "{}",
                path.id
            );
            // What is handed a role needs the right to hand it on.
            let passes = path
                .permissions
                .iter()
                .any(|action| action == "iam:PassRole");
            assert_eq!(passes, path.kind == PathKind::New, "{}", path.id);
        }
        // Everything opens everything.
        check(
            &allow(r#""*""#, "*"),
            &table
                .paths
                .iter()
                .map(|path| path.id.as_str())
                .collect::<Vec<_>>()
                .join(" "),
        );
    }

    #[test]
    fn a_path_needs_all_its_permissions_on_broad_resources() {
        check(&allow(r#""iam:CreatePolicyVersion""#, "*"), "iam-001");
        check(
            &allow(r#""iam:AttachRolePolicy","sts:AssumeRole""#, "*"),
            "iam-009 iam-014 sts-001",
        );
        check(&allow(r#""iam:PassRole","lambda:CreateFunction""#, "*"), "");
        check(
            &allow(
                r#""iam:PassRole","lambda:CreateFunction","lambda:invoke*""#,
                "*",
            ),
            "lambda-001",
        );
        let apart = [
            allow(r#""iam:PassRole""#, "arn:aws:iam::111122223333:role/*"),
            allow(r#""ec2:RunInstances""#, "*"),
        ];
        check(&apart.join(","), "ec2-001");
        check(&apart.join(",").replace("role/*", "role/app"), "");
        check(&allow(r#""s3:GetObject""#, "*"), "");
        let denied = r#"{"Effect":"Deny","Action":"iam:*","Resource":"*"}"#;
        check(
            &[
                allow(r#""iam:PutRolePolicy","ssm:SendCommand""#, "*"),
                denied.to_owned(),
            ]
            .join(","),
            "ssm-002",
        );
        let limited = r#"{"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"*",
            "Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#;
        check(limited, "");
        assert_eq!(escalation_paths("no policy"), None);
    }
}
