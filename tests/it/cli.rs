//! The program as people and scripts meet it: exit codes, who says what where, formats.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::scratch::{Done, Scratch, envelope, event, event_named};

/// A lake with a few events in it.
async fn case() -> Scratch {
    let scratch = Scratch::new();
    let records = [event(1), event(2), event_named(3, "AssumeRole")];
    scratch.write("in/a.json", envelope(&records));
    scratch.ingest(&["in"]).await;
    scratch
}

fn query(scratch: &Scratch, sql: &str, further: &[&str]) -> Done {
    scratch.run(["query", "-c", sql].iter().chain(further))
}

/// It failed with this, and said nothing else on stdout.
#[track_caller]
fn assert_fails(done: &Done, message: &str) {
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.contains(message), "{}", done.stderr);
    assert_eq!(done.stdout, "");
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
}

#[test]
fn without_a_command_there_is_help() {
    let scratch = Scratch::new();
    assert_fails(&scratch.run([""; 0]), "Usage: spoor");
    assert_fails(&scratch.run(["nonsense"]), "unrecognized subcommand");
    assert_fails(&scratch.run(["query", "--nonsense"]), "unexpected argument");
    let asked = scratch.run(["--help"]);
    assert_eq!((asked.code, asked.stderr.as_str()), (Some(0), ""));
    assert!(asked.stdout.contains("Usage: spoor"));
}

#[test]
fn names_that_stand_for_nothing_are_told() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("empty")).unwrap();
    for command in ["ingest", "detect", "query"] {
        let check = |name: &str, message: &str| {
            let mut args = vec![command, name];
            if command == "query" {
                args.extend(["-c", "SELECT 1"]);
            }
            assert_fails(&scratch.run(args), message);
        };
        check("none.json", "error: no such file or folder `none.json`");
        check("*.json", "error: nothing matches `*.json`");
        check("empty", "error: no CloudTrail files in `empty`\nhint: ");
    }
    let done = query(&scratch, "SELECT 1", &[]);
    assert_fails(&done, "error: no lake at `");
    assert_fails(&done, "hint: `spoor ingest SRC… --lake DIR` makes one");
    assert!(!scratch.lake().exists());
}

#[test]
fn a_folder_of_other_files_is_listed_not_read() {
    let scratch = Scratch::new();
    scratch.write("in/notes.md", "# Notes");
    scratch.write("in/picture.png", [0x89, b'P', b'N', b'G']);
    let done = scratch.run(["ingest", "in"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""));
    assert!(
        done.stderr.contains("2 sources, 2 without events"),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("0 records read"), "{}", done.stderr);
}

#[tokio::test]
async fn logs_can_be_asked_directly() {
    let scratch = Scratch::new();
    scratch.write("in/a.json", envelope(&[event(1), event(2)]));
    let done = query(&scratch, "SELECT count(*) AS n FROM cloudtrail", &["in"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), "{\"n\":2}\n"));
    assert!(
        done.stderr.contains("2 records read = 2 written"),
        "{}",
        done.stderr
    );
    assert!(!scratch.lake().exists());
    let quiet = query(
        &scratch,
        "SELECT count(*) AS n FROM cloudtrail",
        &["in", "--quiet"],
    );
    assert_eq!(
        (quiet.stdout.as_str(), quiet.stderr.as_str()),
        ("{\"n\":2}\n", "")
    );
    // A lake can be named like logs.
    let done = scratch.run(["ingest", "in", "--lake", "lake"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""));
    let done = query(&scratch, "SELECT count(*) AS n FROM cloudtrail", &["lake"]);
    assert_eq!(
        (done.stdout.as_str(), done.stderr.as_str()),
        ("{\"n\":2}\n", "")
    );
}

#[tokio::test]
async fn a_wrong_statement_is_explained() {
    let scratch = case().await;
    let done = query(&scratch, "SELECT evntname FROM cloudtrail", &[]);
    assert_fails(
        &done,
        "error: line 1, column 8: there is no column `evntname`",
    );
    assert_fails(&done, "hint: did you mean `eventname`?");
    for (sql, message) in [
        ("SELEC 1", "error: "),
        ("", "error: no statement"),
        ("SELECT * FROM cloudtrial", "error: "),
    ] {
        assert_fails(&query(&scratch, sql, &[]), message);
    }
    assert_fails(
        &scratch.run(["query", "-f", "none.sql"]),
        "error: cannot read `none.sql`",
    );
}

