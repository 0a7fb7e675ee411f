//! Findings as one HTML file that needs nothing else: no script, no network, no further file.
//!
//! Always true: every text passes [`safe::html`], whoever wrote it; attributes are quoted and hold
//! what the program made, or a checked address; and the page forbids itself to load or run anything,
//! should that ever fail.

use std::fmt::Write as _;
use std::io::Write;

use super::page::{self, Page, Part, Shown, TITLE};
use super::steps::{Block, Piece, blocks, pieces};
use super::totals::{self, Total, entries, percent};
use crate::error::{ReportError, Result};
use crate::finding::{Finding, RuleNotes, Severity};
use crate::report::safe::{self, html};

const STYLE: &str = include_str!("report.css");

pub fn write(page: &Page<'_>, out: &mut dyn Write) -> Result<()> {
    let mut put = |text: &str| out.write_all(text.as_bytes()).map_err(ReportError::from);
    put(&format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{TITLE}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{TITLE}</h1>\n"
    ))?;
    put(&summary(page))?;
    if !page.findings.is_empty() {
        put(&contents(page))?;
        put("<h2>Findings</h2>\n")?;
    }
    for (number, finding) in (1..).zip(page.findings) {
        put(&block(page, number, finding))?;
    }
    put(&budget(page))?;
    put(&what_is_not_here(page))?;
    put("<footer>Made by spoor. Commands are text to read and adapt: none was run.</footer>\n")?;
    put("</body>\n</html>\n")?;
    Ok(out.flush().map_err(ReportError::from)?)
}

// Writing into a String cannot fail, so the results of `write!` are let go.

fn summary(page: &Page<'_>) -> String {
    let mut text = "<dl>\n".to_owned();
    for (name, value) in page.facts() {
        entry(name, &html(&value), &mut text);
    }
    text.push_str("</dl>\n");
    text
}

fn budget(page: &Page<'_>) -> String {
    if page.report.budget.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "<h2>What each rule says</h2>\n<table>\n<tr><th>Rule</th><th class=\"n\">Findings</th>\
         <th class=\"n\">Events</th><th class=\"n\">Share of all events</th></tr>\n",
    );
    for budget in page.report.budget {
        let total = Total {
            n_findings: budget.n_findings,
            n_events: budget.n_events,
            share: budget.share,
        };
        budget_row(&code(&budget.rule), total, &mut text);
    }
    budget_row("all", page.totals.all, &mut text);
    budget_row("medium or worse", page.totals.medium_or_worse, &mut text);
    text.push_str("</table>\n");
    text
}

fn budget_row(name: &str, total: Total, text: &mut String) {
    let _ = writeln!(
        text,
        "<tr><td>{name}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
        total.n_findings,
        total.n_events,
        percent(total.share)
    );
}

/// The findings in the order of the page, then in that of time.
fn contents(page: &Page<'_>) -> String {
    let mut text = "<h2>Contents, worst first</h2>\n<table>\n<tr><th></th><th>Severity</th>\
                    <th>Finding</th><th>About</th><th>First event</th></tr>\n"
        .to_owned();
    for (number, finding) in (1..).zip(page.findings) {
        let _ = writeln!(
            text,
            "<tr><td class=\"n\">{number}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"t\">{}</td></tr>",
            badge(finding.severity),
            link(finding),
            code(&finding.subject),
            html(&finding.first_time)
        );
    }
    text.push_str("</table>\n<h2>In order of time</h2>\n<table>\n");
    let stretches = page.stretches();
    for (number, finding) in page.by_time() {
        let track = stretches.get(finding.id.as_str()).map(|stretch| {
            // A bar is at least some pixels wide, and stays inside.
            format!(
                "<span class=\"track {}\"><span class=\"bar\" style=\"left:{:.2}%;width:{:.2}%\"></span></span>",
                finding.severity,
                stretch.start.min(98.0),
                stretch.length
            )
        });
        let _ = writeln!(
            text,
            "<tr><td class=\"t\">{}</td><td>{}</td><td>{}</td><td class=\"n\">{number}</td><td>{}</td></tr>",
            html(&finding.first_time),
            track.unwrap_or_default(),
            badge(finding.severity),
            link(finding)
        );
    }
    text.push_str("</table>\n");
    text
}

