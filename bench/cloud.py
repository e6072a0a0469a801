#!/usr/bin/env python3
"""1,000 modules ask the cloud at once and load 1 MiB each, beside nginx that serves the same text and file without
knowing anybody: writes bench/results/cloud.json and the cloud's part of docs/benchmarks.md.
Part of `make bench`; alone: cloud.py --build DIR (after `make bench-bins`).
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

import page
from common import free_port, main, run

ROOT = page.ROOT
HEADING = "The module cloud"
RESULT = ROOT / "bench/results/cloud.json"
MODULES, ROUNDS, IMAGE_BYTES = 1000, 5, 1 << 20
LIST = ('{"recommended_rom_version": "v1.0", "status": 200, "productRoms": '
        '[{"recommended": 1, "version": "v1.0", "life_cycle": "beta"}]}')


def wait_for(port):
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"bench: nothing listens on {port}")


def family(pid):
    """The process and its children."""
    return [pid, *map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def cpu_of(pid):
    """Seconds of processor time so far."""
    total = 0
    for p in family(pid):
        fields = pathlib.Path(f"/proc/{p}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def peak_kib(pid):
    """Largest resident sets so far, together."""
    return sum(int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{p}/status").read_text())[1]) for p in family(pid))


class Server:
    """A started server: where modules ask, and how much it takes for them."""

    def __init__(self, words, port, query, file):
        self.process = subprocess.Popen([str(w) for w in words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.port, self.query, self.file = port, query, file
        self.rounds = []
        wait_for(port)
        self.idle_kib = peak_kib(self.process.pid)

    def ask(self, client, keys, size):
        before = cpu_of(self.process.pid)
        got = json.loads(run(client, self.port, self.query, self.file, size, input=keys))
        if got["failed"]:
            sys.exit(f"bench: {got['failed']} of {got['modules']} modules failed")
        time.sleep(0.3)  # events are written
        got["cpu_s"] = cpu_of(self.process.pid) - before
        self.rounds.append(got)

    def result(self):
        return {"seconds": statistics.median(r["seconds"] for r in self.rounds),
                "cpu_s": statistics.median(r["cpu_s"] for r in self.rounds),
                "peak_kib": peak_kib(self.process.pid), "idle_kib": self.idle_kib}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def start_airliftd(build, work, image):
    """airliftd with a version deployed and devices made; (Server, keys)."""
    data, port, modules = work / "server", free_port(), free_port()
    server = Server([build / "bin/airliftd", "--data", data, "--listen", f"127.0.0.1:{port}", "--modules", f"127.0.0.1:{modules}",
                     "--module-address-limit", "1000000"], modules, "/v1/device/rom/?is_format_simple=true",
                    "/v1/device/rom/?action=download_rom&version=v1.0&filename=ota.bin")
    for _ in range(400):  # it listens before it announces itself
        if (data / "airliftd.json").exists():
            break
        time.sleep(0.05)
    cloud = [build / "bin/airlift", "cloud"]
    run(*cloud, "product", "create", "lamp", "--data", data)
    run(*cloud, "deploy", "lamp", "--version", "v1.0", "--file", f"ota.bin={image}", "--current", "--data", data)
    made = json.loads(run(*cloud, "device", "batch", "x", "--count", MODULES, "--product", "lamp", "--data", data, "--json"))
    return server, "\n".join(d["key"] for d in made["devices"])


def start_nginx(work, image):
    web, port = work / "web", free_port()
    web.mkdir()
    (web / "list.json").write_text(LIST)
    shutil.copy(image, web / "ota.bin")
    conf = work / "nginx.conf"
    temp = " ".join(f"{n}_temp_path {work}/{n};" for n in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf.write_text(
        f"daemon off; worker_processes 2; pid {work}/nginx.pid; error_log /dev/null; {'user root;' if os.geteuid() == 0 else ''}\n"
        f"events {{ worker_connections 4096; }}\nhttp {{ access_log off; sendfile on; tcp_nopush on; {temp}\n"
        f"server {{ listen 127.0.0.1:{port} backlog=4096; root {web}; }} }}\n")
    return Server(["/usr/sbin/nginx", "-c", conf, "-p", work], port, "/list.json", "/ota.bin")


def measure(build):
    work = build / "bench-cloud"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    elf, image = work / "mib.elf", work / "mib.bin"
    elf.write_bytes(pathlib.Path("/bin/true").read_bytes().ljust(IMAGE_BYTES - 4096, b"\x5a"))
    run(build / "bin/airlift", "image", "make", "--elf", elf, "--chip", "esp32c3", "--project-name", "mib", "--version", "1",
        "--out", image)
    size = image.stat().st_size
    ours, keys = start_airliftd(build, work, image)
    theirs = start_nginx(work, image)
    try:
        for _ in range(ROUNDS):
            ours.ask(build / "bench/cloud_modules", keys, size)
            theirs.ask(build / "bench/cloud_modules", keys, size)
        result = {"what": f"{MODULES} modules at once: each asks for the version and loads the file, plain HTTP, a connection each",
                  "peer": "nginx, the same text and file, no keys, no record", "modules": MODULES, "image_bytes": size,
                  "airlift": ours.result(), "nginx": theirs.result()}
    finally:
        ours.stop()
        theirs.stop()
    result["ratio"] = result["nginx"]["seconds"] / result["airlift"]["seconds"]
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def section(r):
    rows = [f"| {name} | {s['seconds']:.2f} s | {s['cpu_s']:.2f} s | {1e6 * s['cpu_s'] / r['modules']:.0f} us | "
            f"{s['idle_kib'] / 1024:.0f} MiB | {s['peak_kib'] / 1024:.0f} MiB |"
            for name, s in (("airliftd", r["airlift"]), ("nginx", r["nginx"]))]
    return [
        f"{r['modules']} modules ask at once over plain HTTP from one address: each asks for the version, then loads "
        f"{r['image_bytes'] / (1 << 20):.1f} MiB,",
        "on a connection each, as `AT+CIUPDATE=0` does. airliftd looks every key up, counts requests and keeps a record of",
        "each download; nginx serves the same text and file to anybody. Rounds alternate; medians. nginx / airliftd:",
        f"{r['ratio']:.2f}.", "", "| server | all served in | processor time | a module | memory before | memory at most |",
        "|---|---|---|---|---|---|", *rows, "",
        "Memory is the resident set of all its processes; the served file, which the system shares, counts in it. nginx runs with",
        "`tcp_nopush on`: without it a head leaves alone now and then, and a module that reads it so fails."]


if __name__ == "__main__":
    main(__doc__, measure, HEADING, section)
