use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn layout(text: &str) -> Layout {
    match sniff(text.as_bytes()) {
        Sniffed::Table(layout) => layout,
        other => panic!("{other:?}: {text}"),
    }
}

/// A line's record, or the code of what is wrong with it, and its place.
fn lines(text: &[u8]) -> Vec<(u64, Result<String, &'static str>)> {
    let Sniffed::Table(layout) = sniff(text) else {
        panic!("no table: {}", String::from_utf8_lossy(text));
    };
    let mut found = Vec::new();
    let mut end = 0;
    read(&layout, &mut &text[..], &mut |line| {
        assert!(line.offset >= end);
        end = line.offset + line.raw.len() as u64;
        assert!(text[..end as usize].ends_with(line.raw));
        let record = line.record.map(str::to_owned).map_err(|(reason, _)| reason);
        found.push((line.offset, record));
    })
    .unwrap();
    found
}

fn records(text: &str) -> Vec<Result<Value, &'static str>> {
    let lines = lines(text.as_bytes()).into_iter();
    lines
        .map(|(_, record)| record.map(|json| serde_json::from_str(&json).unwrap()))
        .collect()
}

/// A header, one row, and the record that it is.
fn check(header: &str, row: &str, expected: &Value) {
    let found = records(&format!("{header}\n{row}\n"));
    assert_eq!(found, [Ok(expected.clone())], "{row}");
}

#[test]
fn athena_results_become_records() {
    check(
        r#""eventversion","useridentity","eventtime","eventsource","eventname","requestparameters","responseelements","readonly","resources","tlsdetails","errorcode","date_partition""#,
        concat!(
            r#""1.08","{type=AssumedRole, principalid=AROA1:s, arn=arn:aws:sts::1:assumed-role/r/s, accountid=111122223333, invokedby=null, "#,
            r#"sessioncontext={attributes={mfaauthenticated=false, creationdate=2024-01-01T00:00:00Z}, sessionissuer={type=Role, username=r}, "#,
            r#"webidfederationdata={federatedprovider=null, attributes=null}}}","2024-01-01T00:00:00Z","s3.amazonaws.com","GetObject","{""n"": 1.50}",,"#,
            r#""true","[{arn=arn:aws:s3:::b, accountid=1, type=AWS::S3::Bucket}, {arn=arn:aws:s3:::c/k=v, x, accountid=null, type=t}]","#,
            r#""{tlsversion=TLSv1.3, ciphersuite=null, clientprovidedhostheader=h}",,"2024/01/01""#
        ),
        &json!({
            "eventVersion": "1.08",
            "userIdentity": {
                "type": "AssumedRole", "principalId": "AROA1:s",
                "arn": "arn:aws:sts::1:assumed-role/r/s", "accountId": "111122223333",
                "sessionContext": {
                    "attributes": {"mfaAuthenticated": "false", "creationDate": "2024-01-01T00:00:00Z"},
                    "sessionIssuer": {"type": "Role", "userName": "r"},
                    "webIdFederationData": {},
                },
            },
            "eventTime": "2024-01-01T00:00:00Z", "eventSource": "s3.amazonaws.com", "eventName": "GetObject",
            "requestParameters": {"n": 1.50}, "readOnly": true,
            "resources": [
                {"ARN": "arn:aws:s3:::b", "accountId": "1", "type": "AWS::S3::Bucket"},
                {"ARN": "arn:aws:s3:::c/k=v, x", "type": "t"},
            ],
            "tlsDetails": {"tlsVersion": "TLSv1.3", "clientProvidedHostHeader": "h"},
            "date_partition": "2024/01/01",
        }),
    );
}

#[test]
fn lake_results_become_records() {
    let record = r#"{"eventVersion":"1.08","eventName":"n"}"#;
    let quoted = record.replace('"', "\"\"");
    let text = format!("eventtime,eventJson\n2024-01-01 00:00:00.000,\"{quoted}\"\n,\n");
    assert_eq!(lines(text.as_bytes())[0].1.as_deref(), Ok(record));
    assert_eq!(lines(text.as_bytes())[1].1, Err("empty-row"));
    check(
        "eventid,eventtime,eventname,requestparameters,managementevent,useridentity",
        r#"e,2024-01-01 00:00:00.000,n,"{bucket=b, key=a, c=d}",false,"{""type"":""Root"",""sessionContext"":{""sessionissuer"":{""username"":""u""}}}""#,
        &json!({
            "eventID": "e", "eventTime": "2024-01-01T00:00:00Z", "eventName": "n",
            "requestParameters": "{bucket=b, key=a, c=d}", "managementEvent": false,
            "userIdentity": {"type": "Root", "sessionContext": {"sessionIssuer": {"userName": "u"}}},
        }),
    );
}

