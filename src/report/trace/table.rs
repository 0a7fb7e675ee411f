//! A story as a tree to read in a terminal, and how far it reached below it.

use super::TraceOptions;
use super::words::{
    self, Group, act, acts_of, and_more, children, clipped, counted, ended_by, figures, filled,
    kind_words, parent_of, span, thousands, tie,
};
use crate::lineage::story::{ActKind, Blast, Deed, Part, Trace, TracedSession};
use crate::report::safe;

/// Width without a terminal, and the widest with one: longer lines are hard to read.
const TEXT_CHARS: usize = 120;
/// Narrower than this, wrapping does more harm than good.
const MIN_TEXT_CHARS: usize = 40;
/// Columns of a level of the tree.
const LEVEL_CHARS: usize = 3;
/// Levels that are shown by indentation; what lies deeper says how deep.
const MAX_LEVELS: usize = 12;
/// Labels and their blanks.
const LABEL_CHARS: usize = 8;
/// Items of a list shown before the rest is counted.
const MAX_ITEMS: usize = 6;
/// Calls of one kind shown in a session.
const MAX_ACTS: usize = 12;

/// Deeds of one kind shown below the tree.
const MAX_DEEDS: usize = 15;
/// User agents shown, and how much of each: they are long and say little.
const MAX_AGENTS: usize = 3;
const AGENT_CHARS: usize = 60;
/// Behind what was asked for.
const MARK: &str = "◀ asked";

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[33m";
const ASKED: &str = "\x1b[1;7m";
const PLAIN: &str = "";

pub fn text(trace: &Trace, options: TraceOptions) -> String {
    let width = options.width.unwrap_or(TEXT_CHARS);
    let mut page = Page {
        out: String::new(),
        width: width.clamp(MIN_TEXT_CHARS, TEXT_CHARS),
        color: options.color,
    };
    page.paragraph("", BOLD, &head(trace));
    page.out.push('\n');
    page.tree(&trace.sessions);
    page.out.push('\n');
    page.blast(&trace.blast);
    for note in &trace.notes {
        page.field("", "note", PLAIN, &safe::line(note));
    }
    page.out
}

/// What was asked, and how much of the answer is shown.
fn head(trace: &Trace) -> String {
    let kind = trace.kind.map_or("", |kind| kind.as_str());
    let came = trace.n_sessions.saturating_sub(trace.n_named);
    let mut text = format!(
        "{kind} {}: {}, {} came of {}",
        safe::line(&trace.asked),
        counted(trace.n_named, "session"),
        if came == 0 {
            "no other".to_owned()
        } else {
            format!("{} more", thousands(came))
        },
        if trace.n_named == 1 { "it" } else { "them" },
    );
    let n_left_out = trace.n_left_out();
    if n_left_out > 0 {
        text.push_str(&format!(
            "; shown are {}, those with denials and writes first, and {} more {} not",
            thousands(trace.n_shown()),
            thousands(n_left_out),
            if n_left_out == 1 { "is" } else { "are" }
        ));
    }
    text.trim_start().to_owned()
}

/// The lines of a tree that lie left of a session's.
struct Rails {
    first: String,
    rest: String,
}

struct Page {
    out: String,
    width: usize,
    color: bool,
}

impl Page {
    fn tree(&mut self, sessions: &[TracedSession]) {
        let children = children(sessions);
        let levels = (self.width / 2 / LEVEL_CHARS).clamp(1, MAX_LEVELS);
        // Whether the session is followed by another of the same parent, for each on the way down.
        let mut followed: Vec<bool> = Vec::new();
        let mut depths: Vec<usize> = Vec::with_capacity(sessions.len());
        for (at, session) in sessions.iter().enumerate() {
            let parent = parent_of(session, at);
            let depth = parent.map_or(0, |parent| depths[parent] + 1);
            depths.push(depth);
            let is_last = parent.is_none_or(|parent| {
                children[parent].last() == Some(&at) && sessions[parent].n_left_out == 0
            });
            followed.truncate(depth);
            followed.push(!is_last);
            let mut rails = rails(&followed, levels);
            let has_below = !children[at].is_empty() || session.n_left_out > 0;
            if depth == 0 && at > 0 {
                self.out.push('\n');
            }
            self.title(&rails, session, (depth > levels).then_some(depth));
            rails.rest.push_str(if has_below { "│  " } else { "   " });
            self.session(&rails.rest, session, depth == 0);
            for ended in ended_by(at, sessions, &children) {
                let rails = self::rails(&followed[..=depths[ended]], levels);
                self.left_out(&rails.rest, &sessions[ended]);
            }
        }
    }

    fn left_out(&mut self, rails: &str, session: &TracedSession) {
        if session.n_left_out > 0 {
            let more = format!("and {} more", thousands(session.n_left_out));
            self.line(&format!("{rails}└─ "), DIM, &more);
        }
    }

    fn title(&mut self, rails: &Rails, session: &TracedSession, step: Option<usize>) {
        let mut text = format!(
            "{} {}",
            safe::line(kind_words(&session.kind)),
            safe::line(&session.name())
        );
        if let Some(step) = step {
            text.push_str(&format!(", step {step} from its root"));
        }
        let style = style(Group::of(&session.kind));
        let mark = if session.is_asked {
            MARK.chars().count() + 1
        } else {
            0
        };
        let width = self.room(&rails.first).saturating_sub(mark);
        let mut lines = wrapped(&text, width).into_iter();
        let first = lines.next().unwrap_or_default();
        self.line(&rails.first, style, &first);
        for line in lines {
            self.line(&rails.rest, style, &line);
        }
        if session.is_asked {
            self.out.pop();
            self.out.push(' ');
            self.line("", ASKED, MARK);
        }
    }

    fn session(&mut self, rails: &str, session: &TracedSession, is_root: bool) {
        self.field(rails, "id", PLAIN, &identity(session));
        if is_root {
            self.field(rails, "root", PLAIN, &root(session));
        }
        let style = if session.is_only_likely() {
            YELLOW
        } else {
            PLAIN
        };
        self.field(rails, "from", style, &origin(session));
        self.field(rails, "when", PLAIN, &when(session));
        self.field(rails, "where", PLAIN, &place(session));
        for kind in ActKind::ALL {
            let style = match kind {
                ActKind::Denied => RED,
                ActKind::Write => YELLOW,
                ActKind::Read => PLAIN,
            };
            self.field(rails, kind.plural(), style, &acts(session, kind));
        }
        if session.n_aside > 0 {
            let text = format!(
                "{} that do not lead to what was asked",
                counted(session.n_aside, "session")
            );
            self.field(rails, "beside", DIM, &text);
        }
    }

    fn blast(&mut self, blast: &Blast) {
        let text = format!(
            "reach of what was asked and all that came of it: {}, {}, {} denied, {}",
            counted(blast.n_sessions, "session"),
            counted(blast.n_events, "event"),
            thousands(blast.n_denied),
            counted(blast.n_writes, "write")
        );
        self.paragraph("", BOLD, &text);
        let when = span(blast.first_time.as_deref(), blast.last_time.as_deref());
        let when = when.unwrap_or_default();
        self.field("", "when", PLAIN, &safe::line(&when));
        self.field("", "account", PLAIN, &list(&blast.accounts));
        self.field("", "roles", PLAIN, &list(&blast.roles));
        self.deeds("made", RED, &blast.persistence);
        self.deeds("wrote", YELLOW, &blast.written);
        self.deeds("read", PLAIN, &blast.read);
        self.field("", "region", PLAIN, &list(&blast.regions));
        self.field("", "address", PLAIN, &list(&blast.addresses));
    }

    /// One line for each, since what they are about is what one looks for.
    fn deeds(&mut self, label: &str, style: &'static str, deeds: &Part<Deed>) {
        let mut label = label;
        for deed in deeds.shown.iter().take(MAX_DEEDS) {
            self.field("", label, style, &deed_text(deed));
            label = "";
        }
        let n_more = deeds
            .n_all
            .saturating_sub(MAX_DEEDS.min(deeds.shown.len()) as u64);
        if n_more > 0 {
            let more = format!("and {} more", thousands(n_more));
            self.field("", label, DIM, &more);
        }
    }

    /// A labelled text, broken at blanks behind its label; nothing where there is no text. Labels of
    /// longer words keep a blank behind them.
    fn field(&mut self, rails: &str, label: &str, style: &'static str, text: &str) {
        if text.is_empty() {
            return;
        }
        let room = self.room(rails).saturating_sub(LABEL_CHARS);
        let mut label = format!("{label:<7} ");
        for line in wrapped(text, room.max(1)) {
            self.out.push_str(rails);
            self.styled(DIM, &label);
            self.line("", style, &line);
            label = " ".repeat(LABEL_CHARS);
        }
    }

    fn paragraph(&mut self, rails: &str, style: &'static str, text: &str) {
        for line in wrapped(text, self.room(rails)) {
            self.line(rails, style, &line);
        }
    }

    fn line(&mut self, rails: &str, style: &'static str, text: &str) {
        self.out.push_str(rails);
        self.styled(style, text);
        let kept = self.out.trim_end_matches(' ').len();
        self.out.truncate(kept);
        self.out.push('\n');
    }

    fn styled(&mut self, style: &'static str, text: &str) {
        if self.color && !style.is_empty() {
            self.out.push_str(&format!("{style}{text}\x1b[0m"));
        } else {
            self.out.push_str(text);
        }
    }

    fn room(&self, rails: &str) -> usize {
        self.width.saturating_sub(rails.chars().count()).max(1)
    }
}

fn rails(followed: &[bool], levels: usize) -> Rails {
    let (own, above) = match followed {
        // The root itself has nothing left of it.
        [] | [_] => {
            return Rails {
                first: String::new(),
                rest: String::new(),
            };
        }
        [_, above @ .., own] => (own, above),
    };
    let above = &above[..above.len().min(levels - 1)];
    let above: String = above
        .iter()
        .map(|followed| if *followed { "│  " } else { "   " })
        .collect();
    Rails {
        first: format!("{above}{}", if *own { "├─ " } else { "└─ " }),
        rest: format!("{above}{}", if *own { "│  " } else { "   " }),
    }
}

fn style(group: Group) -> &'static str {
    match group {
        Group::User => "\x1b[1;34m",
        Group::Root => "\x1b[1;31m",
        Group::Federated => "\x1b[1;36m",
        Group::Role => "\x1b[1;35m",
        Group::Workload => "\x1b[1;32m",
        Group::Outside => BOLD,
        Group::Unseen => "\x1b[1;33m",
    }
}

