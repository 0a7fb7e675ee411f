//! `spoor rules`: what it says of rules, begins, and proposes.

use std::fs;
use std::path::Path;

use spoor::config::Lists;
use spoor::detections::RuleSet;

use crate::scratch::{Done, Scratch};

const KINDS: [&str; 4] = ["stateless", "window", "first-seen", "sequence"];

fn rules(scratch: &Scratch, args: &[&str]) -> Done {
    scratch.run(["rules", "--rules", "rules"].iter().chain(args))
}

/// A folder with a new rule of each kind, `new-<kind>`.
fn new_rules() -> Scratch {
    let scratch = Scratch::new();
    for kind in KINDS {
        let id = format!("new-{kind}");
        let done = scratch.run(["rules", "new", &id, "--kind", kind]);
        let files = format!("rules/{id}.sql\nrules/{id}.cases.json\n");
        assert_eq!(
            (done.code, done.stdout),
            (Some(0), files),
            "{}",
            done.stderr
        );
    }
    scratch
}

#[test]
fn new_rules_hold_and_have_no_problem() {
    let scratch = new_rules();
    let ids = KINDS.map(|kind| format!("new-{kind}"));
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for (command, stderr) in [
        (&["test"][..], ""),
        (&["lint", "--strict"], "0 errors, 0 warnings\n"),
    ] {
        let done = rules(&scratch, &[command, &ids].concat());
        assert_eq!(
            (done.code, done.stderr.as_str()),
            (Some(0), stderr),
            "{done:?}"
        );
    }
    // Nothing is written over, also where only one of the two files is there.
    let before = fs::read(scratch.path("rules/new-window.sql")).unwrap();
    fs::remove_file(scratch.path("rules/new-window.cases.json")).unwrap();
    let again = scratch.run(["rules", "new", "new-window"]);
    assert_eq!(again.code, Some(2));
    assert!(
        again.stderr.contains("is there already"),
        "{}",
        again.stderr
    );
    assert_eq!(
        fs::read(scratch.path("rules/new-window.sql")).unwrap(),
        before
    );
    assert!(!scratch.path("rules/new-window.cases.json").exists());
    for (id, said) in [
        ("Bad_Id", "an id is lower-case words"),
        ("../up", "an id is lower-case words"),
        ("trust-policy-public", "a bundled rule has this id"),
    ] {
        let refused = scratch.run(["rules", "new", id]);
        assert_eq!(refused.code, Some(2), "{id}");
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
}

#[test]
fn a_broken_rule_is_named_and_the_rest_runs() {
    let scratch = new_rules();
    let path = "rules/new-sequence.sql";
    let text = fs::read_to_string(scratch.path(path)).unwrap();
    scratch.write(path, text.replace("T1136.003", "T1562.008"));
    scratch.write("rules/new-window.cases.json", "[{]");
    let listed = rules(&scratch, &["list"]);
    assert_eq!(listed.code, Some(2));
    assert!(
        listed
            .stderr
            .contains("`rules/new-sequence.sql`: line 8: `T1562.008` is `T1685.002`")
    );
    assert!(listed.stdout.contains("new-stateless") && !listed.stdout.contains("new-sequence"));
    let tested = rules(&scratch, &["test", "new-window", "new-stateless"]);
    assert_eq!(tested.code, Some(2));
    assert!(
        tested
            .stdout
            .contains("new-window: the cases: FAILED\n  rules/new-window.cases.json: cannot read"),
        "{tested:?}"
    );
    assert!(
        tested.stdout.contains("new-stateless: refused: ok"),
        "{tested:?}"
    );
    let linted = rules(
        &scratch,
        &["lint", "new-window", "new-sequence", "new-stateless"],
    );
    assert_eq!(linted.code, Some(2));
    let lines: Vec<&str> = linted.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{linted:?}");
    assert!(
        lines[0]
            .starts_with("rules/new-sequence.sql:8: error: `T1562.008` is `T1685.002` in ATT&CK")
    );
    assert!(
        lines[1].starts_with("rules/new-window.cases.json:1: error: cannot read the cases"),
        "{lines:?}"
    );
    // A rule that fails while it is planned does not stop the others either.
    scratch.write(
        path,
        text.replace("pairs.seconds / 60", "pairs.secnds / 60"),
    );
    let linted = rules(&scratch, &["lint", "new-sequence"]);
    let place = text
        .lines()
        .position(|line| line.contains("pairs.seconds / 60"))
        .unwrap()
        + 1;
    let expected = format!("rules/new-sequence.sql:{place}:8: error: ");
    assert!(
        linted.stdout.starts_with(&expected) && linted.stdout.contains("seconds"),
        "{linted:?}"
    );
    let unknown = rules(&scratch, &["lint", "nobody"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("no rule with this id"));
}

#[test]
fn warnings_fail_only_where_they_are_told_to() {
    let scratch = new_rules();
    let path = "rules/new-stateless.sql";
    let text = fs::read_to_string(scratch.path(path)).unwrap();
    scratch.write(
        path,
        text.replace("needs the console?", "needs the console."),
    );
    for (further, code) in [(&[][..], 0), (&["--strict"], 2)] {
        let done = rules(
            &scratch,
            &[&["lint", "new-stateless"][..], further].concat(),
        );
        assert_eq!(done.code, Some(code), "{done:?}");
        assert!(
            done.stdout
                .starts_with("rules/new-stateless.sql:13: warning: "),
            "{done:?}"
        );
    }
}

#[test]
fn rules_are_chosen_by_what_they_are() {
    let scratch = new_rules();
    let set = RuleSet::bundled().unwrap();
    let ids = |args: &[&str]| -> Vec<String> {
        let done = scratch.run(["rules", "list"].iter().chain(args));
        assert_eq!(done.code, Some(0), "{done:?}");
        let ids = done
            .stdout
            .lines()
            .filter_map(|line| line.split(' ').next());
        ids.map(str::to_owned).collect()
    };
    let wanted = |keep: &dyn Fn(&spoor::detections::Rule) -> bool| -> Vec<String> {
        let kept = set.rules.iter().filter(|rule| keep(rule));
        kept.map(|rule| rule.id.to_string()).collect()
    };
    assert_eq!(
        ids(&["--family", "create-role"]),
        wanted(&|rule| rule.family == "create-role")
    );
    assert_eq!(
        ids(&["--kind", "window"]),
        wanted(&|rule| rule.kind.as_str() == "window")
    );
    let escalates =
        |rule: &spoor::detections::Rule| rule.risk.iter().any(|risk| risk.contains("escalation"));
    assert_eq!(ids(&["--risk", "Escalation"]), wanted(&escalates));
    assert!(!wanted(&escalates).is_empty());
    let attack =
        |rule: &spoor::detections::Rule| rule.attack.iter().any(|id| id.starts_with("T1078"));
    assert_eq!(ids(&["--attack", "t1078"]), wanted(&attack));
    assert_eq!(ids(&["--family", "nobody"]), Vec::<String>::new());
}

#[test]
fn a_rule_is_shown_as_a_page_as_sql_or_as_it_is() {
    let scratch = new_rules();
    let file = fs::read_to_string(scratch.path("rules/new-window.sql")).unwrap();
    let show = |flag: &[&str]| rules(&scratch, &[&["show", "new-window"], flag].concat()).stdout;
    assert_eq!(show(&["--raw"]), file);
    assert_eq!(show(&["--sql"]), file.split_once("---*/\n").unwrap().1);
    let page = show(&[]);
    for part in [
        "Many refusals within minutes\nnew-window\n",
        "severity   low\n",
        "ATT&CK     T1580 ",
        "lists      ci_principals\n",
        "  window_minutes = 10\n",
        "  contain-user: Contain a user and rotate its keys\n",
        "\nTriage\n  Is the principal allowed",
        "\nSQL\nWITH refusals AS (",
    ] {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
}

#[test]
fn lists_are_printed_and_proposed_in_a_form_that_is_read() {
    let scratch = Scratch::new();
    let none = scratch.run(["rules", "lists"]);
    assert!(none.stdout.starts_with("# No file: "), "{none:?}");
    assert_eq!(Lists::parse(&none.stdout).unwrap(), Lists::default());
    let text = "own_accounts = [\"111111111111\"]\n[[allow]]\nrule = \"*\"\nreason = \"known\"\n";
    scratch.write("spoor.toml", text);
    let own = scratch.run(["rules", "lists"]);
    assert!(own.stdout.starts_with("# From `spoor.toml`."), "{own:?}");
    assert_eq!(
        Lists::parse(&own.stdout).unwrap(),
        Lists::parse(text).unwrap()
    );
    fs::remove_file(scratch.path("spoor.toml")).unwrap();

    let account = "data/samples/AWSLogs/o-f3rnh1ll00/777788889999";
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join(account);
    let samples = samples.to_str().unwrap();
    let suggest = || scratch.run(["rules", "lists", "--suggest", samples, "-o", "lists.toml"]);
    let done = suggest();
    assert_eq!(done.code, Some(0), "{done:?}");
    let proposed = fs::read_to_string(scratch.path("lists.toml")).unwrap();
    assert_eq!(suggest().code, Some(0));
    assert_eq!(
        fs::read_to_string(scratch.path("lists.toml")).unwrap(),
        proposed
    );
    let lists = Lists::parse(&proposed).unwrap();
    assert_eq!(lists.own_accounts, ["777788889999"]);
    assert_eq!(lists.own_org_ids, ["o-f3rnh1ll00"]);
    // What was proposed is what a run takes.
    let taken = scratch.run(["rules", "lists", "--lists", "lists.toml"]);
    assert_eq!(Lists::parse(&taken.stdout).unwrap(), lists, "{taken:?}");
}

/// A rule whose cases pass may still read too much, or name what is not there.
#[test]
fn the_bundled_rules_have_no_error() {
    let scratch = Scratch::new();
    let done = scratch.run(["rules", "lint"]);
    assert_eq!(done.code, Some(0), "{done:?}");
}
