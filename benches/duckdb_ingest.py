"""The DuckDB half of compare-ingest: the same columns from the same files into one Parquet file.

    duckdb_ingest.py write TRAIL OUT.parquet THREADS
    duckdb_ingest.py check LAKE OUT.parquet

The columns are read from the table in src/schema.rs, so both sides always store the same members.
"""

import json
import os
import re
import sys

import duckdb

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src", "schema.rs")
# One file is one line. Above the largest file, but not by much: four times this costs a quarter more
# CPU on small files.
LARGEST_LINE = 1 << 26
RESOURCE = {"ARN": "VARCHAR", "accountId": "VARCHAR", "type": "VARCHAR", "ARNPrefix": "VARCHAR"}
TYPES = {
    "Text": "VARCHAR",
    "Bool": "BOOLEAN",
    "Time": "TIMESTAMP",
    "Json": "JSON",
    "TextMap": "MAP(VARCHAR, VARCHAR)",
    "Resources": [RESOURCE],
}


def columns():
    """Name, path in the record and kind of every column of the table in schema.rs."""
    with open(SCHEMA, encoding="utf-8") as file:
        text = file.read()
    table = text[text.index("pub const EVENT_COLUMNS") :]
    table = table[: table.index("\n];")]
    lines = [line for line in table.splitlines()[1:] if line.strip()]
    found = []
    for line in lines:
        parts = re.fullmatch(r'\s*(\w+)\("(\w+)", &\[([^\]]+)\](?:, Kind::(\w+))?\),', line)
        if parts is None:
            sys.exit(f"not understood in src/schema.rs: {line.strip()}")
        kind = parts[4] or ("Json" if parts[1] == "json" else "Text")
        found.append((parts[2], re.findall(r'"(\w+)"', parts[3]), kind))
    return found


def write(trail, out, threads):
    """One statement, in the fastest form found (docs/benchmarks.md says which others were tried)."""
    record = {}
    for _, path, kind in columns():
        into = record
        for member in path[:-1]:
            into = into.setdefault(member, {})
        into[path[-1]] = TYPES[kind]
    shape = json.dumps({"Records": [record]})
    picked = ", ".join(
        "r." + ".".join(f'"{member}"' for member in path) + f" AS {name}"
        for name, path, _ in columns()
    )
    db = duckdb.connect()
    db.execute(f"SET threads = {int(threads)}")
    db.execute("SET preserve_insertion_order = false")
    db.execute(
        f"""COPY (
            SELECT {picked} FROM (
                SELECT unnest(from_json(json, '{shape}').Records) AS r
                FROM read_ndjson_objects($trail, maximum_object_size = {LARGEST_LINE})
            )
        ) TO $out (FORMAT parquet, COMPRESSION zstd)""",
        {"trail": os.path.join(trail, "**", "*.json.gz"), "out": out},
    )


def check(lake, out):
    """Row counts and sizes, then every column: a hash over event and value, blind to row order."""
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    events = os.path.join(lake, "events", "*", "*.parquet")
    db.execute(f"CREATE VIEW ours AS FROM read_parquet('{events}', hive_partitioning = false)")
    db.execute(f"CREATE VIEW theirs AS FROM read_parquet('{out}')")
    rows = [db.execute(f"SELECT count(*) FROM {side}").fetchone()[0] for side in ("ours", "theirs")]
    print(f"rows: spoor {rows[0]}, DuckDB {rows[1]}")
    values = {
        "Json": "CAST({} AS VARCHAR)",
        "Time": "epoch_us({})",
        "Resources": "list_transform({}, lambda x: [x.arn, x.accountid, x.type, x.arnprefix])",
    }
    hashes = ", ".join(
        f"(count({name}), bit_xor(hash(eventid, recipientaccountid, "
        f"{values.get(kind, '{}').format(name)})))"
        for name, _, kind in columns()
    )
    ours, theirs = (db.execute(f"SELECT {hashes} FROM {side}").fetchone() for side in ("ours", "theirs"))
    differ = [name for (name, _, _), a, b in zip(columns(), ours, theirs) if a != b]
    print(f"columns: {len(ours)}, of them different: {', '.join(differ) or 'none'}")
    return 0 if rows[0] == rows[1] and not differ else 1


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", trail, out, threads]:
            write(trail, out, threads)
        case ["check", lake, out]:
            sys.exit(check(lake, out))
        case _:
            sys.exit(__doc__)
