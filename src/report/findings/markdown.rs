//! Findings as a Markdown report: a summary, contents, and each finding with what it takes to act.
//!
//! Always true: text of a log stands in code spans, code blocks or escaped, so that it cannot become a
//! link, an image, a heading or HTML.

use std::fmt::Write as _;
use std::io::Write;

use super::page::{self, Page, Part, Shown, TITLE};
use super::steps::lowered;
use super::totals::{self, Total, entries, percent};
use crate::error::{ReportError, Result};
use crate::finding::{Finding, RuleNotes};
use crate::report::safe::{markdown, markdown_block, markdown_code, markdown_code_cell};

pub fn write(page: &Page<'_>, out: &mut dyn Write) -> Result<()> {
    let mut put = |text: &str| out.write_all(text.as_bytes()).map_err(ReportError::from);
    put(&summary(page))?;
    if !page.findings.is_empty() {
        put(&contents(page))?;
        put("\n## Findings\n")?;
    }
    for (number, finding) in (1..).zip(page.findings) {
        put(&block(page, number, finding))?;
    }
    put(&budget(page))?;
    put(&what_is_not_here(page))?;
    Ok(out.flush().map_err(ReportError::from)?)
}

// Writing into a String cannot fail, so the results of `write!` are let go.

fn summary(page: &Page<'_>) -> String {
    let mut text = format!("# {TITLE}\n\n| | |\n|---|---|\n");
    for (name, value) in page.facts() {
        let _ = writeln!(text, "| {name} | {} |", markdown(&value));
    }
    text
}

fn budget(page: &Page<'_>) -> String {
    if page.report.budget.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "\n## What each rule says\n\n\
         | Rule | Findings | Events | Share of all events |\n|---|--:|--:|--:|\n",
    );
    for budget in page.report.budget {
        let total = Total {
            n_findings: budget.n_findings,
            n_events: budget.n_events,
            share: budget.share,
        };
        budget_row(&markdown_code_cell(&budget.rule), total, &mut text);
    }
    budget_row("all", page.totals.all, &mut text);
    budget_row("medium or worse", page.totals.medium_or_worse, &mut text);
    text
}

fn budget_row(name: &str, total: Total, text: &mut String) {
    let Total {
        n_findings,
        n_events,
        share,
    } = total;
    let _ = writeln!(
        text,
        "| {name} | {n_findings} | {n_events} | {} |",
        percent(share)
    );
}

fn contents(page: &Page<'_>) -> String {
    let mut text = "\n## Contents, worst first\n\n\
                    | | Severity | Finding | About | First event |\n|--:|---|---|---|---|\n"
        .to_owned();
    for (number, finding) in (1..).zip(page.findings) {
        let _ = writeln!(
            text,
            "| {number} | {} | [{}](#{}) | {} | {} |",
            finding.severity,
            markdown(&finding.title),
            page::anchor(finding),
            markdown_code_cell(&finding.subject),
            markdown(&finding.first_time),
        );
    }
    text.push_str("\n## In order of time\n\n");
    for (number, finding) in page.by_time() {
        let _ = writeln!(
            text,
            "- {} **{}** [{number}. {}](#{}): {}",
            markdown(&finding.first_time),
            finding.severity,
            markdown(&finding.title),
            page::anchor(finding),
            markdown_code(&finding.subject),
        );
    }
    text
}

fn block(page: &Page<'_>, number: usize, finding: &Finding) -> String {
    let mut text = format!(
        "\n<a id=\"{}\"></a>\n\n### {number}. {}: {}\n\n",
        page::anchor(finding),
        finding.severity.as_str().to_uppercase(),
        markdown(&finding.title)
    );
    let _ = writeln!(text, "**Why:** {}\n", markdown(&finding.summary));
    let _ = writeln!(text, "- **About:** {}", markdown_code(&finding.subject));
    for (name, list) in page::lists(finding) {
        if !list.shown.is_empty() {
            let _ = writeln!(text, "- **{name}:** {}", codes(list));
        }
    }
    for origin in page::origins(finding) {
        let _ = writeln!(text, "- **Root:** {}", markdown_code(&origin));
    }
    if let Some(account) = &finding.account {
        let _ = writeln!(text, "- **Account:** {}", markdown_code(account));
    }
    let _ = writeln!(text, "- **When:** {}", markdown(&page::when(finding)));
    let _ = writeln!(
        text,
        "- **Rule:** {}, finding {}",
        markdown_code(&finding.rule),
        markdown_code(&finding.id)
    );
    if let Some(notes) = page.notes(finding) {
        rule(notes, &mut text);
    }
    evidence(finding, &mut text);
    text.push_str("\n#### Look around\n\n");
    text.push_str(&markdown_block("sql", &finding.next_sql));
    remediation(finding, &mut text);
    text
}

