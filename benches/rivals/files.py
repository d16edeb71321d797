"""Reads a file of messages into Arrow with chatferry, polars and duckdb, in turns.

    python -m venv rivals && rivals/bin/pip install polars==2.1.0 duckdb==2.0.0 pyarrow==26.0.1
    cargo build --release --workspace --bins
    target/release/generate-chat --messages 1000000 --seed 7 --out FOLDER
    rivals/bin/python benches/rivals/files.py FOLDER

The generated `messages.jsonl` is written once more as CSV (nested values as JSON) and as Parquet
(zstd). Every reader runs in a process of its own, warm cache, `ROUNDS` times, interleaved; medians
and peak memory are printed. chatferry reads in two steps: it looks through all of a file for its
types, and then reads it in batches that it lets go of; polars guesses from the first rows and holds
the whole table, duckdb guesses from some of the rows and streams.
"""

import json
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import sys

ROUNDS = 5

CHATFERRY = "target/release/read-table"

POLARS = """
import json, sys, time
import polars
kind, path = sys.argv[1:]
start = time.time()
read = {"json": polars.read_ndjson, "csv": polars.read_csv, "parquet": polars.read_parquet}[kind]
table = read(path)
print(json.dumps({"rows": table.height, "seconds": time.time() - start}))
"""

DUCKDB = """
import json, sys, time
import duckdb
kind, path = sys.argv[1:]
start = time.time()
read = {"json": "read_json_auto", "csv": "read_csv_auto", "parquet": "read_parquet"}[kind]
rows = sum(batch.num_rows for batch in duckdb.sql(f"SELECT * FROM {read}('{path}')").to_arrow_reader(4096))
print(json.dumps({"rows": rows, "seconds": time.time() - start}))
"""


def write(folder):
    """The messages as JSON lines, CSV and Parquet."""
    import duckdb

    lines, csv, parquet = (folder / f"messages.{kind}" for kind in ("jsonl", "csv", "parquet"))
    if not parquet.exists():
        duckdb.sql(f"COPY (SELECT * FROM read_json_auto('{lines}', sample_size=-1)) TO '{parquet}' "
                   "(FORMAT parquet, COMPRESSION zstd)")
    if not csv.exists():
        duckdb.sql(f"COPY (SELECT * REPLACE (to_json(attachment) AS attachment, to_json(reactions) AS reactions) "
                   f"FROM '{parquet}') TO '{csv}' (FORMAT csv, HEADER)")
    return {"json": lines, "csv": csv, "parquet": parquet}


def run(command):
    """What a reader prints, and the most memory it held, in MiB."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    answer = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{command[0]} ended with {status}")
    return json.loads(answer), usage.ru_maxrss / 1024


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    # By a process of its own: what is started by one that has held a table is said to have held as much.
    with multiprocessing.Pool(1) as pool:
        paths = pool.apply(write, [folder])
    for kind, path in paths.items():
        settings = f'connector = "{kind}", path = "{path}"'
        readers = {
            "chatferry": [CHATFERRY, "--source", settings, "--table", "records"],
            "polars": [sys.executable, "-c", POLARS, kind, str(path)],
            "duckdb": [sys.executable, "-c", DUCKDB, kind, str(path)],
        }
        figures = {name: [] for name in readers}
        for _ in range(ROUNDS):
            for name, command in readers.items():
                figures[name].append(run(command))
        size, rows = path.stat().st_size, figures["chatferry"][0][0]["rows"]
        print(f"{path.name}: {size / 1e6:,.0f} MB, {rows:,} rows")
        for name, runs in figures.items():
            seconds = statistics.median(answer["seconds"] for answer, _ in runs)
            described = statistics.median(answer.get("describe", 0) for answer, _ in runs)
            memory = max(memory for _, memory in runs)
            before = f"  after {described:.2f} s of looking for types" if described else ""
            print(f"  {name:10} {seconds:6.2f} s {size / seconds / 1e6:8,.0f} MB/s "
                  f"{rows / seconds:12,.0f} rows/s {memory:8,.0f} MiB{before}")


main()
