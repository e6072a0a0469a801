#!/usr/bin/env python3
"""The AT parser beside sscanf, and commands over the AT port of a virtual device beside `cat` on a pty:
writes bench/results/at.json and its part of docs/benchmarks.md.
Part of `make bench`; alone: at.py --build DIR (after `make bench-bins`).
"""
import json
import os
import pty
import shutil
import statistics
import subprocess
import time
import tty

import page
from common import main

ROOT = page.ROOT
HEADING = "AT commands"
COMMAND, ANSWER = b"AT\r\n", b"\r\nOK\r\n"
COMMANDS, ROUNDS = 2000, 5
BAUD = 115200
WIRE_PER_S = BAUD / 10 / (len(COMMAND) + len(ANSWER))  # 10 bits a byte, no echo


def ping(fd, send, wanted):
    """Commands a second, each sent when the answer to the one before is there."""
    began = time.monotonic()
    for _ in range(COMMANDS):
        os.write(fd, send)
        got = b""
        while len(got) < len(wanted):
            got += os.read(fd, 4096)
        assert got == wanted, got
    return COMMANDS / (time.monotonic() - began)


def cat_on_a_pty():
    """The same bytes to and fro, and nothing done with them."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    cat = subprocess.Popen(["cat"], stdin=slave, stdout=slave)
    rate = ping(master, COMMAND, COMMAND)
    cat.kill()
    cat.wait()
    os.close(master)
    os.close(slave)
    return rate


def over_a_pty(build, work):
    airlift = build / "bin/airlift"
    shutil.rmtree(work, ignore_errors=True)
    subprocess.run([airlift, "build", ROOT / "firmware/at", "-B", work / "out", "--chip", "esp32c3"], check=True, capture_output=True)
    subprocess.run([airlift, "device", "create", work / "device", "--from", work / "out"], check=True, capture_output=True)
    link = work / "port"
    device = subprocess.Popen([airlift, "device", "run", work / "device", "--uart1", f"pty:{link}", "--for", "120"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not link.is_symlink():
            time.sleep(0.02)
        fd = os.open(link, os.O_RDWR | os.O_NOCTTY)
        got = b""
        while b"ready\r\n" not in got:
            got += os.read(fd, 4096)
        os.write(fd, b"ATE0\r\n")
        got = b""
        while not got.endswith(ANSWER):
            got += os.read(fd, 4096)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(ping(fd, COMMAND, ANSWER))
            theirs.append(cat_on_a_pty())
        os.close(fd)
    finally:
        device.terminate()
        device.wait()
    return statistics.median(ours), statistics.median(theirs)


def measure(build):
    parser = json.loads(subprocess.run([build / "bench/at_parser", "1"], check=True, capture_output=True, text=True).stdout)
    ours, theirs = over_a_pty(build, build / "bench-at")
    result = {"rows": [{"what": "lines parsed, bytes to parameters", "peer": "sscanf, a format a command", **parser},
                       {"what": "`AT` and its answer over a pty, one after the other", "peer": "`cat` on a pty",
                        "airlift_per_s": ours, "peer_per_s": theirs}], "wire_per_s": WIRE_PER_S}
    for row in result["rows"]:
        row["ratio"] = row["airlift_per_s"] / row["peer_per_s"]
    (ROOT / "bench/results/at.json").write_text(json.dumps(result, indent=2) + "\n")
    return result


def section(result):
    text = ["| a second | Airlift | peer | Airlift / peer |", "|---|---|---|---|"]
    for r in result["rows"]:
        text.append(f"| {r['what']} | {r['airlift_per_s']:.0f} | {r['peer_per_s']:.0f}: {r['peer']} | {r['ratio']:.2f} |")
    text += ["", f"- The wire of a module at {BAUD} baud carries {result['wire_per_s']:.0f} `AT` and `OK` a second."]
    return text


if __name__ == "__main__":
    main(__doc__, measure, HEADING, section)
