//! Little that would become much: every limit, with bounded memory and time.

use super::fixtures::{
    PACKED, Pack, ZipFile, bzip2, deflate, file, gzip, see, see_stored, tar, tar_entry, text, xz,
    zip, zip_parts, zstd,
};
use crate::ingest::container::{Limits, Object, Stored, Visit, visit};

fn stored(bytes: Vec<u8>) -> Stored {
    Stored::Bytes(bytes.into())
}

/// Reads every text to its end without keeping it: bytes given, and reasons met.
fn drain(stored: &Stored, limits: &Limits) -> (u64, Vec<&'static str>) {
    let (mut given, mut reasons) = (0, Vec::new());
    let object = Object {
        uri: "x",
        stored,
        named_as_log: true,
    };
    let visited: Result<(), ()> = visit(object, limits, &mut |visited| {
        match visited {
            Visit::Text(mut member) => {
                let mut buffer = vec![0; 64 * 1024];
                let mut reader = member.open();
                loop {
                    match reader.read(&mut buffer) {
                        Ok(0) => break,
                        Ok(n_bytes) => given += n_bytes as u64,
                        Err(error) => {
                            let error = super::ContainerError::from(error);
                            reasons.push(error.reason);
                            break;
                        }
                    }
                }
            }
            Visit::Problem { reason, .. } => reasons.push(reason),
            Visit::Listed(_) | Visit::Archive { .. } => {}
        }
        Ok(())
    });
    assert_eq!(visited, Ok(()));
    (given, reasons)
}

const ONE_MIB: usize = 1024 * 1024;

/// Blanks that fill `n_mib`, packed as members one after another, so that making them is quick.
fn blanks(pack: Pack, n_mib: usize) -> Vec<u8> {
    pack(&vec![b' '; 8 * ONE_MIB]).repeat(n_mib / 8)
}

#[test]
fn packed_bombs_end_soon_after_they_can_be_told() {
    let limits = Limits {
        ratio: 100,
        ..Limits::default()
    };
    for (name, pack) in PACKED {
        let (given, reasons) = drain(&stored(blanks(pack, 96)), &limits);
        assert_eq!(reasons, ["bomb"], "{name}");
        assert!(given <= 65 * ONE_MIB as u64, "{name}: {given}");
    }
}

#[test]
fn what_cloudtrail_may_deliver_is_no_bomb() {
    let text = blanks(gzip, 48);
    let (given, reasons) = drain(&stored(text), &Limits::default());
    assert_eq!((given, reasons.len()), (48 * ONE_MIB as u64, 0));
}

#[test]
fn a_text_over_its_limit_is_cut_and_one_at_it_is_not() {
    let text = text(5_000, 1);
    for (name, pack) in PACKED {
        for (expanded_bytes, expected) in [(5_000, None), (4_999, Some("too-large"))] {
            let limits = Limits {
                expanded_bytes,
                ..Limits::default()
            };
            let seen = see_stored("x", &stored(pack(&text)), &limits);
            let (_, bytes, end) = &seen.texts[0];
            assert_eq!(*end, expected, "{name}");
            assert_eq!(bytes[..], text[..expanded_bytes as usize], "{name}");
        }
    }
    let limits = Limits {
        expanded_bytes: 4_999,
        ..Limits::default()
    };
    // A member is unpacked before it is read, and the others are read all the same.
    let archive = zip(&[file("a.json", &text), file("b.json", &text[..10])]);
    for archive in [archive, tar(&[("a.json", &text), ("b.json", &text[..10])])] {
        let seen = see_stored("x", &stored(archive), &limits);
        assert_eq!(seen.reasons(), ["too-large"]);
        assert_eq!(seen.texts[0].1, text[..4_999]);
        assert_eq!(seen.texts[1].1, text[..10]);
    }
    // What is not packed is as large as it is.
    assert_eq!(
        see_stored("x", &stored(text.clone()), &limits).whole()[0].1,
        text
    );
}

#[test]
fn all_of_an_archive_together_is_limited() {
    let text = text(5_000, 1);
    let limits = Limits {
        archive_bytes: 12_000,
        ..Limits::default()
    };
    let files: Vec<_> = ["a", "b", "c", "d", "e"]
        .map(|name| (name, &text[..]))
        .into();
    let zip_files: Vec<_> = files.iter().map(|(name, text)| file(name, text)).collect();
    for archive in [zip(&zip_files), tar(&files), gzip(&tar(&files))] {
        let seen = see_stored("x", &stored(archive), &limits);
        assert!(seen.reasons().iter().all(|reason| *reason == "too-large"));
        assert!(
            seen.problems.contains(&("x".to_owned(), "too-large")),
            "{seen:?}"
        );
        assert!(seen.texts.len() <= 3);
        assert_eq!(seen.texts[0].1, text);
        assert_eq!(seen.archives.len(), 1);
    }
}

