#!/usr/bin/env python3
"""Measures what users wait or pay for, side by side with a named peer in the
same run, and writes bench/results/*.json and docs/benchmarks.md.

Rounds of Airlift and of the peer alternate; the median counts.
Usage: run.py [--build DIR] [--rounds N] [--devices N]
"""
import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

import at
import cloud
import page
import zigbee
from common import free_port, run

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAYLOAD_BYTES = 6 << 20
MIB = 1 << 20


def timed(command):
    began = time.monotonic()
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL, executable="/bin/bash")
    return time.monotonic() - began


def median(values):
    return statistics.median(values)


class Bench:
    def __init__(self, build, rounds, devices):
        self.build, self.rounds, self.devices = build, rounds, devices
        self.airlift, self.airliftd = build / "bin/airlift", build / "bin/airliftd"
        self.dir = build / "bench-run"
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}/firmware"
        self.ca = self.dir / "ca_cert.pem"
        self.results = {}

    def start_server(self):
        self.ca.write_text(run(self.airliftd, "--data", self.dir / "server", "--print-ca"))
        self.server = subprocess.Popen(
            [self.airliftd, "--data", self.dir / "server", "--listen", f"127.0.0.1:{self.port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("bench: airliftd did not start")

    def build_firmware(self, project, out, config, *defines):
        conf = self.dir / f"{out}.sdkconfig"
        conf.write_text("".join(f"CONFIG_{k}={v}\n" for k, v in config.items()))
        run(self.airlift, "build", ROOT / project, "-B", self.dir / out, "--chip", "esp32c3", "--sdkconfig", conf, *defines)
        return self.dir / out

    def save(self, name, result):
        self.results[name] = result
        (ROOT / "bench/results").mkdir(exist_ok=True)
        (ROOT / f"bench/results/{name}.json").write_text(json.dumps(result, indent=2) + "\n")
        print(f"{name}: {json.dumps(result)}", flush=True)

    # --- what is measured ---

    def download(self):
        payload = self.dir / "payload.bin"
        payload.write_bytes(os.urandom(PAYLOAD_BYTES))
        out = self.build_firmware("bench/firmware/download", "download", {
            "BENCH_URL": f'"{self.url}/download"', "BENCH_CA_CERT": f'"{self.ca}"', "BENCH_PAYLOAD": f'"{payload}"'})
        self.big_image = out / "download.bin"
        run(self.airlift, "push", self.big_image, "--name", "download", "--data", self.dir / "server")
        device = self.dir / "download-device"
        run(self.airlift, "device", "create", device, "--from", out)
        ours, theirs = [], []
        for _ in range(self.rounds):
            log = run(self.airlift, "device", "run", device, "--until", "result .* after", "--for", "30")
            m = re.search(r"result (\w+) after (\d+) us", log)
            if not m or m.group(1) != "ESP_OK":
                sys.exit(f"bench: the download failed\n{log[-2000:]}")
            ours.append(int(m.group(2)) / 1e6)
            theirs.append(timed(f"curl -sS --cacert {self.ca} {self.url}/download | sha256sum"))
        size = self.big_image.stat().st_size
        starts = median([timed("curl --version | sha256sum") for _ in range(self.rounds)])
        self.save("download", {
            "what": "verified download into the emulated flash (TLS, write, final verification from flash)",
            "peer": "curl | sha256sum", "bytes": size, "airlift_s": median(ours), "peer_s": median(theirs),
            "airlift_mib_s": size / MIB / median(ours), "ratio": median(theirs) / median(ours), "goal": 1.5, "peer_start_s": starts,
            "ratio_without_start": (median(theirs) - starts) / median(ours)})

    def verification(self):
        padded = self.dir / "mib.bin"
        elf = self.dir / "mib.elf"
        elf.write_bytes(pathlib.Path("/bin/true").read_bytes().ljust(MIB - 4096, b"\x5a"))
        run(self.airlift, "image", "make", "--elf", elf, "--chip", "esp32c3", "--project-name", "mib",
            "--version", "1", "--out", padded)
        r = json.loads(run(self.build / "bench/boot_verify", padded, "300"))
        self.save("boot_verify", {
            "what": "boot verification of a 1 MiB image", "peer": "OpenSSL SHA-256 of the same bytes",
            "bytes": r["bytes"], "airlift_s": r["verify_s"], "peer_s": r["sha256_s"],
            "ratio": r["sha256_s"] / r["verify_s"]})

    def start(self):
        out = self.build_firmware("firmware/hello_world", "hello", {})
        device = self.dir / "hello-device"
        run(self.airlift, "device", "create", device, "--from", out)
        ours, theirs = [], []
        for _ in range(self.rounds * 2):
            ours.append(timed(f"{self.airlift} device run {device} --until 'Calling app_main' --for 10"))
            theirs.append(timed(f"{sys.executable} -I -c pass"))
        self.save("start", {
            "what": "device start to app_main (ROM, boot loader, verification, sandbox, firmware)",
            "peer": "start of python3", "airlift_s": median(ours), "peer_s": median(theirs),
            "ratio": median(theirs) / median(ours)})

    def fleet(self):
        config = {"DEMO_URL": f'"{self.url}/fleet"', "DEMO_CA_CERT": f'"{self.ca}"', "DEMO_POLL_MS": "500"}
        old = self.build_firmware("firmware/demo", "fleet-1.0.0", config, "-D", "PROJECT_VER=1.0.0")
        new = self.build_firmware("firmware/demo", "fleet-1.1.0", config, "-D", "PROJECT_VER=1.1.0")
        image = new / "demo.bin"
        run(self.airlift, "push", image, "--name", "fleet", "--data", self.dir / "server")
        first = self.dir / "fleet-0"
        run(self.airlift, "device", "create", first, "--from", old)
        for i in range(1, self.devices):
            shutil.copytree(first, self.dir / f"fleet-{i}")
        cpu = os.times()
        began = time.monotonic()
        devices = [subprocess.Popen([self.airlift, "device", "run", self.dir / f"fleet-{i}", "--until", "1.1.0 stays",
                                     "--for", "120"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                   for i in range(self.devices)]
        peak = 0
        while any(d.poll() is None for d in devices):
            peak = max(peak, self.memory_of(devices))
            time.sleep(0.25)
        wall = time.monotonic() - began
        used = os.times()
        bad = sum(d.returncode != 0 for d in devices)
        if bad:
            sys.exit(f"bench: {bad} of {self.devices} devices did not get to 1.1.0")
        curl = timed("for i in $(seq %d); do (curl -sS --cacert %s %s/fleet | sha256sum) & done; wait"
                     % (self.devices, self.ca, self.url))
        self.save("fleet", {
            "what": f"{self.devices} devices upgrade at once: start, TLS download, verification, restart, self-test",
            "peer": f"{self.devices} times curl | sha256sum at once", "devices": self.devices, "image_bytes": image.stat().st_size,
            "airlift_s": wall, "peer_s": curl, "per_device_s": wall / self.devices,
            "cpu_per_device_s": (used.children_user - cpu.children_user + used.children_system - cpu.children_system) / self.devices,
            "memory_per_device_kib": peak / self.devices, "ratio": curl / wall})

    @staticmethod
    def memory_of(devices):
        """PSS in KiB of the devices and their firmware."""
        total = 0
        for d in devices:
            pids = [d.pid]
            try:
                pids += [int(p) for p in pathlib.Path(f"/proc/{d.pid}/task/{d.pid}/children").read_text().split()]
            except OSError:
                pass
            for pid in pids:
                try:
                    m = re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
                    total += int(m.group(1)) if m else 0
                except OSError:
                    pass
        return total

    def server_load(self):
        """airliftd and nginx serve the same file, same TLS, two threads each; wrk asks."""
        web = self.dir / "web"
        web.mkdir()
        mib = web / "mib.bin"
        mib.write_bytes((self.dir / "mib.bin").read_bytes())
        run(self.airlift, "push", mib, "--name", "mib", "--data", self.dir / "server")
        port = free_port()
        tls = self.dir / "server" / "tls"
        conf = self.dir / "nginx.conf"
        conf.write_text(
            f"daemon off; worker_processes 2; pid {self.dir}/nginx.pid; error_log /dev/null;\n"
            f"{'user root;' if os.geteuid() == 0 else ''}\n"
            "events { worker_connections 1024; }\n"
            "http { access_log off; sendfile on; keepalive_requests 1000000;\n"
            f"client_body_temp_path {self.dir}/n1; proxy_temp_path {self.dir}/n2; fastcgi_temp_path {self.dir}/n3;\n"
            f"uwsgi_temp_path {self.dir}/n4; scgi_temp_path {self.dir}/n5;\n"
            f"server {{ listen 127.0.0.1:{port} ssl; root {web}; ssl_certificate {tls}/server.pem;\n"
            f"ssl_certificate_key {tls}/server.key; ssl_protocols TLSv1.3; }} }}\n")
        nginx = subprocess.Popen(["/usr/sbin/nginx", "-c", conf, "-p", self.dir], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        cases = (("1 MiB, kept connections", []), ("ranges of 4 KiB, kept connections", ["-H", "Range: bytes=4096-8191"]),
                 ("ranges of 4 KiB, a TLS connection each", ["-H", "Range: bytes=4096-8191", "-H", "Connection: close"]))
        rows = []
        try:
            for what, extra in cases:
                ours, theirs = [], []
                for _ in range(3):
                    ours.append(self.wrk(f"{self.url}/mib", extra))
                    theirs.append(self.wrk(f"https://127.0.0.1:{port}/mib.bin", extra))
                rows.append({"what": what, "airlift_per_s": median(ours), "peer_per_s": median(theirs),
                             "ratio": median(ours) / median(theirs)})
        finally:
            nginx.terminate()
            nginx.wait()
        self.save("server", {"what": "airliftd over TLS 1.3, 16 clients", "peer": "nginx", "rows": rows})

    @staticmethod
    def wrk(url, extra):
        text = run("wrk", "-t1", "-c16", "-d2s", *extra, url)
        bad = re.search(r"Non-2xx.*?(\d+)", text)
        if bad:
            sys.exit(f"bench: {url}: {bad.group(0)}")
        return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))

    def bare_metal(self):
        text = subprocess.run(["make", "-s", "rv32"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

        def bytes_of(name):
            return int(re.search(rf"^\s*(\d+)\s+{name}$", text, re.M).group(1))
        frames = re.findall(r"^\s*(\d+)\s+(core/\S+ \w+)$", text, re.M)
        self.save("core_rv32", {
            "what": "text of core/ for rv32imac -Os, without crypto, C library and NVS", "goal": 8192,
            "boot_loader_bytes": bytes_of("boot-loader"), "with_updates_bytes": bytes_of("boot-loader-and-updates"),
            "all_objects_bytes": bytes_of("all but NVS"), "nvs_bytes": bytes_of("NVS"),
            "largest_frame": {"bytes": int(frames[0][0]), "function": frames[0][1]}})

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait()


def table(results):
    rows = ["| what | Airlift | peer | peer / Airlift |", "|---|---|---|---|"]
    for r in results.values():
        if "ratio" not in r:
            continue

        def ms(s):
            return f"{s * 1000:.2f} ms" if s < 0.1 else f"{s:.2f} s"
        goal = f" (goal {r['goal']})" if "goal" in r else ""
        peer = r["peer"].replace("|", "\\|")
        rows.append(f"| {r['what']} | {ms(r['airlift_s'])} | {ms(r['peer_s'])}: {peer} | {r['ratio']:.2f}{goal} |")
    return rows


def write_page(results):
    d, f, c = results["download"], results["fleet"], results["core_rv32"]
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    text = ["# Benchmarks", "",
            "Made by `make bench`, which writes this page and `bench/results/`. Rounds of Airlift and of",
            "the peer alternate in one run; medians. More than 1 in the last column: Airlift is faster.", "",
            f"Machine: {cpu}, {os.cpu_count()} cores.", ""]
    text += table(results)
    text += ["", "| airliftd, requests a second (TLS 1.3, 16 clients) | airliftd | nginx | airliftd / nginx |", "|---|---|---|---|"]
    text += [f"| {r['what']} | {r['airlift_per_s']:.0f} | {r['peer_per_s']:.0f} | {r['ratio']:.2f} |"
             for r in results["server"]["rows"]]
    text += ["", "| `core/` for rv32imac at -Os, without crypto and C library | bytes |", "|---|---|",
             f"| boot loader: table, otadata, verification, signatures, decision | {c['boot_loader_bytes']} |",
             f"| boot loader and update engine | {c['with_updates_bytes']} (goal for all but NVS: {c['goal']}) |",
             f"| NVS | {c['nvs_bytes']} |",
             f"| largest stack frame (`{c['largest_frame']['function']}`) | {c['largest_frame']['bytes']} |",
             "", f"- The image of the download is {d['bytes'] / MIB:.1f} MiB; Airlift moves {d['airlift_mib_s']:.0f} MiB/s from the",
             "  request to the verified image in flash. Its time is taken inside the device, from the call of",
             "  `esp_https_ota` to its return; curl's includes the start of two processes, "
             f"{d['peer_start_s'] * 1000:.0f} ms. Without",
             f"  that the ratio is {d['ratio_without_start']:.2f}.",
             f"- One of {f['devices']} devices costs {f['cpu_per_device_s'] * 1000:.0f} ms of processor time and {f['memory_per_device_kib'] / 1024:.1f} MiB of memory (proportional set",
             "  size, flash mapping included) while all upgrade at once.",
             "- `make rv32` lists the objects of `core/` and the stack frames.", ""]
    page.write_first_part("\n".join(text))


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    ap.add_argument("--rounds", type=int, default=7)
    ap.add_argument("--devices", type=int, default=100)
    args = ap.parse_args()
    bench = Bench(args.build.resolve(), args.rounds, args.devices)
    bench.start_server()
    try:
        for measure in (bench.download, bench.verification, bench.start, bench.fleet, bench.server_load, bench.bare_metal):
            measure()
    finally:
        bench.stop()
    write_page(bench.results)
    for part in (zigbee, at, cloud):
        page.write_section(part.HEADING, part.section(part.measure(bench.build)))
    print("\n".join(table(bench.results)))


if __name__ == "__main__":
    main()
