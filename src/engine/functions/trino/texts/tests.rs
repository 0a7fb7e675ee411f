use super::super::checks::check;

const TIME: &str = "arrow_cast('2023-07-06T13:51:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))')";

#[test]
fn times_and_truth_values_are_texts() {
    let cases = [
        (format!("length({TIME})"), "20"),
        (format!("lower({TIME})"), "2023-07-06t13:51:00z"),
        (format!("starts_with({TIME}, '2023-07')"), "true"),
        (format!("concat({TIME}, '!')"), "2023-07-06T13:51:00Z!"),
        (format!("regexp_like({TIME}, '^2023-07-06T13')"), "true"),
        (format!("split_part({TIME}, 'T', 1)"), "2023-07-06"),
        (format!("replace({TIME}, 'Z')"), "2023-07-06T13:51:00"),
        ("upper(true)".to_owned(), "TRUE"),
    ];
    let cases: Vec<_> = cases
        .iter()
        .map(|(sql, expected)| (sql.as_str(), *expected))
        .collect();
    check(&cases);
}

#[test]
fn characters() {
    check(&[
        ("chr(65)", "A"),
        ("chr(-1)", "error: `chr` knows no character `-1`"),
        ("codepoint('é')", "233"),
        ("codepoint('ab')", "error: takes one character, not `ab`"),
        ("length('café')", "4"),
        ("length(to_utf8('café'))", "5"),
        ("length(NULL)", "NULL"),
        ("length(7)", "error: takes texts"),
        ("lower('ÀB')", "àb"),
        ("reverse('abé')", "éba"),
        ("reverse(make_array(1, NULL, 3))", "[3, NULL, 1]"),
        ("reverse(NULL)", "NULL"),
        ("title_case('hello wORLD-x')", "Hello World-X"),
        ("translate('abcd', 'ac', 'z')", "zbd"),
        ("translate('abcd', 'aac', 'zq')", "zbd"),
        ("translate('Palhoça', 'ç', 'c')", "Palhoca"),
        ("translate('abcd', '', '')", "abcd"),
        ("soundex('Robert')", "R163"),
        ("soundex('Ashcraft')", "A261"),
        ("soundex('Tymczak')", "T522"),
        ("soundex('')", ""),
        ("hamming_distance('role', 'rule')", "1"),
        ("hamming_distance('a', 'ab')", "error: of one length"),
        ("levenshtein_distance('kitten', 'sitting')", "3"),
        ("levenshtein_distance('', 'ab')", "2"),
        ("luhn_check('79927398713')", "true"),
        ("luhn_check('79927398714')", "false"),
        ("luhn_check('a')", "error: takes digits"),
    ]);
}

#[test]
fn ends_and_joins() {
    check(&[
        ("trim('  a\t ')", "a"),
        ("trim(BOTH '$' FROM '$var$')", "var"),
        ("trim(TRAILING 'ER' FROM upper('worker'))", "WORK"),
        ("ltrim(NULL)", "NULL"),
        ("lpad('7', 3, '0')", "007"),
        ("lpad('abcd', 2, 'x')", "ab"),
        ("rpad('ab', 5, 'xy')", "abxyx"),
        ("rpad('a', -1, 'x')", "error: takes a size"),
        ("lpad('a', 3, '')", "error: cannot pad with an empty text"),
        ("concat('a', 'b', 'c')", "abc"),
        ("concat('a', NULL)", "NULL"),
        ("'a' || NULL", "NULL"),
        ("concat('a', 1)", "a1"),
        ("concat(make_array(1), make_array(2, 3))", "[1, 2, 3]"),
        ("concat(make_array(1), 2)", "[1, 2]"),
        ("concat('a', make_array('b'))", "[a, b]"),
        ("concat(make_array(1), NULL)", "NULL"),
        ("to_hex(concat(to_utf8('a'), from_hex('00')))", "6100"),
        ("concat_ws('/', 'a', NULL, 'b')", "a/b"),
        ("concat_ws(NULL, 'a')", "NULL"),
        ("concat_ws(',', make_array('a', NULL, 'b'))", "a,b"),
    ]);
}

