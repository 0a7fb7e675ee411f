//! The remediation recipes hold against the real interface of AWS, and `docs/remediation.md` lists them.
//!
//! `tests/data/aws/interface.json` is what the AWS CLI's parser and boto3's models know of the commands
//! that recipes use; `tests/data/aws/make.py` makes it. `SPOOR_WRITE_DOCS=1 cargo test --test it recipes`
//! writes the list in the page anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use spoor::report::recipes::{Recipes, Target, VALUES, ids, target};

/// Options of `aws` itself.
const GLOBAL: [&str; 3] = ["output", "query", "region"];

#[derive(Deserialize)]
struct Interface {
    /// Commands by service and name.
    services: BTreeMap<String, BTreeMap<String, Command>>,
}

#[derive(Deserialize)]
struct Command {
    options: BTreeSet<String>,
    required: BTreeSet<String>,
    /// boto3's name; none for commands of the CLI alone.
    method: Option<String>,
    #[serde(default)]
    parameters: BTreeSet<String>,
    #[serde(default)]
    required_parameters: BTreeSet<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn interface() -> Interface {
    let path = root().join("tests/data/aws/interface.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Every recipe filled: with no values, and with all of them for a role, a user and a group.
fn filled() -> Vec<(&'static str, String)> {
    let recipes = Recipes::load().unwrap();
    let mut filled = Vec::new();
    for id in ids() {
        filled.push((id, recipes.render(id, &BTreeMap::new()).unwrap().steps));
        for kind in ["role", "user", "group"] {
            // With blanks and quotes, so that what is not quoted falls apart.
            let value = |name: &str| match name {
                "holder_kind" => kind.to_owned(),
                "previous_document" | "missing_policy" => "{\"Statement\": []}".to_owned(),
                name => format!("it's {name}"),
            };
            let values = VALUES
                .iter()
                .map(|(name, _)| ((*name).to_owned(), value(name)));
            let steps = recipes.render(id, &values.collect()).unwrap().steps;
            filled.push((id, steps));
        }
    }
    filled
}

/// The blocks of a recipe in a language.
fn blocks<'a>(steps: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let parts = steps.split(fence.as_str()).skip(1);
    parts
        .filter_map(|part| part.split("\n```").next())
        .collect()
}

/// The words of a command as a shell reads them, up to a pipe or a redirection.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, '>' | '|') => break,
            (None, ' ') => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    assert_eq!(quote, None, "{line}");
    words.extend(word);
    words
}

#[test]
fn a_line_comes_apart_as_in_a_shell() {
    let check = |line: &str, expected: &[&str]| assert_eq!(words(line), expected, "{line}");
    check(
        "aws iam x --a 'b c' --d > e",
        &["aws", "iam", "x", "--a", "b c", "--d"],
    );
    check(r"a 'it'\''s' '{'$N'}' ''", &["a", "it's", "{$N}", ""]);
}

#[test]
fn every_command_and_its_options_are_real() {
    let interface = interface();
    let mut n_commands = 0;
    for (id, steps) in filled() {
        for block in blocks(&steps, "sh") {
            for line in block.lines().filter(|line| line.starts_with("aws ")) {
                n_commands += 1;
                check_command(&interface, id, line);
            }
        }
    }
    assert!(n_commands > 200, "{n_commands}");
}

fn check_command(interface: &Interface, id: &str, line: &str) {
    let words = words(line);
    let [_, service, name, rest @ ..] = words.as_slice() else {
        panic!("{id}: {line}");
    };
    let command = interface
        .services
        .get(service)
        .and_then(|commands| commands.get(name));
    let command = command.unwrap_or_else(|| panic!("{id}: no such command: {line}"));
    let mut given = BTreeSet::new();
    let mut rest = rest.iter().peekable();
    while let Some(word) = rest.next() {
        let option = word.strip_prefix("--");
        let option = option.unwrap_or_else(|| panic!("{id}: `{word}` is no option: {line}"));
        let is_known = command.options.contains(option) || GLOBAL.contains(&option);
        assert!(is_known, "{id}: no option `{word}`: {line}");
        assert!(given.insert(option), "{id}: `{word}` twice: {line}");
        // One word is its value, where it is no flag.
        rest.next_if(|word| !word.starts_with("--"));
    }
    let missing = command
        .required
        .iter()
        .find(|name| !given.contains(name.as_str()));
    assert_eq!(missing, None, "{id}: an option is missing: {line}");
}

#[test]
fn every_call_and_its_parameters_are_real() {
    let interface = interface();
    let mut n_calls = 0;
    for (id, steps) in filled() {
        let code = blocks(&steps, "python").join("\n");
        for (service, method, arguments) in calls(&code) {
            if method == "get_paginator" {
                continue;
            }
            n_calls += 1;
            let commands = interface.services.get(&service);
            let command = commands.and_then(|commands| {
                let mut commands = commands.values();
                commands.find(|command| command.method.as_deref() == Some(&method))
            });
            let call = format!("{id}: {service}.{method}");
            let command = command.unwrap_or_else(|| panic!("{call} does not exist"));
            for argument in &arguments {
                assert!(
                    command.parameters.contains(argument),
                    "{call}: no `{argument}`"
                );
            }
            let missing = command.required_parameters.difference(&arguments).next();
            assert_eq!(missing, None, "{call}: a parameter is missing");
        }
    }
    assert!(n_calls > 150, "{n_calls}");
}

/// Calls of clients: service, method, names of parameters.
fn calls(code: &str) -> Vec<(String, String, BTreeSet<String>)> {
    const CLIENT: &str = "boto3.client(";
    // Names of clients; `boto3.client("x").method(…)` has none.
    let mut clients: BTreeMap<&str, &str> = BTreeMap::new();
    let mut starts: Vec<(usize, &str)> = Vec::new();
    for (at, _) in code.match_indices(CLIENT) {
        let inner = enclosed(&code[at + CLIENT.len()..]);
        let service = inner.split('"').nth(1).unwrap();
        let line = code[..at].rsplit('\n').next().unwrap();
        match line.trim().strip_suffix(" =") {
            Some(name) => {
                clients.insert(name, service);
            }
            None => starts.push((at + CLIENT.len() + inner.len() + 1, service)),
        }
    }
    for (name, service) in &clients {
        for (at, found) in code.match_indices(&format!("{name}.")) {
            let before = code[..at].chars().next_back();
            let is_name = before.is_some_and(|c| c.is_alphanumeric() || "_.\"-/".contains(c));
            if !is_name {
                starts.push((at + found.len() - 1, service));
            }
        }
    }
    let mut calls = Vec::new();
    for (at, service) in starts {
        let rest = code[at..].strip_prefix('.').unwrap();
        let (method, inner) = rest.split_once('(').unwrap();
        let names = top_level_names(enclosed(inner));
        calls.push((service.to_owned(), method.to_owned(), names));
    }
    calls
}

/// The text up to the parenthesis that closes it.
fn enclosed(text: &str) -> &str {
    let mut depth = 1_u32;
    let mut is_text = false;
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_text = !is_text,
            '(' | '[' | '{' if !is_text => depth += 1,
            ')' | ']' | '}' if !is_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    panic!("not closed: {text}");
}

/// `Name` of each `Name=…` that stands in no inner parenthesis and no text.
fn top_level_names(arguments: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let (mut depth, mut is_text, mut is_escaped) = (0_i32, false, false);
    let mut word = String::new();
    for c in arguments.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_text = !is_text,
            _ if is_text => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '=' if depth == 0 => {
                names.insert(std::mem::take(&mut word));
            }
            c if c.is_alphanumeric() || c == '_' => word.push(c),
            _ => word.clear(),
        }
    }
    names
}