#[test]
fn the_console_s_history_becomes_records() {
    check(
        "User name,AWS access key,Event time,Event source,Event name,AWS region,Source IP address,User agent,Error code,Resources,Request ID,Event ID,Read-only,Event type,Recipient Account Id,Event category",
        r#"ann,AKIA1,2024-01-01T00:00:00Z,iam.amazonaws.com,GetUser,us-east-1,192.0.2.1,"a, b",,"[{""resourceType"":""AWS::IAM::User"",""resourceName"":""ann""}]",r,e,true,AwsApiCall,111122223333,Management"#,
        &json!({
            "userIdentity": {"userName": "ann", "accessKeyId": "AKIA1"},
            "eventTime": "2024-01-01T00:00:00Z", "eventSource": "iam.amazonaws.com", "eventName": "GetUser",
            "awsRegion": "us-east-1", "sourceIPAddress": "192.0.2.1", "userAgent": "a, b",
            "resources": [{"resourceType": "AWS::IAM::User", "resourceName": "ann"}],
            "requestID": "r", "eventID": "e", "readOnly": true, "eventType": "AwsApiCall",
            "recipientAccountId": "111122223333", "eventCategory": "Management",
        }),
    );
}

#[test]
fn whole_records_are_left_as_they_are() {
    let record = r#"{"eventVersion":"1.08", "eventName":"n","requestParameters":{"a":"\u00e9"}}"#;
    let quoted = record.replace('"', "\"\"");
    for (header, before, after) in [
        ("_time,host,_raw", "t,h,", ""),
        ("@timestamp,@message", "t,", ""),
        ("EventId;CloudTrailEvent;Username", "1;", ";u"),
        (
            "eventTime\teventName\teventID\tevent_json",
            "2024-01-01T00:00:00Z\tn\te\t",
            "",
        ),
    ] {
        let text = format!("\u{feff}{header}\r\n{before}\"{quoted}\"{after}\r\n");
        assert_eq!(lines(text.as_bytes())[0].1.as_deref(), Ok(record), "{text}");
    }
}

#[test]
fn flat_names_of_any_spelling_become_members() {
    let expected = json!({
        "eventName": "n", "eventSource": "s", "eventID": "e",
        "userIdentity": {"type": "Root", "sessionContext": {"sessionIssuer": {"arn": "a"}}},
        "requestParameters": {"bucketName": "b", "deep": {"er": "1"}},
        "tp_index": "i", "arn": "x", "arn#10": "y",
    });
    let row = "n,s,e,Root,a,b,1,i,x,y";
    for header in [
        "eventName,eventSource,eventID,userIdentity.type,userIdentity.sessionContext.sessionIssuer.arn,requestParameters.bucketName,requestParameters.deep.er,tp_index,arn,arn",
        "event_name,event_source,event_id,user_identity_type,useridentity_sessioncontext_sessionissuer_arn,request_parameters/bucketName,requestParameters/deep/er,tp_index,arn,arn",
    ] {
        check(header, row, &expected);
    }
    // A struct and a member of it: the first is the member, the other stays beside.
    check(
        "eventname,eventsource,eventid,useridentity,useridentity.type",
        "n,s,e,{type=Root},IAMUser",
        &json!({"eventName": "n", "eventSource": "s", "eventID": "e",
            "userIdentity": {"type": "Root"}, "useridentity.type": "IAMUser"}),
    );
}

