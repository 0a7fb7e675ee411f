//! Aggregates that collect distinct values, alone (`set_agg`, `set_union`), counted (`histogram`,
//! `approx_most_frequent`) or with what stands beside them (`map_agg`, `multimap_agg`, `map_union`).
//!
//! The answers are in the order of the keys, and of equal keys the least value counts, so that nothing
//! depends on the order that rows come in.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::{SortOptions, cast};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::physical_expr::expressions::Literal;

use super::FAMILY;
use super::define::{Aggregate, Collector, array_value, column, field, map_value, null, plain};
use crate::engine::functions::trino::collections::{
    Lists, array_of, build_array, coerce_array, coerce_map, element_field, entry_fields, map_of,
};
use crate::engine::functions::trino::define::Doc;

/// What is kept beside a key, and what the arguments are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Keys alone; NULL is one.
    Set,
    /// Keys alone, out of arrays.
    SetUnion,
    Count,
    /// Counts of the most frequent keys.
    MostFrequent(usize),
    Least,
    /// The least value, out of maps.
    MapUnion,
    All,
}

const fn aggregate(
    name: &'static str,
    doc: Doc,
    coerce: fn(&[DataType]) -> Result<Vec<DataType>>,
    returns: fn(&[FieldRef]) -> Result<Field>,
    collector: fn(&AccumulatorArgs<'_>) -> Result<Box<dyn Collector>>,
) -> Aggregate {
    Aggregate {
        name,
        aliases: &[],
        doc,
        coerce,
        returns,
        state,
        collector,
        simplify: None,
        empty: null,
    }
}

const fn doc(syntax: &'static str, description: &'static str, example: &'static str) -> Doc {
    Doc {
        family: FAMILY,
        syntax,
        description,
        example,
    }
}

pub(super) const SET_AGG: Aggregate = aggregate(
    "set_agg",
    doc(
        "set_agg(x) → array([same as x])",
        "The distinct values, NULL among them, in ascending order. NULL where there are no rows.",
        "set_agg(eventname) -- [CreateUser, DeleteUser]",
    ),
    |types| plain("set_agg", types, 1..=1),
    |fields| Ok(Field::new("", array_of(field(fields, 0)?), true)),
    |args| Entries::boxed(args, Kind::Set),
);

pub(super) const SET_UNION: Aggregate = aggregate(
    "set_union",
    doc(
        "set_union(array(T)) → array(T)",
        "The distinct elements of all arrays, NULL among them, in ascending order. NULL where there is no \
         array.",
        "set_union(ARRAY[1, 2]) -- [1, 2]",
    ),
    |types| match plain("set_union", types, 1..=1)?.as_slice() {
        [array] => Ok(vec![coerce_array("set_union", array)?]),
        _ => plan_err!("`set_union` takes one argument"),
    },
    |fields| Ok(Field::new("", field(fields, 0)?.data_type().clone(), true)),
    |args| Entries::boxed(args, Kind::SetUnion),
);

pub(super) const HISTOGRAM: Aggregate = aggregate(
    "histogram",
    doc(
        "histogram(x) → map([same as x], bigint)",
        "How often each value comes, in the order of the values. NULL does not count; NULL where nothing \
         does.",
        "histogram(eventname) -- {CreateUser=3, DeleteUser=1}",
    ),
    |types| plain("histogram", types, 1..=1),
    |fields| Ok(Field::new("", counts_of(field(fields, 0)?), true)),
    |args| Entries::boxed(args, Kind::Count),
);

pub(super) const APPROX_MOST_FREQUENT: Aggregate = aggregate(
    "approx_most_frequent",
    doc(
        "approx_most_frequent(buckets, value, capacity) → map([same as value], bigint)",
        "The `buckets` most frequent values and how often they come, in the order of the values. Counted \
         exactly here, whatever the capacity.",
        "approx_most_frequent(2, eventname, 100) -- {CreateUser=3, DeleteUser=1}",
    ),
    |types| match plain("approx_most_frequent", types, 3..=3)?.as_slice() {
        [_, value, _] => Ok(vec![DataType::Int64, value.clone(), DataType::Int64]),
        _ => plan_err!("`approx_most_frequent` takes three arguments"),
    },
    |fields| Ok(Field::new("", counts_of(field(fields, 1)?), true)),
    |args| {
        let buckets = args.exprs.first().and_then(|n| n.downcast_ref::<Literal>());
        match buckets.map(Literal::value) {
            Some(ScalarValue::Int64(Some(n))) if *n > 1 => {
                let n = usize::try_from(*n).unwrap_or(usize::MAX);
                Entries::boxed(args, Kind::MostFrequent(n))
            }
            _ => plan_err!("`approx_most_frequent` takes a constant number of buckets, at least 2"),
        }
    },
);

pub(super) const MAP_AGG: Aggregate = aggregate(
    "map_agg",
    doc(
        "map_agg(key, value) → map(K, V)",
        "A map from the keys to the values, in the order of the keys. Rows without a key do not count. \
         Where a key comes more than once, the least value.",
        "map_agg(eventid, eventname) -- {1f=CreateUser, 2e=DeleteUser}",
    ),
    |types| plain("map_agg", types, 2..=2),
    |fields| {
        Ok(Field::new(
            "",
            map_of(field(fields, 0)?, field(fields, 1)?),
            true,
        ))
    },
    |args| Entries::boxed(args, Kind::Least),
);

pub(super) const MULTIMAP_AGG: Aggregate = aggregate(
    "multimap_agg",
    doc(
        "multimap_agg(key, value) → map(K, array(V))",
        "A map from the keys to all their values, both in ascending order. Rows without a key do not \
         count.",
        "multimap_agg(useridentity.arn, eventname) -- {arn:…=[CreateUser, DeleteUser]}",
    ),
    |types| plain("multimap_agg", types, 2..=2),
    |fields| {
        let values = Field::new("", array_of(field(fields, 1)?), true);
        Ok(Field::new("", map_of(field(fields, 0)?, &values), true))
    },
    |args| Entries::boxed(args, Kind::All),
);

pub(super) const MAP_UNION: Aggregate = aggregate(
    "map_union",
    doc(
        "map_union(map(K, V)) → map(K, V)",
        "One map of all, in the order of the keys. Where a key is in more than one map, the least value.",
        "map_union(MAP(ARRAY['a'], ARRAY[1])) -- {a=1}",
    ),
    |types| match plain("map_union", types, 1..=1)?.as_slice() {
        [map] => Ok(vec![coerce_map("map_union", map)?]),
        _ => plan_err!("`map_union` takes one argument"),
    },
    |fields| Ok(Field::new("", field(fields, 0)?.data_type().clone(), true)),
    |args| Entries::boxed(args, Kind::MapUnion),
);

fn counts_of(key: &Field) -> DataType {
    map_of(key, &Field::new("", DataType::Int64, true))
}

/// The types of keys and, where there are any, of what stands beside them.
fn entry_types(answer: &DataType) -> Result<(DataType, Option<DataType>)> {
    match (element_field(answer), entry_fields(answer)) {
        (Some(element), _) => Ok((element.data_type().clone(), None)),
        (None, Some((key, value))) => {
            Ok((key.data_type().clone(), Some(value.data_type().clone())))
        }
        (None, None) => plan_err!("expected an array or a map, found {answer}"),
    }
}

/// Keys, and values beside them; a value of `multimap_agg` is one for each row.
fn state(inputs: &[FieldRef], answer: &FieldRef) -> Vec<DataType> {
    let Ok((key, value)) = entry_types(answer.data_type()) else {
        return Vec::new();
    };
    let value = match (inputs, value) {
        // `multimap_agg`, whose answer has an array of these.
        ([_, given], Some(DataType::List(element))) if element.data_type() == given.data_type() => {
            Some(given.data_type().clone())
        }
        (_, value) => value,
    };
    [Some(key), value].into_iter().flatten().collect()
}

/// What is kept of a key.
#[derive(Debug)]
enum Kept {
    Nothing,
    Count(i64),
    Values(Vec<OwnedRow>),
}

#[derive(Debug)]
struct Entries {
    kind: Kind,
    answer: DataType,
    key_type: DataType,
    keys: RowConverter,
    values: Option<RowConverter>,
    value_type: DataType,
    kept: BTreeMap<OwnedRow, Kept>,
    /// Whether there was a row that counts.
    any: bool,
    bytes: usize,
}

/// The bytes of a key or value beside its own: those of the tree and of the counts.
const BYTES_PER_ENTRY: usize = size_of::<OwnedRow>() + size_of::<Kept>() + size_of::<usize>();

fn converter(data_type: &DataType) -> Result<RowConverter> {
    let nulls_last = SortOptions {
        descending: false,
        nulls_first: false,
    };
    let field = SortField::new_with_options(data_type.clone(), nulls_last);
    Ok(RowConverter::new(vec![field])?)
}

impl Entries {
    fn boxed(args: &AccumulatorArgs<'_>, kind: Kind) -> Result<Box<dyn Collector>> {
        let answer = args.return_field.data_type().clone();
        let (_, value_type) = entry_types(&answer)?;
        let value_type = match kind {
            Kind::All => field(args.expr_fields, 1)?.data_type().clone(),
            _ => value_type.unwrap_or(DataType::Null),
        };
        Ok(Box::new(Self::new(kind, answer, value_type)?))
    }

    fn new(kind: Kind, answer: DataType, value_type: DataType) -> Result<Self> {
        let (key_type, _) = entry_types(&answer)?;
        Ok(Self {
            kind,
            keys: converter(&key_type)?,
            values: match kind {
                Kind::Least | Kind::MapUnion | Kind::All => Some(converter(&value_type)?),
                Kind::Set | Kind::SetUnion | Kind::Count | Kind::MostFrequent(_) => None,
            },
            answer,
            key_type,
            value_type,
            kept: BTreeMap::new(),
            any: false,
            bytes: 0,
        })
    }

    /// Takes keys, and for each its value or count.
    fn take(&mut self, keys: &ArrayRef, beside: Option<&ArrayRef>) -> Result<()> {
        let with_null = matches!(self.kind, Kind::Set | Kind::SetUnion);
        let rows = self.keys.convert_columns(&[cast(keys, &self.key_type)?])?;
        let values = match (&self.values, beside) {
            (Some(converter), Some(values)) => {
                Some(converter.convert_columns(&[cast(values, &self.value_type)?])?)
            }
            _ => None,
        };
        let counts = match (&self.values, beside) {
            (None, Some(counts)) => counts.as_primitive_opt::<Int64Type>(),
            _ => None,
        };
        for at in 0..keys.len() {
            if keys.is_null(at) && !with_null {
                continue;
            }
            self.any = true;
            let value = values.as_ref().map(|values| values.row(at).owned());
            let count = counts.map_or(1, |counts| counts.value(at));
            self.note(rows.row(at).owned(), value, count);
        }
        Ok(())
    }

    fn note(&mut self, key: OwnedRow, value: Option<OwnedRow>, count: i64) {
        let key_bytes = key.as_ref().len();
        let value_bytes = value.as_ref().map_or(0, |value| value.as_ref().len());
        let kind = self.kind;
        let kept = self.kept.entry(key).or_insert_with(|| {
            self.bytes += key_bytes + BYTES_PER_ENTRY;
            match kind {
                Kind::Set | Kind::SetUnion => Kept::Nothing,
                Kind::Count | Kind::MostFrequent(_) => Kept::Count(0),
                Kind::Least | Kind::MapUnion | Kind::All => Kept::Values(Vec::new()),
            }
        });
        match (kept, value) {
            (Kept::Count(all), _) => *all = all.saturating_add(count),
            (Kept::Values(values), Some(value)) => match values.first_mut() {
                Some(least) if kind != Kind::All => {
                    if value < *least {
                        *least = value;
                    }
                }
                _ => {
                    self.bytes += value_bytes + size_of::<OwnedRow>();
                    values.push(value);
                }
            },
            (Kept::Nothing | Kept::Values(_), _) => {}
        }
    }

    /// The entries of the answer.
    fn chosen(&self) -> Vec<(&OwnedRow, &Kept)> {
        let mut chosen: Vec<_> = self.kept.iter().collect();
        if let Kind::MostFrequent(n) = self.kind {
            let count = |kept: &Kept| match kept {
                Kept::Count(count) => *count,
                Kept::Nothing | Kept::Values(_) => 0,
            };
            chosen.sort_by_key(|(_, kept)| std::cmp::Reverse(count(kept)));
            chosen.truncate(n);
            chosen.sort_by_key(|(key, _)| *key);
        }
        chosen
    }

    fn column<'a>(
        converter: &RowConverter,
        rows: impl Iterator<Item = &'a OwnedRow>,
    ) -> Result<ArrayRef> {
        let columns = converter.convert_rows(rows.map(OwnedRow::row))?;
        column(&columns, 0).map(ArrayRef::clone)
    }

    /// What stands beside each entry, one after the other, and how many of them.
    fn beside(&self, chosen: &[(&OwnedRow, &Kept)]) -> Result<(ArrayRef, Vec<usize>)> {
        if let Some(converter) = &self.values {
            let mut all: Vec<&OwnedRow> = Vec::new();
            let mut lengths = Vec::new();
            for (_, kept) in chosen {
                if let Kept::Values(values) = kept {
                    let start = all.len();
                    all.extend(values);
                    all.get_mut(start..).unwrap_or_default().sort();
                    lengths.push(values.len());
                }
            }
            return Ok((Self::column(converter, all.into_iter())?, lengths));
        }
        let counts = chosen.iter().map(|(_, kept)| match kept {
            Kept::Count(count) => *count,
            Kept::Nothing | Kept::Values(_) => 0,
        });
        let counts: ArrayRef = std::sync::Arc::new(counts.collect::<Int64Array>());
        Ok((counts, vec![1; chosen.len()]))
    }
}

