use super::*;
use crate::lineage::story::{
    Act, ActKind, Blast, Deed, HandleKind, Issue, Part, Trace, TracedSession,
};

/// What an attacker may put into a name: a way out of every format.
const HOSTILE: &str = "x\"]];\n\u{1b}[2J<script>alert(1)</script>\"}-->`#amp;|%%{init}%%\\\u{202e}";

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn part(items: &[&str]) -> Part<String> {
    Part::all(items.iter().map(|item| (*item).to_owned()).collect())
}

fn act(kind: ActKind, call: (&str, &str), count: u64) -> Act {
    Act {
        kind,
        event_source: format!("{}.amazonaws.com", call.0),
        event_name: call.1.to_owned(),
        count,
        error_code: (kind == ActKind::Denied).then(|| "AccessDenied".to_owned()),
        first_time: text("2025-03-06T02:25:00Z"),
        last_time: text("2025-03-06T02:31:00Z"),
        event_ids: vec!["e-7".to_owned()],
        ..Act::default()
    }
}

fn issue(name: &str, time: &str, id: &str) -> Option<Issue> {
    Some(Issue {
        event_id: id.to_owned(),
        event_name: name.to_owned(),
        time: text(time),
        event_ids: vec![id.to_owned()],
    })
}

fn role(id: &str, name: &str, parent: usize) -> TracedSession {
    TracedSession {
        session_id: id.to_owned(),
        kind: "role".to_owned(),
        parent: Some(parent),
        depth: 1,
        is_within: true,
        principal: text(&format!("arn:aws:iam::444455556666:role/{name}")),
        session_name: name.split('/').nth(1).map(str::to_owned),
        account: text("444455556666"),
        link: text("issued-key"),
        confidence: text("certain"),
        first_time: text("2025-03-06T02:24:10Z"),
        last_time: text("2025-03-06T02:41:17Z"),
        addresses: part(&["198.51.100.23"]),
        regions: part(&["us-east-1"]),
        issue: issue("AssumeRole", "2025-03-06T02:24:08Z", "e-1"),
        ..TracedSession::default()
    }
}

/// A user's key, the session of a role taken with it, two further roles, and an issuer that nobody saw.
fn small() -> Trace {
    let user = TracedSession {
        session_id: "AKIAEXAMPLE1".to_owned(),
        kind: "user-key".to_owned(),
        principal: text("arn:aws:iam::111122223333:user/ann"),
        account: text("111122223333"),
        root_kind: text("iam-user-key"),
        root_identity: text("arn:aws:iam::111122223333:user/ann"),
        root_confidence: text("certain"),
        first_time: text("2025-03-06T02:20:00Z"),
        last_time: text("2025-03-06T02:24:08Z"),
        n_events: 2,
        n_aside: 3,
        addresses: part(&["203.0.113.77"]),
        agents: part(&["aws-cli/2.13.0"]),
        ..TracedSession::default()
    };
    let mut admin = TracedSession {
        is_asked: true,
        n_events: 14,
        n_denied: 3,
        n_writes: 4,
        mfa: Some(false),
        source_identity: text("ann"),
        n_left_out: 1,
        ..role("ASIAEXAMPLE2", "admin/ann", 0)
    };
    let mut created = act(ActKind::Write, ("iam", "CreateUser"), 1);
    created.is_asked = true;
    admin.acts = Part {
        shown: vec![
            act(ActKind::Denied, ("iam", "CreateLoginProfile"), 2),
            act(ActKind::Denied, ("s3", "GetObject"), 1),
            created,
            act(ActKind::Write, ("iam", "AttachUserPolicy"), 3),
            act(ActKind::Read, ("iam", "ListUsers"), 7),
        ],
        n_all: 6,
    };
    let mut backup = role("ASIAEXAMPLE3", "backup/ann", 1);
    (backup.depth, backup.n_events) = (2, 1);
    let mut audit = role("ASIAEXAMPLE4", "audit/x", 1);
    audit.depth = 2;
    audit.link = text("session-name");
    audit.confidence = text("likely");
    let unseen = TracedSession {
        session_id: "unseen:ASIAEXAMPLE5".to_owned(),
        kind: "unseen".to_owned(),
        arn: text("arn:aws:iam::999900001111:role/partner"),
        ..TracedSession::default()
    };
    let mut other = role("ASIAEXAMPLE5", "admin/partner", 4);
    (other.is_asked, other.n_events, other.issue) = (true, 1, None);
    (other.link, other.confidence) = (None, None);
    Trace {
        asked: "arn:aws:iam::444455556666:role/admin".to_owned(),
        kind: Some(HandleKind::RoleArn),
        n_named: 2,
        n_sessions: 5,
        sessions: vec![user, admin, backup, audit, unseen, other],
        blast: blast(),
        notes: Vec::new(),
    }
}

