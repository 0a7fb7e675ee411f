//! Attacks of known kinds and harmless events that look like them, planted in the second half of a
//! run, with a file that says what was planted.
//!
//! A kind is a function that plays one instance in a [`Scene`]. What an instance needs as its past
//! (who took the role every day, what an address used to be) is written as background: those events
//! are in the logs, but not among the instance's event ids.

mod entry;
mod federation;
mod hygiene;
mod powers;
mod scene;
mod sessions;
mod trust;

use super::super::event::Event;
use super::super::kit::{DAY, Json, Mint, Time};
use super::{Options, Stage, plot};
pub use scene::Scene;

/// The account of a vendor that `lists.toml` names.
pub const VENDOR: &str = "606060606060";

/// One kind of attack, or of a harmless look-alike.
pub struct Kind {
    pub name: &'static str,
    /// The rules that should speak; for look-alikes those that must not.
    pub rules: &'static [&'static str],
    pub harmless: bool,
    /// Told apart only by the lists in `lists.toml`.
    pub needs_lists: bool,
    pub act: fn(&mut Scene) -> Told,
}

/// Whom and what an instance is about, as ARNs.
pub struct Told {
    pub subject: String,
    pub actor: String,
}

pub fn told(subject: impl Into<String>, actor: impl Into<String>) -> Told {
    let (subject, actor) = (subject.into(), actor.into());
    Told { subject, actor }
}

pub const fn attack(
    name: &'static str,
    rules: &'static [&'static str],
    act: fn(&mut Scene) -> Told,
) -> Kind {
    Kind {
        name,
        rules,
        harmless: false,
        needs_lists: false,
        act,
    }
}

pub const fn harmless(
    name: &'static str,
    rules: &'static [&'static str],
    act: fn(&mut Scene) -> Told,
) -> Kind {
    Kind {
        harmless: true,
        ..attack(name, rules, act)
    }
}

pub const fn with_lists(kind: Kind) -> Kind {
    Kind {
        needs_lists: true,
        ..kind
    }
}

/// Everything planted: the events with their background, and a line of truth for each instance.
pub struct Plan {
    pub events: Vec<Event>,
    pub truth: Vec<String>,
}

/// Plans `options.attacks` instances of every kind.
pub fn plan(options: &Options, stage: &Stage) -> Plan {
    let mut mint = Mint::new(options.seed ^ 0xa77ac4, stage.tokens.clone());
    let mut plan = Plan {
        events: Vec::new(),
        truth: Vec::new(),
    };
    let groups = [
        entry::KINDS,
        sessions::KINDS,
        federation::KINDS,
        trust::KINDS,
        powers::KINDS,
        hygiene::KINDS,
    ];
    for (k, kind) in groups.into_iter().flatten().enumerate() {
        for n in 0..usize::from(options.attacks) {
            let time = moment(&mut mint, stage);
            let mut scene = Scene::new(&mut mint, stage, time, (k, n));
            let told = (kind.act)(&mut scene);
            plan.truth.push(line(kind, &told, time, &scene));
            plan.events.append(&mut scene.events);
        }
    }
    plan
}

/// The intrusions that every trail has, as lines of truth: their events come in the order of `plot`.
pub fn line_of_plot(events: &[Event]) -> Option<String> {
    let first = events.first()?;
    Some(truth(
        "leaked-key-intrusion",
        (false, false),
        plot::INTRUSION_RULES,
        &told(first.who.arn.clone(), first.who.arn.clone()),
        (first.time, &first.account),
        events.iter().map(|event| event.event_id.as_str()),
    ))
}

/// A moment in the second half that leaves a day and a half for what follows.
fn moment(mint: &mut Mint, stage: &Stage) -> Time {
    let days = (stage.end().0 - stage.start.0) / DAY;
    let (from, to) = (days / 2 + 1, (days - 2).max(days / 2 + 2));
    let seconds = mint.rng.below(((to - from) * DAY) as u64) as i64;
    stage.start.plus(from * DAY + seconds)
}

fn line(kind: &Kind, told: &Told, time: Time, scene: &Scene) -> String {
    truth(
        kind.name,
        (kind.harmless, kind.needs_lists),
        kind.rules,
        told,
        (time, &scene.home),
        scene.ids().iter().map(String::as_str),
    )
}

fn truth<'a>(
    kind: &str,
    (harmless, needs_lists): (bool, bool),
    rules: &[&str],
    told: &Told,
    (time, account): (Time, &str),
    ids: impl Iterator<Item = &'a str>,
) -> String {
    let list = |items: Vec<String>| format!("[{}]", items.join(","));
    let rules = list(rules.iter().map(|rule| format!("\"{rule}\"")).collect());
    let ids = list(ids.map(|id| format!("\"{id}\"")).collect());
    Json::object(|j| {
        j.str("kind", kind)
            .raw("harmless", if harmless { "true" } else { "false" })
            .raw("needs_lists", if needs_lists { "true" } else { "false" })
            .raw("rules", &rules)
            .str("time", &time.iso())
            .str("account", account)
            .str("subject", &told.subject)
            .str("actor", &told.actor)
            .raw("event_ids", &ids);
    })
}

/// The lists that a real case would keep: own accounts and one vendor.
pub fn lists(stage: &Stage) -> String {
    let own: Vec<String> = stage.accounts.iter().map(|a| format!("\"{a}\"")).collect();
    format!(
        "own_accounts = [{}]\nown_org_ids = [\"{}\"]\n\n[[vendor_accounts]]\naccount = \"{VENDOR}\"\nname = \"Backup vendor\"\n",
        own.join(", "),
        scene::ORG
    )
}