#[test]
fn structs_of_other_tools_are_read() {
    let check = |cell: &str, expected: Value| {
        let cell = cell.replace('"', "\"\"");
        check(
            "eventname,eventsource,eventid,useridentity",
            &format!("n,s,e,\"{cell}\""),
            &json!({"eventName": "n", "eventSource": "s", "eventID": "e", "userIdentity": expected}),
        );
    };
    check(
        "{'type': Root, 'principal_id': NULL, 'arn': 'a, b'}",
        json!({"type": "Root", "arn": "a, b"}),
    );
    check(
        r#"{'type': 'Root', 'userName': "o'x", 'sessionContext': {'sessionIssuer': {}, 'attributes': {'mfaAuthenticated': 'true'}}, 'invokedBy': None}"#,
        json!({"type": "Root", "userName": "o'x",
            "sessionContext": {"sessionIssuer": {}, "attributes": {"mfaAuthenticated": "true"}}}),
    );
    check("{}", json!({}));
    check("{type=Root, new=x}", json!({"type": "Root", "new": "x"}));
    check(
        "{username=a=b@c, arn=x}",
        json!({"userName": "a=b@c", "arn": "x"}),
    );
    check("{type=}", json!({"type": ""}));
    // What is no struct, or could be two, stays text.
    for text in [
        "nobody",
        "{type=Root",
        "{type=Root}}",
        "{type=Root, username=x, type=y}",
        r#"{"type":"Root","Type":"IAMUser"}"#,
        "{'type': 'Ro\\x41ot'}",
    ] {
        check(text, json!(text));
    }
    check(
        &format!("{{a={}", "{b=".repeat(40)),
        json!(format!("{{a={}", "{b=".repeat(40))),
    );
}

#[test]
fn a_value_cannot_pass_for_a_second_field() {
    let struct_text =
        "{type=SAMLUser, username=x, arn=arn:aws:iam::1:root, principalid=p, arn=arn:aws:sts::2:u}";
    check(
        "eventname,eventsource,eventid,useridentity",
        &format!("n,s,e,\"{struct_text}\""),
        &json!({"eventName": "n", "eventSource": "s", "eventID": "e", "userIdentity": struct_text}),
    );
}

#[test]
fn a_broken_line_costs_itself() {
    let text = b"eventname,eventsource,eventid\na,s,1\nb,s\n\nc,s,3,4\n\"d\xff\",s,4\n,,\neventname,eventsource,eventid\n\"e\n f\",s,5\n\"open,s,6\ng,s,7";
    let found = lines(text);
    let reasons: Vec<_> = found
        .iter()
        .map(|(_, line)| line.as_ref().err().copied())
        .collect();
    let expected = [
        None,
        Some("ragged-row"),
        Some("ragged-row"),
        Some("not-utf8"),
        Some("empty-row"),
        None,
        Some("open-quote"),
        None,
    ];
    assert_eq!(reasons, expected);
    assert_eq!(found[0].0, 30);
    assert!(found[5].1.as_ref().unwrap().contains("e\\n f"));
    assert!(found[7].1.as_ref().unwrap().contains("\"g\""));
}

#[test]
fn a_cell_that_should_be_a_record_and_is_none_is_named() {
    let found = lines(
        b"_time,_raw\n1,\"{\"\"a\"\":1}\"\n2,words\n3,\"{\"\"a\"\":\"\n4,\"{}{}\"\n5,\"[]\"\n",
    );
    let reasons: Vec<_> = found.into_iter().map(|(_, line)| line.err()).collect();
    let reasons: Vec<_> = reasons.into_iter().map(Option::unwrap_or_default).collect();
    assert_eq!(
        reasons,
        [
            "",
            "not-cloudtrail",
            "truncated",
            "invalid-json",
            "not-cloudtrail"
        ]
    );
}

#[test]
fn json_in_cells_is_kept_byte_for_byte() {
    let cell = |text: &str| {
        let quoted = text.replace('"', "\"\"");
        let table = format!("eventname,eventsource,requestparameters\nn,s,\"{quoted}\"\n");
        lines(table.as_bytes())[0].1.clone().unwrap()
    };
    let head = r#"{"eventName":"n","eventSource":"s","requestParameters":"#;
    for json in [r#"{ "a" : 1.0e3 }"#, "[]", "null", r#"{"a":"\u0041"}"#] {
        assert_eq!(cell(json), format!("{head}{json}}}"));
    }
    let deep = format!("{}{}", "[".repeat(127), "]".repeat(127));
    for text in ["{\"a\":}", "plain", "{\"a\":1}{", &deep] {
        assert_eq!(cell(text), format!("{head}{}}}", Value::from(text)));
    }
}