impl Collector for Entries {
    fn add(&mut self, arguments: &[ArrayRef]) -> Result<()> {
        let first = column(arguments, 0)?;
        match self.kind {
            Kind::Set | Kind::Count => self.take(first, None),
            Kind::MostFrequent(_) => self.take(column(arguments, 1)?, None),
            Kind::Least | Kind::All => self.take(first, Some(column(arguments, 1)?)),
            Kind::SetUnion => {
                self.any |= first.null_count() < first.len();
                self.take(&Lists::new(first)?.elements, None)
            }
            Kind::MapUnion => {
                self.any |= first.null_count() < first.len();
                let (keys, values) = Lists::new(first)?.entries()?;
                self.take(&keys, Some(&values))
            }
        }
    }

    fn merge(&mut self, columns: &[ArrayRef]) -> Result<()> {
        self.take(column(columns, 0)?, columns.get(1))
    }

    fn columns(&self) -> Result<Vec<ArrayRef>> {
        let kept: Vec<_> = self.kept.iter().collect();
        let (beside, lengths) = self.beside(&kept)?;
        let keys = kept
            .iter()
            .zip(lengths)
            .flat_map(|((key, _), n)| std::iter::repeat_n(*key, n));
        let keys = Self::column(&self.keys, keys)?;
        Ok(match self.kind {
            Kind::Set | Kind::SetUnion => vec![keys],
            Kind::Count | Kind::MostFrequent(_) | Kind::Least | Kind::MapUnion | Kind::All => {
                vec![keys, beside]
            }
        })
    }

    fn answer(&self) -> Result<ScalarValue> {
        if !self.any {
            return null(&self.answer);
        }
        let chosen = self.chosen();
        let keys = Self::column(&self.keys, chosen.iter().map(|(key, _)| *key))?;
        let (beside, lengths) = match self.kind {
            Kind::Set | Kind::SetUnion => return array_value(&self.answer, keys),
            Kind::Count | Kind::MostFrequent(_) | Kind::Least | Kind::MapUnion | Kind::All => {
                self.beside(&chosen)?
            }
        };
        if self.kind != Kind::All {
            return map_value(&self.answer, keys, beside);
        }
        let Some((_, value)) = entry_fields(&self.answer) else {
            return exec_err!("expected a map, found {}", self.answer);
        };
        let values = build_array(value.data_type(), beside, lengths, None)?;
        map_value(&self.answer, keys, values)
    }

    fn fresh(&self) -> Result<Box<dyn Collector>> {
        let (answer, value_type) = (self.answer.clone(), self.value_type.clone());
        Ok(Box::new(Self::new(self.kind, answer, value_type)?))
    }

    fn size(&self) -> usize {
        let values = self.values.as_ref().map_or(0, RowConverter::size);
        self.bytes + self.keys.size() + values
    }
}