#[tokio::test]
async fn the_evidence_is_only_read() {
    let scratch = case().await;
    let versions = scratch.versions().await;
    for sql in [
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "INSERT INTO events SELECT * FROM events",
        "DELETE FROM events",
        "UPDATE events SET eventname = 'x'",
        "DROP TABLE events",
        "DROP VIEW cloudtrail",
        "TRUNCATE TABLE events",
        "COPY (SELECT 1) TO 'out.csv'",
        "SET datafusion.execution.batch_size = 1",
        "EXPLAIN ANALYZE INSERT INTO events SELECT * FROM events",
        "SELECT 1; DROP TABLE events",
    ] {
        assert_fails(&query(&scratch, sql, &[]), "error: ");
    }
    assert!(!scratch.path("out.csv").exists());
    assert_eq!(scratch.versions().await, versions);
}

#[tokio::test]
async fn statements_answer_one_after_another() {
    let scratch = case().await;
    let done = query(&scratch, "SELECT 1 AS a; SELECT ';' AS b; ", &[]);
    assert_eq!(done.stdout, "{\"a\":1}\n{\"b\":\";\"}\n", "{}", done.stderr);
    // What was answered before one that fails stays said.
    let done = query(&scratch, "SELECT 1 AS a; SELECT 1 / 0 AS b", &[]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("error: "), "{}", done.stderr);
    scratch.write("two.sql", "-- a comment\nSELECT 3 AS c;\nSELECT 4 AS d");
    let from_file = scratch.run(["query", "-f", "two.sql"]);
    assert_eq!(
        from_file.stdout, "{\"c\":3}\n{\"d\":4}\n",
        "{}",
        from_file.stderr
    );
    let mut command = scratch.spoor(["query"]);
    command.stdin(fs::File::open(scratch.path("two.sql")).unwrap());
    assert_eq!(crate::scratch::run(&mut command).stdout, from_file.stdout);
}

#[tokio::test]
async fn statements_from_elsewhere_run_and_say_how_they_were_read() {
    let scratch = case().await;
    let check = |sql: &str, further: &[&str], stdout: &str, stderr: &str| {
        let done = query(&scratch, sql, further);
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (Some(0), stdout),
            "{sql}"
        );
        assert_eq!(done.stderr, stderr, "{sql}");
    };
    let three = "{\"n\":3}\n";
    let count = "SELECT count(*) AS n FROM \"mydb\".\"cloudtrail_logs_x\"";
    let read_as = "note: \"mydb\".\"cloudtrail_logs_x\" is read as `cloudtrail`\n";
    check(count, &[], three, read_as);
    check(&format!("{count}; {count}"), &[], &three.repeat(2), read_as);
    check(count, &["-q"], three, "");
    check(
        "SELECT count(*) AS n FROM mine.t",
        &["--alias", "mine.t=cloudtrail"],
        three,
        "note: mine.t is read as `cloudtrail`\n",
    );
    // A name that the statement gives wins.
    let own = "WITH t AS (SELECT 1 AS n) SELECT n FROM t";
    check(own, &["--alias", "t=cloudtrail"], "{\"n\":1}\n", "");
    check(
        "SELECT year(current_timestamp) AS y",
        &["--now", "2030-02-03"],
        "{\"y\":2030}\n",
        "note: now is 2030-02-03T00:00:00Z, as given\n",
    );
    let done = query(&scratch, "SELECT current_date", &[]);
    assert!(done.stderr.contains("the end of the evidence"), "{done:?}");
    let done = query(&scratch, "SELECT current_date", &["--now", "real"]);
    assert!(done.stderr.contains("by the clock"), "{done:?}");
    for (flags, message) in [
        (["--now", "soon"], "`soon` is not `end`, `real` or a time"),
        (["--alias", "t"], "expected `NAME=TABLE`"),
        (["--alias", "t=clodtrail"], "there is no table `clodtrail`"),
    ] {
        assert_fails(&query(&scratch, "SELECT 1", &flags), message);
    }
}

