//! The columns of the lake, once: what a CloudTrail record has, under which flat name it is stored,
//! and where it sits in the record.
//!
//! Column names are Athena's: CloudTrail's own member names folded to lower case, nested ones joined
//! by `_`. The set is the current official Athena table for CloudTrail plus the members that newer
//! event versions brought (AWS CloudTrail user guide, "record contents" and "userIdentity element").
//! Ingest fills these columns, the lake declares them, and the engine builds the view `cloudtrail`
//! from [`EVENT_COLUMNS`], so a new member is one new line here.

mod tables;

pub(crate) use tables::resource_fields;
pub use tables::{
    DATE_PARTITION, MAX_CONTENT_BYTES, NULL_PARTITION, REJECT_COLUMNS, SOURCE_COLUMNS,
    StoredColumn, StoredType, Table,
};

/// How a member of a record is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A JSON string, unescaped.
    Text,
    /// `true` or `false`; also the strings of that spelling.
    Bool,
    /// CloudTrail's UTC text, as microseconds since 1970.
    Time,
    /// Any JSON value, its text byte for byte; JSON `null` is SQL NULL.
    Json,
    /// The list of resources: `arn`, `accountid`, `type`, `arnprefix`.
    Resources,
    /// An object of strings.
    TextMap,
}

/// A member of a CloudTrail record and its column.
#[derive(Debug, Clone, Copy)]
pub struct EventColumn {
    /// The flat column name.
    pub name: &'static str,
    /// The way to it in the record, in CloudTrail's spelling.
    pub path: &'static [&'static str],
    pub kind: Kind,
    /// Few distinct values: worth an Arrow dictionary when read.
    pub low_cardinality: bool,
    /// Looked up by exact value: worth a Parquet bloom filter.
    pub bloom_filter: bool,
    /// Nearly every event has its own value, so that no dictionary pays.
    pub unique: bool,
}