fn link(finding: &Finding) -> String {
    format!(
        "<a href=\"#{}\">{}</a>",
        page::anchor(finding),
        html(&finding.title)
    )
}

fn badge(severity: Severity) -> String {
    format!("<span class=\"severity {severity}\">{severity}</span>")
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", html(&safe::line(text)))
}

fn pre(text: &str) -> String {
    format!("<pre>{}</pre>\n", html(text.trim_end()))
}

fn block(page: &Page<'_>, number: usize, finding: &Finding) -> String {
    let is_open = finding.severity >= Severity::High;
    let mut text = format!(
        "<details class=\"finding of-{}\" id=\"{}\"{}>\n<summary>{number}. {} {} <span class=\"about\">{}</span></summary>\n",
        finding.severity,
        page::anchor(finding),
        if is_open { " open" } else { "" },
        badge(finding.severity),
        html(&finding.title),
        code(&finding.subject)
    );
    let _ = writeln!(text, "<p>{}</p>\n<dl>", html(&finding.summary));
    for (name, list) in page::lists(finding) {
        if !list.shown.is_empty() {
            entry(name, &codes(list), &mut text);
        }
    }
    for origin in page::origins(finding) {
        entry("Root", &code(&origin), &mut text);
    }
    if let Some(account) = &finding.account {
        entry("Account", &code(account), &mut text);
    }
    entry("When", &html(&page::when(finding)), &mut text);
    let rule = format!("{}, finding {}", code(&finding.rule), code(&finding.id));
    entry("Rule", &rule, &mut text);
    text.push_str("</dl>\n");
    if let Some(notes) = page.notes(finding) {
        rule_notes(notes, &mut text);
    }
    evidence(finding, &mut text);
    text.push_str("<h3>Look around</h3>\n");
    text.push_str(&pre(&finding.next_sql));
    remediation(finding, &mut text);
    text.push_str("</details>\n");
    text
}

/// A name and its text, which is HTML already.
fn entry(name: &str, value: &str, text: &mut String) {
    let _ = writeln!(text, "<dt>{}</dt><dd>{value}</dd>", html(name));
}

fn codes(list: Part<'_, String>) -> String {
    let shown: Vec<String> = list.shown.iter().map(|item| code(item)).collect();
    let shown = shown.join(", ");
    match list.n_more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// What the rule says of itself.
fn rule_notes(notes: &RuleNotes, text: &mut String) {
    let _ = writeln!(
        text,
        "<h3>What it means</h3>\n<p>{}</p>",
        html(&notes.description)
    );
    let techniques = notes.attack.iter().map(|technique| {
        let older = match technique.older.as_slice() {
            [] => String::new(),
            older => format!(" (was {})", html(&older.join(", "))),
        };
        format!(
            "ATT&amp;CK {} {}{older}",
            html(&technique.id),
            html(&technique.name)
        )
    });
    let references = notes.references.iter().map(|reference| {
        match page::address(reference) {
            // Safe as an attribute: an address has no quotes.
            Some(address) => format!("<a href=\"{}\">{}</a>", html(address), html(address)),
            None => code(reference),
        }
    });
    let further: Vec<String> = techniques.chain(references).collect();
    list("ul", &further, text);
    let escaped = |items: &[String]| -> Vec<String> {
        items.iter().map(|item| html(item).into_owned()).collect()
    };
    if !notes.triage.is_empty() {
        text.push_str("<h3>Questions to ask</h3>\n");
        list("ol", &escaped(&notes.triage), text);
    }
    if !notes.false_positives.is_empty() {
        text.push_str("<h3>Harmless when</h3>\n");
        list("ul", &escaped(&notes.false_positives), text);
    }
}

/// A list of texts that are HTML already.
fn list(tag: &str, items: &[String], text: &mut String) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(text, "<{tag}>");
    for item in items {
        let _ = writeln!(text, "<li>{item}</li>");
    }
    let _ = writeln!(text, "</{tag}>");
}