#[tokio::test]
async fn a_long_chain_of_indicators_is_answered() {
    let scratch = case().await;
    let chain: Vec<String> = (0..1_000)
        .map(|n| format!("useridentity.accesskeyid = 'A{n}'"))
        .collect();
    let sql = format!(
        "SELECT count(*) AS n FROM cloudtrail WHERE {}",
        chain.join(" OR ")
    );
    scratch.write("chain.sql", sql);
    let done = scratch.run(["query", "-f", "chain.sql"]);
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (Some(0), "{\"n\":0}\n"),
        "{}",
        done.stderr
    );
}

#[tokio::test]
async fn every_format_holds_the_rows() {
    let scratch = case().await;
    let sql = "SELECT eventname AS name, count(*) AS n FROM cloudtrail GROUP BY 1 ORDER BY 1";
    for (format, expected) in [
        ("csv", "name,n\nAssumeRole,1\nGetCallerIdentity,2\n"),
        ("tsv", "name\tn\nAssumeRole\t1\nGetCallerIdentity\t2\n"),
        (
            "ndjson",
            "{\"name\":\"AssumeRole\",\"n\":1}\n{\"name\":\"GetCallerIdentity\",\"n\":2}\n",
        ),
    ] {
        let done = query(&scratch, sql, &["--format", format]);
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (Some(0), expected),
            "{}",
            done.stderr
        );
        assert_eq!(done.stderr, "");
    }
    for format in ["table", "markdown", "vertical", "json"] {
        let done = query(&scratch, sql, &["--format", format]);
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{format}");
        assert!(done.stdout.contains("GetCallerIdentity"), "{}", done.stdout);
        if format == "json" {
            let json: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
            assert_eq!(json[1]["n"], 2);
        }
    }
    let done = query(&scratch, sql, &["--format", "parquet", "-o", "out.parquet"]);
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (Some(0), ""),
        "{}",
        done.stderr
    );
    assert!(
        fs::read(scratch.path("out.parquet"))
            .unwrap()
            .starts_with(b"PAR1")
    );
    for (name, beginning) in [
        ("rows.csv", "name,n\n"),
        ("rows.JSON", "["),
        ("rows.md", "|"),
        ("rows.parquet", "PAR1"),
        ("rows", "{\"name\""),
    ] {
        assert_eq!(query(&scratch, sql, &["-o", name]).code, Some(0));
        let written = fs::read(scratch.path(name)).unwrap();
        assert!(written.starts_with(beginning.as_bytes()), "{name}");
    }
    assert_fails(
        &query(&scratch, sql, &["--format", "yaml"]),
        "invalid value",
    );
    let two = "SELECT 1; SELECT 2";
    assert_fails(
        &query(&scratch, two, &["--format", "parquet"]),
        "one statement",
    );
}

#[tokio::test]
async fn an_output_file_appears_whole_or_not_at_all() {
    let scratch = case().await;
    let sql = "SELECT eventname FROM cloudtrail ORDER BY eventtime LIMIT 1";
    let done = query(&scratch, sql, &["-o", "out.ndjson"]);
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (Some(0), ""),
        "{}",
        done.stderr
    );
    let whole = "{\"eventname\":\"GetCallerIdentity\"}\n";
    let read = || fs::read_to_string(scratch.path("out.ndjson")).unwrap();
    assert_eq!(read(), whole);
    // The second statement fails, after the first has given rows.
    let failing = format!("{sql}; SELECT 1 / n FROM (SELECT count(*) - 3 AS n FROM cloudtrail)");
    for name in ["out.ndjson", "new.ndjson"] {
        assert_fails(&query(&scratch, &failing, &["-o", name]), "error: ");
    }
    assert_eq!(read(), whole);
    assert_fails(
        &query(&scratch, sql, &["-o", "none/out"]),
        "error: cannot create `none/out`",
    );
    let mut names: Vec<_> = fs::read_dir(scratch.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["in", "out.ndjson", "spoor-lake"]);
}

