//! `spoor rules`: what the detections are, and whether they keep their promises.

mod lint;
mod list;
mod lists;
mod new;
mod show;
mod test;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Outcome, Shared};
use crate::detections::{Rule, RuleSet};
use crate::error::{Result, RuleError};
use crate::report::safe;

/// List, show, check and test the detections, and start new ones.
#[derive(Debug, Args)]
pub(super) struct Rules {
    #[command(subcommand)]
    command: Option<RulesCommand>,
    /// A folder with further rules; may be given several times
    #[arg(long, value_name = "DIR", global = true)]
    rules: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// One line for each rule
    List(list::List),
    /// All about a rule: description, triage, parameters, SQL
    Show(show::Show),
    /// Run the rules' own cases
    Test(test::Test),
    /// Look for mistakes in rules, each with its place
    Lint(lint::Lint),
    /// Write the start of a rule: a file that runs and its cases
    New(new::New),
    /// Print the case's lists, or propose entries for them
    Lists(lists::ListsOf),
}

impl Rules {
    pub(super) async fn run(&self, shared: &Shared) -> Result<Outcome> {
        // These need no rules, or say themselves what is wrong with them.
        match &self.command {
            Some(RulesCommand::Lint(command)) => {
                return command.run(&RuleSet::load(&self.rules)?).await;
            }
            Some(RulesCommand::New(command)) => return command.run(&RuleSet::bundled()?),
            Some(RulesCommand::Lists(command)) => return command.run(shared).await,
            _ => {}
        }
        let set = RuleSet::load(&self.rules)?;
        for error in &set.errors {
            say!("error: {}", safe::line(&error.to_string()));
        }
        let passed = match &self.command {
            Some(RulesCommand::Show(command)) => command.run(&set).map(|()| true),
            Some(RulesCommand::Test(command)) => command.run(&set).await,
            Some(RulesCommand::List(command)) => command.run(&set).map(|()| true),
            _ => list::List::all().run(&set).map(|()| true),
        }?;
        Ok(if passed && set.errors.is_empty() {
            Outcome::Done
        } else {
            Outcome::Failed
        })
    }
}

/// The rule with this id.
fn find<'a>(set: &'a RuleSet, id: &str) -> Result<&'a Rule> {
    let none = || RuleError::new(id, "there is no rule with this id; see `spoor rules list`");
    Ok(set.rule(id).ok_or_else(none)?)
}
