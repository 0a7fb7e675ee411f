//! Archives whole, cut, damaged, in each other.

use super::fixtures::{
    PACKED, Seen, bzip2, file, gzip, see, tar, tar_entry, tar_header, text, xz, zip, zip_parts,
};
use crate::ingest::container::Limits;
use crate::ingest::container::tests::fixtures::{ZipFile, see_stored};
use crate::ingest::container::{Stored, is_hidden_name, is_log_name, name_as_text};

fn uris(seen: &Seen) -> Vec<&str> {
    seen.texts.iter().map(|(uri, ..)| &uri[..]).collect()
}

#[test]
fn members_have_addresses_and_come_in_order() {
    let (first, second) = (text(900, 1), text(1_000, 2));
    let packed = gzip(&second);
    let as_tar = tar(&[("logs/a.json", &first), ("./b.json.gz", &packed)]);
    let as_zip = zip(&[file("logs/a.json", &first), file("/b.json.gz", &packed)]);
    let mut archives = vec![as_tar.clone(), as_zip];
    archives.extend(PACKED.map(|(_, pack)| pack(&as_tar)));
    for archive in archives {
        let seen = see("x", &archive);
        let expected = [
            ("x!/logs/a.json", &first[..]),
            ("x!/b.json.gz", &second[..]),
        ];
        assert_eq!(seen.whole(), expected);
        assert_eq!(seen.archives, [("x".to_owned(), 2)]);
    }
}

#[test]
fn archives_in_archives_are_looked_into() {
    let text = text(900, 1);
    let inner = zip(&[file("a.json", &text)]);
    let middle = gzip(&tar(&[("in.zip", &inner)]));
    let outer = zip(&[
        file("mid.tgz", &middle),
        file("inner.zip.gz", &gzip(&inner)),
    ]);
    let seen = see("x.zip", &outer);
    let expected = [
        ("x.zip!/mid.tgz!/in.zip!/a.json", &text[..]),
        ("x.zip!/inner.zip.gz!/a.json", &text[..]),
    ];
    assert_eq!(seen.whole(), expected);
    let archives = seen
        .archives
        .iter()
        .map(|(uri, members)| (&uri[..], *members));
    assert_eq!(
        archives.collect::<Vec<_>>(),
        [
            ("x.zip!/mid.tgz!/in.zip", 1),
            ("x.zip!/mid.tgz", 1),
            ("x.zip!/inner.zip.gz", 1),
            ("x.zip", 2)
        ]
    );
}

#[test]
fn every_method_of_zip_that_is_read_gives_the_text() {
    let text = text(5_000, 1);
    for method in [0, 8, 12, 93, 95] {
        for sizes_behind in [false, true] {
            for wide in [false, true] {
                let one = ZipFile {
                    method,
                    sizes_behind,
                    wide,
                    ..file("a.json", &text)
                };
                let archive = zip(&[
                    one.clone(),
                    ZipFile {
                        name: "b.json",
                        ..one
                    },
                ]);
                let expected = [("x!/a.json", &text[..]), ("x!/b.json", &text[..])];
                assert_eq!(see("x", &archive).whole(), expected, "{method} {wide}");
                // The same without the directory.
                let (body, _) = zip_parts(&[file("a.json", &text)]);
                let seen = see("x", &body);
                assert_eq!(seen.texts[0].1, text, "{method} {sizes_behind}");
                assert_eq!(seen.reasons(), ["truncated-zip"]);
            }
        }
    }
}

