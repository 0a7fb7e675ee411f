"""CPU of an ingest by stage, from stacks on stdin:

    perf record -F 397 --call-graph dwarf,8192 -o ingest.perf -- spoor ingest TRAIL --lake LAKE
    perf script -i ingest.perf --no-inline -F comm,period,ip,sym | ingest_stages.py CPU_SECONDS JSON_BYTES

A sample belongs to the stage of its innermost frame that names one, so that an allocation or a copy
counts for whoever asked for it. CPU_SECONDS is of a run without perf, and is shared out.
"""

import re
import sys
from collections import Counter

# The first pattern that a frame matches wins; frames are tried from the innermost outwards.
STAGES = [
    ("gunzip", r"zlib_rs|flate2|crc32"),
    ("hash of the file", r"sha2::|sha256"),
    ("encode", r"^ZSTD|^HUF_|^HIST_|^FSE_|zstd|parquet::"),
    ("dedup", r"ingest::known|ingest::twins"),
    ("sort and gather", r"lake::(group|order|sort)|arrow_select|arrow_ord|sort_unstable"),
    ("scan and check", r"ingest::(json|scan|select)|from_utf8|simdutf8|memchr|sonic_rs"),
    ("build", r"ingest::(normalize|rows|words|time|decode|escapes)|arrow_array|arrow_buffer"),
    ("commit", r"lake::|deltalake|object_store|serde|ingest::ledger|KnownSources"),
    ("read and hand over", r"ingest::|walkdir|tokio"),
]
STAGES = [(name, re.compile(pattern)) for name, pattern in STAGES]
# Putting rows aside and taking them back packs and copies too; all below it is its own stage.
SPILL = ("spill", re.compile("lake::spill"))
OTHER = "other"


def stage_of(frames):
    if any(SPILL[1].search(frame) for frame in frames):
        return SPILL[0]
    for frame in frames:
        for name, pattern in STAGES:
            if pattern.search(frame):
                return name
    return OTHER


def main(cpu_seconds, json_bytes):
    spent, unknown = Counter(), Counter()
    for sample in sys.stdin.read().split("\n\n"):
        head, *frames = sample.strip("\n").split("\n")
        if not frames:
            continue
        period = int(head.split()[-1])
        frames = [frame.strip().split(" ", 1)[-1] for frame in frames]
        stage = stage_of(frames)
        spent[stage] += period
        if stage == OTHER:
            unknown[frames[0]] += period
    total = spent.total()
    print("| stage | share | CPU, s | s per GB of JSON |")
    print("|---|---|---|---|")
    for name in [name for name, _ in [*STAGES, SPILL]] + [OTHER]:
        share = spent[name] / total
        seconds = share * cpu_seconds
        print(f"| {name} | {share:.1%} | {seconds:.2f} | {seconds / json_bytes * 1e9:.2f} |")
    print(f"| all | | {cpu_seconds:.2f} | {cpu_seconds / json_bytes * 1e9:.2f} |")
    for frame, period in unknown.most_common(5):
        print(f"{OTHER}: {period / total:.1%} {frame}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(float(sys.argv[1]), float(sys.argv[2]))