fn blast() -> Blast {
    let deed = |call: &str, subject: &str| Deed {
        event_source: "iam.amazonaws.com".to_owned(),
        event_name: call.to_owned(),
        subject: text(subject),
        count: 2,
        first_time: text("2025-03-06T02:25:00Z"),
        session_id: text("ASIAEXAMPLE2"),
        event_id: text("e-7"),
        ..Deed::default()
    };
    Blast {
        n_sessions: 5,
        n_events: 16,
        n_denied: 3,
        n_writes: 4,
        first_time: text("2025-03-06T02:24:10Z"),
        last_time: text("2025-03-06T02:41:17Z"),
        accounts: part(&["444455556666"]),
        roles: part(&["arn:aws:iam::444455556666:role/admin"]),
        regions: part(&["us-east-1"]),
        addresses: part(&["198.51.100.23"]),
        persistence: Part::all(vec![deed("CreateUser", "backdoor")]),
        written: Part {
            shown: vec![deed("AttachUserPolicy", "backdoor")],
            n_all: 9,
        },
        read: Part::default(),
    }
}

/// A hub: so many children are shown, and all others counted.
fn hub(n_shown: usize, n_all: u64) -> Trace {
    let mut sessions = vec![TracedSession {
        session_id: "ASIAHUB".to_owned(),
        kind: "role".to_owned(),
        is_asked: true,
        is_within: true,
        principal: text("arn:aws:iam::111122223333:role/hub/h"),
        n_left_out: n_all - n_shown as u64,
        ..TracedSession::default()
    }];
    sessions.extend((0..n_shown).map(|n| role(&format!("ASIA{n}"), &format!("spoke/{n}"), 0)));
    Trace {
        asked: "ASIAHUB".to_owned(),
        kind: Some(HandleKind::AccessKey),
        n_named: 1,
        n_sessions: n_all + 1,
        sessions,
        ..Trace::default()
    }
}

/// A chain of roles, each taken with the one before.
fn chain(n: usize) -> Trace {
    let mut sessions = vec![role("ASIA0", "r/0", 0)];
    sessions[0].parent = None;
    for at in 1..n {
        sessions.push(TracedSession {
            depth: at,
            ..role(&format!("ASIA{at}"), &format!("r/{at}"), at - 1)
        });
    }
    Trace {
        n_named: 1,
        n_sessions: n as u64,
        sessions,
        ..Trace::default()
    }
}

