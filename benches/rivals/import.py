"""Sends a chat's messages out of JSON lines in requests of 50: chatferry and what else people use.

    python -m venv rivals
    rivals/bin/pip install aiohttp==3.14.5 asyncpg==0.32.0 dlt==1.31.0 psycopg2-binary==2.9.13 singer-sdk==0.54.9 sqlalchemy==2.1.9
    cargo install faucet-cli@1.0.1 --locked --no-default-features --features source-postgres,sink-http
    cargo build --release --workspace --bins
    target/release/generate-chat --messages 1000000 --seed 7 --out FOLDER
    rivals/bin/python benches/rivals/import.py FOLDER [ROUNDS]
    rivals/bin/python benches/rivals/import.py FOLDER ROUNDS postgres://USER@HOST/DATABASE

All make the same messages out of the same lines and send them to the same server on loopback, which
says yes to everything and counts (`count-messages`; its own ceiling is printed first). The senders
take turns; medians are printed of the messages a second, of those a second of processor time of the
sender alone, and of its peak memory. chatferry checks every message against the destination's rules
and writes each into its ledger; the others do neither. A Singer tap and target are two processes,
and are counted together.

With a PostgreSQL database the messages are put into a table of it, `messages`, and sent from there. faucet shapes
them in SQL, by which the server has most of the work, and sends lists, since it makes no objects of ids.
"""

import asyncio
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

PROGRAMS = pathlib.Path("target/release").resolve()
SERVER = "http://127.0.0.1:8099"

SHAPE = '''
import json

def shape(row):
    room, attachment = row.get("room_id"), row.get("attachment")
    data = {"metadata": {"legacy": {"replyTo": row.get("reply_to"), "reactions": row.get("reactions")}}}
    if row.get("body"):
        data["text"] = row["body"]
    if attachment:
        data["attachments"] = [{
            "url": attachment["url"], "name": attachment["file"], "mimeType": attachment["mime"],
            "extension": attachment["file"].rsplit(".", 1)[-1], "size": str(attachment["bytes"]),
        }]
    return {
        "muid": str(row["id"]), "sender": str(row["author_id"]),
        "receiverType": "user" if room is None else "group", "receiver": str(room or row["recipient_id"]),
        "category": "message", "type": "file" if attachment else "text",
        "sentAt": row["created_at"] // 1000, "data": data,
    }
'''

# The columns of a file are one object, as `shape` expects it.
SHAPE += '''
def attached(row):
    url = row["attachment_url"]
    attachment = url and {name: row["attachment_" + name] for name in ("url", "file", "mime", "bytes")}
    return {**row, "attachment": attachment}
'''

SCRIPT = SHAPE + '''
import asyncio, sys
import aiohttp

async def main(path, url):
    queue = asyncio.Queue(16)

    async def send(session):
        while batch := await queue.get():
            async with session.post(url, json={"messages": {message["muid"]: message for message in batch}}) as answer:
                answer.raise_for_status()
                await answer.json()

    async with aiohttp.ClientSession(headers={"apikey": "bench"}) as session:
        senders = [asyncio.create_task(send(session)) for _ in range(8)]
        batch = []
        with open(path) as lines:
            for line in lines:
                batch.append(shape(json.loads(line)))
                if len(batch) == 50:
                    await queue.put(batch)
                    batch = []
        if batch:
            await queue.put(batch)
        for _ in senders:
            await queue.put(None)
        await asyncio.gather(*senders)

asyncio.run(main(*sys.argv[1:]))
'''

DLT = SHAPE + '''
import sys
import dlt, requests

path, url = sys.argv[1:]
session = requests.Session()

@dlt.resource(name="messages", max_table_nesting=0)
def messages():
    with open(path) as lines:
        for line in lines:
            yield shape(json.loads(line))

@dlt.destination(batch_size=50, loader_file_format="typed-jsonl", max_table_nesting=0,
                 skip_dlt_columns_and_tables=True, naming_convention="direct", max_parallel_load_jobs=8)
def importing(batch, table):
    body = {"messages": {message["muid"]: message for message in batch}}
    session.post(url, json=body, headers={"apikey": "bench"}).raise_for_status()

dlt.pipeline("rival", destination=importing, pipelines_dir=".").run(messages())
'''

TAP = SHAPE + '''
import sys

text = {"type": ["string", "null"]}
schema = {"type": "object", "properties": {
    **{name: text for name in ("muid", "sender", "receiverType", "receiver", "category", "type")},
    "sentAt": {"type": "integer"}, "data": {"type": "object"}}}
write = sys.stdout.write
write(json.dumps({"type": "SCHEMA", "stream": "messages", "schema": schema, "key_properties": ["muid"]}) + "\\\\n")
with open(sys.argv[1]) as lines:
    for line in lines:
        record = shape(json.loads(line))
        write(json.dumps({"type": "RECORD", "stream": "messages", "record": record}) + "\\\\n")
'''.replace("\\\\", "\\")