const fn column(name: &'static str, path: &'static [&'static str], kind: Kind) -> EventColumn {
    EventColumn {
        name,
        path,
        kind,
        low_cardinality: false,
        bloom_filter: false,
        unique: false,
    }
}

/// Text with many distinct values.
const fn text(name: &'static str, path: &'static [&'static str]) -> EventColumn {
    column(name, path, Kind::Text)
}

/// Text with few distinct values.
const fn word(name: &'static str, path: &'static [&'static str]) -> EventColumn {
    EventColumn {
        low_cardinality: true,
        ..column(name, path, Kind::Text)
    }
}

/// Text that people look up by value.
const fn id(name: &'static str, path: &'static [&'static str]) -> EventColumn {
    EventColumn {
        bloom_filter: true,
        ..column(name, path, Kind::Text)
    }
}

/// An id that is looked up by value and that (nearly) every event has its own.
const fn unique_id(name: &'static str, path: &'static [&'static str]) -> EventColumn {
    EventColumn {
        unique: true,
        ..id(name, path)
    }
}

const fn json(name: &'static str, path: &'static [&'static str]) -> EventColumn {
    column(name, path, Kind::Json)
}

/// Every typed member of a record, in the order of the table.
#[rustfmt::skip]
pub const EVENT_COLUMNS: &[EventColumn] = &[
    word("eventversion", &["eventVersion"]),
    word("useridentity_type", &["userIdentity", "type"]),
    text("useridentity_principalid", &["userIdentity", "principalId"]),
    text("useridentity_arn", &["userIdentity", "arn"]),
    word("useridentity_accountid", &["userIdentity", "accountId"]),
    word("useridentity_invokedby", &["userIdentity", "invokedBy"]),
    id("useridentity_accesskeyid", &["userIdentity", "accessKeyId"]),
    text("useridentity_username", &["userIdentity", "userName"]),
    text("useridentity_identityprovider", &["userIdentity", "identityProvider"]),
    text("useridentity_credentialid", &["userIdentity", "credentialId"]),
    text("useridentity_onbehalfof_userid", &["userIdentity", "onBehalfOf", "userId"]),
    word("useridentity_onbehalfof_identitystorearn", &["userIdentity", "onBehalfOf", "identityStoreArn"]),
    text("useridentity_inscopeof_sourcearn", &["userIdentity", "inScopeOf", "sourceArn"]),
    word("useridentity_inscopeof_sourceaccount", &["userIdentity", "inScopeOf", "sourceAccount"]),
    word("useridentity_inscopeof_issuertype", &["userIdentity", "inScopeOf", "issuerType"]),
    text("useridentity_inscopeof_credentialsissuedto", &["userIdentity", "inScopeOf", "credentialsIssuedTo"]),
    word("useridentity_invokedbydelegate_accountid", &["userIdentity", "invokedByDelegate", "accountId"]),
    text("useridentity_sessioncontext_attributes_creationdate", &["userIdentity", "sessionContext", "attributes", "creationDate"]),
    word("useridentity_sessioncontext_attributes_mfaauthenticated", &["userIdentity", "sessionContext", "attributes", "mfaAuthenticated"]),
    word("useridentity_sessioncontext_attributes_sessioncredentialfromconsole", &["userIdentity", "sessionContext", "attributes", "sessionCredentialFromConsole"]),
    word("useridentity_sessioncontext_sessionissuer_type", &["userIdentity", "sessionContext", "sessionIssuer", "type"]),
    text("useridentity_sessioncontext_sessionissuer_principalid", &["userIdentity", "sessionContext", "sessionIssuer", "principalId"]),
    text("useridentity_sessioncontext_sessionissuer_arn", &["userIdentity", "sessionContext", "sessionIssuer", "arn"]),
    word("useridentity_sessioncontext_sessionissuer_accountid", &["userIdentity", "sessionContext", "sessionIssuer", "accountId"]),
    text("useridentity_sessioncontext_sessionissuer_username", &["userIdentity", "sessionContext", "sessionIssuer", "userName"]),
    text("useridentity_sessioncontext_webidfederationdata_federatedprovider", &["userIdentity", "sessionContext", "webIdFederationData", "federatedProvider"]),
    column("useridentity_sessioncontext_webidfederationdata_attributes", &["userIdentity", "sessionContext", "webIdFederationData", "attributes"], Kind::TextMap),
    text("useridentity_sessioncontext_sourceidentity", &["userIdentity", "sessionContext", "sourceIdentity"]),
    word("useridentity_sessioncontext_ec2roledelivery", &["userIdentity", "sessionContext", "ec2RoleDelivery"]),
    word("useridentity_sessioncontext_ec2issuedinvpc", &["userIdentity", "sessionContext", "ec2IssuedInVpc"]),
    word("useridentity_sessioncontext_assumedroot", &["userIdentity", "sessionContext", "assumedRoot"]),
    text("useridentity_sessioncontext_signinsessionarn", &["userIdentity", "sessionContext", "signInSessionArn"]),
    column("eventtime", &["eventTime"], Kind::Time),
    word("eventsource", &["eventSource"]),
    word("eventname", &["eventName"]),
    word("awsregion", &["awsRegion"]),
    text("sourceipaddress", &["sourceIPAddress"]),
    text("useragent", &["userAgent"]),
    word("errorcode", &["errorCode"]),
    text("errormessage", &["errorMessage"]),
    json("requestparameters", &["requestParameters"]),
    json("responseelements", &["responseElements"]),
    json("additionaleventdata", &["additionalEventData"]),
    unique_id("requestid", &["requestID"]),
    unique_id("eventid", &["eventID"]),
    column("readonly", &["readOnly"], Kind::Bool),
    column("resources", &["resources"], Kind::Resources),
    word("eventtype", &["eventType"]),
    word("apiversion", &["apiVersion"]),
    column("managementevent", &["managementEvent"], Kind::Bool),
    word("recipientaccountid", &["recipientAccountId"]),
    json("serviceeventdetails", &["serviceEventDetails"]),
    unique_id("sharedeventid", &["sharedEventID"]),
    text("vpcendpointid", &["vpcEndpointId"]),
    word("vpcendpointaccountid", &["vpcEndpointAccountId"]),
    word("eventcategory", &["eventCategory"]),
    word("addendum_reason", &["addendum", "reason"]),
    text("addendum_updatedfields", &["addendum", "updatedFields"]),
    text("addendum_originalrequestid", &["addendum", "originalRequestID"]),
    text("addendum_originaleventid", &["addendum", "originalEventID"]),
    word("sessioncredentialfromconsole", &["sessionCredentialFromConsole"]),
    json("edgedevicedetails", &["edgeDeviceDetails"]),
    word("tlsdetails_tlsversion", &["tlsDetails", "tlsVersion"]),
    word("tlsdetails_ciphersuite", &["tlsDetails", "cipherSuite"]),
    text("tlsdetails_clientprovidedhostheader", &["tlsDetails", "clientProvidedHostHeader"]),
    word("tlsdetails_keyexchange", &["tlsDetails", "keyExchange"]),
    json("insightdetails", &["insightDetails"]),
    json("eventcontext", &["eventContext"]),
];

/// What the typed columns cannot reproduce of a record: JSON text, laid over the typed members when
/// the record is printed back. NULL where the typed columns say everything.
pub const EXTRA: &str = "extra";
/// The address of the source object the row was read from, as in `sources.uri`.
pub const SOURCE_FILE: &str = "source_file";
/// The record's position in its source, from 0, counting every record read.
pub const SOURCE_INDEX: &str = "source_index";
/// 64 bits over the record's members, blind to white space and to the order of the top members.
pub const CONTENT_HASH: &str = "content_hash";
/// True where another record has the same event id and account but other content.
pub const CONFLICTING: &str = "conflicting";

/// The field names of one entry of the column `resources`, in order, and their spelling in a record.
pub const RESOURCE_FIELDS: [(&str, &str); 4] = [
    ("arn", "ARN"),
    ("accountid", "accountId"),
    ("type", "type"),
    ("arnprefix", "ARNPrefix"),
];

/// The position of an event column in [`EVENT_COLUMNS`], by its flat name.
pub fn event_column_index(name: &str) -> Option<usize> {
    EVENT_COLUMNS.iter().position(|column| column.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_the_folded_paths() {
        for column in EVENT_COLUMNS {
            assert_eq!(column.name, column.path.join("_").to_lowercase());
        }
    }

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = EVENT_COLUMNS.iter().map(|column| column.name).collect();
        assert_eq!(names.len(), EVENT_COLUMNS.len());
    }
}
