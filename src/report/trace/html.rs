//! A story as one HTML file to look at: a picture of the sessions, how far they reached, and what was
//! done in each. No script, no network, no further file.
//!
//! Always true: every text passes [`safe::html`], whoever wrote it; attributes are quoted and hold
//! what is made here; and the page forbids itself to load or run anything, should that ever fail.

use std::fmt::Write as _;

use super::picture;
use super::words::{
    self, Group, counted, figures, filled, kind_words, short_name, span, thousands, tie,
};
use crate::lineage::story::{Act, Blast, Deed, Part, Trace, TracedSession};
use crate::report::safe;

const STYLE: &str = include_str!("../findings/report.css");
const TRACE_STYLE: &str = include_str!("trace.css");
const TITLE: &str = "Trace";
/// So many sessions are opened for reading; of more, those that were asked for and those with denials
/// or writes.
const MAX_OPEN: usize = 10;
/// Items of a list shown before the rest is counted.
const MAX_ITEMS: usize = 50;
/// Events of a call.
const MAX_EVENT_IDS: usize = 3;

pub fn text(trace: &Trace) -> String {
    let kind = trace.kind.map_or("", |kind| kind.as_str());
    let asked = code(&trace.asked);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{TITLE} of {0}</title>\n<style>\n{STYLE}{TRACE_STYLE}</style>\n</head>\n<body>\n\
         <h1>{TITLE} of {kind} {asked}</h1>\n",
        html(&trace.asked)
    );
    summary(trace, &mut out);
    legend(&mut out);
    let _ = writeln!(
        out,
        "<div class=\"picture\" tabindex=\"0\">\n{}</div>",
        picture::svg(&trace.sessions)
    );
    blast(&trace.blast, &mut out);
    out.push_str("<h2>What was done in each session</h2>\n");
    for (at, session) in trace.sessions.iter().enumerate() {
        let is_open = trace.sessions.len() <= MAX_OPEN
            || session.is_asked && trace.n_named <= MAX_OPEN as u64
            || session.n_denied > 0
            || session.n_writes > 0;
        block(at, session, is_open, &mut out);
    }
    out.push_str("<footer>Made by spoor.</footer>\n</body>\n</html>\n");
    out
}

// Writing into a String cannot fail, so the results of `write!` are let go.

fn summary(trace: &Trace, out: &mut String) {
    let came = trace.n_sessions.saturating_sub(trace.n_named);
    let _ = write!(
        out,
        "<p>{} asked for, {} came of {}.",
        counted(trace.n_named, "session"),
        if came == 0 {
            "no other".to_owned()
        } else {
            format!("{} more", thousands(came))
        },
        if trace.n_named == 1 { "it" } else { "them" }
    );
    let n_left_out = trace.n_left_out();
    if n_left_out > 0 {
        let _ = write!(
            out,
            " <strong>Shown are {}, and {} more {} not</strong>: those with denials and writes come first.",
            thousands(trace.n_shown()),
            thousands(n_left_out),
            if n_left_out == 1 { "is" } else { "are" }
        );
    }
    out.push_str("</p>\n");
    for note in &trace.notes {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", html(note));
    }
}

fn legend(out: &mut String) {
    out.push_str("<p class=\"legend\">");
    for group in Group::ALL {
        let _ = write!(
            out,
            "<span class=\"box {}\"><span class=\"swatch\"></span>{}</span> ",
            group.class(),
            group.legend()
        );
    }
    out.push_str(
        "<span>double frame: where it begins</span> <span>thick frame: asked for</span> \
         <span>dashed line: only likely</span></p>\n",
    );
}

fn blast(blast: &Blast, out: &mut String) {
    let _ = writeln!(
        out,
        "<h2>How far it reached</h2>\n<p>What was asked for and all that came of it: {}, {}, \
         <span class=\"denied\">{} denied</span>, <span class=\"write\">{}</span>.</p>\n<dl>",
        counted(blast.n_sessions, "session"),
        counted(blast.n_events, "event"),
        thousands(blast.n_denied),
        counted(blast.n_writes, "write")
    );
    let when = span(blast.first_time.as_deref(), blast.last_time.as_deref());
    entry("When", &html(&when.unwrap_or_default()), out);
    for (name, part) in [
        ("Accounts", &blast.accounts),
        ("Roles", &blast.roles),
        ("Regions", &blast.regions),
        ("Addresses", &blast.addresses),
    ] {
        entry(name, &codes(part), out);
    }
    out.push_str("</dl>\n");
    deeds("Made to stay", &blast.persistence, out);
    deeds("Written", &blast.written, out);
    deeds("Data read", &blast.read, out);
}

fn deeds(title: &str, part: &Part<Deed>, out: &mut String) {
    if part.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "<h3>{title}</h3>\n<div class=\"wide\"><table>\n<tr><th>Call</th><th>About</th><th class=\"n\">Times</th>\
         <th>First</th><th>Session</th><th>Event</th></tr>"
    );
    for deed in &part.shown {
        let _ = writeln!(
            out,
            "<tr><td class=\"call\">{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"t\">{}</td><td class=\"key\">{}</td><td class=\"ids\">{}</td></tr>",
            html(&deed.call()),
            optional_code(deed.subject.as_ref()),
            thousands(deed.count),
            html(deed.first_time.as_deref().unwrap_or_default()),
            optional_code(deed.session_id.as_ref()),
            optional_code(deed.event_id.as_ref())
        );
    }
    left_out(6, part.n_left_out(), out);
    out.push_str("</table></div>\n");
}

