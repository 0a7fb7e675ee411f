use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::finding::{Origin, Remediation, Technique};

fn finding(rule: &str, severity: Severity, first_time: &str) -> Finding {
    let evidence = json!({"verdict": "public", "codes": ["T1"]});
    Finding {
        id: format!("{rule}-1"),
        rule: rule.to_owned(),
        title: "Trust policy opens a role to everyone".to_owned(),
        severity,
        first_time: first_time.to_owned(),
        last_time: "2023-07-10T12:05:00Z".to_owned(),
        count: 2,
        account: Some("111122223333".to_owned()),
        regions: vec!["us-east-1".to_owned()],
        actors: vec!["arn:aws:iam::111122223333:user/mallory".to_owned()],
        origins: vec![Origin {
            root_kind: "iam-user-key".to_owned(),
            root_identity: "arn:aws:iam::111122223333:user/mallory".to_owned(),
            confidence: Some("likely".to_owned()),
            chain: vec!["ops/work".to_owned(), "deploy/work".to_owned()],
            session_id: "ASIAOPSEXAMPLE".to_owned(),
            n_sessions: 1,
        }],
        subject: "arn:aws:iam::111122223333:role/deploy".to_owned(),
        source_ips: vec!["203.0.113.7".to_owned()],
        event_names: vec!["UpdateAssumeRolePolicy".to_owned()],
        summary: "mallory let every AWS principal assume deploy, with no condition that holds it back; \x1b[2Jseen twice".to_owned(),
        evidence: evidence.as_object().cloned().unwrap_or_default(),
        event_ids: (1..=6).map(|n| format!("event-{n}")).collect(),
        next_sql: "SELECT *\nFROM activity\nWHERE eventid = 'event-1'".to_owned(),
        remediation: vec![
            Remediation {
                id: "correct-trust-policy".to_owned(),
                title: "Correct the trust policy".to_owned(),
                account: Some("444455556666".to_owned()),
                steps: "## Console\n\n1. IAM → Roles → `deploy` → Trust relationships.\n2. Save.\n".to_owned(),
            },
            Remediation {
                id: "revoke-sessions".to_owned(),
                title: "End the sessions already issued".to_owned(),
                account: None,
                steps: String::new(),
            },
        ],
    }
}

fn notes(rule: &str) -> RuleNotes {
    RuleNotes {
        rule: rule.to_owned(),
        title: "Trust policy opens a role to everyone".to_owned(),
        description: "Anyone may take the role.".to_owned(),
        triage: vec!["Who took the role since?".to_owned()],
        false_positives: vec!["Roles of a public demo.".to_owned()],
        attack: vec![Technique {
            id: "T1685.002".to_owned(),
            name: "Disable Cloud Log".to_owned(),
            older: vec!["T1562.008".to_owned()],
        }],
        references: vec!["https://docs.aws.amazon.com/IAM/".to_owned()],
    }
}

