//! Names of tables, as people have them in their Athena: a database before it, an account or a bucket in
//! it, a placeholder of some page.
//!
//! A name that this lake has is left alone. Another is read as `cloudtrail` where it says so, or where
//! the columns asked of it are CloudTrail's; the caller is told of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, Query, Select, Statement, TableAlias, TableFactor, Visit, VisitMut,
    Visitor, VisitorMut,
};

use super::names::folded;
use crate::engine::message::nearest;
use crate::error::QueryError;
use crate::schema::EVENT_COLUMNS;

/// The table that they mean.
const CLOUDTRAIL: &str = "cloudtrail";

/// The database of all tables.
const OWN_DATABASES: [&str; 2] = ["default", "spoor.default"];

/// Tables of ours whose names are common: with a database before them, another table is meant.
const COMMON_NAMES: [&str; 2] = ["events", "sources"];

/// Parts of names that stand for the table of the events.
const TELLING: [&str; 8] = [
    "cloudtrail",
    "cloud_trail",
    "cloud-trail",
    "event_data_store",
    "event-data-store",
    "eventdatastore",
    "table_name",
    "tablename",
];

/// Words of names that do.
const TELLING_WORDS: [&str; 4] = ["trail", "trails", "eds", "edsid"];

/// What a session's tables are called.
#[derive(Debug, Default)]
pub(in crate::engine) struct Tables {
    /// Lower case.
    pub known: BTreeSet<String>,
    /// Further names that the user has given: lower case, to one of `known`.
    pub aliases: BTreeMap<String, String>,
}

/// Replaces names of tables. Gives those that were read as another.
///
/// # Errors
///
/// None at present; a name that means nothing is left to the planner, which knows what to suggest.
pub(super) fn resolve(
    statement: &mut Statement,
    tables: &Tables,
) -> Result<Vec<(String, String)>, QueryError> {
    let mut resolve = Resolve {
        tables,
        common: BTreeSet::new(),
        asked: Vec::new(),
        read_as: BTreeMap::new(),
        paths: BTreeMap::new(),
    };
    if let ControlFlow::Break(error) = VisitMut::visit(statement, &mut resolve) {
        return Err(error);
    }
    let paths = resolve.paths;
    let read_as = resolve.read_as.into_iter().collect();
    if !paths.is_empty() {
        let _: ControlFlow<()> = VisitMut::visit(statement, &mut Shorten { paths });
    }
    Ok(read_as)
}

struct Resolve<'a> {
    tables: &'a Tables,
    /// Names that WITH has given.
    common: BTreeSet<String>,
    /// For each SELECT around the place, whether it asks for columns of CloudTrail.
    asked: Vec<bool>,
    /// Written name, and the table it was read as.
    read_as: BTreeMap<String, String>,
    /// Written names with a database, folded, and the name that the relation has now.
    paths: BTreeMap<Vec<String>, Ident>,
}