#[test]
fn a_zip_for_large_archives_and_one_behind_a_program_are_read() {
    let text = text(900, 1);
    let (body, directory) = zip_parts(&[file("a.json", &text)]);
    let (entries, end) = directory.split_at(directory.len() - 22);
    let mut wide = body.clone();
    wide.extend_from_slice(entries);
    let record_at = wide.len() as u64;
    wide.extend_from_slice(b"PK\x06\x06");
    wide.extend_from_slice(&44_u64.to_le_bytes());
    wide.extend_from_slice(&[0; 12]);
    for number in [1, 1, entries.len() as u64, body.len() as u64] {
        wide.extend_from_slice(&number.to_le_bytes());
    }
    wide.extend_from_slice(b"PK\x06\x07\0\0\0\0");
    wide.extend_from_slice(&record_at.to_le_bytes());
    wide.extend_from_slice(&[1, 0, 0, 0]);
    wide.extend_from_slice(&end[..8]);
    wide.extend_from_slice(&[0xff; 12]);
    wide.extend_from_slice(&[0, 0]);
    assert_eq!(see("x", &wide).whole(), [("x!/a.json", &text[..])]);

    // What stands before shifts every place.
    let before = [
        b"PK\x03\x04 begins what is no member".to_vec(),
        zip(&[file("a.json", &text)]),
    ];
    assert_eq!(
        see("x", &before.concat()).whole(),
        [("x!/a.json", &text[..])]
    );
}

#[test]
fn a_cut_zip_gives_its_members_up_to_the_cut() {
    let (first, second) = (text(300, 1), text(400, 2));
    for sizes_behind in [false, true] {
        for method in [0, 8] {
            let one = ZipFile {
                sizes_behind,
                method,
                ..file("a.json", &first)
            };
            let two = ZipFile {
                name: "b.json",
                text: &second,
                ..one.clone()
            };
            let (body, directory) = zip_parts(&[one, two]);
            let archive = [&body[..], &directory].concat();
            let second_at = body.len() / 2 + 40;
            for cut in 4..archive.len() {
                let seen = see("x", &archive[..cut]);
                assert!(
                    seen.problems.contains(&("x".to_owned(), "truncated-zip")),
                    "{cut}"
                );
                assert_eq!(seen.archives.len(), 1);
                if cut > second_at {
                    assert_eq!(seen.texts[0].1, first, "{method} {cut}");
                }
                if cut >= body.len() {
                    assert_eq!(seen.texts[1].1, second, "{method} {cut}");
                    assert_eq!(seen.texts[1].2, None, "{method} {cut}");
                }
                for (_, bytes, _) in &seen.texts {
                    assert!(first.starts_with(bytes) || second.starts_with(bytes) || method == 0);
                }
            }
        }
    }
}

#[test]
fn a_damaged_directory_costs_no_members() {
    let (first, second) = (text(300, 1), text(400, 2));
    let (body, directory) = zip_parts(&[file("a.json", &first), file("b.json", &second)]);
    for at in 0..directory.len() {
        let mut archive = [&body[..], &directory].concat();
        archive[body.len() + at] ^= 0xff;
        // Whatever it now says, nothing panics, and either the members come or something is named.
        let seen = see("x", &archive);
        let whole = seen.texts.iter().filter(|(.., end)| end.is_none()).count();
        assert!(whole == 2 || !seen.reasons().is_empty(), "{at}: {seen:?}");
    }
    let mut archive = [&body[..], &directory].concat();
    archive[body.len() + 1] ^= 0xff;
    let seen = see("x", &archive);
    assert_eq!(seen.problems, [("x".to_owned(), "invalid-zip")]);
    assert_eq!(uris(&seen), ["x!/a.json", "x!/b.json"]);
}

#[test]
fn members_of_a_zip_that_are_not_to_be_had_are_named_and_the_others_read() {
    let text = text(300, 1);
    let archive = zip(&[
        ZipFile {
            flags: 1,
            ..file("secret.json", &text)
        },
        ZipFile {
            method: 9,
            ..file("deflate64.json", &text)
        },
        ZipFile {
            unix_mode: 0o120_777,
            ..file("link.json", b"/etc/passwd")
        },
        ZipFile {
            crc_xor: 1,
            ..file("wrong.json", &text)
        },
        file("good.json", &text),
    ]);
    let seen = see("x", &archive);
    assert_eq!(
        seen.problems,
        [
            ("x!/secret.json".to_owned(), "encrypted"),
            ("x!/deflate64.json".to_owned(), "unsupported-method"),
            ("x!/link.json".to_owned(), "not-a-file"),
        ]
    );
    assert_eq!(
        seen.texts,
        [
            (
                "x!/wrong.json".to_owned(),
                text.clone(),
                Some("invalid-zip")
            ),
            ("x!/good.json".to_owned(), text, None),
        ]
    );
    assert_eq!(seen.archives, [("x".to_owned(), 5)]);
}