/// Every text is the attacker's.
fn hostile() -> Trace {
    let bad = || text(HOSTILE);
    let mut trace = small();
    trace.asked = HOSTILE.to_owned();
    trace.notes = vec![HOSTILE.to_owned()];
    for session in &mut trace.sessions {
        session.session_id = HOSTILE.to_owned();
        session.principal = bad();
        session.arn = bad();
        session.link = bad();
        session.caller_link = bad();
        session.confidence = bad();
        session.root_kind = bad();
        session.root_identity = bad();
        session.source_identity = bad();
        session.account = bad();
        session.access_key_id = Some(format!("{HOSTILE}2"));
        session.first_time = bad();
        session.expires_at = bad();
        session.addresses = part(&[HOSTILE]);
        session.agents = part(&[HOSTILE]);
        session.issue = issue(HOSTILE, HOSTILE, HOSTILE);
        for act in &mut session.acts.shown {
            act.event_source = HOSTILE.to_owned();
            act.event_name = HOSTILE.to_owned();
            act.error_code = bad();
            act.resources = part(&[HOSTILE]);
            act.event_ids = vec![HOSTILE.to_owned()];
        }
    }
    trace.sessions[1].kind = HOSTILE.to_owned();
    for deeds in [&mut trace.blast.persistence, &mut trace.blast.written] {
        for deed in &mut deeds.shown {
            deed.event_name = HOSTILE.to_owned();
            deed.subject = bad();
            deed.session_id = bad();
            deed.first_time = bad();
        }
    }
    trace
}

fn shown_with(trace: &Trace, format: TraceFormat, options: TraceOptions) -> String {
    let mut out = Vec::new();
    write_trace(trace, format, &mut out, options).unwrap();
    String::from_utf8(out).unwrap()
}

fn shown(trace: &Trace, format: TraceFormat) -> String {
    shown_with(trace, format, TraceOptions::default())
}

/// The words of a line, whatever lies left of it.
fn lines(text: &str) -> Vec<&str> {
    let rails = ['│', '├', '└', '─', ' '];
    let lines = text.lines();
    lines.map(|line| line.trim_start_matches(rails)).collect()
}

