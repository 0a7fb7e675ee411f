use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int64Array, ListArray, MapArray,
    MapBuilder, RecordBatch, StringArray, StringBuilder, StructArray, TimestampMicrosecondArray,
    UnionArray,
};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Field, Fields, Int32Type, UnionFields};
use insta::assert_snapshot;

use super::*;

fn render(batches: &[RecordBatch], format: Format, options: RowOptions) -> String {
    String::from_utf8(render_bytes(batches, format, options)).unwrap()
}

fn render_bytes(batches: &[RecordBatch], format: Format, options: RowOptions) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = RowWriter::new(format, &batches[0].schema(), &mut out, options).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    let n_rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(writer.finish().unwrap(), n_rows as u64);
    out
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap()
}

/// Two rows over the types a query gives; the second is all NULL where it can be.
fn all_types() -> RecordBatch {
    let names = Fields::from(vec![
        Field::new("arn", DataType::Utf8, true),
        Field::new("n", DataType::Int64, true),
    ]);
    let identity = StructArray::new(
        names,
        vec![
            Arc::new(StringArray::from(vec![Some("arn:x"), None])),
            Arc::new(Int64Array::from(vec![None, Some(2)])),
        ],
        Some(vec![true, false].into()),
    );
    let list = ListArray::from_iter_primitive::<arrow::datatypes::Int64Type, _, _>(vec![
        Some(vec![Some(1), None]),
        None,
    ]);
    let dictionary: DictionaryArray<Int32Type> = vec![Some("s3"), None].into_iter().collect();
    batch(vec![
        (
            "eventtime",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1_688_205_600_500_000), None])
                    .with_timezone("UTC"),
            ),
        ),
        (
            "text",
            Arc::new(StringArray::from(vec![Some("=1+1"), None])),
        ),
        (
            "big",
            Arc::new(Int64Array::from(vec![Some(-9_007_199_254_740_993), None])),
        ),
        ("float", Arc::new(Float64Array::from(vec![Some(1.5), None]))),
        ("ok", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("source", Arc::new(dictionary)),
        ("identity", Arc::new(identity)),
        ("list", Arc::new(list)),
        ("tags", Arc::new(text_map())),
        ("json", Arc::new(json_union())),
    ])
}

fn text_map() -> MapArray {
    let mut builder = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    builder.keys().append_value("k");
    builder.values().append_null();
    builder.append(true).unwrap();
    builder.append(false).unwrap();
    builder.finish()
}

/// The shape of the JSON functions' results: null, int, text, object.
fn json_union() -> UnionArray {
    let json_field = Field::new("object", DataType::Utf8, true)
        .with_metadata([("ARROW:extension:name".to_owned(), "arrow.json".to_owned())].into());
    let fields = UnionFields::try_new(
        [0, 1, 2, 3],
        [
            Field::new("null", DataType::Null, true),
            Field::new("int", DataType::Int64, true),
            Field::new("str", DataType::Utf8, true),
            json_field,
        ],
    )
    .unwrap();
    UnionArray::try_new(
        fields,
        ScalarBuffer::from(vec![3_i8, 0]),
        None,
        vec![
            Arc::new(arrow::array::NullArray::new(2)),
            Arc::new(Int64Array::from(vec![None, None])),
            Arc::new(StringArray::from(vec![None::<&str>, None])),
            Arc::new(StringArray::from(vec![Some("{\"a\":\n [1]}"), None])),
        ],
    )
    .unwrap()
}

fn hostile() -> RecordBatch {
    batch(vec![
        (
            "useragent",
            Arc::new(StringArray::from(vec![
                "\x1b[2Jgone\u{202e}",
                "two\nlines|cells",
                "-5",
            ])),
        ),
        ("n", Arc::new(Int64Array::from(vec![1, 20, -300]))),
    ])
}