/// What tells the session apart.
fn identity(session: &TracedSession) -> String {
    let mut parts = vec![session.session_id.clone()];
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            parts.push(format!("{name}{value}"));
        }
    };
    let key = filled(session.access_key_id.as_ref());
    put("key ", key.filter(|key| *key != session.session_id));
    put("account ", filled(session.account.as_ref()));
    put("source identity ", filled(session.source_identity.as_ref()));
    put(
        "",
        session.mfa.map(|mfa| if mfa { "MFA" } else { "no MFA" }),
    );
    put(
        "",
        session
            .console
            .filter(|console| *console)
            .map(|_| "console"),
    );
    put("expires ", filled(session.expires_at.as_ref()));
    let parts: Vec<_> = parts.iter().map(|part| safe::line(part)).collect();
    parts.join(", ")
}

fn root(session: &TracedSession) -> String {
    let Some(kind) = filled(session.root_kind.as_ref()) else {
        return String::new();
    };
    let mut text = kind.to_owned();
    if let Some(identity) = filled(session.root_identity.as_ref())
        && identity != session.name()
    {
        text.push_str(&format!(" {identity}"));
    }
    if let Some(confidence) = filled(session.root_confidence.as_ref()) {
        text.push_str(&format!(" ({confidence})"));
    }
    safe::line(&text).into_owned()
}

