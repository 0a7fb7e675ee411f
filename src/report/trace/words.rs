//! The words that the formats share: what a session is called, how it was tied, what it did.
//!
//! Texts that come out of here are not yet made safe, save where a function says so: each format does
//! that for its own place.

use crate::lineage::story::{Act, ActKind, Part, TracedSession};

/// Kinds of sessions that look alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    User,
    Root,
    Federated,
    Role,
    Workload,
    Outside,
    Unseen,
}

impl Group {
    pub const ALL: [Self; 7] = [
        Self::User,
        Self::Root,
        Self::Federated,
        Self::Role,
        Self::Workload,
        Self::Outside,
        Self::Unseen,
    ];

    pub fn of(kind: &str) -> Self {
        match kind {
            "user-key" | "user" | "user-session" | "console" => Self::User,
            "root" | "assumed-root" => Self::Root,
            "saml" | "oidc" | "identity-center" | "federated-user" => Self::Federated,
            "role" => Self::Role,
            "instance" | "function" | "task" | "pod" => Self::Workload,
            "service" | "account" => Self::Outside,
            _ => Self::Unseen,
        }
    }

    /// A word that names the group in style sheets and graphs.
    pub fn class(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Root => "rootuser",
            Self::Federated => "federated",
            Self::Role => "role",
            Self::Workload => "workload",
            Self::Outside => "outside",
            Self::Unseen => "unseen",
        }
    }

    /// What the group's color means.
    pub fn legend(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Root => "root",
            Self::Federated => "federated",
            Self::Role => "role",
            Self::Workload => "workload",
            Self::Outside => "service, other account",
            Self::Unseen => "not in the evidence",
        }
    }

    /// Fill and line of a box in graphs that have no style sheet.
    pub fn colors(self) -> (&'static str, &'static str) {
        match self {
            Self::User => ("#dbeafe", "#1d4ed8"),
            Self::Root => ("#fee2e2", "#b91c1c"),
            Self::Federated => ("#ccfbf1", "#0f766e"),
            Self::Role => ("#ede9fe", "#6d28d9"),
            Self::Workload => ("#dcfce7", "#15803d"),
            Self::Outside => ("#e5e7eb", "#4b5563"),
            Self::Unseen => ("#fef3c7", "#b45309"),
        }
    }
}

/// A kind of session in words.
pub fn kind_words(kind: &str) -> &str {
    match kind {
        "user-key" => "access key",
        "user-session" => "session of a user",
        "console" => "console session",
        "role" => "role session",
        "federated-user" => "federated user",
        "root" => "root user",
        "assumed-root" => "assumed root",
        "saml" => "SAML user",
        "oidc" => "web identity",
        "identity-center" => "Identity Center user",
        "account" => "principal of another account",
        "unseen" => "issuer not in the evidence",
        "" => "session",
        other => other,
    }
}

/// What the link says, so that one can judge it.
fn link_words(link: &str) -> &str {
    match link {
        "sign-in-session" => "the record names the sign-in",
        "source-identity" => "same source identity, role and moment",
        "credential-id" => "same credential id of Identity Center",
        "issued-key" => "the key that was issued is the one that was used",
        "role-id" => "same role id and session name",
        "principal-creation" => "same principal, begun at the moment it was issued",
        "session-name" => "same role and session name, begun at the moment it was issued",
        "console" => "signed in to the console",
        "identity-center" => "same role, given out by Identity Center",
        "issued" => "nobody used it: known from the issuing record alone",
        "workload" => "the record shows the workload that holds it",
        "session-issuer" => "the record names who issued it",
        "service-linked" => "the role is one of the service's own",
        _ => "",
    }
}

/// How it is known who made the issuing call, where the record of it does not say so itself.
fn caller_words(caller_link: &str) -> &str {
    match caller_link {
        "shared-event-id" => "its caller by the other account's record of the call",
        "request-id" => "its caller by another record of the same request",
        "principal" => "its caller by the only session of that principal at the time",
        "switch-from" => "its caller by the console's record of switching",
        _ => "",
    }
}