#[test]
fn parts_of_texts() {
    check(&[
        ("strpos('abc', 'c')", "3"),
        ("strpos('éa', 'a')", "2"),
        ("strpos('abc', 'x')", "0"),
        ("strpos('abc', '')", "1"),
        ("strpos('a.b.c', '.', 2)", "4"),
        ("strpos('a.b.c', '.', -1)", "4"),
        ("strpos('a.b.c', '.', -2)", "2"),
        ("strpos('a.b.c', '.', 3)", "0"),
        ("strpos('a', 'a', 0)", "error: counts instances from 1"),
        ("starts_with('abc', 'ab')", "true"),
        ("starts_with('a%c', 'a%')", "true"),
        ("ends_with('abc', 'bc')", "true"),
        ("replace('a-b-c', '-')", "abc"),
        ("replace('ab', '', 'x')", "xaxbx"),
        ("replace('ab', 'b', NULL)", "NULL"),
        ("split('a/b/c', '/')", "[a, b, c]"),
        ("split('a/b/c', '/', 2)", "[a, b/c]"),
        ("split('', '/')", "[]"),
        ("split('a', '')", "error: delimiter that is not empty"),
        ("split('a', ',', 0)", "error: positive limit"),
        ("split_part('a:b', ':', 2)", "b"),
        ("split_part('a:b', ':', 3)", "NULL"),
        ("split_part('a:b', ':', -1)", "b"),
        ("split_part('a:b', ':', 0)", "error: counts from 1"),
        ("split_to_map('a=1&b=2=3', '&', '=')", "{a: 1, b: 2=3}"),
        (
            "split_to_map('a=1&a=2', '&', '=')",
            "error: finds the key `a` twice",
        ),
        (
            "split_to_map('a', '&', '=')",
            "error: finds no `=` in the entry `a`",
        ),
        ("split_to_map(NULL, '&', '=')", "NULL"),
        (
            "split_to_multimap('a=1&b=2&a=3', '&', '=')",
            "{a: [1, 3], b: [2]}",
        ),
    ]);
}

#[test]
fn formats() {
    check(&[
        (
            "format('%s has %,d events, %.1f%%', 'a', 12345, 6.25)",
            "a has 12,345 events, 6.3%",
        ),
        ("format('%2$s %1$s', 'a', 'b')", "b a"),
        (
            "format('%05d|%-5d|%+d|%x', 42, 42, 42, 255)",
            "00042|42   |+42|ff",
        ),
        (
            "format('%5s|%-5s|%.2s', 'ab', 'ab', 'abc')",
            "   ab|ab   |ab",
        ),
        ("format('%s', NULL)", "null"),
        ("format('%b %c', true, 'x')", "true x"),
        ("format('%e', 12345.678)", "1.234568e+04"),
        ("format('%03d', -7)", "-07"),
        ("format('%d', 'x')", "error: cannot write value 1 as `%d`"),
        ("format('%s')", "error: has no value 1"),
        ("format('%')", "error: cannot read the format"),
    ]);
}

#[test]
fn regular_expressions() {
    check(&[
        ("regexp_like('1a 2b 14m', '\\d+b')", "true"),
        ("regexp_like('AB', 'b', 'i')", "true"),
        (
            "regexp_like('a', '(?!b)')",
            "error: `regexp_like` does not support look-around",
        ),
        (
            "regexp_like('a', '(')",
            "error: cannot read the pattern `(`",
        ),
        ("regexp_like(NULL, 'a')", "NULL"),
        ("regexp_like('a', NULL)", "NULL"),
        ("regexp_extract('1a 2b 14m', '\\d+')", "1"),
        ("regexp_extract('1a 2b 14m', '(\\d+)([a-z]+)', 2)", "a"),
        ("regexp_extract('a', 'b')", "NULL"),
        ("regexp_extract('a', '(b)?a', 1)", "NULL"),
        (
            "regexp_extract('a', 'a', 1)",
            "error: finds 0 groups in the pattern and no group 1",
        ),
        ("regexp_extract_all('1a 2b 14m', '\\d+')", "[1, 2, 14]"),
        (
            "regexp_extract_all('1a 2b 14m', '(\\d+)([a-z]+)', 2)",
            "[a, b, m]",
        ),
        ("regexp_extract_all('a', 'b')", "[]"),
        ("regexp_count('1a 2b 14m', '\\s*[a-z]+\\s*')", "3"),
        (
            "regexp_position('I have 23 apples, 5 pears and 13 oranges', '\\b\\d+\\b')",
            "8",
        ),
        (
            "regexp_position('I have 23 apples, 5 pears and 13 oranges', '\\b\\d+\\b', 12)",
            "19",
        ),
        (
            "regexp_position('I have 23 apples, 5 pears and 13 oranges', '\\b\\d+\\b', 12, 2)",
            "31",
        ),
        (
            "regexp_position('I have 23 apples, 5 pears and 13 oranges', '\\b\\d+\\b', 12, 3)",
            "-1",
        ),
        ("regexp_replace('1a 2b 14m', '\\d+[ab] ')", "14m"),
        (
            "regexp_replace('1a 2b 14m', '(\\d+)([ab]) ', '3c$2 ')",
            "3ca 3cb 14m",
        ),
        ("regexp_replace('ab', '(?<x>a)', '${x}\\$$10')", "a$a0b"),
        ("regexp_replace('ab', 'a', '$1')", "error: finds no group"),
        (
            "regexp_split('1a 2b 14m', '\\s*[a-z]+\\s*')",
            "[1, 2, 14, ]",
        ),
    ]);
}

