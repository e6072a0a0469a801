"""What the demonstrations share: a screen that remembers what it showed, devices whose log is
shown as it comes, and the picture of it all."""
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

STEP_TIMEOUT_S = 60

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


def run(*cmd, **kw):
    done = subprocess.run([str(c) for c in cmd], capture_output=True, text=True, **kw)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, cmd))}\n{done.stdout}{done.stderr}")
    return done.stdout


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """airliftd with its data below `directory`, on a free port; TLS with its own CA (`ca`, a file). options: more."""

    def __init__(self, binaries, directory, *options):
        self.options = options
        self.binaries, self.data, self.log = binaries, directory / "server", directory / "server.log"
        self.port = free_port()
        self.ca = directory / "ca_cert.pem"
        self.ca.write_text(run(binaries / "airliftd", "--data", self.data, "--print-ca"))
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [self.binaries / "airliftd", "--data", self.data, "--listen", f"127.0.0.1:{self.port}",
             *self.options],
            stdout=open(self.log, "w"), stderr=subprocess.STDOUT)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise Failed("airliftd did not start:\n" + self.log.read_text())
                time.sleep(0.05)

    def publish(self, image, name):
        run(self.binaries / "airlift", "push", image, "--name", name, "--data", self.data)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()


class Device:
    """One switching-on of a device; the lines of its log that `shown` finds come on the screen,
    all of them go to the file `log`. label: stands before each line on the screen."""

    def __init__(self, airlift, directory, log, shown, *options, label=""):
        self.log = open(log, "a")
        self.shown, self.label = shown, label
        self.process = subprocess.Popen(
            [airlift, "device", "run", directory, "--colour", "never", *options],
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
            if self.shown.search(line):
                level = line[:2]
                screen.say("   " + self.label + line, {"E ": "31", "W ": "33", "I ": "32"}.get(level, "2"))
            with self.changed:
                self.seen.append(line)
                self.changed.notify_all()
        with self.changed:
            self.seen.append(None)
            self.changed.notify_all()

    def wait_for(self, pattern, seconds=STEP_TIMEOUT_S):
        """Waits for a line behind the last one that was waited for; gives it back."""
        end = time.monotonic() + seconds
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
                    raise Failed(f"the device did not say '{pattern}' within {seconds} s")
                self.changed.wait(left)

    def switch_off(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


class Play:
    """A demonstration in `dir` (made anew): its steps, then what they showed. Whatever happens, what runs is ended."""

    def __init__(self, directory):
        self.dir = directory
        self.log = directory / "device.log"
        self.facts = []
        self.server = self.device = self.port = None

    def steps(self):
        raise NotImplementedError

    def run(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        began = time.monotonic()
        try:
            self.steps()
        finally:
            if self.port:
                self.port.close()
            if self.device:
                self.device.switch_off()
            if self.server:
                self.server.stop()
        screen.title("What was shown")
        for text in self.facts:
            screen.say(f"   [ok] {text}", "32")
        screen.say(f"   All of it in {time.monotonic() - began:.0f} s. Full log: {os.path.relpath(self.log)}")


def svg(lines, path):
    """The terminal as a picture: the same lines, in the same colours."""
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


def main(description, demo, unseen=None):
    """Runs demo(build).run(). unseen: a pattern of what the picture leaves out. The exit status."""
    ap = argparse.ArgumentParser(description=description)
    ap.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    ap.add_argument("--svg", type=pathlib.Path, help="write the screen as a picture")
    args = ap.parse_args()
    try:
        demo(args.build.resolve()).run()
    except Failed as why:
        print(paint("1;31", f"\ndemo: {why}"), file=sys.stderr)
        return 1
    if args.svg:
        svg([line for line in screen.lines if not (unseen and unseen.search(line[0]))], args.svg)
    return 0