#[test]
fn json_keeps_types_and_nulls() {
    assert_snapshot!(render(&[all_types()], Format::Ndjson, RowOptions::default()), @r#"
    {"eventtime":"2023-07-01T10:00:00.500Z","text":"=1+1","big":-9007199254740993,"float":1.5,"ok":true,"source":"s3","identity":{"arn":"arn:x","n":null},"list":[1,null],"tags":{"k":null},"json":{"a": [1]}}
    {"eventtime":null,"text":null,"big":null,"float":null,"ok":null,"source":null,"identity":null,"list":null,"tags":null,"json":null}
    "#);
    assert_snapshot!(render(&[all_types()], Format::Json, RowOptions::default()), @r#"
    [
    {"eventtime":"2023-07-01T10:00:00.500Z","text":"=1+1","big":-9007199254740993,"float":1.5,"ok":true,"source":"s3","identity":{"arn":"arn:x","n":null},"list":[1,null],"tags":{"k":null},"json":{"a": [1]}},
    {"eventtime":null,"text":null,"big":null,"float":null,"ok":null,"source":null,"identity":null,"list":null,"tags":null,"json":null}
    ]
    "#);
    let empty = all_types().slice(0, 0);
    assert_eq!(
        render(&[empty], Format::Json, RowOptions::default()),
        "[]\n"
    );
}

#[test]
fn csv_has_a_header_and_no_formulas() {
    assert_snapshot!(render(&[all_types()], Format::Csv, RowOptions::default()), @r#"
    eventtime,text,big,float,ok,source,identity,list,tags,json
    2023-07-01T10:00:00.500Z,'=1+1,-9007199254740993,1.5,true,s3,"{""arn"":""arn:x"",""n"":null}","[1,null]","{""k"":null}","{""a"":
     [1]}"
    ,,,,,,,,,
    "#);
    assert_snapshot!(render(&[hostile()], Format::Csv, RowOptions::default()), @r#"
    useragent,n
    \x1b[2Jgone\u{202e},1
    "two
    lines|cells",20
    -5,-300
    "#);
    assert_snapshot!(render(&[hostile()], Format::Tsv, RowOptions::default()), @r#"
    useragent	n
    \x1b[2Jgone\u{202e}	1
    "two
    lines|cells"	20
    -5	-300
    "#);
}

#[test]
fn markdown_stays_a_table() {
    assert_snapshot!(render(&[hostile()], Format::Markdown, RowOptions::default()), @r"
    | useragent | n |
    | --- | ---: |
    | \\x1b\[2Jgone\\u{202e} | 1 |
    | two\\nlines\|cells | 20 |
    | -5 | -300 |
    ");
}

#[test]
fn tables_show_hostile_text_as_escapes() {
    assert_snapshot!(render(&[hostile()], Format::Table, RowOptions::default()), @r"
    ┌─────────────────────┬──────┐
    │ useragent           │    n │
    ╞═════════════════════╪══════╡
    │ \x1b[2Jgone\u{202e} │    1 │
    │ two↵                │   20 │
    │ lines|cells         │      │
    │ -5                  │ -300 │
    └─────────────────────┴──────┘
    ");
    assert_snapshot!(render(&[hostile()], Format::Vertical, RowOptions::default()), @r"
    ──[ row 1 ]─────────────────────────────────────────────────
    useragent │ \x1b[2Jgone\u{202e}
    n         │ 1
    ──[ row 2 ]─────────────────────────────────────────────────
    useragent │ two
              ┆ lines|cells
    n         │ 20
    ──[ row 3 ]─────────────────────────────────────────────────
    useragent │ -5
    n         │ -300
    ");
}

#[test]
fn tables_fit_the_terminal() {
    let long = "AccessDenied: User is not authorized to perform this".repeat(2);
    let rows = batch(vec![
        (
            "errorcode",
            Arc::new(StringArray::from(vec!["AccessDenied"])),
        ),
        ("errormessage", Arc::new(StringArray::from(vec![long]))),
    ]);
    let options = RowOptions {
        width: Some(50),
        ..RowOptions::default()
    };
    let shown = render(&[rows], Format::Table, options);
    assert_snapshot!(shown, @r"
    ┌──────────────┬─────────────────────────────────┐
    │ errorcode    │ errormessage                    │
    ╞══════════════╪═════════════════════════════════╡
    │ AccessDenied │ AccessDenied: User is not       │
    │              │ authorized to perform           │
    │              │ thisAccessDenied: User is not   │
    │              │ authorized to perform this      │
    └──────────────┴─────────────────────────────────┘
    ");
    assert!(shown.lines().all(|line| line.chars().count() <= 50));
}

#[test]
fn tables_too_wide_are_written_on_end() {
    let options = RowOptions {
        width: Some(60),
        ..RowOptions::default()
    };
    assert_snapshot!(render(&[all_types()], Format::Table, options), @r#"
    ──[ row 1 ]─────────────────────────────────────────────────
    eventtime │ 2023-07-01T10:00:00.500Z
    text      │ =1+1
    big       │ -9007199254740993
    float     │ 1.5
    ok        │ true
    source    │ s3
    identity  │ {"arn":"arn:x","n":null}
    list      │ [1,null]
    tags      │ {"k":null}
    json      │ {"a":
              ┆  [1]}
    ──[ row 2 ]─────────────────────────────────────────────────
    eventtime │ NULL
    text      │ NULL
    big       │ NULL
    float     │ NULL
    ok        │ NULL
    source    │ NULL
    identity  │ NULL
    list      │ NULL
    tags      │ NULL
    json      │ NULL
    "#);
}

#[test]
fn screens_may_stop_and_say_so() {
    let options = RowOptions {
        max_rows: Some(2),
        ..RowOptions::default()
    };
    let batches = [hostile(), hostile()];
    for format in [Format::Table, Format::Vertical] {
        let shown = render(&batches, format, options);
        assert!(shown.ends_with("… 4 more rows, not shown\n"), "{shown}");
        assert!(!shown.contains("-5"));
    }
    let whole = render(&batches, Format::Csv, options);
    assert_eq!(whole.matches("-300").count(), 2);
}

#[test]
fn long_tables_come_in_parts() {
    let numbers = batch(vec![(
        "n",
        Arc::new(Int64Array::from_iter_values(0..2_500)),
    )]);
    let shown = render(&[numbers], Format::Table, RowOptions::default());
    assert_eq!(shown.matches('╞').count(), 3);
    assert!(shown.contains("2499"));
}

#[test]
fn colors_mark_nulls_only_when_asked() {
    let plain = render(&[all_types()], Format::Table, RowOptions::default());
    assert!(!plain.contains('\x1b'));
    let options = RowOptions {
        color: true,
        ..RowOptions::default()
    };
    let colored = render(&[all_types()], Format::Table, options);
    assert!(colored.contains('\x1b') && colored.contains("NULL"));
}

#[test]
fn two_columns_of_one_name_both_arrive() {
    let one: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let fields = vec![
        Field::new("a", DataType::Int64, true),
        Field::new("a", DataType::Int64, true),
    ];
    let schema = Arc::new(Schema::new(fields));
    let rows = RecordBatch::try_new(schema, vec![one.clone(), one]).unwrap();
    let shown = render(
        std::slice::from_ref(&rows),
        Format::Ndjson,
        RowOptions::default(),
    );
    assert_eq!(shown, "{\"a\":1,\"a_2\":1}\n");
    render_bytes(&[rows], Format::Parquet, RowOptions::default());
}

#[test]
fn parquet_reads_back_the_same() {
    let rows = all_types();
    let bytes = render_bytes(
        std::slice::from_ref(&rows),
        Format::Parquet,
        RowOptions::default(),
    );
    let file = tempfile::tempfile().unwrap();
    (&file).write_all(&bytes).unwrap();
    let reader = ::parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 10);
    let back: Vec<_> = reader.unwrap().map(Result::unwrap).collect();
    assert_eq!(back.len(), 1);
    for name in ["eventtime", "text", "identity", "list", "tags", "source"] {
        let column = |batch: &RecordBatch| batch.column_by_name(name).unwrap().to_data();
        assert_eq!(column(&back[0]), column(&rows), "{name}");
    }
    let json = back[0].column_by_name("json").unwrap();
    let json = json.as_any().downcast_ref::<StringArray>().unwrap();
    assert_eq!(json.value(0), "{\"a\":\n [1]}");
    assert!(json.is_null(1));
}

#[test]
fn names_and_formats_agree() {
    for (format, name) in Format::ALL.into_iter().zip(Format::NAMES) {
        assert_eq!(format.as_str(), name);
        assert_eq!(name.parse(), Ok(format));
    }
    assert_eq!(
        "xml".parse::<Format>().unwrap_err().to_string(),
        "`xml` is not a format (table, csv, tsv, json, ndjson, markdown, vertical, parquet)"
    );
}