/// By what event the credential was issued, and how it was tied to that.
fn origin(session: &TracedSession) -> String {
    let issue = session.issue.as_ref().map(|issue| {
        let mut text = issue.event_name.clone();
        if let Some(time) = filled(issue.time.as_ref()) {
            text.push_str(&format!(" {time}"));
        }
        if !issue.event_id.is_empty() {
            text.push_str(&format!(", event {}", issue.event_id));
        }
        text
    });
    let parts: Vec<String> = [issue, tie(session)].into_iter().flatten().collect();
    safe::line(&parts.join("; ")).into_owned()
}

fn when(session: &TracedSession) -> String {
    if session.n_events == 0 {
        return "no events of its own".to_owned();
    }
    let when = span(session.first_time.as_deref(), session.last_time.as_deref());
    let when = when.map_or_else(
        || "at no known time".to_owned(),
        |when| safe::line(&when).into(),
    );
    format!("{when} ({})", figures(session))
}

fn place(session: &TracedSession) -> String {
    let agents = words::list(&session.agents, MAX_AGENTS, |agent| {
        clipped(&safe::line(agent), AGENT_CHARS)
    });
    let parts = [list(&session.addresses), list(&session.regions), agents];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("; ")
}

fn list(part: &Part<String>) -> String {
    words::list(part, MAX_ITEMS, |item| safe::line(item).into_owned())
}

