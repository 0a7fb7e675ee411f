//! What the bundled rules say of the case beyond the steps noted where they are played: a table, with
//! the reason for each line. Together with those it is all that they say, at any severity.

use super::{Case, DATA, HUB, Kept, PROD, Step};

/// Step, rule, account of the log, subject, labels of the events, and what it is. Subjects of an
/// account of the case are written short: `prod:role/x`.
type Line = (
    usize,
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
);

const TOLD: &[Line] = &[
    // Mistakes and slips.
    (
        2,
        "role-lacks-permissions",
        HUB,
        "hub:role/gha-docs-publisher",
        &["publisher"],
        "the documentation role never got a policy",
    ),
    (
        10,
        "trust-policy-untrusted-account",
        HUB,
        "hub:role/cost-insights",
        &["counting"],
        "an account that counts costs is let in, and no list names it",
    ),
    (
        10,
        "trust-policy-third-party-unguarded",
        HUB,
        "hub:role/cost-insights",
        &["counting"],
        "behind an external id of four digits",
    ),
    (
        11,
        "trust-policy-condition-defect",
        HUB,
        "hub:role/break-fix",
        &["fixing"],
        "asks for MFA in words that long-term keys pass",
    ),
    (
        12,
        "trust-policy-broadened",
        HUB,
        "hub:role/gha-storybook",
        &["widened"],
        "from one branch of one repository to all of the company",
    ),
    (
        12,
        "trust-policy-federated-unscoped",
        HUB,
        "hub:role/gha-storybook",
        &["widened"],
        "every repository of the company, and every branch",
    ),
    (
        13,
        "long-lived-access-key-in-use",
        HUB,
        "hub:user/gateway",
        &["second-key"],
        "a rotation begun in the first week, both keys at work",
    ),
    // The intrusion, as further rules see it.
    (
        3,
        "assume-role-suspect-client",
        HUB,
        "hub:user/m.keller",
        &["refused"],
        "the client names its operating system, Kali",
    ),
    (
        4,
        "assume-role-sensitive-target",
        HUB,
        "prod:role/prod-support-admin",
        &["support"],
        "an administrator's role, never taken by this user",
    ),
    (
        4,
        "assume-role-suspect-client",
        PROD,
        "prod:role/prod-support-admin",
        &["looked"],
        "the same client in the session",
    ),
    (
        4,
        "assumed-session-iam-takeover",
        PROD,
        "prod:role/prod-support-admin",
        &["opened", "empowered"],
        "the session is minutes old and changes a role",
    ),
    (
        5,
        "trust-policy-service-confused-deputy",
        PROD,
        "prod:role/backup-restore",
        &["opened"],
        "by-product: the backup service is trusted without naming its account, as before",
    ),
    (
        5,
        "role-separation-eroded",
        PROD,
        "prod:role/backup-restore",
        &["opened"],
        "by-product: a service and a stranger behind one door",
    ),
    (
        5,
        "role-created-off-pipeline",
        PROD,
        "prod:role/backup-restore",
        &["opened"],
        "trust changed by somebody who never did",
    ),
    (
        7,
        "assume-role-sensitive-target",
        PROD,
        "prod:role/backup-restore",
        &["returned"],
        "an administrator's role by now",
    ),
    (
        7,
        "service-role-assumed-by-non-service",
        PROD,
        "prod:role/backup-restore",
        &["returned"],
        "so far only the backup service took it",
    ),
    (
        8,
        "assumed-session-iam-takeover",
        PROD,
        "prod:role/backup-restore",
        &["spare"],
        "the session is minutes old and makes a role",
    ),
    (
        8,
        "role-created-off-pipeline",
        PROD,
        "prod:role/metrics-relay",
        &["spare"],
        "made by somebody who never made one",
    ),
    (
        8,
        "cloudtrail-impaired",
        PROD,
        "arn:aws:cloudtrail:us-east-1:111122223333:trail/org-trail",
        &["stop-trail"],
        "an attempt to stop the trail, refused",
    ),
    (
        9,
        "role-chain-reaches-privilege",
        PROD,
        "data:role/analytics-export",
        &["reached"],
        "from the outside over one account into another",
    ),
    // The exercise.
    (
        14,
        "workload-credentials-off-network",
        PROD,
        "prod:role/web-instance",
        &["stolen"],
        "a web server's credentials away from its network",
    ),
    (
        14,
        "role-lookalike-name",
        PROD,
        "prod:role/AWSServiceRoleForTelemetry",
        &["lookalike"],
        "a name that only AWS gives",
    ),
    (
        14,
        "role-created-off-pipeline",
        PROD,
        "prod:role/AWSServiceRoleForTelemetry",
        &["lookalike"],
        "a web server makes a role",
    ),
    (
        14,
        "assumed-session-iam-takeover",
        PROD,
        "prod:role/web-instance",
        &["lookalike"],
        "by-product: the web server's session makes a role",
    ),
    (
        15,
        "role-chain-reaches-privilege",
        PROD,
        "data:role/cluster-admin",
        &["jump", "cluster"],
        "from a web server over a jump role to the administrator of another account",
    ),
    (
        15,
        "assume-role-sensitive-target",
        PROD,
        "data:role/cluster-admin",
        &["cluster"],
        "an administrator's role, never taken from here",
    ),
    (
        15,
        "assume-role-first-seen-edge",
        PROD,
        "data:role/cluster-admin",
        &["cluster"],
        "never taken from here",
    ),
    (
        15,
        "assume-role-first-seen-edge",
        PROD,
        "prod:role/ops-jump",
        &["jump"],
        "by-product: first step of the chain",
    ),
    (
        16,
        "assume-role-fan-out",
        PROD,
        "prod:role/ops-jump/work",
        &[
            "tenant-01",
            "tenant-02",
            "tenant-03",
            "tenant-04",
            "tenant-05",
            "tenant-06",
            "tenant-07",
            "tenant-08",
            "tenant-09",
            "tenant-10",
        ],
        "ten readers within nine minutes",
    ),
    (
        16,
        "assume-role-first-seen-edge",
        PROD,
        "prod:role/tenant-01-reader",
        &["tenant-01"],
        "by-product: reader 1 of ten, never taken before",
    ),
    (
        16,
        "assume-role-first-seen-edge",
        PROD,
        "prod:role/tenant-02-reader",
        &["tenant-02"],
        "by-product: reader 2 of ten, never taken before",
    ),
    (
        16,
        "assume-role-first-seen-edge",
        PROD,
        "prod:role/tenant-03-reader",
        &["tenant-03"],
        "by-product: reader 3 of ten, never taken before",
    ),
    (
        16,
        "assume-role-first-seen-edge",
        PROD,
        "prod:role/tenant-04-reader",
        &["tenant-04"],
        "by-product: reader 4 of ten, never taken before",
    ),
    (
        16,
        "assume-role-first-seen-edge",
        PROD,
        "prod:role/tenant-05-reader",
        &["tenant-05"],
        "by-product: reader 5 of ten, never taken before",
    ),
    (
        16,
        "assume-role-first-seen-edge",
        PROD,
        "prod:role/tenant-06-reader",
        &["tenant-06"],
        "by-product: reader 6 of ten, never taken before",
    ),
    (
        16,
        "assume-role-first-seen-edge",
        PROD,
        "prod:role/tenant-07-reader",
        &["tenant-07"],
        "by-product: reader 7 of ten, never taken before",
    ),
    (
        16,
        "assume-role-first-seen-edge",
        PROD,
        "prod:role/tenant-08-reader",
        &["tenant-08"],
        "by-product: reader 8 of ten, never taken before",
    ),
    (
        16,
        "assume-role-first-seen-edge",
        PROD,
        "prod:role/tenant-09-reader",
        &["tenant-09"],
        "by-product: reader 9 of ten, never taken before",
    ),
    (
        16,
        "assume-role-first-seen-edge",
        PROD,
        "prod:role/tenant-10-reader",
        &["tenant-10"],
        "by-product: reader 10 of ten, never taken before",
    ),
    (
        17,
        "role-chain-loop",
        PROD,
        "prod:role/tenant-01-reader",
        &["held-01", "held-02"],
        "two roles take each other every fifty minutes",
    ),
    (
        17,
        "role-chain-reaches-privilege",
        PROD,
        "prod:role/tenant-01-reader",
        &["held-01", "held-02"],
        "by-product: the loop is a long chain",
    ),
    (
        18,
        "credential-issued-for-another-user",
        DATA,
        "data:user/svc-telemetry",
        &["new-key"],
        "a key for a user made a moment ago",
    ),
    (
        18,
        "assumed-session-iam-takeover",
        DATA,
        "data:role/cluster-admin",
        &["new-user", "new-key"],
        "the session is minutes old and makes users and policies",
    ),
    (
        18,
        "federation-token-issued",
        DATA,
        "data:user/svc-telemetry",
        &["federation", "federation-login"],
        "a token for everything, and the console with it",
    ),
    (
        19,
        "escalation-policy-written",
        DATA,
        "data:role/ingest-scratch",
        &["inline"],
        "every action on everything",
    ),
    (
        19,
        "role-separation-eroded",
        DATA,
        "data:role/ingest-scratch",
        &["inline"],
        "by-product: one document allows all services",
    ),
    (
        19,
        "role-boundary-removed",
        DATA,
        "data:role/report-tenant",
        &["boundary"],
        "the bound of a tenant's role is gone",
    ),
    (
        19,
        "password-policy-weakened",
        DATA,
        "password policy of 777788889999",
        &["passwords"],
        "no password policy at all",
    ),
    (
        19,
        "iam-parameters-omitted",
        DATA,
        "(unknown)",
        &["omitted"],
        "a policy padded beyond what CloudTrail keeps",
    ),
    (
        19,
        "privileged-role-passed-to-compute",
        DATA,
        "data:role/cluster-admin",
        &["function"],
        "the administrator's role for a new function",
    ),
    (
        20,
        "trust-principal-enumeration",
        DATA,
        "data:role/cluster-admin/work",
        &["guessed"],
        "ten names tried as principals",
    ),
    (
        21,
        "identity-provider-tampered",
        DATA,
        "data:saml-provider/fernhill-adfs",
        &["provider"],
        "another certificate for the old identity provider",
    ),
    (
        21,
        "saml-session-forgery-signs",
        DATA,
        "data:saml-provider/fernhill-adfs",
        &["provider", "forged"],
        "and a sign-in with it minutes later",
    ),
    (
        22,
        "session-key-multi-network",
        PROD,
        "prod:role/prod-readonly/a.lindqvist",
        &["shared"],
        "one session key at the office and elsewhere",
    ),
    (
        23,
        "web-identity-subject-unexpected",
        HUB,
        "hub:role/gha-docs-publisher",
        &["foreign"],
        "a repository of nobody at Fernhill takes the documentation role",
    ),
    // Slips at the end of the week.
    (
        24,
        "mfa-removed-or-replaced",
        DATA,
        "data:user/t.novak",
        &["device"],
        "the device goes and no other comes",
    ),
    (
        24,
        "console-login-without-mfa",
        DATA,
        "data:user/t.novak",
        &["one-factor"],
        "a sign-in with the password alone",
    ),
    (
        25,
        "assume-root-session",
        HUB,
        "data:root",
        &["assumed-root"],
        "root of a member account, for an audit",
    ),
    (
        26,
        "root-identity-used",
        DATA,
        "data:root",
        &["root-login", "root-region"],
        "the root user for a small change",
    ),
    // Nothing bad.
    (
        27,
        "role-chain-reaches-privilege",
        PROD,
        "prod:role/integration-test-runner",
        &["propagated"],
        "by-product: Terraform's new role at the end of a chain, for the first time",
    ),
];