#[test]
fn layers_are_counted() {
    let text = text(100, 1);
    let mut packed = text.clone();
    for _ in 0..8 {
        packed = gzip(&packed);
    }
    assert_eq!(see("x", &packed).whole()[0].1, text);
    assert_eq!(see("x", &gzip(&packed)).reasons(), ["too-deep"]);

    let mut nested = text.clone();
    for _ in 0..9 {
        nested = zip(&[file("inner.zip", &nested)]);
    }
    let seen = see("x", &nested);
    assert_eq!(seen.reasons(), ["too-deep"]);
    assert_eq!(seen.archives.len(), 8);
}

#[test]
fn members_are_counted_over_all_archives() {
    let inner = tar(&[("a", b"1"), ("b", b"2"), ("c", b"3")]);
    let outer = zip(&[
        file("1.tar", &inner),
        file("2.tar", &inner),
        file("3.tar", &inner),
    ]);
    let limits = Limits {
        archive_members: 6,
        ..Limits::default()
    };
    let seen = see_stored("x", &stored(outer), &limits);
    assert_eq!(seen.texts.len(), 4);
    assert_eq!(seen.reasons(), ["too-many-members"]);
}

#[test]
fn a_hundred_thousand_members_are_read() {
    let names: Vec<String> = (0..100_000).map(|number| format!("{number}")).collect();
    let files: Vec<ZipFile<'_>> = names
        .iter()
        .map(|name| ZipFile {
            method: 0,
            ..file(name, b"{}")
        })
        .collect();
    let (given, reasons) = drain(&stored(zip(&files)), &Limits::default());
    assert_eq!((given, reasons.len()), (200_000, 0));
}

#[test]
fn members_that_share_their_bytes_end_with_the_archive_s_length() {
    // One member's data, and a directory that names it a thousand times.
    let text = text(20_000, 1);
    let (body, directory) = zip_parts(&[file("a.json", &text)]);
    let (entry, end) = directory.split_at(directory.len() - 22);
    let mut archive = body.clone();
    for _ in 0..1_000 {
        archive.extend_from_slice(entry);
    }
    let mut end = end.to_vec();
    end[12..16].copy_from_slice(&(1_000 * entry.len() as u32).to_le_bytes());
    archive.extend(end);
    let (given, reasons) = drain(&stored(archive.clone()), &Limits::default());
    assert_eq!(reasons, ["bomb"]);
    let packed_bytes = deflate(&text).len();
    assert!(given <= (archive.len() / packed_bytes * text.len()) as u64);
}

#[test]
fn long_names_and_attributes_take_no_memory() {
    let long = vec![b'a'; 2 * ONE_MIB];
    for kind in [b'L', b'K', b'x'] {
        let archive = [
            tar_entry("long", kind, &long),
            tar_entry("short", b'0', b"1"),
            tar_entry("next", b'0', b"2"),
            vec![0; 1024],
        ];
        let seen = see("x", &archive.concat());
        assert_eq!(seen.problems, [("x!/short".to_owned(), "not-a-file")]);
        assert_eq!(seen.texts[0].0, "x!/next");
    }
}

#[test]
fn a_file_full_of_marks_is_passed_through_once() {
    // Each header claims data of unknown length, which must not be looked for to the end each time.
    let header = b"PK\x03\x04\x14\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0x";
    let mut archive = header.repeat(50_000);
    let (given, _) = drain(&stored(archive.clone()), &Limits::default());
    assert_eq!(given, 0);
    archive.extend_from_slice(b"PK\x07\x08............");
    let (given, _) = drain(&stored(archive), &Limits::default());
    assert!(given < 100);
}

#[test]
fn bytes_by_chance_do_no_harm() {
    let seeds = [
        zip(&[
            file("a.json", &text(200, 1)),
            file("b/c.json", &text(200, 2)),
        ]),
        tar(&[("a.json", &text(200, 1))]),
        gzip(&text(400, 1)),
        zstd(&text(400, 1)),
        bzip2(&text(400, 1)),
        xz(&text(400, 1)),
    ];
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    for seed in seeds {
        for _ in 0..400 {
            let mut bytes = seed.clone();
            for _ in 0..1 + next() % 4 {
                let at = next() % bytes.len();
                bytes[at] = next() as u8;
            }
            bytes.truncate(1 + next() % (2 * bytes.len()));
            see("x", &bytes);
        }
    }
}