#[test]
fn urls() {
    check(&[
        ("url_extract_protocol('https://example.com/a')", "https"),
        (
            "url_extract_host('https://example.com:8443/a')",
            "example.com",
        ),
        ("url_extract_port('https://example.com:8443/a')", "8443"),
        ("url_extract_port('https://example.com/a')", "NULL"),
        ("url_extract_path('https://example.com/a%20b?c=d')", "/a b"),
        ("url_extract_query('https://example.com/?a=b#c')", "a=b"),
        ("url_extract_fragment('https://example.com/?a=b#c')", "c"),
        ("url_extract_host('no url')", "NULL"),
        (
            "url_extract_parameter('https://example.com/?x&a=b%2Bc&a=2', 'a')",
            "b+c",
        ),
        (
            "url_extract_parameter('https://example.com/?x&a=b', 'x')",
            "",
        ),
        (
            "url_extract_parameter('https://example.com/?a=b', 'z')",
            "NULL",
        ),
        ("url_encode('a b/cé*')", "a+b%2Fc%C3%A9*"),
        ("url_decode('%7B%22a%22%3A+1%7D')", "{\"a\": 1}"),
        (
            "url_decode('50%')",
            "error: `url_decode` finds a `%` without two digits",
        ),
    ]);
}

#[test]
fn bytes_and_digests() {
    check(&[
        ("to_base64(to_utf8('ab'))", "YWI="),
        ("to_base64('ab')", "YWI="),
        ("from_utf8(from_base64('YWI='))", "ab"),
        ("from_utf8(from_base64('YWI'))", "ab"),
        ("from_base64('!')", "error: `from_base64` cannot read `!`"),
        ("to_base64url(from_hex('fbff'))", "-_8="),
        ("to_hex(from_base64url('-_8'))", "FBFF"),
        ("to_base32('ab')", "MFRA===="),
        ("to_base32('hello')", "NBSWY3DP"),
        ("from_utf8(from_base32('MFRA===='))", "ab"),
        (
            "from_utf8(from_base32('NBSWY3DPEB3W64TMMQ======'))",
            "hello world",
        ),
        ("from_hex('123')", "error: cannot read `123`"),
        ("from_utf8(from_hex('61ff'))", "a\u{fffd}"),
        ("from_utf8(from_hex('61ff'), '?')", "a?"),
        ("from_utf8(from_hex('61ff'), '')", "a"),
        (
            "to_hex(md5(to_utf8('')))",
            "D41D8CD98F00B204E9800998ECF8427E",
        ),
        (
            "to_hex(sha1(to_utf8('abc')))",
            "A9993E364706816ABA3E25717850C26C9CD0D89D",
        ),
        (
            "to_hex(sha1(lpad('', 119, 'a')))",
            "EE971065AAA017E0632A8CA6C77BB3BF8B1DFC56",
        ),
        (
            "to_hex(sha1(lpad('', 56, 'a')))",
            "C2DB330F6083854C99D4B5BFB6E8F29F201BE699",
        ),
        (
            "to_hex(sha256('abc'))",
            "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        ),
        ("length(sha512('abc'))", "64"),
        ("to_hex(xxhash64(''))", "EF46DB3751D8E999"),
        ("crc32('abc')", "891568578"),
        (
            "to_hex(hmac_sha256('what do ya want for nothing?', 'Jefe'))",
            "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843",
        ),
        ("md5(NULL)", "NULL"),
    ]);
}