#[test]
fn calls_are_found_in_every_form() {
    let code = "import boto3\n\niam = boto3.client(\"iam\")\nx = iam.get_role(RoleName=\"a(\\\"B=\")[\"Role\"]\n\
                boto3.client(\"lambda\").invoke(\n    A={\"B\": f(C=1)},\n    D=[x],\n)\nprint(iam.list_users())\n";
    let found: Vec<_> = calls(code)
        .into_iter()
        .map(|(service, method, names)| {
            let names: Vec<_> = names.into_iter().collect();
            format!("{service} {method} {}", names.join(","))
        })
        .collect();
    assert_eq!(
        found,
        [
            "lambda invoke A,D",
            "iam get_role RoleName",
            "iam list_users "
        ]
    );
}

const BEGIN: &str = "<!-- The list below is made of sql/remediation: SPOOR_WRITE_DOCS=1 cargo test --test it recipes -->\n";
const END: &str = "<!-- The list ends here. -->\n";

#[test]
fn the_page_lists_every_recipe() {
    let path = page();
    let kept = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = kept.split_once(BEGIN).expect("where the list begins");
    let (list, tail) = rest.split_once(END).expect("where the list ends");
    let made = made_list();
    if std::env::var_os("SPOOR_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{head}{BEGIN}{made}{END}{tail}")).unwrap();
        return;
    }
    assert!(
        list == made,
        "docs/remediation.md is out of step: SPOOR_WRITE_DOCS=1 writes its list anew"
    );
}

fn page() -> PathBuf {
    root().join("docs/remediation.md")
}

/// Title, what it is for, and the commands, of each recipe.
fn made_list() -> String {
    let recipes = Recipes::load().unwrap();
    let mut list = String::new();
    for id in ids() {
        let recipe = recipes.render(id, &BTreeMap::new()).unwrap();
        let about = recipe.steps.split("\n## ").next().unwrap();
        let about: Vec<&str> = about.split_whitespace().collect();
        let works_on = match target(id) {
            Target::Role => "the role",
            Target::User => "an IAM user",
            Target::Holder => "a role, user or group",
            Target::Account => "the account or the organization",
        };
        let mut commands = BTreeSet::new();
        for block in blocks(&recipe.steps, "sh") {
            for line in block.lines().filter(|line| line.starts_with("aws ")) {
                commands.insert(words(line)[1..3].join(" "));
            }
        }
        let commands: Vec<String> = commands.iter().map(|name| format!("`{name}`")).collect();
        write!(
            list,
            "\n### {}\n\n`{id}`, for {works_on}. {}\n\nCommands: {}.\n",
            recipe.title,
            about.join(" "),
            commands.join(", ")
        )
        .unwrap();
    }
    list.push('\n');
    list
}