fn codes(list: Part<'_, String>) -> String {
    let shown: Vec<String> = list.shown.iter().map(|item| markdown_code(item)).collect();
    let shown = shown.join(", ");
    match list.n_more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// What the rule says of itself.
fn rule(notes: &RuleNotes, text: &mut String) {
    let _ = write!(
        text,
        "\n#### What it means\n\n{}\n",
        // A paragraph could begin like a list or a heading.
        markdown(&one_line(&notes.description)).trim_start_matches(['#', '-', '+', ' '])
    );
    if !notes.attack.is_empty() || !notes.references.is_empty() {
        text.push('\n');
    }
    for technique in &notes.attack {
        let _ = write!(
            text,
            "- ATT&amp;CK {} {}",
            markdown(&technique.id),
            markdown(&technique.name)
        );
        if !technique.older.is_empty() {
            let _ = write!(text, " (was {})", markdown(&technique.older.join(", ")));
        }
        text.push('\n');
    }
    for reference in &notes.references {
        let _ = match page::address(reference) {
            Some(address) => writeln!(text, "- <{address}>"),
            None => writeln!(text, "- {}", markdown_code(reference)),
        };
    }
    items("Questions to ask", "1.", &notes.triage, text);
    items("Harmless when", "-", &notes.false_positives, text);
}

fn items(title: &str, mark: &str, items: &[String], text: &mut String) {
    if !items.is_empty() {
        let _ = write!(text, "\n#### {title}\n\n");
    }
    for item in items {
        let _ = writeln!(text, "{mark} {}", markdown(&one_line(item)));
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn evidence(finding: &Finding, text: &mut String) {
    text.push_str("\n#### Evidence\n\n");
    for (name, value) in page::evidence(finding) {
        let name = markdown(name);
        match value {
            Shown::Line(line) => {
                let _ = writeln!(text, "- **{name}:** {}", markdown_code(&line));
            }
            Shown::Block(block, is_json) => {
                let language = if is_json { "json" } else { "text" };
                let _ = writeln!(text, "- **{name}:**\n");
                for line in markdown_block(language, &block).lines() {
                    let _ = writeln!(text, "  {line}");
                }
                text.push('\n');
            }
        }
    }
    let events = page::events(finding);
    if !events.shown.is_empty() {
        let _ = writeln!(text, "- **Events:** {}", codes(events));
    }
}

fn remediation(finding: &Finding, text: &mut String) {
    if !finding.remediation.is_empty() {
        text.push_str("\n#### What to do\n");
    }
    for recipe in &finding.remediation {
        let _ = write!(
            text,
            "\n##### {} ({})\n\n{}",
            markdown(&recipe.title),
            markdown_code(&recipe.id),
            lowered(&recipe.steps, 4)
        );
    }
}

fn what_is_not_here(page: &Page<'_>) -> String {
    let report = page.report;
    let mut text = String::new();
    if !report.suppressed.is_empty() {
        text.push_str(
            "\n## Suppressed by the lists\n\n| Findings | Entry | Reason |\n|--:|---|---|\n",
        );
        for entry in entries(report) {
            let _ = writeln!(
                text,
                "| {} | {} | {} |",
                entry.n_findings,
                markdown_code_cell(entry.entry),
                markdown(entry.reason)
            );
        }
        text.push('\n');
        let suppressed = page.suppressed();
        for suppressed in suppressed.shown {
            let finding = &suppressed.finding;
            let _ = writeln!(
                text,
                "- {} **{}** {}: {}, by {}",
                markdown(&finding.first_time),
                finding.severity,
                markdown_code(&finding.rule),
                markdown_code(&finding.subject),
                markdown_code(&suppressed.entry)
            );
        }
        if suppressed.n_more > 0 {
            let _ = writeln!(text, "- and {} more", suppressed.n_more);
        }
    }
    if !report.learning.is_empty() {
        text.push_str("\n## Still learning\n\nWhat came first is taken as normal, not judged.\n\n");
        for learning in report.learning {
            let _ = writeln!(
                text,
                "- {}: {} ({})",
                markdown_code(&learning.rule),
                markdown(&learning.title),
                totals::learning(learning)
            );
        }
    }
    if !report.failures.is_empty() {
        text.push_str("\n## Rules without an answer\n\n");
        for failure in report.failures {
            let _ = writeln!(
                text,
                "- {}: {}",
                markdown_code(&failure.rule),
                markdown(&failure.message)
            );
        }
    }
    text
}
