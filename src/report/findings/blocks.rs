//! Findings as blocks to read: one block a finding, worst first, and a summary that closes the account.

use std::io::Write;

use super::totals::{self, Totals, by_severity, entries, percent, plural};
use super::{FindingOptions, FindingsReport};
use crate::error::{ReportError, Result};
use crate::finding::{Finding, Severity};
use crate::report::safe;

/// Wrapping width without a terminal, and the widest with one: longer lines are hard to read.
const TEXT_CHARS: usize = 100;
/// Narrower than this, wrapping does more harm than good.
const MIN_TEXT_CHARS: usize = 40;
/// Labels and their blanks.
const INDENT: &str = "          ";
/// Items of a list shown before the rest is counted.
const MAX_ITEMS: usize = 4;
/// Roots shown, each on lines of its own.
const MAX_ORIGINS: usize = 3;

pub fn write(
    report: &FindingsReport<'_>,
    sorted: &[&Finding],
    out: &mut dyn Write,
    options: FindingOptions,
) -> Result<()> {
    let width = options.width.unwrap_or(TEXT_CHARS);
    let width = width.clamp(MIN_TEXT_CHARS, TEXT_CHARS);
    let mut text = String::new();
    for finding in sorted {
        text.clear();
        block(finding, width, options.color, &mut text);
        text.push('\n');
        out.write_all(text.as_bytes()).map_err(ReportError::from)?;
    }
    text.clear();
    closing(report, width, &mut text);
    out.write_all(text.as_bytes()).map_err(ReportError::from)?;
    Ok(out.flush().map_err(ReportError::from)?)
}

fn block(finding: &Finding, width: usize, color: bool, out: &mut String) {
    let tag = finding.severity.as_str().to_uppercase();
    let tag = format!("{tag:<8}  ");
    let title = format!(
        "{} ({})",
        safe::line(&finding.title),
        safe::line(&finding.rule)
    );
    let (on, off) = if color {
        (style(finding.severity), "\x1b[0m")
    } else {
        ("", "")
    };
    out.push_str(&format!("{on}{tag}{off}"));
    push_wrapped(&title, width, out);

    field("who", &list(&finding.actors), width, out);
    let mut label = "root";
    for origin in finding.origins.iter().take(MAX_ORIGINS) {
        let told = origin.told();
        field(std::mem::take(&mut label), &safe::line(&told), width, out);
    }
    if let more @ 1.. = finding.origins.len().saturating_sub(MAX_ORIGINS) {
        field("", &format!("and {more} more"), width, out);
    }
    field("what", &list(&finding.event_names), width, out);
    field("about", &safe::line(&finding.subject), width, out);
    field("when", &when(finding), width, out);
    field("where", &place(finding), width, out);
    field("why", &safe::line(&finding.summary), width, out);
    if let Some(step) = first_step(finding) {
        field("next", &step, width, out);
    }
    field("proof", &list(&finding.event_ids), width, out);
    // Not wrapped: it is there to be copied.
    let sql = safe::lines(finding.next_sql.trim());
    for (n, line) in sql.lines().enumerate() {
        let label = if n == 0 { "sql" } else { "" };
        out.push_str(&format!("  {label:<6}  {line}\n"));
    }
}

fn field(label: &str, text: &str, width: usize, out: &mut String) {
    if !text.is_empty() {
        out.push_str(&format!("  {label:<6}  "));
        push_wrapped(text, width, out);
    }
}

fn when(finding: &Finding) -> String {
    let events = plural(finding.count, "event");
    let first = safe::line(&finding.first_time);
    let last = safe::line(&finding.last_time);
    if first == last {
        format!("{first} ({events})")
    } else {
        format!("{first} – {last} ({events})")
    }
}