impl VisitorMut for Resolve<'_> {
    type Break = QueryError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<QueryError> {
        for common in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.common.insert(folded(&common.alias.name));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<QueryError> {
        self.asked.push(asks_for_events(select));
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &mut Select) -> ControlFlow<QueryError> {
        self.asked.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<QueryError> {
        if let TableFactor::Table {
            name,
            alias,
            args: None,
            ..
        } = factor
        {
            self.resolve(name, alias);
        }
        ControlFlow::Continue(())
    }
}

impl Resolve<'_> {
    fn resolve(&mut self, name: &mut ObjectName, alias: &mut Option<TableAlias>) {
        let parts: Option<Vec<Ident>> =
            name.0.iter().map(|part| part.as_ident().cloned()).collect();
        let Some(parts) = parts else { return };
        let Some((last, databases)) = parts.split_last() else {
            return;
        };
        let Some(table) = self.meant(last, databases) else {
            return;
        };
        let written = name.to_string();
        let span = last.span;
        *name = ObjectName::from(vec![Ident::with_quote_and_span('"', span, table.clone())]);
        if folded(last) != table {
            self.read_as.insert(written, table);
        }
        if alias.is_none() && folded(last) != *self.read_as_name(name) {
            *alias = Some(TableAlias {
                explicit: true,
                name: Ident::with_quote_and_span('"', span, folded(last)),
                columns: Vec::new(),
                at: None,
            });
        }
        if !databases.is_empty() {
            let now = alias.as_ref().map_or(last, |alias| &alias.name);
            let path = parts.iter().map(folded).collect();
            self.paths.insert(path, now.clone());
        }
    }

    fn read_as_name<'n>(&self, name: &'n ObjectName) -> &'n str {
        let last = name.0.last().and_then(|part| part.as_ident());
        last.map_or("", |last| last.value.as_str())
    }

    /// The table that a name stands for, where it is not to be left alone.
    fn meant(&self, last: &Ident, databases: &[Ident]) -> Option<String> {
        let lower = folded(last);
        let database: Vec<String> = databases.iter().map(folded).collect();
        let database = database.join(".");
        let full = format!("{database}.{lower}");
        if databases.is_empty() && self.common.contains(&lower) {
            return None;
        }
        let given = self.tables.aliases.get(&full);
        if let Some(table) = given.or_else(|| self.tables.aliases.get(&lower)) {
            return Some(table.clone());
        }
        let known = self.tables.known.contains(&lower);
        if databases.is_empty() && known {
            return None;
        }
        if known && OWN_DATABASES.contains(&database.as_str()) {
            return None;
        }
        if known && !COMMON_NAMES.contains(&lower.as_str()) {
            return Some(lower);
        }
        let names: Vec<&str> = self.tables.known.iter().map(String::as_str).collect();
        let misspelt = nearest(&lower, &names).filter(|near| !near.starts_with(CLOUDTRAIL));
        if databases.is_empty() && misspelt.is_some() {
            return None;
        }
        let asked = self.asked.last().copied().unwrap_or(false);
        (asked || says_so(&lower)).then(|| CLOUDTRAIL.to_owned())
    }
}

/// Whether a name says that it is the table of the events, or that it stands for any.
fn says_so(lower: &str) -> bool {
    let placeholder = |character: char| "<>${}[]%#".contains(character);
    let mut words = lower.split(|character: char| !character.is_alphanumeric());
    lower.contains(placeholder)
        || words.any(|word| TELLING_WORDS.contains(&word))
        || TELLING.iter().any(|part| lower.contains(part))
        || is_uuid(lower)
}

/// The identifier of an event data store.
fn is_uuid(lower: &str) -> bool {
    let lengths: Vec<usize> = lower.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12]
        && lower
            .chars()
            .all(|character| character == '-' || character.is_ascii_hexdigit())
}

/// Whether a SELECT, without its subqueries in FROM, names columns that CloudTrail's records have.
fn asks_for_events(select: &Select) -> bool {
    let mut mentions = Mentions;
    let found = |visited: ControlFlow<()>| visited.is_break();
    found(select.projection.visit(&mut mentions))
        || found(select.selection.visit(&mut mentions))
        || found(select.group_by.visit(&mut mentions))
        || select
            .from
            .iter()
            .any(|from| from.joins.visit(&mut mentions).is_break())
}

struct Mentions;

