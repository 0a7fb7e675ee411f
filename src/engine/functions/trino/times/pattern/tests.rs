use super::*;

fn parsed(compile: Compile, pattern: &str, text: &str) -> Option<String> {
    let parsed = compile(pattern).unwrap().parse(text)?;
    let local = parsed.local.format("%Y-%m-%dT%H:%M:%S%.f");
    let zone = parsed
        .zone
        .map_or_else(String::new, |zone| format!(" {}", zone.name()));
    Some(format!("{local}{zone}"))
}

fn check_parsed(compile: Compile, cases: &[(&str, &str, Option<&str>)]) {
    for (text, pattern, expected) in cases {
        let answer = parsed(compile, pattern, text);
        assert_eq!(answer.as_deref(), *expected, "{text} {pattern}");
    }
}

fn check_formatted(compile: Compile, cases: &[(&str, &str, &str, &str)]) {
    for (utc, zone, pattern, expected) in cases {
        let (utc, zone) = (utc.parse().unwrap(), Zone::parse(zone).unwrap());
        let local = zone.local(utc).unwrap();
        let text = compile(pattern)
            .unwrap()
            .format(Written { local, utc, zone });
        assert_eq!(&text, expected, "{utc} {pattern}");
    }
}

#[test]
fn mysql_texts_are_read() {
    check_parsed(
        mysql,
        &[
            (
                "2023-07-06T13:51:00Z",
                "%Y-%m-%dT%H:%i:%sZ",
                Some("2023-07-06T13:51:00"),
            ),
            (
                "2023-07-06T13:51:00Z",
                "%Y-%m-%dT%TZ",
                Some("2023-07-06T13:51:00"),
            ),
            (
                "2023-07-06t13:51:00z",
                "%Y-%m-%dT%TZ",
                Some("2023-07-06T13:51:00"),
            ),
            ("2022/10/20/05", "%Y/%m/%d/%H", Some("2022-10-20T05:00:00")),
            ("20230706", "%Y%m%d", Some("2023-07-06T00:00:00")),
            ("2023-7-6", "%Y-%m-%d", Some("2023-07-06T00:00:00")),
            ("2023-7-6", "%Y-%c-%e", Some("2023-07-06T00:00:00")),
            ("6 Jul 2023", "%e %b %Y", Some("2023-07-06T00:00:00")),
            ("6 july 2023", "%d %M %Y", Some("2023-07-06T00:00:00")),
            ("6 MAY 2023", "%d %M %Y", Some("2023-05-06T00:00:00")),
            ("12:30:01 PM", "%r", Some("1970-01-01T12:30:01")),
            ("12:30:01 am", "%h:%i:%s %p", Some("1970-01-01T00:30:01")),
            ("9 PM", "%l %p", Some("1970-01-01T21:00:00")),
            ("13:51:00.5", "%H:%i:%s.%f", Some("1970-01-01T13:51:00.500")),
            (
                "13:51:00.123456789",
                "%k:%i:%S.%f",
                Some("1970-01-01T13:51:00.123"),
            ),
            ("2024-060", "%Y-%j", Some("2024-02-29T00:00:00")),
            ("2020 10", "%x %v", Some("2020-03-02T00:00:00")),
            ("Sunday 2020 10", "%W %x %v", Some("2020-03-08T00:00:00")),
            ("Thu 2023-07-06", "%a %Y-%m-%d", Some("2023-07-06T00:00:00")),
            ("70-01-01", "%y-%m-%d", Some("1970-01-01T00:00:00")),
            ("69-01-01", "%y-%m-%d", Some("2069-01-01T00:00:00")),
            ("02-29", "%m-%d", Some("2000-02-29T00:00:00")),
            ("2023", "%Y", Some("2023-01-01T00:00:00")),
            ("100%", "1%H%%", Some("1970-01-01T00:00:00")),
            ("2023q", "%Y%q", Some("2023-01-01T00:00:00")),
            ("2023-02-29", "%Y-%m-%d", None),
            ("2023-00-10", "%Y-%m-%d", None),
            ("2023-07-06", "%Y-%m", None),
            ("2023-07", "%Y-%m-%d", None),
            ("24", "%H", None),
            ("0", "%h", None),
            ("x", "%Y", None),
            ("", "%Y", None),
            ("２０２３", "%Y", None),
            ("-0044", "%Y", Some("-0044-01-01T00:00:00")),
        ],
    );
    for letter in ["%D", "%U", "%u", "%V", "%w", "%X"] {
        assert!(mysql(letter).is_err(), "{letter}");
    }
}