fn place(finding: &Finding) -> String {
    let account = finding.account.as_deref().map(|account| {
        let account = safe::line(account);
        format!("account {account}")
    });
    let sources = list(&finding.source_ips);
    let parts = [
        account.unwrap_or_default(),
        list(&finding.regions),
        if sources.is_empty() {
            sources
        } else {
            format!("from {sources}")
        },
    ];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

/// What to do first: the first recipe and its first step.
fn first_step(finding: &Finding) -> Option<String> {
    let recipe = finding.remediation.first()?;
    let mut title = safe::line(&recipe.title).into_owned();
    if let Some(account) = &recipe.account {
        title.push_str(&format!(" in account {}", safe::line(account)));
    }
    let step = recipe
        .steps
        .lines()
        .find_map(|line| line.strip_prefix("1. "));
    let more = match finding.remediation.len() {
        1 => String::new(),
        n => format!(" [and {} more]", plural(n as u64 - 1, "recipe")),
    };
    Some(match step {
        Some(step) => format!("{title}: {}{more}", safe::line(step)),
        None => format!("{title}{more}"),
    })
}

fn list(items: &[String]) -> String {
    let shown: Vec<_> = items
        .iter()
        .take(MAX_ITEMS)
        .map(|item| safe::line(item))
        .collect();
    let shown = shown.join(", ");
    match items.len().saturating_sub(MAX_ITEMS) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// What the run was: findings of each severity, what each rule costs its reader, and what is not
/// among the findings and why.
fn closing(report: &FindingsReport<'_>, width: usize, out: &mut String) {
    let mut line = plural(report.findings.len() as u64, "finding");
    if !report.findings.is_empty() {
        line.push_str(&format!(": {}", by_severity(report.findings)));
    }
    line.push_str(&format!(
        "; {} run over {}",
        plural(report.n_rules, "rule"),
        plural(report.n_events, "event")
    ));
    if !report.failures.is_empty() {
        line.push_str(&format!("; {} failed", report.failures.len()));
    }
    out.push_str(&line);
    out.push('\n');
    budget(report, out);
    let mut label = "lists";
    for entry in entries(report) {
        let text = format!(
            "{} suppressed by {} ({})",
            entry.n_findings,
            safe::line(entry.entry),
            safe::line(entry.reason)
        );
        remark(std::mem::take(&mut label), &text, width, out);
    }
    let learning = report.learning.iter();
    let learning: Vec<_> = learning
        .map(|rule| format!("{} ({})", safe::line(&rule.rule), totals::learning(rule)))
        .collect();
    if !learning.is_empty() {
        let text = format!(
            "{}: what came first is taken as normal, not judged",
            learning.join(", ")
        );
        remark("learning", &text, width, out);
    }
    if report.n_baseline > 0 {
        let text = format!(
            "{} before the hunt, learned from and not reported",
            plural(report.n_baseline, "would-be finding")
        );
        remark("baseline", &text, width, out);
    }
    if report.n_left_out > 0 {
        let text = format!(
            "{} below the severity asked for",
            plural(report.n_left_out, "finding")
        );
        remark("left out", &text, width, out);
    }
}

/// A line for each rule with findings, and for all of them.
fn budget(report: &FindingsReport<'_>, out: &mut String) {
    if report.budget.is_empty() {
        return;
    }
    let mut row = |label: &str, findings: &str, events: &str, share: &str, rule: &str| {
        let line = format!("{label:<8}  {findings:>8}  {events:>8}  {share:>10}  {rule}\n");
        out.push_str(&line);
    };
    row("budget", "findings", "events", "share", "rule");
    for budget in report.budget {
        let (findings, events) = (budget.n_findings.to_string(), budget.n_events.to_string());
        let rule = safe::line(&budget.rule);
        row("", &findings, &events, &percent(budget.share), &rule);
    }
    let totals = Totals::of(report);
    for (total, what) in [
        (totals.all, "all"),
        (totals.medium_or_worse, "medium or worse"),
    ] {
        let (findings, events) = (total.n_findings.to_string(), total.n_events.to_string());
        row("", &findings, &events, &percent(total.share), what);
    }
}

fn remark(label: &str, text: &str, width: usize, out: &mut String) {
    out.push_str(&format!("{label:<8}  "));
    push_wrapped(text, width, out);
}

fn style(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "\x1b[1;97;41m",
        Severity::High => "\x1b[1;31m",
        Severity::Medium => "\x1b[1;33m",
        Severity::Low => "\x1b[36m",
        Severity::Info => "\x1b[2m",
    }
}

/// Appends text that starts behind [`INDENT`], broken at blanks; a word longer than a line stays
/// whole, so that ARNs and ids can be copied.
fn push_wrapped(text: &str, width: usize, out: &mut String) {
    let mut column = INDENT.len();
    for (n, word) in text.split(' ').enumerate() {
        let chars = word.chars().count();
        if n > 0 {
            if column + 1 + chars > width {
                out.push('\n');
                out.push_str(INDENT);
                column = INDENT.len();
            } else {
                out.push(' ');
                column += 1;
            }
        }
        out.push_str(word);
        column += chars;
    }
    out.push('\n');
}
