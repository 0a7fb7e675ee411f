//! What holds for every document.

use proptest::prelude::*;

use super::*;

/// Principals with the call that fits, one of each sort.
fn grants() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop::sample::select(vec![
        (STAR, ASSUME),
        (ROLE, ASSUME),
        (VENDOR, ASSUME),
        (r#""AWS":"999900001111""#, ASSUME),
        (r#""AWS":"AROAEXAMPLEEXAMPLE123""#, ASSUME),
        (r#""Service":"glue.amazonaws.com""#, ASSUME),
        (GITHUB, WEB),
        (PRIVATE, WEB),
    ])
}

/// Conditions of all sorts, each under an operator spelled so that no two collide.
fn condition_parts() -> Vec<&'static str> {
    vec![
        r#""StringEquals":{"aws:PrincipalOrgID":"o-mine"}"#,
        r#""StringLike":{"aws:PrincipalOrgID":"o-other"}"#,
        r#""ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-mine/*"}"#,
        r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::444455556666:role/*"}"#,
        r#""ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/x"}"#,
        r#""ForAnyValue:StringEquals":{"aws:PrincipalAccount":"555566667777"}"#,
        r#""IpAddress":{"aws:SourceIp":"192.0.2.0/24"}"#,
        r#""StringEqualsIgnoreCase":{"sts:ExternalId":"kP3vQ8zR1mX7wT5n"}"#,
        r#""ForAnyValue:StringEqualsIgnoreCase":{"aws:SourceAccount":"444455556666"}"#,
        r#""ForAnyValue:ArnLike":{"token.actions.githubusercontent.com:sub":"repo:mine/*"}"#,
        r#""ForAnyValue:ArnEquals":{"token.actions.githubusercontent.com:sub":"repo:mine/app:environment:e"}"#,
        r#""StringEqualsIfExists":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}"#,
        r#""StringLikeIfExists":{"login.mine.example:sub":"a"}"#,
        r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#,
        r#""ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::999900001111:role/x"}"#,
    ]
}

fn json_like() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "\"Statement\"",
        "\"Effect\"",
        "\"Allow\"",
        "\"Deny\"",
        "\"Principal\"",
        "\"AWS\"",
        "\"*\"",
        "\"Action\"",
        "\"sts:AssumeRole\"",
        "\"Condition\"",
        "\"StringLike\"",
        "\"${\"",
        "\"a:b\"",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "null",
        "1e9",
        "true",
        "%7B",
        "%",
        "\u{feff}",
    ]);
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn another_test_never_makes_it_worse(
        (principal, action) in grants(),
        parts in prop::sample::subsequence(condition_parts(), 1..6),
        at in any::<prop::sample::Index>(),
    ) {
        let mut fewer = parts.clone();
        fewer.remove(at.index(parts.len()));
        let more = analyze(&one(principal, action, &parts.join(",")), &world());
        let fewer = analyze(&one(principal, action, &fewer.join(",")), &world());
        prop_assert!(more.verdict >= fewer.verdict, "{:?} after {:?}", more, fewer);
    }

    #[test]
    fn lists_and_case_do_not_matter(
        (principal, action) in grants(),
        parts in prop::sample::subsequence(condition_parts(), 0..5),
    ) {
        let plain = one(principal, action, &parts.join(","));
        let mut document: serde_json::Value = serde_json::from_str(&plain).unwrap();
        let statement = &mut document["Statement"][0];
        statement["Action"] = serde_json::json!([action.to_uppercase()]);
        for value in statement["Principal"].as_object_mut().unwrap().values_mut() {
            *value = serde_json::json!([value]);
        }
        let operators = statement["Condition"].as_object().unwrap().clone();
        let respelled = operators.into_iter().map(|(operator, keys)| {
            let keys = keys.as_object().unwrap().iter();
            let keys: serde_json::Map<_, _> = keys
                .map(|(key, value)| (key.to_uppercase(), serde_json::json!([value])))
                .collect();
            (operator.to_lowercase(), serde_json::Value::Object(keys))
        });
        statement["Condition"] = serde_json::Value::Object(respelled.collect());
        document["Statement"] = document["Statement"][0].take();
        let a = analyze(&plain, &world());
        let b = analyze(&document.to_string(), &world());
        prop_assert_eq!((a.verdict, a.severity, a.codes()), (b.verdict, b.severity, b.codes()));
    }

    #[test]
    fn what_opened_is_told_and_closes_on_the_way_back(
        (principal, action) in grants(),
        (other, other_action) in grants(),
        parts in prop::sample::subsequence(condition_parts(), 0..5),
        other_parts in prop::sample::subsequence(condition_parts(), 0..5),
        both in any::<bool>(),
    ) {
        let first = allow(principal, action, &parts.join(","));
        let second = allow(other, other_action, &other_parts.join(","));
        let before = document(std::slice::from_ref(&first));
        let after = if both { document(&[second, first]) } else { document(&[second]) };
        let forth = diff(&before, &after, &world());
        let back = diff(&after, &before, &world());
        prop_assert_eq!(forth.opened.is_empty(), back.closed.is_empty());
        prop_assert_eq!(forth.closed.is_empty(), back.opened.is_empty());
        // A worse verdict has a reason among the rest.
        if forth.rose() {
            prop_assert_eq!(forth.severity(), Some(Severity::High));
            prop_assert!(forth.opened.len() > 1, "{:?} for {} and {}", forth, before, after);
        }
        if both {
            // Nothing was taken away.
            prop_assert_eq!(forth.closed, Vec::new());
        }
        let same = diff(&after, &after.replace("StringEquals\"", "stringEQUALS\""), &world());
        prop_assert!(same.opened.is_empty() && same.closed.is_empty(), "{:?}", same);
    }

    #[test]
    fn any_text_gives_a_report(text in prop_oneof![any::<String>(), json_like()]) {
        let report = analyze(&text, &world());
        prop_assert!(report.severity >= report.verdict.severity());
        crate::policy::permissions::classify(&text);
        diff(&text, &one(STAR, ASSUME, ""), &world());
    }
}
