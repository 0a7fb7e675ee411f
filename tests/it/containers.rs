//! Evidence in packed files and archives, through whole runs and through the program.

use std::fs;
use std::io::Write as _;

use spoor::ingest::Summary;

use crate::scratch::{Scratch, envelope, event, gzip, run};

fn records(ids: std::ops::Range<u32>) -> Vec<u8> {
    envelope(&ids.map(event).collect::<Vec<_>>()).into_bytes()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut packer = liblzma::write::XzEncoder::new(Vec::new(), 0);
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, data) in files {
        let mut header = vec![0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
        header[148..156].copy_from_slice(b"        ");
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend(header);
        archive.extend_from_slice(data);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// Members that are not packed, with their flags.
fn zip(files: &[(&str, &[u8], u16)]) -> Vec<u8> {
    let (mut body, mut directory) = (Vec::new(), Vec::new());
    for (name, data, flags) in files {
        let mut crc = flate2::Crc::new();
        crc.update(data);
        let size = (data.len() as u32).to_le_bytes();
        let mut common = [flags.to_le_bytes(), [0; 2], [0; 2], [0; 2]].concat();
        common.extend([crc.sum().to_le_bytes(), size, size].concat());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        let offset = (body.len() as u32).to_le_bytes();
        body.extend([&b"PK\x03\x04\x14\0"[..], &common, name.as_bytes(), data].concat());
        directory.extend([&b"PK\x01\x02\x14\0\x14\0"[..], &common, &[0; 10], &offset].concat());
        directory.extend_from_slice(name.as_bytes());
    }
    let n_files = (files.len() as u16).to_le_bytes();
    let places = [directory.len() as u32, body.len() as u32].map(u32::to_le_bytes);
    let end = [
        &b"PK\x05\x06\0\0\0\0"[..],
        &n_files,
        &n_files,
        &places.concat(),
        &[0, 0],
    ];
    [body, directory, end.concat()].concat()
}

/// What every run must hold: its numbers add up, and the same again adds nothing.
async fn ingest_twice(scratch: &Scratch, names: &[&str]) -> Summary {
    let summary = scratch.ingest(names).await;
    let ends = summary.rows_written + summary.duplicates + summary.rejected;
    assert_eq!(summary.records_read, ends);
    let again = scratch.ingest(names).await;
    assert_eq!((again.rows_written, again.duplicates), (0, 0));
    summary
}

async fn ids(scratch: &Scratch) -> Vec<String> {
    let sql = "SELECT right(eventid, 3) FROM events ORDER BY 1";
    scratch.column(sql).await
}

#[tokio::test]
async fn a_log_gives_the_same_rows_however_it_is_packed() {
    let log = records(1..4);
    for packed in [
        gzip(&log),
        zstd(&log),
        bzip2(&log),
        xz(&log),
        zstd(&gzip(&log)),
    ] {
        let scratch = Scratch::new();
        // The name says nothing of the packing.
        scratch.write("in/log.json", packed);
        let summary = ingest_twice(&scratch, &["in"]).await;
        assert_eq!((summary.rows_written, summary.rejected), (3, 0));
        assert_eq!(ids(&scratch).await, ["001", "002", "003"]);
    }
}

#[tokio::test]
async fn members_of_archives_are_sources_with_addresses() {
    let inner = tar(&[
        ("b.json", &records(3..5)),
        ("c.json.gz", &gzip(records(5..6))),
    ]);
    let archive = zip(&[
        ("AWSLogs/a.json.gz", &gzip(records(1..3)), 0),
        ("inner.tar.xz", &xz(&inner), 0),
        ("__MACOSX/._a.json", b"rubbish", 0),
        ("README.txt", b"Please read.", 0),
    ]);
    let scratch = Scratch::new();
    scratch.write("in/case.zip", archive);
    let summary = ingest_twice(&scratch, &["in"]).await;
    assert_eq!((summary.rows_written, summary.rejected), (5, 0));
    let sql = "SELECT DISTINCT regexp_replace(source_file, '.*/in/', '') FROM events ORDER BY 1";
    assert_eq!(
        scratch.column(sql).await,
        [
            "case.zip!/AWSLogs/a.json.gz",
            "case.zip!/inner.tar.xz!/b.json",
            "case.zip!/inner.tar.xz!/c.json.gz"
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_read_in_an_archive_is_rejected_and_the_rest_is_read() {
    let whole = gzip(records(1..50));
    let archive = zip(&[
        ("cut.json.gz", &whole[..whole.len() - 4], 0),
        ("secret.json", b"??", 1),
        ("notes.json", b"no record", 0),
        ("good.json", &records(60..62), 0),
    ]);
    let scratch = Scratch::new();
    scratch.write("in/case.zip", archive);
    let summary = ingest_twice(&scratch, &["in"]).await;
    assert_eq!((summary.rows_written, summary.rejected), (51, 3));
    let sql = "SELECT reason FROM rejects ORDER BY 1";
    let reasons = ["encrypted", "not-a-record", "truncated-gzip"];
    assert_eq!(scratch.column(sql).await, reasons);
}

#[tokio::test]
async fn an_archive_that_was_cut_gives_what_is_before_the_cut() {
    let archive = tar(&[("a.json", &records(1..4)), ("b.json", &records(4..40))]);
    let scratch = Scratch::new();
    scratch.write("in/copy.tar", &archive[..archive.len() - 6_000]);
    let summary = ingest_twice(&scratch, &["in"]).await;
    assert!(
        summary.rows_written > 3 && summary.rejected > 0,
        "{summary:?}"
    );
    let sql = "SELECT DISTINCT reason FROM rejects";
    assert_eq!(scratch.column(sql).await, ["truncated-tar"]);
}

#[tokio::test]
async fn the_program_reads_archives_by_name_and_from_a_pipe() {
    let scratch = Scratch::new();
    let archive = zip(&[("a.json", &records(1..4), 0)]);
    scratch.write("case.zip", &archive);
    scratch.write("case.tgz", gzip(tar(&[("b.json", &records(4..6))])));
    let lake = scratch.lake();
    let lake = lake.to_str().unwrap();
    let done = scratch.run(["ingest", "case.zip", "--lake", lake]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let mut piped = scratch.spoor(["ingest", "-", "--lake", lake]);
    piped.stdin(fs::File::open(scratch.path("case.tgz")).unwrap());
    let done = run(&mut piped);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(ids(&scratch).await, ["001", "002", "003", "004", "005"]);
    let sql = "SELECT source_file FROM events WHERE eventid LIKE '%005'";
    assert_eq!(scratch.column(sql).await, ["-!/b.json"]);
}

#[tokio::test]
async fn what_a_choice_left_out_of_an_archive_comes_with_a_wider_run() {
    let scratch = Scratch::new();
    let (first, second) = (records(1..3), records(3_600..3_602));
    let both = [event(3), event(3_603)].join("\n");
    let files: &[(&str, &[u8])] = &[
        ("a.json", &first),
        ("b.json", &second),
        ("c.jsonl", both.as_bytes()),
    ];
    scratch.write("in/all.tar", tar(files));
    let done = scratch.run(["ingest", "in", "--from", "2025-03-02"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert_eq!(ids(&scratch).await.len(), 3);
    let done = scratch.run(["ingest", "in"]);
    assert!(done.stderr.contains("3 written"), "{}", done.stderr);
    assert_eq!(ids(&scratch).await.len(), 6);
    // The archive's own line is not repeated.
    let n_lines = scratch.column("SELECT count(*) FROM sources WHERE kind = 'archive'");
    assert_eq!(n_lines.await, ["1"]);
}

#[tokio::test]
async fn what_ended_at_a_limit_is_read_again() {
    let scratch = Scratch::new();
    scratch.write("in/a.json.gz", gzip(records(1..400)));
    let done = scratch.run(["ingest", "in", "--max-unpacked", "20kB"]);
    assert!(done.stderr.contains("too-large"), "{}", done.stderr);
    assert!(ids(&scratch).await.len() < 399);
    scratch.run(["ingest", "in"]);
    assert_eq!(ids(&scratch).await.len(), 399);
    let again = scratch.run(["ingest", "in"]);
    assert!(again.stderr.contains("1 read before"), "{}", again.stderr);
}