#[test]
fn a_tree_shows_how_each_session_came_about() {
    insta::assert_snapshot!(shown(&small(), TraceFormat::Table), @r#"
    role ARN arn:aws:iam::444455556666:role/admin: 2 sessions, 3 more came of them; shown are 4, those with denials and
    writes first, and 1 more is not

    access key arn:aws:iam::111122223333:user/ann
    │  id      AKIAEXAMPLE1, account 111122223333
    │  root    iam-user-key (certain)
    │  when    2025-03-06T02:20:00Z – 02:24:08Z (2 events)
    │  where   203.0.113.77; aws-cli/2.13.0
    │  beside  3 sessions that do not lead to what was asked
    └─ role session arn:aws:iam::444455556666:role/admin/ann ◀ asked
       │  id      ASIAEXAMPLE2, account 444455556666, source identity ann, no MFA
       │  from    AssumeRole 2025-03-06T02:24:08Z, event e-1; tied by issued-key: the key that was issued is the one that
       │          was used (certain)
       │  when    2025-03-06T02:24:10Z – 02:41:17Z (14 events, 3 denied, 4 writes)
       │  where   198.51.100.23; us-east-1
       │  denied  iam:CreateLoginProfile ×2, s3:GetObject
       │  writes  iam:CreateUser ◀ asked, iam:AttachUserPolicy ×3
       │  reads   iam:ListUsers ×7; 1 further kind of call
       ├─ role session arn:aws:iam::444455556666:role/backup/ann
       │     id      ASIAEXAMPLE3, account 444455556666
       │     from    AssumeRole 2025-03-06T02:24:08Z, event e-1; tied by issued-key: the key that was issued is the one that
       │             was used (certain)
       │     when    2025-03-06T02:24:10Z – 02:41:17Z (1 event)
       │     where   198.51.100.23; us-east-1
       ├─ role session arn:aws:iam::444455556666:role/audit/x
       │     id      ASIAEXAMPLE4, account 444455556666
       │     from    AssumeRole 2025-03-06T02:24:08Z, event e-1; tied by session-name: same role and session name, begun at
       │             the moment it was issued (likely)
       │     when    no events of its own
       │     where   198.51.100.23; us-east-1
       └─ and 1 more

    issuer not in the evidence arn:aws:iam::999900001111:role/partner
    │  id      unseen:ASIAEXAMPLE5
    │  when    no events of its own
    └─ role session arn:aws:iam::444455556666:role/admin/partner ◀ asked
          id      ASIAEXAMPLE5, account 444455556666
          when    2025-03-06T02:24:10Z – 02:41:17Z (1 event)
          where   198.51.100.23; us-east-1

    reach of what was asked and all that came of it: 5 sessions, 16 events, 3 denied, 4 writes
    when    2025-03-06T02:24:10Z – 02:41:17Z
    account 444455556666
    roles   arn:aws:iam::444455556666:role/admin
    made    iam:CreateUser backdoor ×2, 2025-03-06T02:25:00Z, by ASIAEXAMPLE2
    wrote   iam:AttachUserPolicy backdoor ×2, 2025-03-06T02:25:00Z, by ASIAEXAMPLE2
            and 8 more
    region  us-east-1
    address 198.51.100.23
    "#);
}

#[test]
fn graphs_have_boxes_and_lines() {
    insta::assert_snapshot!(shown(&small(), TraceFormat::Dot), @r##"
    digraph trace {
      rankdir=LR;
      node [shape=box, style=filled, fontname="Helvetica", fontsize=11];
      edge [fontname="Helvetica", fontsize=9, color="#6b7280"];
      label="role ARN arn:aws:iam::444455556666:role/admin";
      labelloc=t;
      s0 [label="access key\nann\n2 events", tooltip="AKIAEXAMPLE1", fillcolor="#dbeafe", color="#1d4ed8", peripheries=2];
      s1 [label="role session\nadmin/ann\n14 events, 3 denied, 4 writes\n◀ asked", tooltip="ASIAEXAMPLE2", fillcolor="#ede9fe", color="#6d28d9", penwidth=3];
      s0 -> s1 [label="AssumeRole\n03-06 02:24:08\nissued-key"];
      m1 [label="and 1 more", shape=plaintext, style=""];
      s1 -> m1 [style=dotted];
      s2 [label="role session\nbackup/ann\n1 event", tooltip="ASIAEXAMPLE3", fillcolor="#ede9fe", color="#6d28d9"];
      s1 -> s2 [label="AssumeRole\n03-06 02:24:08\nissued-key"];
      s3 [label="role session\naudit/x\n0 events", tooltip="ASIAEXAMPLE4", fillcolor="#ede9fe", color="#6d28d9"];
      s1 -> s3 [label="AssumeRole\n03-06 02:24:08\nsession-name", style=dashed];
      s4 [label="issuer not in the evidence\npartner\n0 events", tooltip="unseen:ASIAEXAMPLE5", fillcolor="#fef3c7", color="#b45309", peripheries=2, style="filled,dashed"];
      s5 [label="role session\nadmin/partner\n1 event\n◀ asked", tooltip="ASIAEXAMPLE5", fillcolor="#ede9fe", color="#6d28d9", penwidth=3];
      s4 -> s5 [label=""];
    }
    "##);
    insta::assert_snapshot!(shown(&small(), TraceFormat::Mermaid), @r##"
    flowchart LR
      s0[["access key<br/>ann<br/>2 events"]]:::user
      s1["role session<br/>admin/ann<br/>14 events, 3 denied, 4 writes<br/>◀ asked"]:::role
      class s1 asked
      s0 -->|"AssumeRole<br/>03-06 02#58;24#58;08<br/>issued-key"| s1
      s1 -.- m1["and 1 more"]
      s2["role session<br/>backup/ann<br/>1 event"]:::role
      s1 -->|"AssumeRole<br/>03-06 02#58;24#58;08<br/>issued-key"| s2
      s3["role session<br/>audit/x<br/>0 events"]:::role
      s1 -.->|"AssumeRole<br/>03-06 02#58;24#58;08<br/>session-name"| s3
      s4[["issuer not in the evidence<br/>partner<br/>0 events"]]:::unseen
      s5["role session<br/>admin/partner<br/>1 event<br/>◀ asked"]:::role
      class s5 asked
      s4 --> s5
      classDef user fill:#dbeafe,stroke:#1d4ed8,color:#111827
      classDef rootuser fill:#fee2e2,stroke:#b91c1c,color:#111827
      classDef federated fill:#ccfbf1,stroke:#0f766e,color:#111827
      classDef role fill:#ede9fe,stroke:#6d28d9,color:#111827
      classDef workload fill:#dcfce7,stroke:#15803d,color:#111827
      classDef outside fill:#e5e7eb,stroke:#4b5563,color:#111827
      classDef unseen fill:#fef3c7,stroke:#b45309,color:#111827,stroke-dasharray:5 3
      classDef asked stroke-width:4px
    "##);
}

#[test]
fn json_has_every_field() {
    let text = shown(&hostile(), TraceFormat::Json);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["kind"], "role-arn");
    assert_eq!(value["sessions"][1]["principal"], HOSTILE);
    assert_eq!(value["sessions"][1]["acts"]["shown"][0]["kind"], "denied");
    assert_eq!(value["sessions"][1]["acts"]["n_all"], 6);
    assert_eq!(
        value["blast"]["persistence"]["shown"][0]["subject"],
        HOSTILE
    );
    assert!(!text.contains('\u{202e}') && !text.contains('\u{1b}'));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for trace in [small(), hub(3, 9), chain(40)] {
        for width in [40, 60, 80, 120] {
            let options = TraceOptions {
                width: Some(width),
                color: false,
            };
            let text = shown_with(&trace, TraceFormat::Table, options);
            for line in text.lines().filter(|line| line.chars().count() > width) {
                // A word longer than what is left of a line stays whole.
                let rest = lines(line)[0];
                let rest = rest.strip_suffix(" ◀ asked").unwrap_or(rest);
                assert!(words(rest).len() <= 2, "{width}: {line}");
            }
        }
    }
}

#[test]
fn colors_change_nothing_but_colors() {
    let options = TraceOptions {
        color: true,
        width: None,
    };
    let colored = shown_with(&small(), TraceFormat::Table, options);
    let mut plain = String::new();
    for piece in colored.split("\u{1b}[") {
        match piece.split_once('m') {
            Some((codes, rest)) if codes.chars().all(|c| c.is_ascii_digit() || c == ';') => {
                plain.push_str(rest);
            }
            _ => plain.push_str(piece),
        }
    }
    assert_eq!(plain, shown(&small(), TraceFormat::Table));
    assert_ne!(plain, colored);
}

#[test]
fn what_is_left_out_is_counted_everywhere() {
    let trace = hub(20, 100_000);
    for format in TraceFormat::ALL {
        let text = shown(&trace, format);
        let number = if format == TraceFormat::Json {
            "\"n_left_out\": 99980"
        } else {
            "and 99,980 more"
        };
        assert!(text.contains(number), "{format}: {text}");
    }
    // At the end of what it belongs to.
    let text = shown(&small(), TraceFormat::Table);
    let (more, next) = (text.find("└─ and 1 more"), text.find("issuer not in"));
    assert!(more.is_some() && text.find("audit/x") < more && more < next);
}

#[test]
fn a_chain_of_any_length_stays_on_the_page() {
    let text = shown(&chain(500), TraceFormat::Table);
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(120), "{widest:?}");
    assert!(
        text.contains("role/r/499, step 499 from its root"),
        "{text}"
    );
    assert!(shown(&chain(500), TraceFormat::Html).contains("id=\"s499\""));
}

#[test]
fn a_terminal_gets_no_command_of_the_logs() {
    for width in [None, Some(40)] {
        let options = TraceOptions {
            color: false,
            width,
        };
        let text = shown_with(&hostile(), TraceFormat::Table, options);
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        // A line break in a name makes no line of its own.
        assert!(lines(&text).iter().all(|line| !line.starts_with('\u{1b}')));
        assert!(text.contains("\\n\\x1b[2J"), "{text}");
    }
}

#[test]
fn quotes_of_a_graph_hold() {
    for format in [TraceFormat::Dot, TraceFormat::Mermaid] {
        let (bad, good) = (shown(&hostile(), format), shown(&small(), format));
        // The same statements, however the texts read.
        assert_eq!(bad.lines().count(), good.lines().count(), "{bad}");
        let outside = |text: &str| unquoted(text, format);
        let without_colors = |text: String| {
            // The kind of one session is hostile, so its color differs.
            let lines = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("s1"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let (bad, good) = (
            without_colors(outside(&bad)),
            without_colors(outside(&good)),
        );
        for (bad, good) in bad.iter().zip(&good) {
            // Boxes and lines without a label have one when every text is there.
            let short = |line: &str| line.replace("|\"\"|", "");
            assert_eq!(short(bad), short(good));
        }
    }
}

/// What stands between quotes taken out, by the rules of the format.
fn unquoted(text: &str, format: TraceFormat) -> String {
    let mut out = String::new();
    let mut is_quoted = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if is_quoted && format == TraceFormat::Dot => {
                chars.next();
            }
            '"' => {
                is_quoted = !is_quoted;
                out.push('"');
            }
            '\n' => {
                assert!(!is_quoted, "a quote reaches over a line: {text}");
                out.push('\n');
            }
            _ if is_quoted => {}
            c => out.push(c),
        }
    }
    out
}

#[test]
fn mermaid_gets_nothing_it_could_obey() {
    let text = shown(&hostile(), TraceFormat::Mermaid);
    for word in ["%%", "<script", "`", "{", "\\"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    assert!(!text.replace("<br/>", "").contains('<'), "{text}");
    // It draws no more than this.
    let text = shown(&hub(2_000, 2_000), TraceFormat::Mermaid);
    assert!(text.chars().count() < 50_000);
    assert!(text.matches("-->").count() < 500);
    assert!(text.contains("  more[\"and 1,"), "{text}");
}

#[test]
fn a_page_has_no_tag_of_the_logs() {
    let (bad, good) = (
        shown(&hostile(), TraceFormat::Html),
        shown(&small(), TraceFormat::Html),
    );
    assert!(!bad.contains("<script"), "{bad}");
    assert!(!bad.contains(['\u{1b}', '\u{202e}']));
    for (tag, of_page) in [("<svg ", 7), ("<details ", 6), ("<style>", 1), ("<a ", 6)] {
        for page in [&bad, &good] {
            assert_eq!(page.matches(tag).count(), of_page, "{tag}");
        }
    }
    assert!(good.contains("default-src 'none'"));
    assert!(!good.contains("http://www.w3.org/1999") && !good.contains("url("));
}

#[test]
fn a_page_marks_what_was_asked_and_what_is_unsure() {
    let page = shown(&small(), TraceFormat::Html);
    assert_eq!(page.matches("class=\"box role asked\"").count(), 2);
    assert_eq!(page.matches("class=\"rim\"").count(), 2);
    assert_eq!(page.matches("class=\"edge likely\"").count(), 1);
    assert!(page.contains("and 8 more"));
    // Of many sessions only those are opened that say something.
    let page = shown(&hub(30, 30), TraceFormat::Html);
    assert_eq!(page.matches(" open>").count(), 1);
}

#[test]
fn the_same_story_gives_the_same_bytes() {
    for format in TraceFormat::ALL {
        assert_eq!(shown(&small(), format), shown(&small(), format));
        assert_eq!(format.as_str().parse::<TraceFormat>().unwrap(), format);
        // A story of nothing is written all the same.
        assert!(!shown(&Trace::default(), format).is_empty());
    }
    assert_eq!(TraceFormat::of_ending("gv"), Some(TraceFormat::Dot));
    assert_eq!(TraceFormat::of_ending("csv"), None);
}