#[cfg(unix)]
#[tokio::test]
async fn devices_and_pipes_stay_what_they_are() {
    use std::os::unix::fs::FileTypeExt;
    let scratch = case().await;
    let sql = "SELECT 1 AS one";
    let done = query(&scratch, sql, &["-o", "/dev/null"]);
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (Some(0), ""),
        "{}",
        done.stderr
    );
    let null = fs::metadata("/dev/null").unwrap();
    assert!(null.file_type().is_char_device());
    let done = query(&scratch, sql, &["-o", "/dev/stdout"]);
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (Some(0), "{\"one\":1}\n"),
        "{}",
        done.stderr
    );
    // Where stdout is a file, `/dev/stdout` is a link to it, and stays one.
    let done = scratch.shell("\"$SPOOR\" query -c 'SELECT 1 AS one' -o /dev/stdout > out");
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert_eq!(
        fs::read_to_string(scratch.path("out")).unwrap(),
        "{\"one\":1}\n"
    );
    assert!(Path::new("/dev/stdout").is_symlink());
}

#[cfg(unix)]
#[tokio::test]
async fn a_closed_pipe_is_no_failure() {
    let scratch = case().await;
    scratch.write("in/broken.json", "[1,2,3,4,5,6,7,8,9,0]");
    for command in [
        "query -c 'SELECT * FROM generate_series(1, 300000)'",
        "query --format csv -c 'SELECT * FROM generate_series(1, 300000)'",
        "query --format json -c 'SELECT * FROM generate_series(1, 300000)'",
        "query --format table -c 'SELECT * FROM generate_series(1, 30000)'",
        "rules list --json",
        "--help",
    ] {
        let script = format!("{{ \"$SPOOR\" {command}; echo $? >&2; }} | head -n 1");
        let done = scratch.shell(&script);
        assert_eq!(done.stderr, "0\n", "{command}");
        assert_eq!(done.stdout.lines().count(), 1, "{command}");
    }
    // Nobody listens to the talk: the work is done all the same.
    let done = scratch.shell("{ \"$SPOOR\" ingest in; echo $? >code; } 2>&1 | true; cat code");
    assert_eq!(done.stdout, "0\n", "{}", done.stderr);
}

#[tokio::test]
async fn colors_are_for_those_who_want_them() {
    let scratch = case().await;
    let sql = "SELECT eventname FROM cloudtrail";
    let colored = |further: &[&str], no_color: Option<&str>| {
        let args = ["query", "-c", sql, "--format", "table"];
        let mut command = scratch.spoor(args.iter().chain(further));
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        let done = crate::scratch::run(&mut command);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        done.stdout.contains('\u{1b}')
    };
    assert!(!colored(&[], None));
    assert!(!colored(&["--color", "auto"], Some("1")));
    assert!(!colored(&["--color", "never"], None));
    assert!(colored(&["--color", "always"], None));
    assert!(colored(&["--color", "always"], Some("1")));
}

#[tokio::test]
async fn hostile_text_does_not_reach_the_terminal() {
    let scratch = Scratch::new();
    let name = "\\u001b[2J\\u202e=cmd()";
    scratch.write("in/a.json", event_named(1, name));
    let sql = "SELECT eventname FROM cloudtrail";
    for format in [
        "table", "markdown", "vertical", "csv", "tsv", "ndjson", "json",
    ] {
        let done = query(&scratch, sql, &["in", "--format", format]);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let said = done.stdout + &done.stderr;
        assert!(!said.contains(['\u{1b}', '\u{202e}']), "{format}: {said:?}");
    }
    // An answer that fails says the name too.
    let done = query(
        &scratch,
        "SELECT CAST(eventname AS int) FROM cloudtrail",
        &["in"],
    );
    assert_fails(&done, "error: ");
    assert!(
        !done.stderr.contains(['\u{1b}', '\u{202e}']),
        "{:?}",
        done.stderr
    );
}

