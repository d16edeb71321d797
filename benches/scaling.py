"""Sends chats of growing size as fast as it goes, and goes on with an import that was killed near its end.

    cargo build --release --workspace --bins
    python3 benches/scaling.py FOLDER [MESSAGES …]

For each size a chat is generated in FOLDER (`generate-chat`, 345 bytes a message), if it is not there
yet, and its messages are sent out of JSON lines to a server on loopback that says yes to everything and counts
(`count-messages`). Printed are the time for each message, as the clock and as the sender's processors
have it, the sender's peak memory, and the size of its ledger. Then the same is killed when nineteen in twenty
messages have been counted (of ten thousand, some); printed are the time from the next start to its first
request, and its peak memory.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

PROGRAMS = pathlib.Path("target/release").resolve()
SERVER = "http://127.0.0.1:8099"
SIZES = [10_000, 100_000, 1_000_000, 10_000_000]


def counted():
    with urllib.request.urlopen(SERVER + "/counts", timeout=5) as answer:
        return json.loads(answer.read())["messages"]


def served():
    """A fresh server that has begun to listen."""
    server = subprocess.Popen([PROGRAMS / "count-messages"], stdout=subprocess.PIPE)
    server.stdout.readline()
    return server


def ended(server):
    server.kill()
    server.wait()


def generated(folder, messages):
    """A pipeline that sends nothing but the messages of such a chat."""
    chat = folder / f"chat-{messages}"
    if not chat.exists():
        subprocess.run([PROGRAMS / "generate-chat", "--out", chat, "--messages", str(messages)], check=True)
    head, *flows = (chat / "pipeline.toml").read_text().split("[[flow]]")
    flow = next(flow for flow in flows if 'entity   = "messages"' in flow)
    flow = flow.replace("[flow.fields]", 'references = "trust"\n[flow.fields]', 1)
    path = chat / "messages.toml"
    path.write_text(head + "[[flow]]" + flow)
    return path


class Import:
    """An import that has been started."""

    def __init__(self, pipeline, place):
        environment = os.environ | {"CHATFERRY_BENCH_URL": SERVER + "/v3", "CHATFERRY_CACHE": str(place / "cache")}
        self.ledger = place / "a.ledger"
        self.start = time.time()
        self.process = subprocess.Popen(
            [PROGRAMS / "chatferry", "run", pipeline, "--ledger", self.ledger, "--quiet"],
            env=environment,
            stdout=subprocess.DEVNULL,
        )

    def reaches(self, messages):
        """Waits until the server has counted that many; says how long it took."""
        while counted() < messages:
            assert self.process.poll() is None, "it ended early"
            time.sleep(0.002)
        return time.time() - self.start

    def end(self):
        """Waits for its end; says how long it took, its processor time, and its peak memory in MiB."""
        _, status, usage = os.wait4(self.process.pid, 0)
        took = time.time() - self.start
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    sizes = [int(size) for size in sys.argv[2:]] or SIZES
    for messages in sizes:
        pipeline = generated(folder, messages)
        with tempfile.TemporaryDirectory() as place:
            place = pathlib.Path(place)
            server = served()
            sending = Import(pipeline, place)
            wall, processor, memory = sending.end()
            assert sending.process.returncode == 0 and counted() == messages
            ended(server)
            ledger = sending.ledger.stat().st_size
        with tempfile.TemporaryDirectory() as place:
            place = pathlib.Path(place)
            # A small one may be done before the signal comes.
            while True:
                server = served()
                sending = Import(pipeline, place)
                sending.reaches(messages * 19 // 20 if messages > SIZES[0] else 1)
                sending.process.send_signal(signal.SIGKILL)
                sending.end()
                ended(server)
                if sending.process.returncode == -signal.SIGKILL:
                    break
                sending.ledger.unlink()
            server = served()
            sending = Import(pipeline, place)
            first = sending.reaches(1)
            _, _, resumed = sending.end()
            assert sending.process.returncode == 0
            ended(server)
        print(
            f"{messages:12,} messages: {wall / messages * 1e6:6.2f} us each, {processor / messages * 1e6:6.2f} us of processor time, "
            f"{memory:4.0f} MiB, ledger {ledger / 1e6:,.1f} MB; going on: first request after {first:6.2f} s, {resumed:4.0f} MiB",
            flush=True,
        )


main()
