//! What is known of every function: the source of `docs/functions.md`.

use std::collections::BTreeMap;

use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::Documentation;

use super::Engine;
use super::functions::is_own_chapter;

/// A function that a statement may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionInfo {
    pub name: String,
    /// Further names of it, sorted.
    pub aliases: Vec<String>,
    /// `None`: one of DataFusion's own, whose documentation says the rest.
    pub reference: Option<FunctionReference>,
}

/// The documentation of a function of this crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionReference {
    pub chapter: String,
    /// The page of another documentation that it follows.
    pub page: Option<String>,
    /// Every form of a call, one a line.
    pub syntax: String,
    pub description: String,
    /// Arguments that need a word: name and meaning.
    pub arguments: Vec<(String, String)>,
    /// A call and, after `-- `, its answer.
    pub example: Option<String>,
}

impl Engine {
    /// Every function, by name.
    pub fn functions(&self) -> Vec<FunctionInfo> {
        all(&self.state)
    }
}

fn all(state: &SessionState) -> Vec<FunctionInfo> {
    let mut found = BTreeMap::new();
    let mut insert = |name: &str, aliases: &[String], documentation: Option<&Documentation>| {
        let mut aliases = aliases.to_vec();
        aliases.sort();
        let reference = documentation.and_then(reference);
        let info = FunctionInfo {
            name: name.to_owned(),
            aliases,
            reference,
        };
        // A function that stands under more names than its own is one function.
        let known: &mut FunctionInfo = found.entry(name.to_owned()).or_insert(info.clone());
        if known.reference.is_none() && info.reference.is_some() {
            *known = info;
        }
    };
    for function in state.scalar_functions().values() {
        insert(
            function.name(),
            function.aliases(),
            function.documentation(),
        );
    }
    for function in state.higher_order_functions().values() {
        insert(
            function.name(),
            function.aliases(),
            function.documentation(),
        );
    }
    for function in state.aggregate_functions().values() {
        insert(
            function.name(),
            function.aliases(),
            function.documentation(),
        );
    }
    for function in state.window_functions().values() {
        insert(
            function.name(),
            function.aliases(),
            function.documentation(),
        );
    }
    found.into_values().collect()
}

fn reference(documentation: &Documentation) -> Option<FunctionReference> {
    let section = &documentation.doc_section;
    is_own_chapter(section).then(|| FunctionReference {
        chapter: section.label.to_owned(),
        page: section.description.map(str::to_owned),
        syntax: documentation.syntax_example.clone(),
        description: documentation.description.clone(),
        arguments: documentation.arguments.clone().unwrap_or_default(),
        example: documentation.sql_example.clone(),
    })
}