#[tokio::test]
async fn with_little_memory_a_big_sort_uses_the_disk() {
    let scratch = case().await;
    // Some 10 MB of rows, sorted by text.
    let sql = "SELECT max(n) AS last, count(*) AS n_rows FROM (\
                 SELECT row_number() OVER (ORDER BY text, value) AS n FROM (\
                   SELECT value, to_hex(md5(CAST(value AS varchar))) AS text FROM generate_series(1, 150000)))";
    let done = query(&scratch, sql, &["--memory-limit", "8M"]);
    assert_eq!(
        done.stdout, "{\"last\":150000,\"n_rows\":150000}\n",
        "{}",
        done.stderr
    );
    // Some 115 MB of rows as wide as events.
    let wide = "SELECT max(n) AS last, max(length(text)) AS width FROM (\
                  SELECT text, row_number() OVER (ORDER BY text) AS n FROM (\
                    SELECT rpad('', 1920, to_hex(md5(CAST(value AS varchar)))) AS text \
                    FROM generate_series(1, 60000)))";
    let done = query(&scratch, wide, &["--memory-limit", "64M"]);
    assert_eq!(
        done.stdout, "{\"last\":60000,\"width\":1920}\n",
        "{}",
        done.stderr
    );
    let done = query(&scratch, "SELECT 1", &["--memory-limit", "much"]);
    assert_fails(&done, "`much` is not a size");
}

#[tokio::test]
async fn two_runs_say_the_same() {
    let scratch = Scratch::new();
    let account = "data/samples/AWSLogs/o-f3rnh1ll00/777788889999";
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join(account);
    scratch.ingest(&[samples.to_str().unwrap()]).await;
    // A few of the rules, since planning all of them takes its time.
    let listed = scratch.run(["rules", "list"]).stdout;
    let ids = listed.lines().filter_map(|line| line.split(' ').next());
    let chosen = ids.step_by(10).flat_map(|id| ["--rule", id]);
    let args: Vec<&str> = ["detect", "--format", "ndjson"]
        .into_iter()
        .chain(chosen)
        .collect();
    let first = scratch.run(&args);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert_eq!(first.stdout, scratch.run(&args).stdout);
    let sql = "SELECT eventname, sourceipaddress, count(*) FROM activity GROUP BY 1, 2";
    let ask = || query(&scratch, &format!("{sql} ORDER BY 1, 2"), &[]).stdout;
    assert_eq!(ask(), ask());
}

/// A rule of a user, at `rules/<id>.sql`.
fn write_rule(scratch: &Scratch, id: &str, filter: &str) {
    let text = format!(
        "/*---\nid = \"{id}\"\ntitle = \"A role was assumed\"\nseverity = \"medium\"\nrisk = [\"misconfiguration\"]\n\
         maturity = \"stable\"\nkind = \"stateless\"\nattack = []\ndescription = \"Some role.\"\n\
         summary = \"{{{{ actor }}}} assumed a role.\"\n\
         false_positives = [\"All of them.\"]\ntriage = [\"Who?\"]\nremediation = [\"remove-role\"]\nreferences = []\n---*/\n\
         SELECT eventtime, eventid, recipientaccountid, awsregion, useridentity.arn AS actor,\n\
         sourceipaddress, eventname, useridentity.arn AS subject\nFROM cloudtrail\nWHERE {filter}\n"
    );
    scratch.write(format!("rules/{id}.sql"), text);
}

#[tokio::test]
async fn findings_decide_the_exit_only_where_asked() {
    let scratch = case().await;
    write_rule(&scratch, "made-up-assume", "eventname = 'AssumeRole'");
    let detect = |further: &[&str]| {
        let args = [
            "detect",
            "--rules",
            "rules",
            "--rule",
            "made-up-assume",
            "--format",
            "ndjson",
        ];
        scratch.run(args.iter().chain(further))
    };
    for (further, code) in [
        (&[][..], 0),
        (&["--fail-on", "high"], 0),
        (&["--fail-on", "medium"], 1),
        (&["--fail-on", "info"], 1),
        (&["--fail-on", "low", "--min-severity", "low"], 1),
    ] {
        let done = detect(further);
        assert_eq!(
            (done.code, done.stderr.as_str()),
            (Some(code), ""),
            "{further:?}"
        );
        let finding: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!(finding["rule"], "made-up-assume");
    }
    let none = detect(&["--min-severity", "high"]);
    assert_eq!(
        (none.code, none.stdout.as_str()),
        (Some(0), ""),
        "{}",
        none.stderr
    );
    // A rule that cannot run is a failure, even beside findings.
    write_rule(&scratch, "made-up-broken", "nothing_of_the_kind = 1");
    let both = detect(&["--rule", "made-up-broken", "--fail-on", "low"]);
    assert_eq!(both.code, Some(2), "{}", both.stderr);
    assert!(
        both.stderr.contains("error: rule `made-up-broken`"),
        "{}",
        both.stderr
    );
    assert!(both.stdout.contains("made-up-assume"));
    let unknown = scratch.run(["detect", "--rule", "no-such-rule"]);
    assert_fails(&unknown, "there is no rule with this id");
    assert_fails(&detect(&["--fail-on", "dreadful"]), "dreadful");
}