TARGET = '''
import json, sys
import requests
from singer_sdk import Target
from singer_sdk.sinks import BatchSink
from singer_sdk import typing as th

url = sys.argv.pop()

class Importing(BatchSink):
    max_size = 50
    session = requests.Session()

    def process_batch(self, context):
        body = {"messages": {record["muid"]: record for record in context["records"]}}
        self.session.post(url, json=body, headers={"apikey": "bench"}).raise_for_status()

class Rival(Target):
    name = "target-rival"
    config_jsonschema = th.PropertiesList().to_dict()
    default_sink_class = Importing

Rival.cli()
'''


DATABASE_SCRIPT = SHAPE + '''
import asyncio, sys
import aiohttp, asyncpg

async def main(database, url):
    queue = asyncio.Queue(16)

    async def send(session):
        while batch := await queue.get():
            async with session.post(url, json={"messages": {message["muid"]: message for message in batch}}) as answer:
                answer.raise_for_status()
                await answer.json()

    connection = await asyncpg.connect(database)
    async with aiohttp.ClientSession(headers={"apikey": "bench"}) as session, connection.transaction():
        senders = [asyncio.create_task(send(session)) for _ in range(8)]
        rows = await connection.cursor("SELECT * FROM messages ORDER BY created_at, id")
        while batch := await rows.fetch(1000):
            batch = [shape(attached(row)) for row in batch]
            for start in range(0, len(batch), 50):
                await queue.put(batch[start:start + 50])
        for _ in senders:
            await queue.put(None)
        await asyncio.gather(*senders)

asyncio.run(main(*sys.argv[1:]))
'''

DATABASE_DLT = SHAPE + '''
import sys
import dlt, requests
from dlt.sources.sql_database import sql_table

database, url = sys.argv[1:]
session = requests.Session()

@dlt.destination(batch_size=50, loader_file_format="typed-jsonl", max_table_nesting=0,
                 skip_dlt_columns_and_tables=True, naming_convention="direct", max_parallel_load_jobs=8)
def importing(batch, table):
    body = {"messages": {message["muid"]: message for message in batch}}
    session.post(url, json=body, headers={"apikey": "bench"}).raise_for_status()

messages = sql_table(credentials=database.replace("postgres:", "postgresql+psycopg2:", 1), table="messages", chunk_size=10_000)
messages.add_map(attached).add_map(shape)
messages.max_table_nesting = 0
dlt.pipeline("rival", destination=importing, pipelines_dir=".").run(messages)
'''

FAUCET = """
version: 1
name: messages
pipeline:
  source:
    type: postgres
    config:
      connection_url: DATABASE
      query: >-
        SELECT id::text AS muid, author_id::text AS sender,
        CASE WHEN room_id IS NULL THEN 'user' ELSE 'group' END AS "receiverType",
        coalesce(room_id, recipient_id)::text AS receiver, 'message' AS category,
        CASE WHEN attachment_url IS NULL THEN 'text' ELSE 'file' END AS type, created_at / 1000 AS "sentAt",
        json_build_object(
          'text', nullif(body, ''),
          'attachments', CASE WHEN attachment_url IS NOT NULL THEN json_build_array(json_build_object(
            'url', attachment_url, 'name', attachment_file, 'mimeType', attachment_mime,
            'extension', split_part(attachment_file, '.', -1), 'size', attachment_bytes::text)) END,
          'metadata', json_build_object('legacy', json_build_object('replyTo', reply_to, 'reactions', reactions))
        ) AS data
        FROM messages ORDER BY created_at, id
  sink:
    type: http
    config:
      url: SERVER
      method: POST
      auth: { type: none }
      max_retries: 0
      concurrency: 8
      batch_mode: { type: Array }
      batch_size: 50
"""

OWN = """
name = "rival"

[cometchat]
base_url = "${CHATFERRY_BENCH_URL}"
api_key = "bench"
requests_per_minute = "off"
retention = "off"

[sources.chat]
connector = "postgres"
url = "DATABASE"

[[flow]]
entity = "messages"
from = "chat.messages"
order_by = ["created_at", "id"]
references = "trust"
[flow.fields]
muid = "id"
sender = "cometchat_id(author_id)"
receiverType = "CASE WHEN room_id IS NULL THEN 'user' ELSE 'group' END"
receiver = "cometchat_id(coalesce(room_id, recipient_id))"
category = "'message'"
type = "CASE WHEN attachment_url IS NULL THEN 'text' ELSE message_type(attachment_mime) END"
sentAt = "unix_seconds(created_at, 'ms')"
[flow.fields.data]
text = "nullif(body, '')"
attachments = '''
CASE WHEN attachment_url IS NOT NULL THEN make_array(named_struct(
  'url', attachment_url, 'name', attachment_file, 'mimeType', attachment_mime,
  'extension', file_extension(attachment_file), 'size', CAST(attachment_bytes AS TEXT)
)) END'''
metadata = { legacy = { replyTo = "reply_to", reactions = "reactions" } }
"""

TABLE = """
DROP TABLE IF EXISTS messages;
CREATE TABLE messages (
    id bigint PRIMARY KEY, room_id bigint, recipient_id bigint, author_id bigint NOT NULL, created_at bigint NOT NULL,
    edited_at bigint, reply_to bigint, body text,
    attachment_url text, attachment_file text, attachment_mime text, attachment_bytes bigint, reactions jsonb);
"""