impl Visitor for Mentions {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let found = match expr {
            Expr::Identifier(name) => is_telling_column(name),
            Expr::CompoundIdentifier(parts) => parts.iter().any(is_telling_column),
            _ => false,
        };
        if found {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// A top member of two words, such as `eventname`: one word may be anything's.
fn is_telling_column(name: &Ident) -> bool {
    const ONE_WORD: [&str; 2] = ["resources", "readonly"];
    let lower = folded(name);
    let mut columns = EVENT_COLUMNS.iter();
    !ONE_WORD.contains(&lower.as_str())
        && columns.any(|column| {
            column
                .path
                .first()
                .is_some_and(|top| top.eq_ignore_ascii_case(&lower))
        })
}

/// Takes the database off references to columns: `db.table.column` as `table.column`.
struct Shorten {
    paths: BTreeMap<Vec<String>, Ident>,
}

impl VisitorMut for Shorten {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr {
            for (path, name) in &self.paths {
                let leads = parts.len() > path.len()
                    && parts.iter().zip(path).all(|(part, of)| folded(part) == *of);
                if leads {
                    parts.splice(..path.len(), [name.clone()]);
                    break;
                }
            }
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::sqlparser::parser::Parser;

    fn resolved(sql: &str) -> (String, Vec<(String, String)>) {
        let tables = Tables {
            known: [
                "cloudtrail",
                "cloudtrail_logs",
                "activity",
                "events",
                "sources",
            ]
            .map(str::to_owned)
            .into(),
            aliases: [("db.mine".to_owned(), "activity".to_owned())].into(),
        };
        let tokens = super::super::tokenize(sql).unwrap();
        let mut parser = Parser::new(&super::super::Athena).with_tokens_with_locations(tokens);
        let mut statement = parser.parse_statement().unwrap();
        let read_as = resolve(&mut statement, &tables).unwrap();
        (statement.to_string(), read_as)
    }

    #[test]
    fn names_that_mean_the_events() {
        for (sql, expected) in [
            (
                "SELECT * FROM db.cloudtrail",
                "SELECT * FROM \"cloudtrail\"",
            ),
            (
                "SELECT * FROM \"AwsDataCatalog\".\"db\".\"cloudtrail_logs\" x",
                "SELECT * FROM \"cloudtrail_logs\" x",
            ),
            (
                "SELECT * FROM cloudtrail_000000000000",
                "SELECT * FROM \"cloudtrail\" AS \"cloudtrail_000000000000\"",
            ),
            ("SELECT * FROM $EDS_ID t", "SELECT * FROM \"cloudtrail\" t"),
            (
                "SELECT * FROM 5e2676f8-9fce-46ef-8142-3e36a94e6691 t",
                "SELECT * FROM \"cloudtrail\" t",
            ),
            (
                "SELECT eventname FROM \"myDB\" t",
                "SELECT eventname FROM \"cloudtrail\" t",
            ),
            (
                "SELECT db.x.eventname FROM db.x",
                "SELECT \"x\".eventname FROM \"cloudtrail\" AS \"x\"",
            ),
            (
                "SELECT * FROM \"default\".\"cloudtrail_logs_x\" t",
                "SELECT * FROM \"cloudtrail\" t",
            ),
            ("SELECT * FROM db.mine m", "SELECT * FROM \"activity\" m"),
            (
                "SELECT eventname FROM lake.events e",
                "SELECT eventname FROM \"cloudtrail\" e",
            ),
        ] {
            assert_eq!(resolved(sql).0, expected, "{sql}");
        }
    }

    #[test]
    fn other_names_stay() {
        for sql in [
            "SELECT * FROM cloudtrail",
            "SELECT * FROM events",
            "SELECT * FROM spoor.default.events",
            "SELECT eventname FROM activty",
            "SELECT a FROM nothing",
            "WITH trail_logs AS (SELECT 1) SELECT * FROM trail_logs",
        ] {
            let (text, read_as) = resolved(sql);
            assert_eq!(text, sql);
            assert!(read_as.is_empty());
        }
    }

    #[test]
    fn what_was_read_as_another_is_told() {
        let (_, read_as) = resolved("SELECT * FROM <EDS ID> a JOIN <EDS ID> b ON a.x = b.x");
        assert_eq!(
            read_as,
            [("\"EDS ID\"".to_owned(), "cloudtrail".to_owned())]
        );
    }
}