/// How the session was tied to what issued it, and how sure that is: `tied by issued-key: the key …
/// (certain)`. Nothing where there is no link.
pub fn tie(session: &TracedSession) -> Option<String> {
    let link = filled(session.link.as_ref())?;
    let mut text = format!("tied by {link}");
    let words = link_words(link);
    if !words.is_empty() {
        text.push_str(&format!(": {words}"));
    }
    let caller = filled(session.caller_link.as_ref()).map_or("", caller_words);
    if !caller.is_empty() {
        text.push_str(&format!("; {caller}"));
    }
    if let Some(confidence) = filled(session.confidence.as_ref()) {
        text.push_str(&format!(" ({confidence})"));
    }
    Some(text)
}

/// The name without what is the same in every ARN, and without paths: `prod-admin/m.keller`.
pub fn short_name(session: &TracedSession) -> String {
    let name = session.name();
    if let "saml" | "oidc" | "pod" = session.kind.as_str() {
        // The provider comes first, then whom it vouches for.
        let (_, subject) = name.rsplit_once(' ').unwrap_or_default();
        return if subject.is_empty() { &name } else { subject }.to_owned();
    }
    // Of an issuer that nobody saw, whose issuer it is.
    let of_unseen = name.strip_prefix("unseen issuer of ");
    let mut parts = of_unseen.unwrap_or(&name).splitn(6, ':');
    let (Some("arn"), Some(resource)) = (parts.next(), parts.nth(4)) else {
        return name.into_owned();
    };
    let is_session = filled(session.session_name.as_ref()).is_some();
    let (kind, rest) = resource.split_once('/').unwrap_or(("", resource));
    let n_kept = match kind {
        "role" if is_session => 2,
        "role" | "user" => 1,
        "assumed-role" | "federated-user" => usize::MAX,
        _ => return resource.to_owned(),
    };
    let segments: Vec<&str> = rest.split('/').collect();
    let kept = &segments[segments.len().saturating_sub(n_kept)..];
    match kept.join("/") {
        kept if kept.is_empty() => resource.to_owned(),
        kept if of_unseen.is_some() => format!("of {kept}"),
        kept => kept,
    }
}

/// `14 events, 3 denied, 12 writes`, without what is none.
pub fn figures(session: &TracedSession) -> String {
    let mut text = counted(session.n_events, "event");
    if session.n_denied > 0 {
        text.push_str(&format!(", {} denied", thousands(session.n_denied)));
    }
    if session.n_writes > 0 {
        text.push_str(&format!(", {}", counted(session.n_writes, "write")));
    }
    text
}

/// From when to when; the day once, where both are of one day.
pub fn span(first: Option<&str>, last: Option<&str>) -> Option<String> {
    let (first, last) = (first.or(last)?, last.or(first)?);
    if first == last {
        return Some(first.to_owned());
    }
    let same_day = first.get(..11).filter(|day| day.ends_with('T'));
    let last = same_day
        .and_then(|day| last.strip_prefix(day))
        .unwrap_or(last);
    Some(format!("{first} – {last}"))
}

/// `12 March, 02:24:08` would be longer: `03-12 02:24:08`, where the text is a time.
pub fn clock(time: &str) -> String {
    match (time.get(5..10), time.get(10..11), time.get(11..19)) {
        (Some(day), Some("T"), Some(clock)) => format!("{day} {clock}"),
        _ => time.to_owned(),
    }
}

/// The acts of one kind.
pub fn acts_of(session: &TracedSession, kind: ActKind) -> impl Iterator<Item = &Act> {
    let acts = session.acts.shown.iter();
    acts.filter(move |act| act.kind == kind)
}

/// `iam:CreateUser ×2 (LimitExceeded)`. A denial's code says no more than that it is one.
pub fn act(act: &Act) -> String {
    let mut text = act.call();
    if act.count > 1 {
        text.push_str(&format!(" ×{}", thousands(act.count)));
    }
    if let Some(code) = filled(act.error_code.as_ref())
        && act.kind != ActKind::Denied
    {
        text.push_str(&format!(" ({code})"));
    }
    text
}

/// The items and how many there are beyond them, each through `safe`.
pub fn list(part: &Part<String>, most: usize, safe: impl Fn(&str) -> String) -> String {
    let shown = part.shown.iter().take(most);
    let shown: Vec<String> = shown.map(|item| safe(item)).collect();
    let more = part.n_all.saturating_sub(shown.len() as u64);
    and_more(shown.join(", "), more)
}

