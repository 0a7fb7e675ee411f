//! A smoke run of the fuzz targets: a fixed number of mutations from fixed seeds.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use walkdir::WalkDir;

use crate::lossless::dice::Dice;
use crate::lossless::{files, json};
use crate::scratch::gzip;

#[path = "../support/fuzz.rs"]
mod bodies;

/// Mutations of each seed.
const MUTATIONS: usize = 60;

/// Some small files of the sample case, unpacked.
fn samples() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/samples");
    let files = WalkDir::new(folder).sort_by_file_name().into_iter();
    let files = files
        .map(Result::unwrap)
        .filter(|file| file.file_type().is_file());
    let mut sizes: Vec<_> = files
        .map(|file| (file.metadata().unwrap().len(), file))
        .collect();
    sizes.sort_by_key(|(size, _)| *size);
    let smallest = sizes.iter().take(4).map(|(_, file)| {
        let mut text = Vec::new();
        let packed = fs::read(file.path()).unwrap();
        GzDecoder::new(packed.as_slice())
            .read_to_end(&mut text)
            .unwrap();
        text.truncate(12_000);
        text
    });
    smallest.collect()
}

/// Made-up records in the shapes of files, and inside other things.
fn made_up() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for seed in 0..4 {
        let mut dice = Dice(seed);
        let records: Vec<String> = (0..3).map(|id| dice.record(id)).collect();
        let text = serde_json::Value::from(records[0].as_str()).to_string();
        seeds.extend(files(&records).into_iter().map(|(_, bytes)| bytes));
        for wrapped in [
            format!("{{\"Events\":[{{\"EventId\":\"1\",\"CloudTrailEvent\":{text}}}]}}"),
            format!(
                "{{\"version\":\"0\",\"detail-type\":\"x\",\"detail\":{}}}",
                records[1]
            ),
            format!("{{\"Records\":[{{\"messageId\":\"1\",\"body\":{text}}}]}}"),
            format!("{{\"_source\":{{\"event\":{{\"original\":{text}}}}}}}"),
        ] {
            seeds.push(wrapped.into_bytes());
        }
    }
    seeds.retain(|seed| seed.len() < 60_000);
    seeds
}

/// Bytes that mean something to a reader of JSON.
const TOKENS: [&[u8]; 12] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b",",
    b":",
    b"\xff",
    b"\0",
    b"{\"Records\":[",
    b"\\ud800",
];

/// Flips, cuts, doubles, splices or plants, one to three times.
fn mutate(dice: &mut Dice, seed: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.below(3) {
        let n = bytes.len();
        let at = dice.below(n + 1);
        let end = at + dice.below((n - at).min(200) + 1);
        match dice.below(7) {
            0 if at < n => bytes[at] ^= 1 << dice.below(8),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let chunk = bytes[at..end].to_vec();
                bytes.splice(at..at, chunk);
            }
            4 => {
                let from = dice.below(other.len() + 1);
                bytes.splice(at..end, other[from..].iter().copied().take(300));
            }
            _ => {
                let token = TOKENS[dice.below(TOKENS.len())];
                bytes.splice(at..at, token.iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn mutated_evidence_breaks_no_promise() {
    let seeds: Vec<Vec<u8>> = samples().into_iter().chain(made_up()).collect();
    let mut dice = Dice(1);
    for (index, seed) in seeds.iter().enumerate() {
        bodies::source(seed);
        bodies::text(seed);
        for _ in 0..MUTATIONS {
            let other = &seeds[(index + 1 + dice.below(seeds.len())) % seeds.len()];
            let mutated = mutate(&mut dice, seed, other);
            bodies::source(&mutated);
            bodies::text(&mutated);
        }
    }
}

#[test]
fn evidence_cut_at_any_byte_breaks_no_promise() {
    let mut dice = Dice(3);
    let records: Vec<String> = (0..2).map(|id| dice.record(id)).collect();
    let (_, envelope) = files(&records).swap_remove(0);
    let packed = gzip(&envelope);
    for whole in [envelope, packed] {
        for end in 0..whole.len() {
            bodies::source(&whole[..end]);
        }
    }
}

#[test]
fn packed_evidence_with_flipped_bits_breaks_no_promise() {
    let mut dice = Dice(5);
    let records: Vec<String> = (0..2).map(|id| dice.record(id)).collect();
    let packed = gzip(&files(&records).swap_remove(0).1);
    for _ in 0..500 {
        bodies::source(&mutate(&mut dice, &packed, &packed));
    }
}

/// Policies of both sorts; pairs of them with a line feed between are an earlier and a later one.
fn policies() -> Vec<Vec<u8>> {
    let trusts = [
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalOrgID":["o-mine"]},"Bool":{"aws:MultiFactorAuthPresent":true}}}]}"#,
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws:iam::777788889999:role/r"],"Service":"ec2.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}}"#,
        r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:*"},{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-mine"}}}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"ForAllValues:StringLike":{"token.actions.githubusercontent.com:sub":["repo:a/b:*","repo:${aws:x}?"]}}}]}"#,
        r#"{"Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"999999999999"},"NotAction":"s3:*","Condition":{"IpAddressIfExists":{"aws:SourceIp":["192.0.2.0/24","2001:db8::/300"]},"NumericLessThan":{"aws:MultiFactorAuthAge":"1e309"}}}]}"#,
        "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22999999999999%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%7D",
        r#"{"Statement":[{"Effect":"Allow","Action":["iam:PassRole","lambda:*"],"Resource":"*"},{"Effect":"Deny","NotAction":"iam:*","NotResource":"arn:aws:iam::*:role/?"}]}"#,
    ];
    let alone = trusts.iter().map(|text| text.as_bytes().to_vec());
    let pairs = trusts.windows(2).map(|pair| pair.join("\n").into_bytes());
    alone.chain(pairs).collect()
}

#[test]
fn mutated_policies_break_no_promise() {
    let seeds = policies();
    let mut dice = Dice(7);
    for (index, seed) in seeds.iter().enumerate() {
        bodies::policies(seed);
        for _ in 0..MUTATIONS * 5 {
            let other = &seeds[(index + 1 + dice.below(seeds.len())) % seeds.len()];
            bodies::policies(&mutate(&mut dice, seed, other));
        }
    }
}