fn render(findings: &[Finding], format: FindingFormat, options: FindingOptions) -> String {
    let suppressed = ["known", "known too"].map(|rule| Suppressed {
        entry: "[[allow]] 1: r".to_owned(),
        finding: finding(rule, Severity::Low, "2023-07-10T12:00:00Z"),
        reason: "the landing zone".to_owned(),
    });
    let learning = [Learning {
        rule: "assume-role-first-seen-edge".to_owned(),
        title: "A new edge".to_owned(),
        n_subjects: 3,
        baseline_days: 14,
    }];
    let budget: Vec<RuleBudget> = findings
        .iter()
        .map(|finding| RuleBudget {
            rule: finding.rule.clone(),
            n_findings: 1,
            n_events: 6,
            share: 6.0 / 1_000_000.0,
        })
        .collect();
    let notes: Vec<RuleNotes> = findings
        .iter()
        .map(|finding| notes(&finding.rule))
        .collect();
    let report = FindingsReport {
        findings,
        suppressed: &suppressed,
        learning: &learning,
        failures: &[],
        budget: &budget,
        notes: &notes,
        n_rules: 45,
        n_events: 1_000_000,
        first_time: Some("2023-07-01T00:00:00Z"),
        last_time: Some("2023-07-11T00:00:00Z"),
        n_baseline: 2,
        n_left_out: 1,
    };
    let mut out = Vec::new();
    write_findings(&report, format, &mut out, options).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn blocks_are_wrapped_and_harmless() {
    let findings = [finding(
        "public-trust",
        Severity::Critical,
        "2023-07-10T12:00:00Z",
    )];
    let options = FindingOptions {
        width: Some(72),
        ..FindingOptions::default()
    };
    assert_snapshot!(render(&findings, FindingFormat::Table, options), @r"
    CRITICAL  Trust policy opens a role to everyone (public-trust)
      who     arn:aws:iam::111122223333:user/mallory
      root    iam-user-key arn:aws:iam::111122223333:user/mallory → ops/work
              → deploy/work (likely)
      what    UpdateAssumeRolePolicy
      about   arn:aws:iam::111122223333:role/deploy
      when    2023-07-10T12:00:00Z – 2023-07-10T12:05:00Z (2 events)
      where   account 111122223333, us-east-1, from 203.0.113.7
      why     mallory let every AWS principal assume deploy, with no
              condition that holds it back; \x1b[2Jseen twice
      next    Correct the trust policy in account 444455556666: IAM → Roles
              → `deploy` → Trust relationships. [and 1 recipe more]
      proof   event-1, event-2, event-3, event-4 and 2 more
      sql     SELECT *
              FROM activity
              WHERE eventid = 'event-1'

    1 finding: 1 critical; 45 rules run over 1000000 events
    budget    findings    events       share  rule
                     1         6    0.0006 %  public-trust
                     1         6    0.0006 %  all
                     1         6    0.0006 %  medium or worse
    lists     2 suppressed by [[allow]] 1: r (the landing zone)
    learning  assume-role-first-seen-edge (3 subjects, 14 days of history
              needed): what came first is taken as normal, not judged
    baseline  2 would-be findings before the hunt, learned from and not
              reported
    left out  1 finding below the severity asked for
    ");
    assert_snapshot!(render(&[], FindingFormat::Table, options), @r"
    0 findings; 45 rules run over 1000000 events
    lists     2 suppressed by [[allow]] 1: r (the landing zone)
    learning  assume-role-first-seen-edge (3 subjects, 14 days of history
              needed): what came first is taken as normal, not judged
    baseline  2 would-be findings before the hunt, learned from and not
              reported
    left out  1 finding below the severity asked for
    ");
}

#[test]
fn worst_come_first_then_oldest() {
    let findings = [
        finding("c", Severity::Low, "2023-01-01T00:00:00Z"),
        finding("b", Severity::High, "2023-01-02T00:00:00Z"),
        finding("a", Severity::High, "2023-01-01T00:00:00Z"),
    ];
    let shown = render(&findings, FindingFormat::Ndjson, FindingOptions::default());
    let rules: Vec<String> = shown
        .lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            value["rule"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(rules, ["a", "b", "c"]);
}

#[test]
fn colors_only_when_asked() {
    let findings = [finding("a", Severity::High, "2023-01-01T00:00:00Z")];
    let plain = render(&findings, FindingFormat::Table, FindingOptions::default());
    assert!(!plain.contains('\x1b'));
    let options = FindingOptions {
        color: true,
        ..FindingOptions::default()
    };
    let colored = render(&findings, FindingFormat::Table, options);
    assert_eq!(colored.matches("\x1b[").count(), 2);
}

#[test]
fn json_and_csv_carry_every_field() {
    let findings = [finding("a", Severity::High, "2023-01-01T00:00:00Z")];
    let whole = serde_json::to_value(&findings[0]).unwrap();
    let document = render(&findings, FindingFormat::Json, FindingOptions::default());
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["findings"][0], whole);
    assert_eq!(document["counts"]["high"], 1);
    assert_eq!(document["suppressed"][0]["rule"], "known");
    assert_eq!(document["suppressed"][0]["reason"], "the landing zone");
    assert_eq!(
        document["suppressed_by"],
        json!([{"entry": "[[allow]] 1: r", "reason": "the landing zone", "n_findings": 2}])
    );
    assert_eq!(
        document["learning"][0],
        json!({"rule": "assume-role-first-seen-edge", "title": "A new edge",
            "n_subjects": 3, "baseline_days": 14})
    );
    assert_eq!(document["rules"], 45);
    assert_eq!(document["evidence"]["n_events"], 1_000_000);
    assert_eq!(document["budget"][0]["rule"], "a");
    assert_eq!(document["budget"][0]["share"], 6e-6);
    assert_eq!(document["totals"]["medium_or_worse"]["n_events"], 6);
    assert_eq!(
        (&document["n_baseline"], &document["n_left_out"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(
        document["notes"][0]["triage"][0],
        "Who took the role since?"
    );
    assert_eq!(
        document["findings"][0]["remediation"][0]["id"],
        "correct-trust-policy"
    );

    let table = render(&findings, FindingFormat::Csv, FindingOptions::default());
    let mut reader = ::csv::Reader::from_reader(table.as_bytes());
    let header: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let mut names: Vec<_> = whole.as_object().unwrap().keys().cloned().collect();
    let mut sorted = header.clone();
    names.sort();
    sorted.sort();
    assert_eq!(sorted, names);
    let record = reader.records().next().unwrap().unwrap();
    let cell = |name: &str| record[header.iter().position(|n| n == name).unwrap()].to_owned();
    assert_eq!(
        cell("event_ids"),
        "event-1; event-2; event-3; event-4; event-5; event-6"
    );
    assert_eq!(cell("evidence"), r#"{"codes":["T1"],"verdict":"public"}"#);
    assert!(cell("summary").contains("\\x1b[2J"));
}

#[test]
fn names_and_formats_agree() {
    for (format, name) in FindingFormat::ALL.into_iter().zip(FindingFormat::NAMES) {
        assert_eq!(format.as_str(), name);
        assert_eq!(name.parse(), Ok(format));
    }
}

#[test]
fn rules_share_events_and_totals_count_them_once() {
    let findings = [
        finding("a", Severity::High, "2023-01-01T00:00:00Z"),
        finding("b", Severity::Low, "2023-01-01T00:00:00Z"),
    ];
    let report = FindingsReport {
        findings: &findings,
        n_events: 60,
        ..FindingsReport::default()
    };
    let totals = totals::Totals::of(&report);
    assert_eq!((totals.all.n_findings, totals.all.n_events), (2, 6));
    assert_eq!(totals.medium_or_worse.n_findings, 1);
    assert!((totals.all.share - 0.1).abs() < 1e-9);
    let nothing = totals::Totals::of(&FindingsReport::default());
    assert_eq!(nothing, totals::Totals::default());
}

#[test]
fn the_report_in_markdown_has_all_one_needs() {
    let findings = [finding(
        "public-trust",
        Severity::Critical,
        "2023-07-10T12:00:00Z",
    )];
    let shown = render(
        &findings,
        FindingFormat::Markdown,
        FindingOptions::default(),
    );
    assert_snapshot!(shown, @r#"
    # Findings in CloudTrail

    | | |
    |---|---|
    | Evidence | 1000000 events, 2023-07-01T00:00:00Z to 2023-07-11T00:00:00Z |
    | Findings | 1: 1 critical |
    | Rules run | 45 |
    | Suppressed | 2 by the lists of the case |
    | Baseline | 2 would-be findings before the hunt, learned from and not reported |
    | Left out | 1 below the severity asked for |

    ## Contents, worst first

    | | Severity | Finding | About | First event |
    |--:|---|---|---|---|
    | 1 | critical | [Trust policy opens a role to everyone](#finding-public-trust-1) | `arn:aws:iam::111122223333:role/deploy` | 2023-07-10T12:00:00Z |

    ## In order of time

    - 2023-07-10T12:00:00Z **critical** [1. Trust policy opens a role to everyone](#finding-public-trust-1): `arn:aws:iam::111122223333:role/deploy`

    ## Findings

    <a id="finding-public-trust-1"></a>

    ### 1. CRITICAL: Trust policy opens a role to everyone

    **Why:** mallory let every AWS principal assume deploy, with no condition that holds it back; \\x1b\[2Jseen twice

    - **About:** `arn:aws:iam::111122223333:role/deploy`
    - **Who:** `arn:aws:iam::111122223333:user/mallory`
    - **What:** `UpdateAssumeRolePolicy`
    - **From:** `203.0.113.7`
    - **Regions:** `us-east-1`
    - **Root:** `iam-user-key arn:aws:iam::111122223333:user/mallory → ops/work → deploy/work (likely)`
    - **Account:** `111122223333`
    - **When:** 2023-07-10T12:00:00Z – 2023-07-10T12:05:00Z (2 events)
    - **Rule:** `public-trust`, finding `public-trust-1`

    #### What it means

    Anyone may take the role.

    - ATT&amp;CK T1685.002 Disable Cloud Log (was T1562.008)
    - <https://docs.aws.amazon.com/IAM/>

    #### Questions to ask

    1. Who took the role since?

    #### Harmless when

    - Roles of a public demo.

    #### Evidence

    - **codes:** `T1`
    - **verdict:** `public`
    - **Events:** `event-1`, `event-2`, `event-3`, `event-4`, `event-5`, `event-6`

    #### Look around

    ```sql
    SELECT *
    FROM activity
    WHERE eventid = 'event-1'
    ```

    #### What to do

    ##### Correct the trust policy (`correct-trust-policy`)

    ###### Console

    1. IAM → Roles → `deploy` → Trust relationships.
    2. Save.

    ##### End the sessions already issued (`revoke-sessions`)


    ## What each rule says

    | Rule | Findings | Events | Share of all events |
    |---|--:|--:|--:|
    | `public-trust` | 1 | 6 | 0.0006 % |
    | all | 1 | 6 | 0.0006 % |
    | medium or worse | 1 | 6 | 0.0006 % |

    ## Suppressed by the lists

    | Findings | Entry | Reason |
    |--:|---|---|
    | 2 | `[[allow]] 1: r` | the landing zone |

    - 2023-07-10T12:00:00Z **low** `known`: `arn:aws:iam::111122223333:role/deploy`, by `[[allow]] 1: r`
    - 2023-07-10T12:00:00Z **low** `known too`: `arn:aws:iam::111122223333:role/deploy`, by `[[allow]] 1: r`

    ## Still learning

    What came first is taken as normal, not judged.

    - `assume-role-first-seen-edge`: A new edge (3 subjects, 14 days of history needed)
    "#);
}

/// Text that tries to leave every place it can stand in.
const HOSTILE: &str = "</code></pre></details><script>alert(1)</script>\"onload=\"x' onclick='y\
    <img src=x onerror=z>`[l](javascript:a)![i](http://e/i.png)\n# h\n```\n| c |\u{202e}\x1b[2J\u{0}&#60;b&#62;";

fn hostile() -> (Finding, RuleNotes) {
    let text = || HOSTILE.to_owned();
    let list = || vec![text(), text()];
    let evidence = json!({HOSTILE: HOSTILE, "list": [HOSTILE], "object": {HOSTILE: [HOSTILE]},
        "document": json!({"a": HOSTILE}).to_string(), "long": HOSTILE.repeat(9)});
    let finding = Finding {
        id: text(),
        rule: text(),
        title: text(),
        severity: Severity::High,
        first_time: text(),
        last_time: text(),
        count: 2,
        account: Some(text()),
        regions: list(),
        actors: list(),
        origins: vec![Origin {
            root_kind: text(),
            root_identity: text(),
            confidence: Some(text()),
            chain: list(),
            session_id: text(),
            n_sessions: 2,
        }],
        subject: text(),
        source_ips: list(),
        event_names: list(),
        summary: text(),
        evidence: evidence.as_object().cloned().unwrap_or_default(),
        event_ids: list(),
        next_sql: text(),
        remediation: vec![Remediation {
            id: text(),
            title: text(),
            account: Some(text()),
            // What the recipes' filters make of the same text.
            steps: format!(
                "## Console\n\n1. {}\n- {}\n\n```sh\n{}\n```\n",
                crate::report::safe::markdown(HOSTILE),
                crate::report::safe::markdown_code(HOSTILE),
                crate::report::safe::line(HOSTILE)
            ),
        }],
    };
    let notes = RuleNotes {
        rule: text(),
        title: text(),
        description: text(),
        triage: list(),
        false_positives: list(),
        attack: vec![Technique {
            id: text(),
            name: text(),
            older: list(),
        }],
        references: vec![
            "javascript:alert(1)".to_owned(),
            "https://e/\" onclick=\"x".to_owned(),
            text(),
        ],
    };
    (finding, notes)
}

fn render_hostile(format: FindingFormat) -> String {
    let (finding, notes) = hostile();
    let findings = [finding.clone()];
    let suppressed = [Suppressed {
        finding,
        entry: HOSTILE.to_owned(),
        reason: HOSTILE.to_owned(),
    }];
    let report = FindingsReport {
        findings: &findings,
        suppressed: &suppressed,
        learning: &[Learning {
            rule: HOSTILE.to_owned(),
            title: HOSTILE.to_owned(),
            n_subjects: 1,
            baseline_days: 1,
        }],
        failures: &[Failure {
            rule: HOSTILE.to_owned(),
            message: HOSTILE.to_owned(),
        }],
        budget: &[RuleBudget {
            rule: HOSTILE.to_owned(),
            n_findings: 1,
            n_events: 1,
            share: 1.0,
        }],
        notes: &[notes],
        n_events: 1,
        first_time: Some(HOSTILE),
        last_time: Some(HOSTILE),
        ..FindingsReport::default()
    };
    let mut out = Vec::new();
    write_findings(&report, format, &mut out, FindingOptions::default()).unwrap();
    String::from_utf8(out).unwrap()
}

/// Tags of a page with their attributes. Text must hold no `<`, and each attribute is quoted.
fn tags(page: &str) -> Vec<(String, Vec<(String, String)>)> {
    let body = page.split_once("</style>").unwrap().1;
    let mut tags = Vec::new();
    for part in body.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        assert!(!text.contains('>'), "{text}");
        let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = Vec::new();
        while let Some((attribute, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"').unwrap();
            attributes.push((attribute.trim().to_owned(), value.to_owned()));
            rest = after;
        }
        assert!(matches!(rest.trim(), "" | "open"), "{tag}");
        tags.push((name.to_owned(), attributes));
    }
    tags
}

#[test]
fn nothing_of_a_log_gets_out_of_its_place_in_html() {
    const TAGS: [&str; 28] = [
        "a", "body", "code", "dd", "details", "dl", "dt", "footer", "h1", "h2", "h3", "h4", "head",
        "html", "li", "meta", "ol", "p", "pre", "span", "style", "summary", "table", "td", "th",
        "title", "tr", "ul",
    ];
    let page = render_hostile(FindingFormat::Html);
    assert!(!page.contains(['\u{202e}', '\x1b', '\0']));
    let tags = tags(&page);
    assert!(tags.len() > 100, "{page}");
    for (tag, attributes) in tags {
        let name = tag.trim_start_matches('/');
        assert!(TAGS.contains(&name), "<{tag}>");
        for (attribute, value) in attributes {
            let is_fine = match attribute.as_str() {
                "href" => value.starts_with("#finding-") || value.starts_with("https://"),
                "id" | "class" | "style" => value
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-. :;%".contains(c)),
                _ => false,
            };
            assert!(is_fine, "<{tag} {attribute}=\"{value}\">");
        }
    }
    // Opened and closed alike, so no text fell into a place that was not meant for it.
    for tag in [
        "details", "summary", "code", "pre", "table", "dl", "ul", "ol", "li", "p", "span",
    ] {
        let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
        let n_open =
            page.matches(&format!("{open}>")).count() + page.matches(&format!("{open} ")).count();
        assert_eq!(n_open, page.matches(&close).count(), "{tag}");
    }
}

#[test]
fn nothing_of_a_log_gets_out_of_its_place_in_markdown() {
    let page = render_hostile(FindingFormat::Markdown);
    assert!(!page.contains(['\u{202e}', '\x1b', '\0']));
    let mut fence = None;
    for line in page.lines() {
        let line = line.trim_start();
        let ticks = line.chars().take_while(|c| *c == '`').count();
        match fence {
            None if ticks >= 3 => fence = Some(ticks),
            Some(open) if ticks >= open && line.len() == ticks => fence = None,
            Some(_) => {}
            None => {
                let text = without_code(line);
                assert_ne!(line, "# h");
                for evil in ["<script", "<img", "[l](", "![i](", "http://"] {
                    assert!(!text.contains(evil), "{evil}: {line}");
                }
            }
        }
    }
    assert_eq!(fence, None);
}

/// A line of Markdown without its code spans and escaped characters.
fn without_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if c == '\\' {
            rest = rest.get(2..).unwrap_or_default();
            continue;
        }
        if c != '`' {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let n_ticks = rest.chars().take_while(|c| *c == '`').count();
        let inner = &rest[n_ticks..];
        let mut at = 0;
        let end = loop {
            let Some(start) = inner[at..].find('`').map(|found| at + found) else {
                break None;
            };
            let run = inner[start..].chars().take_while(|c| *c == '`').count();
            if run == n_ticks {
                break Some(start + run);
            }
            at = start + run;
        };
        match end {
            Some(end) => rest = &inner[end..],
            None => {
                out.push_str(&rest[..n_ticks]);
                rest = inner;
            }
        }
    }
    out
}

#[test]
fn the_page_needs_nothing_else() {
    let findings = [
        finding("a", Severity::High, "2023-07-10T12:00:00Z"),
        finding("b", Severity::Low, "2023-07-10T12:01:00Z"),
    ];
    let page = render(&findings, FindingFormat::Html, FindingOptions::default());
    assert_eq!(
        page,
        render(&findings, FindingFormat::Html, FindingOptions::default())
    );
    for absent in ["<script", "<link", "<img", "src=", "@import", "url("] {
        assert!(!page.contains(absent), "{absent}");
    }
    assert!(page.contains("default-src 'none'"));
    for text in [
        "<details class=\"finding of-high\" id=\"finding-a-1\" open>",
        "<details class=\"finding of-low\" id=\"finding-b-1\">",
        "Who took the role since?",
        "<li>IAM → Roles → <code>deploy</code> → Trust relationships.</li>",
        "<td>medium or worse</td><td class=\"n\">1</td>",
        "style=\"left:0.00%;width:100.00%\"",
        "style=\"left:20.00%;width:80.00%\"",
        "ATT&amp;CK T1685.002 Disable Cloud Log (was T1562.008)",
        "<a href=\"https://docs.aws.amazon.com/IAM/\">",
        "2 would-be findings before the hunt",
    ] {
        assert!(page.contains(text), "{text}");
    }
}