#[test]
fn other_texts_are_no_tables_of_ours() {
    let check = |text: &str, expected: &str| {
        let found = match sniff(text.as_bytes()) {
            Sniffed::Table(_) => "table",
            Sniffed::Other(title) => title,
            Sniffed::Nothing => "nothing",
        };
        assert_eq!(found, expected, "{text}");
    };
    check(
        "version account-id interface-id srcaddr dstaddr srcport\n2 1 eni a b 1\n",
        "VPC flow logs",
    );
    check(
        "identity/LineItemId,lineItem/UsageAccountId\nx,1\n",
        "a cost and usage report",
    );
    check("#Version: 1.0\n#Fields: date time\n", "a CloudFront log");
    check("eventname,count\nGetObject,3\n", "nothing");
    check("_raw\nplain words\n", "nothing");
    check(
        "{\"eventname\":1,\"eventsource\":2,\"eventid\":3}\n",
        "nothing",
    );
    check("eventname,eventsource,eventid", "nothing");
    check(
        &format!(
            "eventname,eventsource,eventid{}\n",
            ",x".repeat(MAX_COLUMNS)
        ),
        "nothing",
    );
    let long = "x".repeat(MAX_NAME_BYTES + 1);
    check(
        &format!("eventname,eventsource,eventid,{long}\n"),
        "nothing",
    );
    check("", "nothing");
    check("eventname,eventsource,eventid\n", "table");
    assert_eq!(layout("eventname|eventsource|event id\n").n_columns, 3);
}

#[test]
fn a_line_without_end_is_given_up() {
    let mut text = b"eventname,eventsource,eventid\n".to_vec();
    text.extend_from_slice(b"\"a\n");
    text.resize(text.len() + MAX_RECORD_BYTES + 10, b'x');
    text.extend_from_slice(b"\nlast,s,1\n");
    let reasons: Vec<_> = lines(&text)
        .into_iter()
        .map(|(_, line)| line.err())
        .collect();
    assert_eq!(reasons, [Some("open-quote"), Some("too-long"), None]);
}

/// How the cells of a table are quoted.
fn table(header: &[&str], rows: &[Vec<String>], delimiter: u8) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .from_writer(Vec::new());
    writer.write_record(header).unwrap();
    for row in rows {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

proptest! {
    /// What the library for CSV writes is read as it was.
    #[test]
    fn any_cells_come_back(
        rows in proptest::collection::vec(proptest::collection::vec("[ -~\n\r\té]{0,6}", 3), 1..6),
        tab in any::<bool>(),
    ) {
        let text = table(&["eventname", "eventsource", "errormessage"], &rows, if tab { b'\t' } else { b',' });
        let names = ["eventName", "eventSource", "errorMessage"];
        let found: Vec<Value> = lines(&text)
            .into_iter()
            .filter_map(|(_, line)| line.ok())
            .map(|json| serde_json::from_str(&json).unwrap())
            .collect();
        let expected: Vec<Value> = rows
            .iter()
            .map(|row| {
                let cells = names.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
                cells.map(|(name, cell)| ((*name).to_owned(), json!(cell))).collect::<Value>()
            })
            .filter(|record| *record != json!({}))
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_struct_text_is_read_or_left(cell in "[{\\[]{0,3}[a-c=, '\":{}\\[\\]\\\\]{0,24}[}\\]]{0,3}") {
        let row = vec!["n".to_owned(), "s".to_owned(), cell.clone()];
        let text = table(&["eventname", "eventsource", "useridentity"], &[row], b',');
        for (_, line) in lines(&text) {
            let json: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let found = json.get("userIdentity");
            prop_assert!(found.is_none_or(|found| found.is_object() || found.is_array() || *found == json!(cell)));
        }
    }

    #[test]
    fn any_bytes_are_used_up_in_order(tail in proptest::collection::vec(proptest::sample::select(b"a,\"\n\r{}[]=\xff".to_vec()), 0..60)) {
        let mut text = b"eventname,eventsource,eventid\n".to_vec();
        text.extend(tail);
        lines(&text);
    }
}
