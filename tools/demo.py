#!/usr/bin/env python3
"""The demonstration behind `make demo`: a virtual device that upgrades itself
over HTTPS, rolls back from a bad version, and survives a power cut in the
middle of a download.

Everything runs on loopback, in a directory of its own under BUILD/demo.
Exit status 1 when anything that should happen does not.
Usage: demo.py [--build DIR] [--svg FILE]
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
STEP_TIMEOUT_S = 60
NET_RATE = "100K"  # bytes a second: slow enough to see the progress bar
# A flash operation in the middle of the download: sectors and pages of about 60 KiB.
CUT_AT = "300:7"

TTY = sys.stdout.isatty()


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if TTY else text


class Screen:
    """What was shown, for the eye and for the picture."""

    def __init__(self):
        self.lines = []

    def say(self, text, colour=""):
        self.lines.append((text, colour))
        print(paint(colour, text) if colour else text, flush=True)

    def title(self, text):
        self.say("")
        self.say(f"== {text}", "1;36")


screen = Screen()


class Failed(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*cmd, **kw):
    done = subprocess.run([str(c) for c in cmd], capture_output=True, text=True, **kw)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, cmd))}\n{done.stdout}{done.stderr}")
    return done.stdout


class Device:
    """One switching-on of the device; its log is shown as it comes."""

    # Lines of the log that the demo is about; the rest goes to device.log only.
    SHOWN = re.compile(r"rst:0x|Loaded app from|demo: |rolling back|Rollback to|self-test|power|panic|Falling back|resum",
                       re.I)

    def __init__(self, airlift, directory, log, *options):
        self.log = open(log, "a")
        self.process = subprocess.Popen(
            [airlift, "device", "run", directory, "--colour", "never", "--net-rate", NET_RATE, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self.seen = []
        self.changed = threading.Condition()
        self.from_line = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            line = re.sub(r"\033\[[0-9;]*m", "", line.rstrip())
            self.log.write(line + "\n")
            self.log.flush()
            if self.SHOWN.search(line):
                level = line[:2]
                screen.say("   " + line, {"E ": "31", "W ": "33", "I ": "32"}.get(level, "2"))
            with self.changed:
                self.seen.append(line)
                self.changed.notify_all()
        with self.changed:
            self.seen.append(None)
            self.changed.notify_all()

    def wait_for(self, pattern):
        """Waits for a line behind the last one that was waited for; gives it back."""
        end = time.monotonic() + STEP_TIMEOUT_S
        regex = re.compile(pattern)
        with self.changed:
            while True:
                while self.from_line < len(self.seen):
                    line = self.seen[self.from_line]
                    self.from_line += 1
                    if line is None:
                        raise Failed(f"the device ended before it said '{pattern}'")
                    if regex.search(line):
                        return line
                left = end - time.monotonic()
                if left <= 0:
                    raise Failed(f"the device did not say '{pattern}' within {STEP_TIMEOUT_S} s")
                self.changed.wait(left)

    def switch_off(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


class Demo:
    def __init__(self, build):
        self.bin = build / "bin"
        self.dir = build / "demo"
        self.airlift = self.bin / "airlift"
        self.port = free_port()
        self.data = self.dir / "server"
        self.facts = []
        self.server = None
        self.device = None

    def fact(self, text, seconds):
        self.facts.append((text, seconds))

    def image(self, version):
        return self.dir / f"build-{version}" / "demo.bin"

    def build_versions(self, ca):
        for version, fails in (("1.0.0", False), ("1.1.0", False), ("1.2.0", True), ("1.3.0", False)):
            conf = self.dir / f"sdkconfig.{version}"
            conf.write_text(f'CONFIG_DEMO_URL="https://127.0.0.1:{self.port}/firmware/demo"\n'
                            f'CONFIG_DEMO_CA_CERT="{ca}"\n'
                            "CONFIG_DEMO_POLL_MS=500\n"
                            f"CONFIG_DEMO_SELF_TEST_FAILS={'y' if fails else 'n'}\n")
            run(self.airlift, "build", ROOT / "firmware/demo", "-B", self.dir / f"build-{version}",
                "--sdkconfig", conf, "-D", f"PROJECT_VER={version}")
            screen.say(f"   firmware {version}: {self.image(version).stat().st_size // 1024} KiB"
                       + (", with a self-test that fails" if fails else ""))

    def publish(self, version):
        run(self.airlift, "push", self.image(version), "--name", "demo", "--data", self.data)
        screen.say(f"   $ airlift push demo.bin --name demo        # version {version}", "1")

    def prepare(self):
        screen.title("A server, four versions of a firmware, and a device")
        ca = self.dir / "ca_cert.pem"
        ca.write_text(run(self.bin / "airliftd", "--data", self.data, "--print-ca"))
        self.build_versions(ca)
        log = open(self.dir / "server.log", "w")
        self.server = subprocess.Popen([self.bin / "airliftd", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"],
                                       stdout=log, stderr=subprocess.STDOUT)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                if self.server.poll() is not None or time.monotonic() > end:
                    raise Failed("airliftd did not start:\n" + (self.dir / "server.log").read_text())
                time.sleep(0.05)
        run(self.airlift, "device", "create", self.dir / "device", "--from", self.dir / "build-1.0.0")
        screen.say(f"   airliftd on https://127.0.0.1:{self.port}, TLS with its own CA")

    def switch_on(self, *options):
        self.device = Device(self.airlift, self.dir / "device", self.dir / "device.log", *options)

    def upgrade(self):
        screen.title("1. Version 1.0.0 runs; 1.1.0 is published")
        self.switch_on()
        self.device.wait_for(r"demo version 1\.0\.0 runs")
        self.device.wait_for("looking for new firmware")
        began = time.monotonic()
        self.publish("1.1.0")
        self.device.wait_for(r"version 1\.1\.0 is offered")
        self.device.wait_for(r"demo version 1\.1\.0 runs")
        self.device.wait_for(r"version 1\.1\.0 stays")
        self.fact("1.0.0 found 1.1.0, downloaded it over TLS, restarted into it; its self-test passed and it stayed",
                  time.monotonic() - began)

    def roll_back(self):
        screen.title("2. Version 1.2.0 is published; its self-test fails")
        self.device.wait_for("looking for new firmware")
        began = time.monotonic()
        self.publish("1.2.0")
        self.device.wait_for(r"demo version 1\.2\.0 runs")
        self.device.wait_for("self-test failed")
        self.device.wait_for(r"demo version 1\.1\.0 runs")
        self.fact("1.2.0 failed its self-test: the device was back on 1.1.0 by itself", time.monotonic() - began)
        self.device.wait_for(r"1\.2\.0 is offered, but it failed")
        time.sleep(1.2)  # two more looks at the server
        if any(line and "1.2.0 is offered: downloading" in line
               for line in self.device.seen[self.device.from_line:]):
            raise Failed("the device downloads 1.2.0 again")
        self.fact("1.2.0 is still offered, and not tried again", None)
        self.device.switch_off()

    def power_cut(self):
        screen.title("3. Version 1.3.0 is published; the power fails in the middle of the download")
        began = time.monotonic()
        self.publish("1.3.0")
        self.switch_on("--power-cut", CUT_AT)
        self.device.wait_for(r"version 1\.3\.0 is offered")
        cut = self.device.wait_for(r"(?i)power.*(cut|fail|lost|gone)")
        self.device.wait_for(r"demo version 1\.1\.0 runs")
        resumed = self.device.wait_for(r"version 1\.3\.0: going on at")
        self.device.wait_for(r"demo version 1\.3\.0 runs")
        self.device.wait_for(r"version 1\.3\.0 stays")
        at = re.search(r"going on at (.*)", resumed).group(1)
        self.fact(f"the power was cut in a flash write; 1.1.0 came back, went on at {at}, and 1.3.0 runs",
                  time.monotonic() - began)
        self.device.switch_off()
        return cut

    def check(self):
        log = (self.dir / "device.log").read_text()
        for pattern in (r"Guru Meditation", r"abort\(\) was called"):
            if re.search(pattern, log):
                raise Failed(f"the device's log has '{pattern}'")

    def run(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        began = time.monotonic()
        try:
            self.prepare()
            self.upgrade()
            self.roll_back()
            self.power_cut()
            self.check()
        finally:
            if self.device:
                self.device.switch_off()
            if self.server:
                self.server.terminate()
                self.server.wait()
        screen.title("What was shown")
        for text, seconds in self.facts:
            screen.say(f"   [ok] {text}" + (f"  ({seconds:.1f} s)" if seconds is not None else ""), "32")
        screen.say(f"   All of it in {time.monotonic() - began:.0f} s. Full log: {os.path.relpath(self.dir / 'device.log')}")


def svg(lines, path):
    """The terminal as a picture: the same lines, in the same colours, fewer steps of the progress."""
    lines = [(text, colour) for text, colour in lines
             if not re.search(r"demo: \[.*\] +(?!30|70|100)\d+%|looking for new firmware", text)]
    colours = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "1;36": "#79c0ff", "1": "#ffffff", "2": "#8b949e", "": "#c9d1d9"}
    height = 18 * len(lines) + 40
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="{height}" font-family="ui-monospace,Menlo,monospace" font-size="13">',
           f'<rect width="1000" height="{height}" rx="8" fill="#0d1117"/>']
    for i, (text, colour) in enumerate(lines):
        shown = text if len(text) <= 122 else text[:121] + "…"
        for a, b in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            shown = shown.replace(a, b)
        weight = ' font-weight="bold"' if colour.startswith("1") else ""
        out.append(f'<text x="20" y="{30 + 18 * i}" fill="{colours.get(colour, "#c9d1d9")}"{weight} xml:space="preserve">{shown}</text>')
    path.write_text("\n".join(out) + "\n</svg>\n")


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    ap.add_argument("--svg", type=pathlib.Path, help="write the screen as a picture")
    args = ap.parse_args()
    try:
        Demo(args.build.resolve()).run()
    except Failed as why:
        print(paint("1;31", f"\ndemo: {why}"), file=sys.stderr)
        return 1
    if args.svg:
        svg(screen.lines, args.svg)
    return 0


if __name__ == "__main__":
    sys.exit(main())
