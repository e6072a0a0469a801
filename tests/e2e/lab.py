"""Firmware builds and virtual devices for the end-to-end tests.

    firmware = lab.build("advanced_https_ota", ca, version="1.0.0", config={...}, sdkconfig=["sdkconfig.ci"])
    device = lab.Device(tmp_path / "device", firmware)
    log = device.run(until="Returned from app_main", stdin=url + "\n")

Builds are kept for the whole test run: the same project with the same options is built once.
"""
import contextlib
import fcntl
import hashlib
import json
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

import servers

FIRMWARE = servers.ROOT / "firmware"
CACHE = servers.BUILD / "e2e-firmware"
PATIENCE_S = 40  # for a line of a device on a busy machine


@contextlib.contextmanager
def _alone(name):
    """One process of the test run at a time makes what is kept under this name."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def sanitized() -> bool:
    """Is this a build with sanitizers?"""
    return "sanitize" in (servers.BUILD / "lib" / "airlift-flags.cmake").read_text()


class Firmware:
    """A built project: `.image` (PROJECT.bin), `.dir`; `.warnings` is what its build told."""

    def __init__(self, directory, project, warnings=""):
        self.dir, self.project, self.warnings = pathlib.Path(directory), project, warnings
        self.image = self.dir / f"{project}.bin"

    @property
    def bootloader(self):
        return self.dir / "bootloader" / "bootloader.bin"

    @property
    def table(self):
        return self.dir / "partition_table" / "partition-table.bin"

    @property
    def data(self) -> bytes:
        return self.image.read_bytes()

    def partitions(self) -> dict:
        """{name: (offset, size)} of its partition table."""
        done = subprocess.run([servers.AIRLIFT, "partition", "show", self.table, "--json"], capture_output=True,
                              text=True, check=True, timeout=60)
        return {p["name"]: (p["offset"], p["size"]) for p in json.loads(done.stdout)}


def certificate():
    """(certificate, key) of a CA that is also the server on 127.0.0.1; made once a day, so that builds that trust it
    are found again."""
    directory = CACHE / "certificate"
    cert, key = directory / "cert.pem", directory / "cert.key"
    with _alone("certificate"):
        if not key.exists() or time.time() - key.stat().st_mtime > 24 * 3600:
            servers.make_certificate(directory)
    return cert, key


def patched(image: bytes, changes: dict) -> bytes:
    """An app image with other bytes ({offset: bytes}), its checksum and digest made right again."""
    data = bytearray(image)
    for offset, new in changes.items():
        data[offset:offset + len(new)] = new
    end, checksum = 24, 0xef
    for _ in range(data[1]):
        length = int.from_bytes(data[end + 4:end + 8], "little")
        for byte in data[end + 8:end + 8 + length]:
            checksum ^= byte
        end += 8 + length
    end |= 15
    data[end] = checksum
    data[end + 1:end + 33] = hashlib.sha256(data[:end + 1]).digest()
    return bytes(data)


def _digest_of(root: pathlib.Path) -> str:
    h = hashlib.sha256()
    for f in sorted(p for p in root.rglob("*") if p.is_file()):
        h.update(str(f.relative_to(root)).encode() + b"\0" + f.read_bytes())
    return h.hexdigest()


def build(sample, ca=None, version=None, config=None, sdkconfig=(), chip="esp32c3"):
    """Builds firmware/<sample> (or the project directory `sample`) in a copy whose server_certs/ca_cert.pem is `ca`.

    config: {"EXAMPLE_X": "y" | "n" | "text"} on top; sdkconfig: files of the project, first to last.
    """
    lines = []
    for name, value in (config or {}).items():
        plain = value in ("y", "n") or re.fullmatch(r"-?\d+|0x[0-9a-f]+", value)
        lines.append(f"CONFIG_{name}={value if plain else json.dumps(value)}\n")
    ca_text = pathlib.Path(ca).read_bytes() if ca else b""
    library = (servers.BUILD / "lib" / "libairlift-esp.a").stat()
    key = hashlib.sha256(repr((_digest_of(FIRMWARE / sample), ca_text, version, lines, list(sdkconfig), chip,
                               library.st_mtime_ns)).encode()).hexdigest()[:20]
    base = CACHE / key
    with _alone(key):
        if not (base / "done").exists():
            shutil.rmtree(base, ignore_errors=True)
            shutil.copytree(FIRMWARE / sample, base / "project")
            if ca:
                (base / "project" / "server_certs" / "ca_cert.pem").write_bytes(ca_text)
            extra = base / "sdkconfig.test"
            extra.write_text("".join(lines))
            words = [servers.AIRLIFT, "build", base / "project", "-B", base / "out", "--chip", chip]
            for f in sdkconfig:
                words += ["--sdkconfig", base / "project" / f]
            words += ["--sdkconfig", extra]
            if version:
                words += ["-D", f"PROJECT_VER={version}"]
            done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, done.stdout + done.stderr
            (base / "done").write_text(done.stderr)
    return Firmware(base / "out", pathlib.Path(sample).name, (base / "done").read_text())


class Log(str):
    """The UART log of a run, colours removed."""

    def __new__(cls, text, status=None):
        self = super().__new__(cls, re.sub(r"\033\[[0-9;]*m", "", text.replace("\r", "")))
        self.status = status
        return self

    def has(self, pattern) -> bool:
        return re.search(pattern, self, re.M) is not None

    def count_of(self, pattern) -> int:
        return len(re.findall(pattern, self, re.M))


class Uart:
    """UART 0 of a running device, as a person at a terminal has it: expect, then write."""

    def __init__(self, device, options):
        self.device, self.options = device, options
        self.text, self.position = "", 0
        self.changed = threading.Condition()

    def __enter__(self):
        self.process = self.device.start(*self.options)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_):
        self.switch_off()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.text += Log(line)
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    ended = False

    def expect(self, pattern, seconds=None):
        """Waits for the pattern behind what was matched before; gives the match."""
        until = time.monotonic() + (seconds or PATIENCE_S)
        with self.changed:
            while True:
                found = re.search(pattern, self.text[self.position:], re.M)
                if found:
                    self.position += found.end()
                    return found
                left = until - time.monotonic()
                if left <= 0 or self.ended:
                    raise AssertionError(f"{pattern!r} did not come{' (the device ended)' if self.ended else ''}\n"
                                         f"{self.text[-6000:]}")
                self.changed.wait(left)

    def expect_all(self, *patterns, seconds=None):
        """Waits for all of them, in any order: events are told by a task of their own."""
        start = last = self.position
        for pattern in patterns:
            self.position = start
            self.expect(pattern, seconds)
            last = max(last, self.position)
        self.position = last

    def expect_slot(self, name, seconds=None):
        """Waits for the next boot and holds the slot that it starts against `name`."""
        offset = int(self.expect(r"Loaded app from partition at offset (0x[0-9a-f]+)", seconds)[1], 16)
        slots = {at: label for label, (at, _) in self.device.firmware.partitions().items()}
        assert slots.get(offset) == name, f"started {slots.get(offset)}, not {name}"

    def write(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def never(self, pattern):
        """So far no line has matched."""
        assert not re.search(pattern, self.text, re.M), self.text[-6000:]

    def switch_off(self):
        """As pulling the plug; gives the log."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(10)
        return Log(self.text, self.process.returncode)

    def flash_operations(self) -> int:
        """Switches off a device that was started with --json; gives its flash operations since power on."""
        return int(re.search(r'"flash_ops":\s*(\d+)', self.switch_off())[1])