fn acts(session: &TracedSession, kind: ActKind) -> String {
    let mut parts = Vec::new();
    let mut n_more = 0;
    for (n, one) in acts_of(session, kind).enumerate() {
        if n < MAX_ACTS || one.is_asked {
            let mut text = safe::line(&act(one)).into_owned();
            if one.is_asked {
                text.push_str(&format!(" {MARK}"));
            }
            parts.push(text);
        } else {
            n_more += 1;
        }
    }
    let text = and_more(parts.join(", "), n_more);
    let is_last = acts_of(session, kind).next().is_some()
        && session
            .acts
            .shown
            .last()
            .is_some_and(|last| last.kind == kind);
    // Calls beyond what was loaded come after those of the last kind there is.
    match session.acts.n_left_out() {
        1 if is_last => format!("{text}; 1 further kind of call"),
        more if more > 0 && is_last => {
            format!("{text}; {} further kinds of calls", thousands(more))
        }
        _ => text,
    }
}

fn deed_text(deed: &Deed) -> String {
    let mut text = deed.call();
    if let Some(subject) = filled(deed.subject.as_ref()) {
        text.push_str(&format!(" {subject}"));
    }
    if deed.count > 1 {
        text.push_str(&format!(" ×{}", thousands(deed.count)));
    }
    if let Some(time) = filled(deed.first_time.as_ref()) {
        text.push_str(&format!(", {time}"));
    }
    if let Some(session) = filled(deed.session_id.as_ref()) {
        text.push_str(&format!(", by {session}"));
    }
    safe::line(&text).into_owned()
}

/// Lines of at most so many characters, broken at blanks; a longer word stays whole, so that ARNs
/// and ids can be copied.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut n_chars = 0;
    for word in text.split(' ') {
        let chars = word.chars().count();
        if n_chars > 0 && n_chars + 1 + chars > width {
            lines.push(std::mem::take(&mut line));
            n_chars = 0;
        }
        if n_chars > 0 {
            line.push(' ');
            n_chars += 1;
        }
        line.push_str(word);
        n_chars += chars;
    }
    lines.push(line);
    lines
}