fn left_out(n_columns: u8, n: u64, out: &mut String) {
    if n > 0 {
        let n = thousands(n);
        let _ = writeln!(
            out,
            "<tr><td colspan=\"{n_columns}\">and {n} more</td></tr>"
        );
    }
}

fn block(at: usize, session: &TracedSession, is_open: bool, out: &mut String) {
    let group = Group::of(&session.kind).class();
    let _ = write!(
        out,
        "<details class=\"session box {group}\" id=\"s{at}\"{}>\n<summary><span class=\"kind\">{}</span> {}",
        if is_open { " open" } else { "" },
        html(kind_words(&session.kind)),
        html(&short_name(session))
    );
    if session.is_asked {
        out.push_str(" <span class=\"tag\">asked for</span>");
    }
    let _ = writeln!(
        out,
        " <span class=\"about\">{}</span></summary>\n<dl>",
        html(&figures(session))
    );
    facts(session, out);
    out.push_str("</dl>\n");
    acts(&session.acts, out);
    out.push_str("</details>\n");
}

fn facts(session: &TracedSession, out: &mut String) {
    entry("Session", &code(&session.session_id), out);
    let code_of = |text: &Option<String>| optional_code(text.as_ref());
    if session.access_key_id.as_deref() != Some(&session.session_id) {
        entry("Access key", &code_of(&session.access_key_id), out);
    }
    entry("Principal", &code(&session.name()), out);
    entry("Account", &code_of(&session.account), out);
    if let Some(issue) = &session.issue {
        let mut text = format!("{} {}", html(&issue.event_name), code(&issue.event_id));
        if let Some(time) = &issue.time {
            let _ = write!(text, ", {}", html(time));
        }
        entry("Issued by", &text, out);
    }
    entry("Link", &html(&tie(session).unwrap_or_default()), out);
    entry("Begins with", &root(session), out);
    entry("Source identity", &code_of(&session.source_identity), out);
    let mfa = session.mfa.map_or("", |mfa| if mfa { "yes" } else { "no" });
    entry("MFA", mfa, out);
    let console = session.console.filter(|console| *console);
    entry("Console", console.map_or("", |_| "yes"), out);
    let expires = session.expires_at.as_deref().unwrap_or_default();
    entry("Expires", &html(expires), out);
    let when = span(session.first_time.as_deref(), session.last_time.as_deref());
    entry("When", &html(&when.unwrap_or_default()), out);
    entry("From", &codes(&session.addresses), out);
    entry("Regions", &codes(&session.regions), out);
    entry("Agents", &codes(&session.agents), out);
    for (name, n) in [
        ("Beside", session.n_aside),
        ("Not shown", session.n_left_out),
    ] {
        if n > 0 {
            let what = counted(n, "session");
            let text = if name == "Beside" {
                format!("{what} made here that do not lead to what was asked for")
            } else {
                format!("{what} made here")
            };
            entry(name, &text, out);
        }
    }
}

fn root(session: &TracedSession) -> String {
    let Some(kind) = filled(session.root_kind.as_ref()) else {
        return String::new();
    };
    let mut text = html(kind);
    if let Some(identity) = filled(session.root_identity.as_ref()) {
        let _ = write!(text, " {}", code(identity));
    }
    if let Some(confidence) = filled(session.root_confidence.as_ref()) {
        let _ = write!(text, " ({})", html(confidence));
    }
    text
}

fn acts(part: &Part<Act>, out: &mut String) {
    if part.is_empty() {
        return;
    }
    out.push_str(
        "<div class=\"wide\"><table>\n<tr><th></th><th>Call</th><th class=\"n\">Times</th><th>When</th>\
         <th>About</th><th>Events</th></tr>\n",
    );
    for act in &part.shown {
        let mut call = html(&act.call());
        if let Some(code) = filled(act.error_code.as_ref()) {
            let _ = write!(call, "<br><span class=\"soft\">{}</span>", html(code));
        }
        if act.is_asked {
            call.push_str(" <span class=\"tag\">asked for</span>");
        }
        let when = span(act.first_time.as_deref(), act.last_time.as_deref());
        let events = act.event_ids.iter().take(MAX_EVENT_IDS);
        let events: Vec<String> = events.map(|id| code(id)).collect();
        let _ = writeln!(
            out,
            "<tr><td class=\"{0}\">{0}</td><td class=\"call\">{call}</td><td class=\"n\">{1}</td><td class=\"when\">{2}</td><td>{3}</td><td class=\"ids\">{4}</td></tr>",
            act.kind.as_str(),
            thousands(act.count),
            html(&when.unwrap_or_default()),
            codes(&act.resources),
            events.join("<br>")
        );
    }
    left_out(6, part.n_left_out(), out);
    out.push_str("</table></div>\n");
}

/// A name with its value, which is HTML; nothing where there is none.
fn entry(name: &str, value: &str, out: &mut String) {
    if !value.is_empty() {
        let _ = writeln!(out, "<dt>{name}</dt><dd>{value}</dd>");
    }
}

fn codes(part: &Part<String>) -> String {
    words::list(part, MAX_ITEMS, code)
}

fn optional_code(text: Option<&String>) -> String {
    filled(text).map(code).unwrap_or_default()
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", html(text))
}

fn html(text: &str) -> String {
    safe::html(&safe::line(text)).into_owned()
}
