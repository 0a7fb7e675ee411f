//! From events to the evidence that lineage is told from.

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::execute_stream;
use datafusion::sql::parser::DFParser;
use futures::TryStreamExt;

use crate::engine::session::physical_plan;
use crate::lineage::{Call, Evidence, GrantRecord, Identity};

/// The callers of all events, column by column as [`calls`] reads them.
const CALLS: &str = "SELECT mark, type, principal_key, principal_id, arn, caller_account, \
    access_key_id, caller_role_arn, user_name, identity_provider, credential_id, user_id, service, \
    scope_type, scope_arn, session_source, sign_in, eventsource, awsregion, sourceipaddress, \
    session_created_at, eventtime, from_metadata, assumed_root, console, mfa, denied, readonly \
    FROM callers WHERE mark IS NOT NULL";

/// The issuing calls, column by column as [`grants`] reads them.
const GRANTS: &str = "SELECT eventid, recipientaccountid, eventname, mark, type, sharedeventid, \
    requestid, sourceipaddress, key, role_id, session_arn, role_arn, target_account, session_name, \
    source_identity, saml_provider, sign_in_begun, switched_from, directory_credential, amends, \
    eventtime, expires_at FROM credential_grants";

/// Reads all evidence.
///
/// # Errors
///
/// Where the events cannot be read.
pub(super) async fn evidence(session: &SessionState) -> Result<Evidence> {
    let mut evidence = Evidence::default();
    each(session, CALLS, |batch| calls(&mut evidence, batch)).await?;
    each(session, GRANTS, |batch| grants(&mut evidence, batch)).await?;
    Ok(evidence)
}

/// Runs a query and gives each batch away as it comes.
pub(super) async fn each(
    session: &SessionState,
    sql: &str,
    mut take: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let mut statements = DFParser::parse_sql(sql)?;
    let statement = statements.pop_front();
    let statement = statement.ok_or_else(|| internal_datafusion_err!("a query is empty"))?;
    let plan = session.statement_to_plan(statement).await?;
    let plan = physical_plan(session, &plan).await?;
    let mut batches = execute_stream(plan, session.task_ctx())?;
    while let Some(batch) = batches.try_next().await? {
        take(&batch)?;
    }
    Ok(())
}

/// Columns of one batch, read as plain values.
pub(super) struct Columns(Vec<ArrayRef>);

impl Columns {
    /// Every text is made a view, every time microseconds in UTC.
    pub(super) fn of(batch: &RecordBatch) -> Result<Self> {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let columns = batch.columns().iter().map(|column| {
            Ok(match column.data_type() {
                DataType::Timestamp(..) => cast(column, &time)?,
                DataType::Boolean => ArrayRef::clone(column),
                _ => cast(column, &DataType::Utf8View)?,
            })
        });
        Ok(Self(columns.collect::<Result<_>>()?))
    }

    fn column(&self, at: usize) -> Result<&ArrayRef> {
        let column = self.0.get(at);
        column.ok_or_else(|| internal_datafusion_err!("a query has no column {at}"))
    }

    pub(super) fn texts(&self, at: usize) -> Result<&StringViewArray> {
        let column = self.column(at)?.as_string_view_opt();
        column.ok_or_else(|| internal_datafusion_err!("column {at} is no text"))
    }

    fn times(&self, at: usize) -> Result<&TimestampMicrosecondArray> {
        let column = self
            .column(at)?
            .as_primitive_opt::<TimestampMicrosecondType>();
        column.ok_or_else(|| internal_datafusion_err!("column {at} is no time"))
    }

    fn truths(&self, at: usize) -> Result<&BooleanArray> {
        let column = self.column(at)?.as_boolean_opt();
        column.ok_or_else(|| internal_datafusion_err!("column {at} is no truth value"))
    }
}

pub(super) fn text(column: &StringViewArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

fn time(column: &TimestampMicrosecondArray, row: usize) -> Option<i64> {
    column.is_valid(row).then(|| column.value(row))
}

fn truth(column: &BooleanArray, row: usize) -> bool {
    column.is_valid(row) && column.value(row)
}

/// The columns of [`CALLS`].
fn calls(evidence: &mut Evidence, batch: &RecordBatch) -> Result<()> {
    let columns = Columns::of(batch)?;
    let texts: Vec<&StringViewArray> =
        (0..20).map(|at| columns.texts(at)).collect::<Result<_>>()?;
    let (created, times) = (columns.times(20)?, columns.times(21)?);
    let truths: Vec<&BooleanArray> = (22..28)
        .map(|at| columns.truths(at))
        .collect::<Result<_>>()?;
    for row in 0..batch.num_rows() {
        let get = |at: usize| text(texts[at], row);
        let is = |at: usize| truth(truths[at], row);
        evidence.add_call(&Call {
            mark: get(0).unwrap_or_default(),
            identity: Identity {
                kind: get(1),
                principal: get(2),
                principal_id: get(3),
                arn: get(4),
                account: get(5),
                access_key_id: get(6),
                created: time(created, row),
                issuer_arn: get(7),
                user_name: get(8),
                provider: get(9),
                credential_id: get(10),
                user_id: get(11),
                service: get(12),
                scope_type: get(13),
                scope_arn: get(14),
                source_identity: get(15),
                sign_in: get(16),
                from_metadata: is(0),
                assumed_root: is(1),
                console: is(2),
                mfa: is(3),
            },
            time: time(times, row),
            service: get(17),
            region: get(18),
            address: get(19),
            denied: is(4),
            write: !is(5),
        });
    }
    Ok(())
}

/// The columns of [`GRANTS`].
fn grants(evidence: &mut Evidence, batch: &RecordBatch) -> Result<()> {
    let columns = Columns::of(batch)?;
    let texts: Vec<&StringViewArray> =
        (0..20).map(|at| columns.texts(at)).collect::<Result<_>>()?;
    let (times, ends) = (columns.times(20)?, columns.times(21)?);
    for row in 0..batch.num_rows() {
        let get = |at: usize| text(texts[at], row);
        evidence.add_grant(&GrantRecord {
            event_id: get(0).unwrap_or_default(),
            account: get(1),
            time: time(times, row),
            name: get(2).unwrap_or_default(),
            mark: get(3).unwrap_or_default(),
            caller_kind: get(4),
            shared_id: get(5),
            request_id: get(6),
            address: get(7),
            key: get(8),
            role_id: get(9),
            session_arn: get(10),
            role_arn: get(11),
            target_account: get(12),
            session_name: get(13),
            source_identity: get(14),
            expires_at: time(ends, row),
            saml_provider: get(15),
            sign_in_begun: get(16),
            switched_from: get(17),
            directory_credential: get(18),
            amends: get(19),
        });
    }
    Ok(())
}