#[test]
fn mysql_texts_are_written() {
    let time = "2023-07-06T03:04:05.678912";
    check_formatted(
        mysql,
        &[
            (
                time,
                "UTC",
                "%Y-%m-%d %H:%i:%s.%f",
                "2023-07-06 03:04:05.678000",
            ),
            (
                time,
                "UTC",
                "%a %W %b %M %c %e %k %l %p",
                "Thu Thursday Jul July 7 6 3 3 AM",
            ),
            (
                time,
                "UTC",
                "%y %j %v %x %h %I %T",
                "23 187 27 2023 03 03 03:04:05",
            ),
            (time, "UTC", "%r", "03:04:05 AM"),
            (
                time,
                "America/New_York",
                "%Y-%m-%d %H:%i",
                "2023-07-05 23:04",
            ),
            (time, "UTC", "100%% %q", "100% q"),
            (
                "2024-12-30T12:00:00",
                "UTC",
                "%x-%v %r",
                "2025-01 12:00:00 PM",
            ),
            ("0044-03-15T00:00:00", "UTC", "%Y", "0044"),
        ],
    );
}

#[test]
fn joda_texts_are_read() {
    check_parsed(
        joda,
        &[
            (
                "2023-07-06T13:51:00Z",
                "yyyy-MM-dd'T'HH:mm:ss'Z'",
                Some("2023-07-06T13:51:00"),
            ),
            (
                "2023-07-06T13:51:00Z",
                "yyyy-MM-dd'T'HH:mm:ssZ",
                Some("2023-07-06T13:51:00 UTC"),
            ),
            (
                "2023-07-06T13:51:00+02:00",
                "yyyy-MM-dd'T'HH:mm:ssZ",
                Some("2023-07-06T13:51:00 +02:00"),
            ),
            (
                "2023-07-06 13:51 -0530",
                "yyyy-MM-dd HH:mm ZZ",
                Some("2023-07-06T13:51:00 -05:30"),
            ),
            (
                "2023-07-06 America/New_York",
                "yyyy-MM-dd ZZZ",
                Some("2023-07-06T00:00:00 America/New_York"),
            ),
            (
                "2023-07-06 UTC",
                "yyyy-MM-dd z",
                Some("2023-07-06T00:00:00 UTC"),
            ),
            (
                "20230706135100123",
                "yyyyMMddHHmmssSSS",
                Some("2023-07-06T13:51:00.123"),
            ),
            (
                "2023-07-06T13:51:00.123456Z",
                "yyyy-MM-dd'T'HH:mm:ss.SSSSSSZ",
                Some("2023-07-06T13:51:00.123 UTC"),
            ),
            (
                "Thu, 06 Jul 2023",
                "EEE, dd MMM yyyy",
                Some("2023-07-06T00:00:00"),
            ),
            ("6 o'clock", "H 'o''clock'", Some("1970-01-01T06:00:00")),
            ("6'", "H''", Some("1970-01-01T06:00:00")),
            ("24:00", "kk:mm", Some("1970-01-01T00:00:00")),
            ("11 PM", "hh a", Some("1970-01-01T23:00:00")),
            ("0 PM", "K a", Some("1970-01-01T12:00:00")),
            ("23", "yy", Some("2023-01-01T00:00:00")),
            ("1999", "yy", Some("1999-01-01T00:00:00")),
            ("2020-W10-7", "xxxx-'W'ww-e", Some("2020-03-08T00:00:00")),
            ("44 BC", "yyyy G", Some("-0043-01-01T00:00:00")),
            ("2023-07-06 13:51:00", "yyyy-MM-dd'T'HH:mm:ss", None),
            ("2023-07-06T13:51:00.123Z", "yyyy-MM-dd'T'HH:mm:ss'Z'", None),
            ("2023-07-06", "yyyy-MM-dd ZZZ", None),
        ],
    );
    for pattern in ["f", "yyyy-MM-ddTHH", "", "X"] {
        assert!(joda(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn joda_texts_are_written() {
    let time = "2023-07-06T03:04:05.678912";
    check_formatted(
        joda,
        &[
            (
                time,
                "UTC",
                "yyyy-MM-dd'T'HH:mm:ss'Z'",
                "2023-07-06T03:04:05Z",
            ),
            (
                time,
                "UTC",
                "yyyy-MM-dd HH:mm:ss.SSS Z ZZ ZZZ z zzzz",
                "2023-07-06 03:04:05.678 +0000 +00:00 UTC UTC Coordinated Universal Time",
            ),
            (
                time,
                "America/New_York",
                "yyyy-MM-dd HH:mm Z z ZZZ",
                "2023-07-05 23:04 -0400 EDT America/New_York",
            ),
            (
                time,
                "UTC",
                "EEE EEEE MMM MMMM D w x e",
                "Thu Thursday Jul July 187 27 2023 4",
            ),
            (
                time,
                "UTC",
                "yy y G C k K h a S SSSSSS",
                "23 2023 AD 20 3 3 3 AM 6 678000",
            ),
            ("2023-07-06T00:00:00", "UTC", "k h K", "24 12 0"),
        ],
    );
}

#[test]
fn teradata_texts() {
    check_parsed(
        teradata,
        &[
            ("2023/07/06", "yyyy/mm/dd", Some("2023-07-06T00:00:00")),
            (
                "1988/04/08 14:15:16",
                "YYYY/MM/DD HH24:MI:SS",
                Some("1988-04-08T14:15:16"),
            ),
            ("88-04-08;02", "yy-mm-dd;hh", Some("1988-04-08T02:00:00")),
            ("1988/04/08", "yyyy/mm/dd hh24", None),
        ],
    );
    check_formatted(
        teradata,
        &[
            (
                "2023-07-06T13:51:00",
                "UTC",
                "yyyy-mm-dd hh24:mi:ss",
                "2023-07-06 13:51:00",
            ),
            ("2023-07-06T13:51:00", "UTC", "yy,hh", "23,01"),
        ],
    );
    assert!(teradata("yyyy-mon").is_err());
}

#[test]
fn order_and_event_times() {
    for (pattern, keeps_order, reads_event_times) in [
        ("%Y-%m-%d", true, false),
        ("%Y%m%d%H", true, false),
        ("%Y-%m-%dT%H:%i:%sZ", true, true),
        ("%Y-%m-%dT%TZ", true, true),
        ("%d-%m-%Y", false, false),
        ("%H:%i", false, false),
        ("%y-%m-%d", false, false),
        ("%Y-%c-%e", false, false),
        ("%Y-%m-%dT%h:%i:%sZ", false, false),
        ("%Y-%d-%mT%H:%i:%sZ", false, false),
        ("no time", false, false),
    ] {
        let pattern = mysql(pattern).unwrap();
        let answer = (pattern.keeps_order(), pattern.reads_event_times());
        assert_eq!(answer, (keeps_order, reads_event_times), "{pattern:?}");
    }
    for (pattern, reads) in [
        ("yyyy-MM-dd'T'HH:mm:ss'Z'", true),
        ("yyyy-MM-dd'T'HH:mm:ssZ", true),
        ("yyyy-MM-dd'T'HH:mm:ss", false),
    ] {
        assert_eq!(
            joda(pattern).unwrap().reads_event_times(),
            reads,
            "{pattern}"
        );
    }
}
