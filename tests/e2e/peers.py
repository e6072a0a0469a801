"""Programs from npm as coordinators (tests/peers/*.mjs), installed by `make peers-setup`.

    with peers.Peer("coordinator", rcp.port, tmp_path) as zoh:
        zoh.expect("formed")
        zoh.tell("permit", seconds=60)
        joined = zoh.expect("joined")
"""
import json
import os
import pathlib
import platform
import queue
import shutil
import subprocess
import threading
import time

import pytest

import servers

PEERS = pathlib.Path(os.environ.get("AIRLIFT_PEERS", servers.ROOT / "build" / "peers")).resolve()
OLDEST_NODE = (20, 19)
PATIENCE_S = 20


def node():
    """A node that is new enough: npm's own, or the system's; None: there is none."""
    arch = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), "")
    own = PEERS / "node_modules" / f"node-linux-{arch}" / "bin" / "node"
    if own.exists():
        return own
    system = shutil.which("node")
    if system:
        version = subprocess.run([system, "--version"], capture_output=True, text=True).stdout
        if tuple(int(n) for n in version.strip().lstrip("v").split(".")[:2]) >= OLDEST_NODE:
            return system
    return None


def missing():
    """Why the peers cannot run, or None."""
    if not (PEERS / "node_modules" / "zigbee-herdsman").is_dir():
        return f"the npm peers are not installed in {PEERS}: run make peers-setup"
    if not node():
        return f"no node of version {OLDEST_NODE[0]}.{OLDEST_NODE[1]} or newer: run make peers-setup"
    return None


needed = pytest.mark.skipif(missing() is not None, reason=str(missing()))


class Peer:
    """A running tests/peers/NAME.mjs; `events` are all that came so far."""

    def __init__(self, name, port, work, **options):
        self.options = dict(options, port=port, dir=str(work))
        self.script = servers.ROOT / "tests" / "peers" / f"{name}.mjs"
        self.log_file = pathlib.Path(work) / f"{name}.log"
        self.events, self.incoming = [], queue.Queue()

    def __enter__(self):
        pathlib.Path(self.options["dir"]).mkdir(parents=True, exist_ok=True)
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [node(), self.script, json.dumps(self.options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, text=True, env=dict(os.environ, AIRLIFT_PEERS=str(PEERS)))
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(5)
        self.process.stdin.close()
        self.process.stdout.close()

    def _read(self):
        for line in self.process.stdout:
            self.incoming.put(json.loads(line))
        self.incoming.put(None)

    def expect(self, event, seconds=PATIENCE_S, **fields):
        """Waits for the next event of that name whose fields are these; gives it."""
        until = time.monotonic() + seconds
        while True:
            try:
                got = self.incoming.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                got = None
            if got is None:
                raise AssertionError(f"{event} {fields} did not come:\n" + "\n".join(map(str, self.events[-20:])) +
                                     "\n" + self.log_file.read_text(errors="replace")[-3000:])
            self.events.append(got)
            assert got["event"] not in ("fatal",), got
            if got["event"] == event and all(got.get(k) == v for k, v in fields.items()):
                return got

    def tell(self, do, **arguments):
        """Gives a command; its answer is the event done (or failed) with do=..."""
        self.process.stdin.write(json.dumps(dict(arguments, do=do)) + "\n")
        self.process.stdin.flush()

    def quit(self):
        self.tell("quit")
        self.expect("stopped")
        assert self.process.wait(PATIENCE_S) == 0, self.log_file.read_text(errors="replace")
