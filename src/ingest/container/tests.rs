//! Every format whole, cut and damaged; archives in archives; bombs.

// Helpers of tests fail the test, and clippy spares only functions that are tests themselves.
#![allow(clippy::unwrap_used)]

mod archives;
mod bombs;
mod fixtures;

use std::fs;
use std::io::{Read as _, Write as _};

use fixtures::{PACKED, Pack, bzip2, gzip, read, see, see_stored, text, xz, zstd};

use super::{ContainerError, Format, Limits, Object, Stored, Visit, sniff, visit};

#[test]
fn plain_bytes_come_through_as_they_are() {
    for bytes in [&b""[..], b"{}", b"\xef\xbb\xbf{}", b"\0\0", b"PK", b"BZh"] {
        assert_eq!(see("x.json", bytes).whole(), [("x.json", bytes)]);
    }
}

#[test]
fn packed_text_is_unpacked_whatever_its_name_is() {
    for (name, pack) in PACKED {
        for n_bytes in [0, 1, 511, 512, 513, 300_000] {
            let text = text(n_bytes, 1);
            assert_eq!(
                see("x.txt", &pack(&text)).whole(),
                [("x.txt", &text[..])],
                "{name}"
            );
        }
    }
}

#[test]
fn members_one_after_another_are_one_text() {
    let (first, second) = (text(5_000, 1), text(700, 2));
    for (name, pack) in PACKED {
        let packed = [pack(&first), pack(b""), pack(&second)].concat();
        let whole = [&first[..], &second].concat();
        assert_eq!(see("x", &packed).whole(), [("x", &whole[..])], "{name}");
        let padded = [packed, vec![0; 1024]].concat();
        assert_eq!(see("x", &padded).whole(), [("x", &whole[..])], "{name}");
    }
}

#[test]
fn rubbish_behind_is_named_with_its_place() {
    let text = text(5_000, 1);
    for (name, pack) in PACKED {
        let packed = pack(&text);
        let stored = Stored::Bytes([&packed[..], b"rubbish"].concat().into());
        let mut ends = Vec::new();
        let object = Object {
            uri: "x",
            stored: &stored,
            named_as_log: true,
        };
        let visited: Result<(), ()> = visit(object, &Limits::default(), &mut |visited| {
            let Visit::Text(mut member) = visited else {
                return Err(());
            };
            ends.push(read(&mut member));
            Ok(())
        });
        assert_eq!(visited, Ok(()));
        let (bytes, end) = ends.pop().unwrap();
        let end = end.unwrap();
        assert_eq!(bytes, text, "{name}");
        assert_eq!(end.reason, format!("invalid-{name}"));
        assert!(
            end.detail.contains(&format!("offset {} ", packed.len())),
            "{}",
            end.detail
        );
    }
}

/// What must have come out of a file that was cut: of formats that unpack block by block, nothing
/// before the first block is whole.
#[test]
fn a_cut_at_any_byte_gives_what_came_before_it() {
    let text = text(3_000, 1);
    for (name, pack) in PACKED {
        let packed = pack(&text);
        let mut longest = 0;
        for cut in 1..packed.len() {
            let seen = see("x", &packed[..cut]);
            let [(_, bytes, end)] = &seen.texts[..] else {
                panic!("{name} {cut}: {seen:?}");
            };
            let is_known = !matches!(sniff(&packed[..cut]), Format::Plain | Format::Foreign(_));
            if is_known {
                assert_eq!(*end, Some(&*format!("truncated-{name}")), "{name} {cut}");
                assert!(text.starts_with(bytes), "{name} {cut}");
                assert!(bytes.len() >= longest, "{name} {cut}");
                longest = bytes.len();
            }
        }
        assert_eq!(longest, text.len(), "{name}: only the trailer was missing");
    }
}

#[test]
fn gzip_gives_every_byte_before_a_cut_or_a_fault() {
    let text = text(200_000, 1);
    let packed = gzip(&text);
    let cut = packed.len() / 2;
    let half = see("x", &packed[..cut]).texts.remove(0).1;
    assert!(half.len() > text.len() / 3, "{}", half.len());
    // A block of a kind that there is not, behind all the text.
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&text).unwrap();
    packer.flush().unwrap();
    let broken = [&packed[..10], packer.get_ref(), &[0x07; 100]].concat();
    let seen = see("x", &broken);
    let (_, bytes, end) = &seen.texts[0];
    assert_eq!(*end, Some("invalid-gzip"));
    assert!(*bytes == text, "{} bytes", bytes.len());
}

#[test]
fn whole_blocks_before_a_fault_are_given() {
    // Blocks: zstd 128 KiB, bzip2 100 kB at its fastest; xz has none.
    let text = text(700_000, 1);
    for (name, pack) in [("zstd", zstd as Pack), ("bzip2", bzip2), ("xz", xz)] {
        let mut packed = pack(&text);
        let middle = packed.len() / 2;
        packed[middle] ^= 0x55;
        let seen = see("x", &packed);
        let (_, bytes, end) = &seen.texts[0];
        assert_eq!(*end, Some(&*format!("invalid-{name}")), "{name}");
        let common = bytes.iter().zip(&text).take_while(|(a, b)| a == b).count();
        assert!(common > 200_000, "{name}: {common}");
    }
}

#[test]
fn a_wrong_checksum_costs_no_bytes() {
    let text = text(5_000, 1);
    for (name, pack, from_end) in [
        ("gzip", gzip as Pack, 8),
        ("zstd", zstd, 4),
        ("xz", xz, 12 + 12 + 4),
    ] {
        let mut packed = pack(&text);
        let place = packed.len() - from_end;
        packed[place] ^= 1;
        let seen = see("x", &packed);
        let (_, bytes, end) = &seen.texts[0];
        assert_eq!(*end, Some(&*format!("invalid-{name}")));
        assert!(*bytes == text, "{name}: {} bytes", bytes.len());
    }
}