/// A list, and how many are missing from it.
pub fn and_more(list: String, n_more: u64) -> String {
    match (n_more, list.is_empty()) {
        (0, _) => list,
        (n, true) => thousands(n),
        (n, false) => format!("{list} and {} more", thousands(n)),
    }
}

/// `1 session`, `99,980 sessions`.
pub fn counted(n: u64, noun: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", thousands(n))
}

/// `99,980`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The sessions that each session made, in their order. Whoever names no session before it as its
/// parent is a root.
pub fn children(sessions: &[TracedSession]) -> Vec<Vec<usize>> {
    let mut children = vec![Vec::new(); sessions.len()];
    for (at, session) in sessions.iter().enumerate() {
        if let Some(parent) = parent_of(session, at) {
            children[parent].push(at);
        }
    }
    children
}

/// The parent of the session in this place, where it stands before it.
pub fn parent_of(session: &TracedSession, at: usize) -> Option<usize> {
    session.parent.filter(|parent| *parent < at)
}

/// The sessions of which everything is told once the one in this place is, innermost first: itself,
/// and those whose last descendant it is. None where it has children.
pub fn ended_by(at: usize, sessions: &[TracedSession], children: &[Vec<usize>]) -> Vec<usize> {
    if !children[at].is_empty() {
        return Vec::new();
    }
    let mut ended = vec![at];
    let mut child = at;
    while let Some(parent) = parent_of(&sessions[child], child)
        && children[parent].last() == Some(&child)
    {
        ended.push(parent);
        child = parent;
    }
    ended
}

/// A text that says something.
pub fn filled(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// At most so many characters, with a sign where some are missing. For pictures, where there is no
/// room to say how many.
pub fn clipped(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_set_in_threes() {
        let check = |n: u64, expected: &str| assert_eq!(thousands(n), expected);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(99_980, "99,980");
        check(1_234_567, "1,234,567");
    }

    #[test]
    fn one_day_is_named_once() {
        let check = |first: Option<&str>, last: Option<&str>, expected: Option<&str>| {
            assert_eq!(span(first, last).as_deref(), expected);
        };
        let (morning, noon) = ("2025-03-06T02:24:08Z", "2025-03-06T12:00:00Z");
        check(
            Some(morning),
            Some(noon),
            Some("2025-03-06T02:24:08Z – 12:00:00Z"),
        );
        check(
            Some(morning),
            Some("2025-03-07T02:24:08Z"),
            Some("2025-03-06T02:24:08Z – 2025-03-07T02:24:08Z"),
        );
        check(Some(noon), None, Some(noon));
        check(Some("ünïcödé äöü"), Some("x"), Some("ünïcödé äöü – x"));
        check(None, None, None);
    }

    #[test]
    fn names_lose_what_all_arns_have() {
        let check = |arn: &str, expected: &str| {
            let session = TracedSession {
                arn: Some(arn.to_owned()),
                ..TracedSession::default()
            };
            assert_eq!(short_name(&session), expected);
        };
        check("arn:aws:iam::111122223333:role/team/admin", "admin");
        check(
            "arn:aws:sts::111122223333:assumed-role/admin/ann",
            "admin/ann",
        );
        check(
            "arn:aws:iam::111122223333:oidc-provider/x",
            "oidc-provider/x",
        );
        check("arn:aws:iam::111122223333:user/ann", "ann");
        check("arn:aws:iam::111122223333:root", "root");
        check("arn:aws:iam::111122223333:user/", "user/");
        check("AIDAEXAMPLE", "AIDAEXAMPLE");
        check("arn:", "arn:");
        let session = TracedSession {
            session_name: Some("ann".to_owned()),
            principal: Some("arn:aws:iam::111122223333:role/team/admin/ann".to_owned()),
            ..TracedSession::default()
        };
        assert_eq!(short_name(&session), "admin/ann");
        let session = TracedSession {
            kind: "oidc".to_owned(),
            root_identity: Some("arn:aws:iam::1:oidc-provider/git repo:a/b".to_owned()),
            ..TracedSession::default()
        };
        assert_eq!(short_name(&session), "repo:a/b");
    }

    #[test]
    fn clocks_are_read_from_times_only() {
        assert_eq!(clock("2025-03-06T02:24:08Z"), "03-06 02:24:08");
        assert_eq!(clock("nonsense"), "nonsense");
        assert_eq!(clock("ääääääääääääää"), "ääääääääääääää");
    }
}
