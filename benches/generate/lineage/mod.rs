//! Sessions that begin in every way CloudTrail knows and go on from role to role, with the truth of
//! each beside the evidence: who holds it, which session it came from, who stands at its root.
//!
//! Written from what CloudTrail records, and from nothing that reads it.

mod chains;
mod delivery;
mod directory;
mod holder;
mod people;
mod traps;
mod truth;
mod workloads;
mod world;

use std::collections::HashMap;
use std::path::PathBuf;
use std::{fs, io};

use clap::Args;

use super::kit::{DAY, Mint, Rng, Time, Tokens};
use delivery::Delivery;
use world::{Copies, World};

/// What to make.
#[derive(Args, Clone)]
pub struct Options {
    /// Folder to write `AWSLogs/…` into; the truth goes beside it, into `OUT.truth.jsonl`
    out: PathBuf,
    /// Number of events, about; duplicates come on top
    #[arg(long, default_value_t = 20_000)]
    events: u64,
    /// The same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Times that one role is taken by everybody, on top of the rest
    #[arg(long, default_value_t = 0)]
    hub: u64,
    /// Days to spread over, from 2025-03-03
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=3_650))]
    days: u16,
    /// Only this scenario
    #[arg(long)]
    only: Option<String>,
}

/// What was made.
pub struct Tally {
    pub files: u64,
    pub records: u64,
    pub duplicates: u64,
    pub sessions: usize,
}