#[test]
fn rules_are_listed_shown_and_tested() {
    let scratch = Scratch::new();
    write_rule(&scratch, "made-up-assume", "eventname = 'AssumeRole'");
    let rules = |args: &[&str]| scratch.run(["rules", "--rules", "rules"].iter().chain(args));
    let listed = rules(&["list"]);
    assert_eq!((listed.code, listed.stderr.as_str()), (Some(0), ""));
    assert!(
        listed.stdout.contains("made-up-assume"),
        "{}",
        listed.stdout
    );
    assert_eq!(rules(&[]).stdout, listed.stdout);
    let json = rules(&["list", "--json"]);
    let ids: Vec<String> = serde_json::Deserializer::from_str(&json.stdout)
        .into_iter::<serde_json::Value>()
        .map(|rule| rule.unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), listed.stdout.lines().count());
    let shown = rules(&["show", "--raw", "made-up-assume"]);
    let file = fs::read_to_string(scratch.path("rules/made-up-assume.sql")).unwrap();
    assert_eq!((shown.code, shown.stdout), (Some(0), file));
    assert_fails(
        &rules(&["show", "no-such-rule"]),
        "there is no rule with this id",
    );
    assert_fails(
        &rules(&["test", "no-such-rule"]),
        "there is no rule with this id",
    );
    let subject = "arn:aws:sts::111122223333:assumed-role/Reader/ana";
    for (subject, code, said) in [
        (subject, 0, "2 cases passed, 0 failed"),
        ("somebody else", 2, "1 cases passed, 1 failed"),
    ] {
        let record =
            |name| serde_json::from_str::<serde_json::Value>(&event_named(1, name)).unwrap();
        let case = serde_json::json!([
            { "name": "hit", "events": [record("AssumeRole")], "expect": [{ "subject": subject }] },
            { "name": "miss", "events": [record("GetCallerIdentity")], "expect": [] },
        ]);
        scratch.write("rules/made-up-assume.cases.json", case.to_string());
        let tested = rules(&["test", "made-up-assume"]);
        assert_eq!(tested.code, Some(code), "{tested:?}");
        assert!(tested.stdout.contains(said), "{tested:?}");
    }
}

#[test]
fn reading_from_nowhere_does_not_wait() {
    let scratch = Scratch::new();
    let mut command = scratch.spoor(["query"]);
    command.stdin(Stdio::null());
    assert_fails(&crate::scratch::run(&mut command), "error: ");
}

#[tokio::test]
async fn tables_are_listed_and_printed_for_other_engines() {
    let scratch = case().await;
    let all = scratch.run(["schema", "--format", "csv"]);
    assert_eq!((all.code, all.stderr.as_str()), (Some(0), ""));
    assert!(all.stdout.starts_with("table,column,type\n"));
    assert!(all.stdout.contains("\nevents,useridentity_arn,text\n"));
    let one = scratch.run(["schema", "--table", "Sources", "--format", "csv"]);
    assert!(one.stdout.contains("\nsources,uri,text\n"), "{one:?}");
    assert!(!one.stdout.contains("\nevents,"));
    let none = scratch.run(["schema", "--table", "nope"]);
    assert_fails(&none, "error: no table `nope`\nhint: ");
    // Without a lake too.
    let elsewhere = Scratch::new();
    let ddl = elsewhere.run(["schema", "--athena", "--location", "s3://case/lake/"]);
    assert_eq!((ddl.code, ddl.stderr.as_str()), (Some(0), ""));
    assert!(ddl.stdout.contains("LOCATION 's3://case/lake/events/'"));
    assert!(ddl.stdout.contains("CREATE OR REPLACE VIEW cloudtrail AS"));
    assert_fails(
        &elsewhere.run(["schema", "--location", "s3://case/lake"]),
        "--athena",
    );
}