/// What looks alike and must stay silent.
const SILENT: &[Line] = &[
    (
        4,
        "credential-issued-for-another-user",
        HUB,
        "hub:user/a.lindqvist",
        &["rotated"],
        "a user replaces her own key",
    ),
    (
        5,
        "long-lived-access-key-in-use",
        HUB,
        "hub:user/a.lindqvist",
        &["rotated"],
        "and removes the old one at once",
    ),
    (
        6,
        "saml-session-forgery-signs",
        DATA,
        "data:role/legacy-finance",
        &["finance"],
        "the finance team signs in as on every other day",
    ),
];

pub fn tell(case: &mut Case) {
    for line in TOLD {
        let step = step(case, line);
        case.planted.push(step);
    }
    for line in SILENT {
        let step = step(case, line);
        case.silent.push(step);
    }
    // By step, and within a step as written.
    case.planted.sort_by_key(|step| step.number);
}

fn step(case: &Case, line: &Line) -> Step {
    let &(number, rule, account, subject, labels, title) = line;
    let kept: Vec<&Kept> = labels
        .iter()
        .filter_map(|label| case.kept.get(label))
        .collect();
    Step {
        number,
        rule,
        title,
        time: kept[0].time,
        name: kept[0].name.clone(),
        account,
        subject: arn(subject),
        event_ids: kept.iter().flat_map(|kept| kept.ids.clone()).collect(),
    }
}

/// `prod:role/x` as an ARN; other texts as they are.
fn arn(subject: &str) -> String {
    for (name, account) in [("hub", HUB), ("prod", PROD), ("data", DATA)] {
        if let Some(rest) = subject.strip_prefix(name).and_then(|s| s.strip_prefix(':')) {
            return format!("arn:aws:iam::{account}:{rest}");
        }
    }
    subject.to_owned()
}
