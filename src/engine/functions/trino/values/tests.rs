use super::super::checks::check;

#[test]
fn types_and_order() {
    check(&[
        ("typeof('a')", "varchar"),
        ("typeof(1)", "bigint"),
        ("typeof(1.5)", "double"),
        ("typeof(NULL)", "unknown"),
        ("typeof(true)", "boolean"),
        ("typeof(json_parse('1'))", "json"),
        ("typeof(make_array(1))", "array(bigint)"),
        (
            "typeof(named_struct('arn', 'a', 'n', 1))",
            "row(arn varchar, n bigint)",
        ),
        ("typeof(to_utf8('a'))", "varbinary"),
        ("typeof(DATE '2023-01-01')", "date"),
        (
            "typeof(split_to_map('', '&', '='))",
            "map(varchar, varchar)",
        ),
        (
            "typeof(arrow_cast(NULL, 'Timestamp(Microsecond, Some(\"UTC\"))'))",
            "varchar",
        ),
        (
            "typeof(arrow_cast(NULL, 'Timestamp(Millisecond, Some(\"UTC\"))'))",
            "timestamp(3) with time zone",
        ),
        ("greatest(2, 7, 1)", "7"),
        ("greatest(2, NULL)", "NULL"),
        ("least('b', 'a')", "a"),
        ("least(1, 0.5)", "0.5"),
        ("greatest()", "error: at least one argument"),
    ]);
}

#[test]
fn arithmetic() {
    check(&[
        ("abs(-2)", "2"),
        ("abs(-2.5)", "2.5"),
        ("ceil(1.2)", "2.0"),
        ("floor(-1.2)", "-2.0"),
        ("round(2.5)", "3.0"),
        ("round(2.345, 1)", "2.3"),
        ("round(1234, -2)", "1200"),
        ("truncate(-2.8)", "-2.0"),
        ("truncate(12.345, 1)", "12.3"),
        ("mod(-7, 3)", "-1"),
        ("mod(7, 0)", "error: cannot divide by 0"),
        ("sign(-7)", "-1"),
        ("power(2, 10)", "1024.0"),
        ("log(2, 8)", "3.0"),
        ("cbrt(27)", "3.0"),
        ("is_nan(nan())", "true"),
        ("is_finite(infinity())", "false"),
        ("is_infinite(-infinity())", "true"),
        ("random(1, 2)", "1"),
        ("rand() < 1", "true"),
        ("random(0)", "error: finds no integer"),
        ("width_bucket(5.35, 0.024, 10.06, 5)", "3"),
        ("width_bucket(-1, 0, 10, 5)", "0"),
        ("width_bucket(10, 0, 10, 5)", "6"),
        ("abs(NULL)", "NULL"),
        ("abs('a')", "error: takes numbers"),
    ]);
}

#[test]
fn bits_bases_and_sizes() {
    check(&[
        ("bitwise_and(19, 25)", "17"),
        ("bitwise_or(19, 25)", "27"),
        ("bitwise_xor(19, 25)", "10"),
        ("bitwise_not(19)", "-20"),
        ("bitwise_left_shift(7, 2)", "28"),
        ("bitwise_left_shift(7, 64)", "0"),
        ("bitwise_right_shift(7, 2)", "1"),
        ("bitwise_right_shift_arithmetic(-8, 2)", "-2"),
        ("bit_count(9, 64)", "2"),
        ("bit_count(-7, 8)", "6"),
        ("bit_count(128, 8)", "error: cannot fit `128` into 8 bits"),
        ("to_base(255, 16)", "ff"),
        ("to_base(-3, 2)", "-11"),
        ("from_base('ff', 16)", "255"),
        ("from_base('z', 16)", "error: cannot read `z` in base 16"),
        ("format_number(123456)", "123K"),
        ("format_number(1000000)", "1M"),
        ("format_number(-1234)", "-1.23K"),
        ("format_number(12)", "12"),
        ("parse_data_size('1kB')", "1024"),
        ("parse_presto_data_size('2.3MB')", "2411724"),
        ("parse_data_size('x')", "error: cannot read `x`"),
    ]);
}