#[test]
fn a_cut_tar_gives_its_members_up_to_the_cut() {
    let (first, second) = (text(700, 1), text(400, 2));
    let archive = tar(&[("a.json", &first), ("b.json", &second)]);
    let second_at = 512 + 1024;
    let end_at = second_at + 512 + 512;
    for cut in 513..archive.len() {
        let seen = see("x", &archive[..cut]);
        let marked = cut >= end_at + 512;
        assert_eq!(seen.problems.is_empty(), marked, "{cut}: {seen:?}");
        assert!(
            seen.reasons()
                .iter()
                .all(|reason| *reason == "truncated-tar")
        );
        assert!(first.starts_with(&seen.texts[0].1));
        if cut >= second_at {
            assert_eq!(seen.texts[0], ("x!/a.json".to_owned(), first.clone(), None));
        }
        if cut >= end_at {
            assert_eq!(
                seen.texts[1],
                ("x!/b.json".to_owned(), second.clone(), None)
            );
        }
    }
}

#[test]
fn a_packed_tar_that_is_cut_names_the_packing() {
    let text = text(3_000, 1);
    let archive = tar(&[("a.json", &text), ("b.json", &text)]);
    for (name, pack) in PACKED {
        let packed = pack(&archive);
        for cut in packed.len() / 4..packed.len() {
            let seen = see("x", &packed[..cut]);
            let expected = format!("truncated-{name}");
            let reasons = seen.reasons();
            assert!(
                reasons.iter().all(|reason| *reason == expected),
                "{cut} {reasons:?}"
            );
        }
    }
}

#[test]
fn names_of_every_kind_are_read() {
    let long = format!("{}/a.json", "folder/".repeat(40));
    let gnu = [
        tar_entry("././@LongLink", b'L', format!("{long}\0").as_bytes()),
        tar_entry("short", b'0', b"1"),
        vec![0; 1024],
    ];
    let uri = format!("x!/{long}");
    assert_eq!(see("x", &gnu.concat()).whole(), [(&uri[..], &b"1"[..])]);

    let line = format!(" path={long}\n");
    let length = line.len() + 3;
    let pax = [
        tar_entry("g", b'g', b"20 comment=whatever\n"),
        tar_entry(
            "PaxHeaders/short",
            b'x',
            format!("{length}{line}10 size=2\n").as_bytes(),
        ),
        tar_header("short", b'0', "00000000000\0"),
        [&b"12"[..], &[0; 510]].concat(),
        vec![0; 1024],
    ];
    assert_eq!(see("x", &pax.concat()).whole(), [(&uri[..], &b"12"[..])]);
}

#[test]
fn what_is_no_file_in_a_tar_is_named_and_folders_are_not() {
    let archive = [
        tar_entry("logs/", b'5', b""),
        tar_entry("link", b'2', b""),
        tar_entry("hard", b'1', b""),
        tar_entry("device", b'3', b""),
        tar_entry("pipe", b'6', b""),
        tar_entry("sparse.json", b'S', b"data"),
        tar_entry("old", 0, b"1"),
        tar_entry("unknown", b'?', b"2"),
        vec![0; 1024],
    ];
    let seen = see("x", &archive.concat());
    let names: Vec<&str> = seen.problems.iter().map(|(uri, _)| &uri[3..]).collect();
    assert_eq!(names, ["link", "hard", "device", "pipe", "sparse.json"]);
    assert!(seen.reasons().iter().all(|reason| *reason == "not-a-file"));
    assert_eq!(uris(&seen), ["x!/old", "x!/unknown"]);
    assert_eq!(seen.archives, [("x".to_owned(), 8)]);
}

