//! A start for a rule of the user's own: a file that loads and cases that hold, one for each kind.

use super::rule::RuleId;

/// The id in the texts, in whose place the new one comes.
const PLACEHOLDER: &str = "made-up-rule";

/// The kinds of rule that there is a start for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// One event decides.
    Stateless,
    /// Several events of one principal in a span of time.
    Window,
    /// What was never there before.
    FirstSeen,
    /// Events that follow one another.
    Sequence,
}

impl Start {
    pub const ALL: [Self; 4] = [
        Self::Stateless,
        Self::Window,
        Self::FirstSeen,
        Self::Sequence,
    ];

    fn texts(self) -> (&'static str, &'static str) {
        macro_rules! texts {
            ($name:literal) => {
                (
                    include_str!(concat!("new/", $name, ".sql")),
                    include_str!(concat!("new/", $name, ".cases.json")),
                )
            };
        }
        match self {
            Self::Stateless => texts!("stateless"),
            Self::Window => texts!("window"),
            Self::FirstSeen => texts!("first-seen"),
            Self::Sequence => texts!("sequence"),
        }
    }
}

/// The two files of a new rule, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRule {
    /// `<id>.sql` and its text.
    pub rule: (String, String),
    /// `<id>.cases.json` and its text.
    pub cases: (String, String),
}

/// The files of a rule with this id.
pub fn new_rule(id: &RuleId, start: Start) -> NewRule {
    let (rule, cases) = start.texts();
    NewRule {
        rule: (
            format!("{id}.sql"),
            rule.replacen(PLACEHOLDER, id.as_str(), 1),
        ),
        cases: (format!("{id}.cases.json"), cases.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::attack::Attack;
    use super::super::rule::Rule;
    use super::*;

    #[test]
    fn each_start_is_a_rule_of_its_kind() {
        let attack = Attack::pinned().unwrap();
        let id = RuleId::new("my-own-rule").unwrap();
        let kinds = Start::ALL.map(|start| {
            let (path, text) = new_rule(&id, start).rule;
            let rule = Rule::parse(&path, &text, &attack).unwrap();
            assert_eq!(rule.id, id);
            rule.kind.as_str()
        });
        assert_eq!(kinds, ["stateless", "window", "first-seen", "sequence"]);
    }
}