#[test]
fn headers_of_gzip_with_every_field_are_read() {
    let text = text(1_000, 1);
    let plain = gzip(&text);
    let mut packed = vec![0x1f, 0x8b, 8, 0b1_1110, 0, 0, 0, 0, 0, 255];
    packed.extend_from_slice(&[3, 0, b'a', b'b', b'c']);
    packed.extend_from_slice(b"name\0comment\0\x12\x34");
    packed.extend_from_slice(&plain[10..]);
    assert_eq!(see("x", &packed).whole(), [("x", &text[..])]);
    packed[3] |= 0x80;
    assert_eq!(see("x", &packed).reasons(), ["invalid-gzip"]);
}

#[test]
fn packing_in_packing_is_taken_off() {
    let text = text(5_000, 1);
    let packed = xz(&bzip2(&zstd(&gzip(&text))));
    assert_eq!(see("x", &packed).whole(), [("x", &text[..])]);
    let cut = gzip(&zstd(&text)[..1_000]);
    assert_eq!(see("x", &cut).reasons(), ["truncated-zstd"]);
    let whole = gzip(&zstd(&text));
    // The outer fault is why the inner data ends, so it is the one that is named.
    assert_eq!(see("x", &whole[..1_000]).reasons(), ["truncated-gzip"]);
}

#[test]
fn what_is_recognised_and_not_read_is_named() {
    let check = |head: &[u8], expected: &str| {
        assert_eq!(sniff(head).name(), expected);
    };
    check(b"7z\xbc\xaf\x27\x1c\0\x04", "a 7z archive");
    check(b"PAR1\x15\0", "a Parquet file");
    check(b"PAR1 is a text", "a plain file");
    check(b"MZ\x90\0", "a program (Windows)");
    check(b"MZ,a,b\n", "a plain file");
    check(b"\x89PNG\r\n\x1a\n", "a PNG image");
    check(b"ElfFile\0", "a Windows event log");
    check(b"\xef\xbb\xbf\n{ \"Records\"", "a plain file");
    check(
        &fixtures::tar(&[("[old] logs.json", b"{}")]),
        "a tar archive",
    );
    check(&fixtures::tar(&[("{1}.json", b"{}")]), "a tar archive");
    assert_eq!(see("x", b"PAR1\x15\0").reasons(), ["unsupported-format"]);
}

#[test]
fn a_member_may_be_opened_again() {
    let text = text(5_000, 1);
    for bytes in [text.clone(), gzip(&text), xz(&gzip(&text))] {
        let stored = Stored::Bytes(bytes.into());
        let object = Object {
            uri: "x",
            stored: &stored,
            named_as_log: true,
        };
        let mut n_texts = 0;
        let visited: Result<(), ()> = visit(object, &Limits::default(), &mut |visited| {
            if let Visit::Text(mut member) = visited {
                n_texts += 1;
                assert!(member.head().len() >= 16 && text.starts_with(member.head()));
                assert_eq!(read(&mut member), (text.clone(), None));
                assert_eq!(read(&mut member), (text.clone(), None));
            }
            Ok(())
        });
        assert_eq!((visited, n_texts), (Ok(()), 1));
    }
}

#[test]
fn large_objects_stay_files_and_read_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        in_memory_bytes: 1_000,
        ..Limits::default()
    };
    let text = text(300_000, 1);
    for bytes in [
        text.clone(),
        gzip(&text),
        fixtures::zip(&[fixtures::file("a.json", &text)]),
    ] {
        let path = folder.path().join("object");
        fs::write(&path, &bytes).unwrap();
        let opened = Stored::open(&path, &limits).unwrap();
        let spooled = Stored::spool(&bytes[..], &limits).unwrap();
        let in_memory = Stored::open(&path, &Limits::default()).unwrap();
        assert!(matches!(opened, Stored::File(..)) && matches!(spooled, Stored::File(..)));
        assert!(matches!(in_memory, Stored::Bytes(_)));
        for stored in [&opened, &spooled] {
            assert_eq!(stored.size_bytes(), bytes.len() as u64);
            assert_eq!(stored.sha256().unwrap(), in_memory.sha256().unwrap());
            let mut again = Vec::new();
            stored.reader().read_to_end(&mut again).unwrap();
            assert_eq!(again, bytes);
            assert_eq!(see_stored("x", stored, &limits).texts[0].1, text);
        }
    }
    let one = Stored::Bytes(b"abc".to_vec().into()).sha256().unwrap();
    assert!(one.starts_with("ba7816bf") && one.len() == 64);
}

#[test]
fn the_visitor_s_error_ends_the_visit() {
    let archive = fixtures::tar(&[("a", b"1"), ("b", b"2")]);
    let stored = Stored::Bytes(archive.into());
    let object = Object {
        uri: "x",
        stored: &stored,
        named_as_log: true,
    };
    let mut n_visits = 0;
    let visited = visit(object, &Limits::default(), &mut |_| {
        n_visits += 1;
        Err("enough")
    });
    assert_eq!((visited, n_visits), (Err("enough"), 1));
}

#[test]
fn errors_of_the_system_are_told_apart() {
    let error = std::io::Error::other("disk on fire");
    assert_eq!(ContainerError::of(&error), None);
    assert_eq!(ContainerError::from(error).reason, "unreadable");
}