class Device:
    """A virtual device. It keeps its flash between runs, as a device does."""

    def __init__(self, directory, firmware=None, *options):
        self.dir, self.firmware = pathlib.Path(directory), firmware
        words = [servers.AIRLIFT, "device", "create", self.dir, *options]
        if firmware:
            words += ["--from", firmware.dir]
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    @property
    def flash(self) -> pathlib.Path:
        return self.dir / "flash.bin"

    def read(self, offset, length) -> bytes:
        with open(self.flash, "rb") as f:
            f.seek(offset)
            return f.read(length)

    def slot(self, name, length=None) -> bytes:
        """What lies in a partition of the table that the device was made with."""
        offset, size = self.firmware.partitions()[name]
        return self.read(offset, length or size)

    def start(self, *options, stdin=None):
        """Switches on; gives the running process (stdin and stdout are UART 0)."""
        return subprocess.Popen([str(w) for w in (servers.AIRLIFT, "device", "run", self.dir, "--colour", "never",
                                                  *options)],
                                stdin=subprocess.PIPE if stdin is None else stdin, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, errors="replace")

    def run(self, until=None, seconds=40, stdin="", options=(), expect=True) -> Log:
        """Runs until a line matches (`expect`: it must), or for the time. stdin goes to UART 0."""
        words = ["--for", seconds, *options]
        if until:
            words += ["--until", until]
        process = self.start(*words)
        try:
            out, _ = process.communicate(stdin, timeout=seconds + 20)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
            raise AssertionError(f"the device did not end\n{out[-4000:]}") from None
        log = Log(out, process.returncode)
        if until and expect:
            assert process.returncode == 0, f"no line matched {until!r}\n{log[-6000:]}"
        return log

    def on(self, *options):
        """Switched on until the with block ends: `with device.on() as uart:`."""
        return Uart(self, options)

    def boot(self, *options) -> dict:
        """What the boot loader would do now (`airlift boot --json`)."""
        done = subprocess.run([str(w) for w in (servers.AIRLIFT, "boot", self.flash, "--json", *options)],
                              capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)