type Scenario = (&'static str, u64, fn(&mut World, Time));

/// Name, share, and what happens. A duration of a day is the longest there is.
const SCENARIOS: &[Scenario] = &[
    ("long-term-key", 4, people::long_term),
    ("user-forward", 3, people::user_forward),
    ("session-token", 4, people::session_token),
    ("federation-token", 4, people::federation_token),
    ("console-user", 5, people::console_user),
    ("root", 2, people::root_user),
    ("switch-role", 5, people::switches),
    ("sign-in-token", 4, people::sign_in_token),
    ("saml", 5, directory::saml),
    ("oidc", 5, directory::oidc),
    ("portal", 5, directory::portal),
    ("role-credentials", 5, directory::role_credentials),
    (
        "role-credentials-at-once",
        2,
        directory::role_credentials_at_once,
    ),
    ("aws-login", 4, directory::login),
    ("instance", 6, workloads::instance),
    ("function", 4, |w, time| workloads::function(w, time, true)),
    ("function-untold", 4, |w, time| {
        workloads::function(w, time, false)
    }),
    ("task", 4, workloads::task),
    ("pod", 4, workloads::pod),
    ("pod-identity", 4, workloads::pod_identity),
    ("service-linked", 4, workloads::linked),
    ("service", 4, workloads::given),
    ("long-chain", 5, chains::long_chain),
    ("refreshed", 4, chains::refreshed),
    ("same-second", 3, chains::same_second),
    ("same-name", 4, chains::same_name),
    ("masked-keys", 3, chains::masked),
    ("keyless", 4, chains::keyless),
    ("forwarded", 4, chains::forwarded),
    ("response-omitted", 3, chains::omitted),
    ("disguised", 3, chains::disguised),
    ("shared-resource", 3, chains::shared),
    ("loop", 4, chains::looped),
    ("self-renewal", 2, chains::self_renewal),
    ("source-identity", 5, chains::source_identity),
    ("refused", 3, chains::refused),
    ("across-both", 4, |w, time| {
        chains::across(w, time, Copies::Both)
    }),
    ("across-caller-only", 4, |w, time| {
        chains::across(w, time, Copies::Caller)
    }),
    ("across-target-only", 4, |w, time| {
        chains::across(w, time, Copies::Target)
    }),
    ("outsider", 4, chains::outsider),
    ("out-and-back", 2, chains::out_and_back),
    ("assume-root", 3, chains::assume_root),
    ("second-apart", 3, traps::second_apart),
    ("idle-twin", 3, traps::idle_twin),
    ("omitted-twice", 2, traps::omitted_twice),
    ("masked-pair", 2, traps::masked_pair),
    ("expired", 2, traps::expired),
    ("two-alive", 3, traps::two_alive),
    ("two-switch", 2, traps::two_switch),
    ("borrowed-identity", 2, traps::borrowed_identity),
];

/// Events of an average scenario, from which follows how many there are.
const EVENTS_PER_SCENARIO: u64 = 11;

/// Makes the evidence and the truth.
///
/// # Errors
/// When a file cannot be written, or there is no scenario of the name asked for.
pub fn build(options: &Options) -> io::Result<Tally> {
    let chosen: Vec<&Scenario> = SCENARIOS
        .iter()
        .filter(|(name, ..)| options.only.as_deref().is_none_or(|only| only == *name))
        .collect();
    if chosen.is_empty() {
        return Err(io::Error::other("no scenario of that name"));
    }
    let mut world = start(options);
    let begin = Time::at(2025, 3, 3, (6, 0, 0));
    let span = i64::from(options.days) * DAY;
    let count = (options.events / EVENTS_PER_SCENARIO).max(1);
    let mut hubs = 0;
    for n in 0..count {
        let time = begin.plus(share(span, n, count));
        world.delivery.flush_before(time)?;
        while hubs < options.hub && share(span, hubs, options.hub) <= share(span, n, count) {
            chains::hub(
                &mut world,
                begin.plus(share(span, hubs, options.hub)).max(time),
            );
            hubs += 1;
        }
        let shares: u64 = chosen.iter().map(|(_, share, _)| share).sum();
        // Each comes once before chance decides, so that small sets hold all.
        let (name, _, run) = match chosen.get(n as usize) {
            Some(first) => **first,
            None => *pick(&chosen, world.mint.rng.below(shares)),
        };
        world.scenario = name;
        run(&mut world, time);
    }
    for n in hubs..options.hub {
        chains::hub(&mut world, begin.plus(share(span, n, options.hub)));
    }
    world.delivery.finish()?;
    let sessions = write_truth(options, &world)?;
    Ok(Tally {
        files: world.delivery.files,
        records: world.delivery.records,
        duplicates: world.delivery.duplicates,
        sessions,
    })
}

fn start(options: &Options) -> World {
    let mut rng = Rng::new(options.seed ^ 0x11e);
    let accounts = (0..5)
        .map(|_| (100_000_000_000 + rng.below(400_000_000_000)).to_string())
        .collect();
    World {
        mint: Mint::new(
            options.seed,
            Tokens::new(options.seed ^ 0x70c, 300, 1 << 16),
        ),
        accounts,
        delivery: Delivery::new(&options.out, options.seed ^ 0xde1),
        nodes: Vec::new(),
        scenario: "",
        masked: false,
        known: HashMap::new(),
        users: HashMap::new(),
    }
}

fn share(span: i64, n: u64, of: u64) -> i64 {
    (i128::from(span) * i128::from(n) / i128::from(of.max(1))) as i64
}

fn pick<'a>(scenarios: &[&'a Scenario], draw: u64) -> &'a Scenario {
    let mut left = draw;
    for scenario in scenarios {
        if left < scenario.1 {
            return scenario;
        }
        left -= scenario.1;
    }
    scenarios[0]
}

/// A line for everything that the evidence shows: by its acts, by its key, or as somebody's parent.
fn write_truth(options: &Options, world: &World) -> io::Result<usize> {
    let mut text = String::new();
    for (id, node) in world.nodes.iter().enumerate() {
        text.push_str(&node.line(id));
        text.push('\n');
    }
    if let Some(folder) = options.out.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(options.out.with_extension("truth.jsonl"), text)?;
    Ok(world.nodes.iter().filter(|node| !node.named).count())
}