async def filled(database, lines):
    """Puts the messages into a table of the database."""
    import asyncpg

    def rows():
        for line in open(lines):
            row = json.loads(line)
            attachment = row.get("attachment") or {}
            yield (
                *(row.get(name) for name in "id room_id recipient_id author_id created_at edited_at reply_to body".split()),
                *(attachment.get(name) for name in ("url", "file", "mime", "bytes")),
                json.dumps(row.get("reactions")),
            )

    connection = await asyncpg.connect(database)
    await connection.execute(TABLE)
    await connection.copy_records_to_table("messages", records=rows())
    await connection.execute("CREATE INDEX ON messages (created_at, id); ANALYZE messages")
    await connection.close()


def answered(path):
    with urllib.request.urlopen(SERVER + path, timeout=5) as answer:
        return json.loads(answer.read())


def served():
    """A fresh server that has begun to listen."""
    server = subprocess.Popen([PROGRAMS / "count-messages"], stdout=subprocess.PIPE)
    server.stdout.readline()
    return server


def senders(folder):
    """The command of each, by its name."""
    lines, url = folder / "messages.jsonl", SERVER + "/v3/data_import/messages"
    pipeline = (folder / "pipeline.toml").read_text()
    head, *flows = pipeline.split("[[flow]]")
    messages = next(flow for flow in flows if 'entity   = "messages"' in flow)
    messages = messages.replace("[flow.fields]", 'references = "trust"\n[flow.fields]', 1)
    own = head.replace('root = "."', f'root = "{folder}"') + "[[flow]]" + messages

    def script(text, *arguments):
        return lambda: [sys.executable, "-c", text, *map(str, arguments)]

    def chatferry():
        pathlib.Path("pipeline.toml").write_text(own)
        return [PROGRAMS / "chatferry", "run", "pipeline.toml", "--quiet"]

    def singer():
        pathlib.Path("tap.py").write_text(TAP)
        pathlib.Path("target.py").write_text(TARGET)
        return ["sh", "-c", f"{sys.executable} tap.py {lines} | {sys.executable} target.py {url}"]

    return {
        "chatferry": chatferry,
        "a script with asyncio": script(SCRIPT, lines, url),
        "dlt": script(DLT, lines, url),
        "a Singer tap and target": singer,
    }


def senders_from(database):
    """The same for a table of a database."""
    url = SERVER + "/v3/data_import/messages"

    def script(text):
        return lambda: [sys.executable, "-c", text, database, url]

    def chatferry():
        pathlib.Path("pipeline.toml").write_text(OWN.replace("DATABASE", database))
        return [PROGRAMS / "chatferry", "run", "pipeline.toml", "--quiet"]

    def faucet():
        pathlib.Path("faucet.yaml").write_text(FAUCET.replace("DATABASE", database).replace("SERVER", url))
        return ["faucet", "run", "faucet.yaml"]

    return {
        "chatferry": chatferry,
        "faucet": faucet,
        "a script with asyncio": script(DATABASE_SCRIPT),
        "dlt": script(DATABASE_DLT),
    }


def measured(command):
    """How long a command takes, its processor time, and its peak memory in MiB."""
    environment = os.environ | {"CHATFERRY_BENCH_URL": SERVER + "/v3", "RUNTIME__DLTHUB_TELEMETRY": "false"}
    start = time.time()
    process = subprocess.Popen(command(), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    problems = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{problems[-3000:]}\nit ended with {os.waitstatus_to_exitcode(status)}")
    return time.time() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    folder, rounds = pathlib.Path(sys.argv[1]).resolve(), int((sys.argv[2:] or ["3"])[0])
    database = (sys.argv[3:] or [None])[0]
    if database:
        asyncio.run(filled(database, folder / "messages.jsonl"))
    choose = (lambda: senders_from(database)) if database else (lambda: senders(folder))
    expected = sum(1 for _ in open(folder / "messages.jsonl", "rb"))
    ceiling = json.loads(subprocess.check_output([PROGRAMS / "count-messages", "--ceiling"]))
    print(f"the server alone counts {ceiling['messages'] / ceiling['seconds']:,.0f} messages/s")
    figures = {name: [] for name in choose()}
    for _ in range(rounds):
        for name, command in choose().items():
            server = served()
            try:
                with tempfile.TemporaryDirectory() as place:
                    os.chdir(place)
                    figures[name].append(measured(command))
                    os.chdir("/")
                counted = answered("/counts")["messages"]
            finally:
                server.kill()
                server.wait()
            assert counted == expected, f"{name} sent {counted} of {expected} messages"
    print(f"{expected:,} messages, median of {rounds}")
    for name, runs in figures.items():
        wall, processor, memory = (statistics.median(column) for column in zip(*runs))
        print(
            f"{name:24} {expected / wall:10,.0f} messages/s {expected / processor:10,.0f} per second of processor time "
            f"{memory:7,.0f} MiB"
        )


main()