fn evidence(finding: &Finding, text: &mut String) {
    text.push_str("<h3>Evidence</h3>\n<dl>\n");
    for (name, value) in page::evidence(finding) {
        match value {
            Shown::Line(line) => entry(name, &code(&line), text),
            Shown::Block(block, _) => entry(name, &pre(&block), text),
        }
    }
    let events = page::events(finding);
    if !events.shown.is_empty() {
        entry("Events", &codes(events), text);
    }
    text.push_str("</dl>\n");
}

fn remediation(finding: &Finding, text: &mut String) {
    if !finding.remediation.is_empty() {
        text.push_str("<h3>What to do</h3>\n");
    }
    for recipe in &finding.remediation {
        let _ = writeln!(
            text,
            "<details class=\"recipe\">\n<summary>{} {}</summary>",
            html(&recipe.title),
            code(&recipe.id)
        );
        for block in blocks(&recipe.steps) {
            match block {
                Block::Heading(heading) => {
                    let _ = writeln!(text, "<h4>{}</h4>", inline(heading));
                }
                Block::Paragraph(paragraph) => {
                    let _ = writeln!(text, "<p>{}</p>", inline(&paragraph));
                }
                Block::Steps(items) => list("ol", &inlines(&items), text),
                Block::Points(items) => list("ul", &inlines(&items), text),
                Block::Code(code) => text.push_str(&pre(&code)),
            }
        }
        text.push_str("</details>\n");
    }
}

fn inlines(items: &[String]) -> Vec<String> {
    items.iter().map(|item| inline(item)).collect()
}

/// A line of a recipe.
fn inline(line: &str) -> String {
    let pieces = pieces(line).into_iter().map(|piece| match piece {
        Piece::Text(text) => html(&text).into_owned(),
        Piece::Code(text) => code(&text),
    });
    pieces.collect()
}

fn what_is_not_here(page: &Page<'_>) -> String {
    let report = page.report;
    let mut text = String::new();
    if !report.suppressed.is_empty() {
        suppressed(page, &mut text);
    }
    if !report.learning.is_empty() {
        text.push_str(
            "<h2>Still learning</h2>\n<p>What came first is taken as normal, not judged.</p>\n",
        );
        let rules = report.learning.iter().map(|learning| {
            let (rule, title) = (code(&learning.rule), html(&learning.title));
            format!("{rule}: {title} ({})", totals::learning(learning))
        });
        list("ul", &rules.collect::<Vec<_>>(), &mut text);
    }
    if !report.failures.is_empty() {
        text.push_str("<h2>Rules without an answer</h2>\n");
        let rules = report.failures.iter();
        let rules =
            rules.map(|failure| format!("{}: {}", code(&failure.rule), html(&failure.message)));
        list("ul", &rules.collect::<Vec<_>>(), &mut text);
    }
    text
}

fn suppressed(page: &Page<'_>, text: &mut String) {
    text.push_str(
        "<h2>Suppressed by the lists</h2>\n<table>\n<tr><th class=\"n\">Findings</th>\
         <th>Entry</th><th>Reason</th></tr>\n",
    );
    for entry in entries(page.report) {
        let _ = writeln!(
            text,
            "<tr><td class=\"n\">{}</td><td>{}</td><td>{}</td></tr>",
            entry.n_findings,
            code(entry.entry),
            html(entry.reason)
        );
    }
    text.push_str("</table>\n<details>\n<summary>Each of them</summary>\n");
    let suppressed = page.suppressed();
    let mut rows: Vec<String> = suppressed
        .shown
        .iter()
        .map(|suppressed| {
            let finding = &suppressed.finding;
            format!(
                "{} {} {}: {}, by {}",
                html(&finding.first_time),
                badge(finding.severity),
                code(&finding.rule),
                code(&finding.subject),
                code(&suppressed.entry)
            )
        })
        .collect();
    if suppressed.n_more > 0 {
        rows.push(format!("and {} more", suppressed.n_more));
    }
    list("ul", &rows, text);
    text.push_str("</details>\n");
}