#[test]
fn after_a_damaged_header_the_next_one_is_found() {
    let mut broken = tar_entry("lost.json", b'0', &text(1_500, 1));
    broken[0] ^= 0xff;
    let archive = [
        tar_entry("a.json", b'0', b"1"),
        broken,
        tar_entry("b.json", b'0', b"2"),
        vec![0; 1024],
        tar_entry("behind.json", b'0', b"3"),
        vec![0; 1024],
    ];
    let seen = see("x", &archive.concat());
    assert_eq!(uris(&seen), ["x!/a.json", "x!/b.json", "x!/behind.json"]);
    assert_eq!(seen.problems, [("x".to_owned(), "invalid-tar")]);
    let rubbish = [tar(&[("a", b"1")]), b"rubbish".repeat(200)].concat();
    assert_eq!(
        see("x", &rubbish).reasons(),
        ["invalid-tar", "truncated-tar"]
    );
}

#[test]
fn sizes_that_cannot_be_are_no_sizes() {
    for size in ["77777777777\0", "\u{0}99", "zzz"] {
        let archive = [tar_header("a.json", b'0', size), vec![b'x'; 512]].concat();
        assert!(!see("x", &archive).reasons().is_empty(), "{size}");
    }
    // Binary sizes: eight bytes at the most.
    let mut header = tar_header("a.json", b'0', "");
    header[124..136].copy_from_slice(&[
        0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    ]);
    let seen = see("x", &header);
    assert!(!seen.reasons().is_empty());
}

#[test]
fn hidden_members_are_passed_over_and_names_judged_as_in_folders() {
    let archive = tar(&[
        ("__MACOSX/._a.json", b"1"),
        ("logs/.DS_Store", b"2"),
        ("./logs/../a.json", b"3"),
    ]);
    assert_eq!(
        see("x", &archive).whole(),
        [("x!/logs/../a.json", &b"3"[..])]
    );
    assert!(is_hidden_name("a\\.git\\b") && !is_hidden_name("../a.b"));
    for name in [
        "a/b.json",
        "B.JSON.GZ",
        "x.csv",
        "x.tar",
        "a\\b.log",
        "b.zst",
    ] {
        assert!(is_log_name(name), "{name}");
    }
    for name in ["README.txt", "logs.json/readme", "image.png", ""] {
        assert!(!is_log_name(name), "{name}");
    }
    assert_eq!(name_as_text(b"a\xffb"), "a%FFb");
}

#[test]
fn one_name_twice_is_two_addresses() {
    let archive = tar(&[("a.json", b"1"), ("./a.json", b"2"), ("b.json", b"3")]);
    let seen = see("x", &archive);
    assert_eq!(uris(&seen), ["x!/a.json", "x!/a.json#2", "x!/b.json"]);
}

#[test]
fn what_holds_no_logs_is_listed() {
    let image = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
    let archive = zip(&[file("image.png", image), file("image.json", image)]);
    let seen = see("x", &archive);
    assert_eq!(seen.listed, ["x!/image.png"]);
    let texts = [(
        "x!/image.json".to_owned(),
        vec![],
        Some("unsupported-format"),
    )];
    assert_eq!(seen.texts, texts);
}

#[test]
fn large_members_wait_in_files() {
    let limits = Limits {
        in_memory_bytes: 100,
        ..Limits::default()
    };
    let text = text(5_000, 1);
    let inner = tar(&[("a.json", &text)]);
    let outer = zip(&[
        file("b.tar.bz2", &bzip2(&inner)),
        file("c.zip", &zip(&[file("d", &text)])),
    ]);
    let stored = Stored::spool(&xz(&outer)[..], &limits).unwrap();
    let seen = see_stored("x", &stored, &limits);
    let expected = [
        ("x!/b.tar.bz2!/a.json", &text[..]),
        ("x!/c.zip!/d", &text[..]),
    ];
    assert_eq!(seen.whole(), expected);
}
