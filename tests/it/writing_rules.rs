//! What `docs/writing-rules.md` shows is true: its rules load, its cases hold, its statements plan, its
//! lists are read, and its commands print what stands there.

use std::fs;
use std::path::Path;

use spoor::config::Lists;
use spoor::detections::RuleSet;
use spoor::engine::{Engine, EngineOptions, Params};

use crate::scratch::Scratch;

/// A fenced block: its language and its text.
type Block = (String, String);

fn blocks() -> Vec<Block> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/writing-rules.md");
    let page = fs::read_to_string(page).unwrap();
    let mut blocks = Vec::new();
    // Texts and blocks take turns.
    for block in page.split("\n```").skip(1).step_by(2) {
        let (language, text) = block.split_once('\n').unwrap();
        blocks.push((language.to_owned(), format!("{text}\n")));
    }
    assert!(blocks.len() > 8, "{} blocks", blocks.len());
    blocks
}

/// The id in a rule's front matter.
fn id(rule: &str) -> String {
    let line = rule.lines().find_map(|line| line.strip_prefix("id = \""));
    line.unwrap().trim_end_matches('"').to_owned()
}

/// Writes the rules and their cases, which come right after them.
fn write_rules(scratch: &Scratch) -> Vec<String> {
    let mut ids = Vec::new();
    for (language, text) in blocks() {
        match language.as_str() {
            "sql" if text.starts_with("/*---") => {
                ids.push(id(&text));
                scratch.write(format!("rules/{}.sql", id(&text)), text);
            }
            "json" => {
                let id = ids.last().unwrap();
                scratch.write(format!("rules/{id}.cases.json"), text);
            }
            _ => {}
        }
    }
    assert_eq!(ids, ["key-made-off-network", "region-first-seen"]);
    ids
}

#[test]
fn the_rules_of_the_page_hold() {
    let scratch = Scratch::new();
    let ids = write_rules(&scratch);
    for command in [&["test"][..], &["lint", "--strict"]] {
        let args = ["rules", "--rules", "rules"]
            .into_iter()
            .chain(command.iter().copied());
        let done = scratch.run(args.chain(ids.iter().map(String::as_str)));
        assert_eq!(done.code, Some(0), "{done:?}");
    }
}

#[tokio::test]
async fn the_statements_of_the_page_plan() {
    let engine = Engine::over_batches(Vec::new(), EngineOptions::default());
    let engine = engine.await.unwrap();
    let mut n_planned = 0;
    for (language, text) in blocks() {
        if language == "sql" && !text.starts_with("/*---") {
            engine.examine(&text, &Params::new()).await.unwrap();
            n_planned += 1;
        }
    }
    assert!(n_planned > 0);
}

#[test]
fn the_lists_of_the_page_are_read() {
    let rules = RuleSet::bundled().unwrap();
    let mut n_read = 0;
    for (language, text) in blocks() {
        if language == "toml" {
            let lists = Lists::parse(&text).unwrap();
            assert_eq!(rules.check_settings(&lists).len(), 0, "{text}");
            n_read += 1;
        }
    }
    assert!(n_read > 0);
}

/// Every command, in order and in one folder, prints the lines that follow it.
#[cfg(unix)]
#[test]
fn the_commands_of_the_page_print_what_it_says() {
    let scratch = Scratch::new();
    write_rules(&scratch);
    for (language, text) in blocks() {
        if language != "console" {
            continue;
        }
        for session in format!("\n{text}").split("\n$ ").skip(1) {
            let (command, shown) = session.split_once('\n').unwrap_or((session, ""));
            let done = scratch.shell(&format!("spoor() {{ \"$SPOOR\" \"$@\"; }}\n{command}"));
            assert_eq!(
                done.stdout.trim_end(),
                shown.trim_end(),
                "{command}: {done:?}"
            );
        }
    }
}
