"""Reads a PostgreSQL table into Arrow with chatferry, connectorx, ADBC and row by row, in turns.

    python -m venv rivals && rivals/bin/pip install connectorx==0.4.6 adbc-driver-postgresql==1.13.0 pyarrow
    cargo build --release -p chatferry-benches --bins
    target/release/generate-legacy --messages 1000000 --seed 7 --to postgres://…/legacy
    rivals/bin/python benches/rivals/postgres.py postgres://…/legacy messages

Every reader runs in a process of its own, warm cache, `ROUNDS` times, interleaved; the medians and
the peak memory are printed. All read the same columns of the same rows; enums and JSON are asked
for as text where a reader does not know them.

2026-11-22, PostgreSQL 15 on loopback, two cores, a million messages of ten columns: chatferry 1.85 s,
ADBC 1.81 s, connectorx 2.04 s, sqlx row by row into serde values 2.68 s. The server alone, writing
the same rows to /dev/null, takes 1.1 to 1.4 s: one backend is the limit, and three times as fast as
row by row is beyond it.
"""

import json
import resource
import statistics
import subprocess
import sys

ROUNDS = 5

CHATFERRY = "target/release/read-table"

CONNECTORX = """
import sys, time, json
import connectorx
url, query = sys.argv[1:]
start = time.time()
table = connectorx.read_sql(url, query, return_type="arrow")
print(json.dumps({"rows": table.num_rows, "seconds": time.time() - start}))
"""

ADBC = """
import sys, time, json
import adbc_driver_postgresql.dbapi as dbapi
url, query = sys.argv[1:]
start = time.time()
rows = 0
with dbapi.connect(url) as connection, connection.cursor() as cursor:
    cursor.execute(query)
    for batch in cursor.fetch_record_batch():
        rows += batch.num_rows
print(json.dumps({"rows": rows, "seconds": time.time() - start}))
"""


def columns(url, table):
    """The columns, with enums and JSON as text: connectorx and ADBC read them differently else."""
    import adbc_driver_postgresql.dbapi as dbapi

    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, atttypid::regtype::text, typtype FROM pg_attribute "
            "JOIN pg_type ON pg_type.oid = atttypid "
            f"WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
        for name, kind, typtype in cursor.fetchall():
            as_text = kind in ("json", "jsonb", "uuid") or typtype in ("e", b"e")
            yield f'"{name}"::text AS "{name}"' if as_text else f'"{name}"'


def main():
    url, table = sys.argv[1:]
    query = f"SELECT {', '.join(columns(url, table))} FROM {table}"
    readers = {
        "chatferry": [CHATFERRY, "--source", f'connector = "postgres", url = "{url}"', "--table", table],
        "sqlx, row by row": [CHATFERRY.replace("read-table", "read-rows"), url, f"SELECT * FROM {table}"],
        "connectorx": [sys.executable, "-c", CONNECTORX, url, query],
        "adbc": [sys.executable, "-c", ADBC, url, query],
    }
    times = {name: [] for name in readers}
    for _ in range(ROUNDS):
        for name, command in readers.items():
            answer = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            times[name].append(answer.get("describe", 0) + answer["seconds"])
            rows = answer["rows"]
    print(f"{rows} rows of {table}, {ROUNDS} rounds")
    own = statistics.median(times["chatferry"])
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{name:18} {median:7.2f} s   {rows / median:10,.0f} rows/s   {median / own:5.2f} times chatferry's")
    print(f"peak memory of the largest: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024} MiB")


main()
