"""Sends a chat's messages out of JSON lines in requests of 50: chatferry and what else people use.

    python -m venv rivals && rivals/bin/pip install aiohttp==3.14.5 dlt==1.31.0 singer-sdk==0.54.9
    cargo build --release --workspace --bins
    target/release/generate-chat --messages 1000000 --seed 7 --out FOLDER
    rivals/bin/python benches/rivals/import.py FOLDER [ROUNDS]

All make the same messages out of the same lines and send them to the same server on loopback, which
says yes to everything and counts (`count-messages`; its own ceiling is printed first). The senders
take turns; medians are printed of the messages a second, of those a second of processor time of the
sender alone, and of its peak memory. chatferry checks every message against the destination's rules
and writes each into its ledger; the others do neither. A Singer tap and target are two processes,
and are counted together.
"""

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
    expected = sum(1 for _ in open(folder / "messages.jsonl", "rb"))
    ceiling = json.loads(subprocess.check_output([PROGRAMS / "count-messages", "--ceiling"]))
    print(f"the server alone counts {ceiling['messages'] / ceiling['seconds']:,.0f} messages/s")
    figures = {name: [] for name in senders(folder)}
    for _ in range(rounds):
        for name, command in senders(folder).items():
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
