//! How alike texts are: `hamming_distance`, `levenshtein_distance`, `soundex`; and `luhn_check`.

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};

use super::{STRINGS, VARCHAR, doc};
use crate::engine::functions::trino::define::{Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce, shown};

pub(super) const HAMMING_DISTANCE: Function = Function::new(
    "hamming_distance",
    doc(
        STRINGS,
        "hamming_distance(text, text) → bigint",
        "In how many places two texts differ. An error where one is longer.",
        "hamming_distance('role', 'rule') -- 1",
    ),
    |given| coerce("hamming_distance", given, &[Kind::Text; 2], 2),
    Returns::Type(|_| Ok(DataType::Int64)),
    |args| {
        let rows = Rows::new(args);
        let (left, right) = (rows.texts(0)?, rows.texts(1)?);
        rows.give_integers(|row| {
            let Some((left, right)) = left.get(row).zip(right.get(row)) else {
                return Ok(None);
            };
            if left.chars().count() != right.chars().count() {
                return exec_err!(
                    "`hamming_distance` takes texts of one length, not `{}` and `{}`",
                    shown(left),
                    shown(right)
                );
            }
            let differ = left.chars().zip(right.chars()).filter(|(a, b)| a != b);
            Ok(i64::try_from(differ.count()).ok())
        })
    },
);

/// The work grows with the product of both lengths.
const MOST_COMPARISONS: usize = 1_000_000;

pub(super) const LEVENSHTEIN_DISTANCE: Function = Function::new(
    "levenshtein_distance",
    doc(
        STRINGS,
        "levenshtein_distance(text, text) → bigint",
        "How many characters have to be put in, left out or changed to make one text the other. An \
         error where the product of their lengths is more than a million.",
        "levenshtein_distance('admin', 'adm1n-') -- 2",
    ),
    |given| coerce("levenshtein_distance", given, &[Kind::Text; 2], 2),
    Returns::Type(|_| Ok(DataType::Int64)),
    |args| {
        let rows = Rows::new(args);
        let (left, right) = (rows.texts(0)?, rows.texts(1)?);
        rows.give_integers(|row| {
            let Some((left, right)) = left.get(row).zip(right.get(row)) else {
                return Ok(None);
            };
            distance(left, right).map(|distance| i64::try_from(distance).ok())
        })
    },
)
.with_aliases(&["levenshtein"]);

fn distance(left: &str, right: &str) -> Result<usize> {
    let right: Vec<char> = right.chars().collect();
    let work = left.chars().count().saturating_mul(right.len());
    if work > MOST_COMPARISONS {
        return exec_err!("`levenshtein_distance` cannot compare texts that long");
    }
    let mut costs: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.chars().enumerate() {
        let mut diagonal = row;
        let mut before = row + 1;
        for (cost, b) in costs.iter_mut().skip(1).zip(&right) {
            let change = diagonal + usize::from(a != *b);
            diagonal = *cost;
            before = change.min(before + 1).min(*cost + 1);
            *cost = before;
        }
        if let Some(first) = costs.first_mut() {
            *first = row + 1;
        }
    }
    Ok(costs.last().copied().unwrap_or_default())
}

pub(super) const SOUNDEX: Function = Function::new(
    "soundex",
    doc(
        STRINGS,
        "soundex(text) → varchar",
        "How an English word sounds: a letter and three digits. Empty where the text has no letter; an \
         error where it has letters beyond A to Z.",
        "soundex('Robert') -- R163",
    ),
    |given| coerce("soundex", given, &[Kind::Text], 1),
    VARCHAR,
    |args| {
        let rows = Rows::new(args);
        let texts = rows.texts(0)?;
        rows.give_texts(|row| texts.get(row).map(soundex).transpose())
    },
);

fn soundex(text: &str) -> Result<String> {
    let letters: Vec<char> = text.chars().filter(|c| c.is_alphabetic()).collect();
    if !letters.iter().all(char::is_ascii) {
        return exec_err!("`soundex` takes letters from A to Z, not `{}`", shown(text));
    }
    let mut letters = letters.iter().map(char::to_ascii_uppercase);
    let Some(first) = letters.next() else {
        return Ok(String::new());
    };
    let mut code = String::from(first);
    let mut last = sound(first);
    for letter in letters {
        let this = sound(letter);
        if let Some(digit) = this
            && last != this
            && code.len() < 4
        {
            code.push(digit);
        }
        // H and W do not part equal sounds; vowels do.
        if !matches!(letter, 'H' | 'W') {
            last = this;
        }
    }
    Ok(format!("{code:0<4}"))
}

fn sound(letter: char) -> Option<char> {
    match letter {
        'B' | 'F' | 'P' | 'V' => Some('1'),
        'C' | 'G' | 'J' | 'K' | 'Q' | 'S' | 'X' | 'Z' => Some('2'),
        'D' | 'T' => Some('3'),
        'L' => Some('4'),
        'M' | 'N' => Some('5'),
        'R' => Some('6'),
        _ => None,
    }
}

pub(super) const LUHN_CHECK: Function = Function::new(
    "luhn_check",
    doc(
        STRINGS,
        "luhn_check(text) → boolean",
        "Whether the last of a text's digits fits the others, as in numbers of credit cards. False for \
         the empty text; an error where there is something else than digits.",
        "luhn_check('79927398713') -- true",
    ),
    |given| coerce("luhn_check", given, &[Kind::Text], 1),
    Returns::Type(|_| Ok(DataType::Boolean)),
    |args| {
        let rows = Rows::new(args);
        let texts = rows.texts(0)?;
        rows.give_truths(|row| texts.get(row).map(luhn).transpose())
    },
);

fn luhn(text: &str) -> Result<bool> {
    let mut sum = 0u64;
    for (at, character) in text.chars().rev().enumerate() {
        let Some(digit) = character.to_digit(10) else {
            return exec_err!("`luhn_check` takes digits, not `{}`", shown(text));
        };
        let weighed = if at % 2 == 1 { digit * 2 } else { digit };
        sum += u64::from(weighed / 10 + weighed % 10);
    }
    Ok(!text.is_empty() && sum.is_multiple_of(10))
}
