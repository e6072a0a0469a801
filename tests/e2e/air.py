"""The virtual air for the end-to-end tests: the medium, virtual co-processors, and a small spinel
host that shares no code with the project.

    with air.Medium(tmp_path) as medium, air.Rcp(medium) as rcp, air.SpinelHost(rcp.port) as host:
        host.start(channel=15, pan=0x1a62)
        host.send("0308 01 ffff ffff 07")
"""
import json
import select
import signal
import socket
import struct
import subprocess
import time

import servers

START_S = 15
PATIENCE_S = 10


def crc16(data: bytes, start: int, invert: bool) -> int:
    """CRC-16, polynomial 0x1021 reflected: start 0 for radio frames, 0xffff and inverted for HDLC."""
    crc = start
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc ^ 0xffff if invert else crc


class Program(servers.Server):
    """An `airlift` command that runs until it is interrupted; `log` is its stderr so far."""

    def __init__(self, work, name, *words):
        self.words, self.log_file = [str(w) for w in words], work / f"{name}.log"

    def start(self):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([servers.AIRLIFT, *self.words], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log, text=True)

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def wait_for_log(self, text):
        wait_until(lambda: text in self.log, lambda: f"{text!r} is not in the log:\n{self.log}")

    def interrupt(self):
        return self.stop(signal.SIGINT)


def wait_until(condition, otherwise=lambda: "it did not happen", seconds=PATIENCE_S):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, otherwise()
        time.sleep(0.02)


class Medium(Program):
    """`airlift radio medium`: `.address` (for --medium), `.radio` (for --radio), `.frames()` on the air so far."""

    def __init__(self, work, *options):
        self.work, self.address, self.pcap = work, work / "air", work / "air.pcap"
        self.radio = f"medium:{self.address}"
        super().__init__(work, "medium", "radio", "medium", self.address, "--pcap", self.pcap, *options)

    def start(self):
        super().start()
        wait_until(lambda: self.address.exists() or self.process.poll() is not None, lambda: self.log, START_S)
        assert self.process.poll() is None, self.log

    def frames(self) -> list:
        """[(seconds, MPDU without FCS)] of the capture; the FCS of each has been checked."""
        data = self.pcap.read_bytes()
        if len(data) < 24:
            return []
        magic, link = struct.unpack("<I", data[:4])[0], struct.unpack("<I", data[20:24])[0]
        assert magic in (0xa1b2c3d4, 0xa1b23c4d) and link == 195
        at, out = 24, []
        while at + 16 <= len(data):
            seconds, fraction, kept, length = struct.unpack("<IIII", data[at:at + 16])
            mpdu = data[at + 16:at + 16 + kept]
            if len(mpdu) < kept:
                break  # is being written
            assert kept == length and crc16(mpdu, 0, False) == 0, mpdu.hex()
            out.append((seconds + fraction / (1e6 if magic == 0xa1b2c3d4 else 1e9), mpdu[:-2]))
            at += 16 + kept
        return out


class Rcp(Program):
    """`airlift radio rcp` on a medium: `.port`, or `.link` and `.device`; `.eui64`."""
    count = 0

    def __init__(self, medium, *options, listen="tcp:0"):
        Rcp.count += 1
        self.link = None
        super().__init__(medium.work, f"rcp{Rcp.count}", "radio", "rcp", "--medium", medium.address, "--listen", listen,
                         "--json", *options)

    def start(self):
        super().start()
        text = ""
        while not text.endswith("}\n"):
            line = self.process.stdout.readline()
            assert line, f"radio rcp ended:\n{self.log}"
            text += line
        ready = json.loads(text)
        self.port, self.eui64 = ready.get("port"), ready["eui64"]
        self.link, self.device = ready.get("link"), ready.get("device")


def escaped(payload: bytes) -> bytes:
    """An HDLC-lite frame."""
    body = payload + struct.pack("<H", crc16(payload, 0xffff, True))
    out = b"".join(bytes((0x7d, b ^ 0x20)) if b in (0x7e, 0x7d, 0x11, 0x13, 0xf8) else bytes((b,)) for b in body)
    return b"\x7e" + out + b"\x7e"


def unescaped(body: bytes) -> bytes:
    """The payload between two flags; its FCS has been checked."""
    out, escape = bytearray(), 0
    for byte in body:
        if byte == 0x7d:
            escape = 0x20
        else:
            out.append(byte ^ escape)
            escape = 0
    assert crc16(bytes(out[:-2]), 0xffff, True) == struct.unpack("<H", out[-2:])[0], body.hex()
    return bytes(out[:-2])


class SpinelHost:
    """A host on a co-processor: a TCP port, or an open file of a serial line."""
    CHANNEL, LADDR, SADDR, PAN, PHY, RAW = 0x21, 0x34, 0x35, 0x36, 0x20, 0x37

    def __init__(self, port=None, line=None):
        self.tid, self.rest, self.news = 0, b"", []
        self.socket, self.line = (None, line) if line else (socket.create_connection(("127.0.0.1", port)), None)
        self.write(b"\x7e")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        (self.socket or self.line).close()

    def write(self, data: bytes):
        if self.socket:
            self.socket.sendall(data)
        else:
            self.line.write(data)

    def frame(self, seconds=PATIENCE_S) -> bytes:
        """The next frame from the co-processor; TimeoutError, and EOFError when it closed the connection."""
        until = time.monotonic() + seconds
        while True:
            body, flag, rest = self.rest.partition(b"\x7e")
            if flag:
                self.rest = rest
                if body:
                    return unescaped(body)
                continue
            source = self.socket or self.line
            if not select.select([source], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError(f"the co-processor said nothing for {seconds} s")
            data = self.socket.recv(4096) if self.socket else self.line.read(4096)
            if not data:
                raise EOFError("the co-processor closed the connection")
            self.rest += data

    def command(self, command: int, body: bytes) -> bytes:
        """Sends; gives what follows the header and the command of its answer."""
        self.tid = self.tid % 14 + 1
        self.write(escaped(bytes((0x80 | self.tid, command)) + body))
        while True:
            frame = self.frame()
            if frame[0] == 0x80 | self.tid:
                return frame[2:]
            assert frame[0] == 0x80, frame.hex()
            self.news.append(frame[2:])

    def get(self, prop: int) -> bytes:
        answer = self.command(2, bytes((prop,)))
        assert answer[0] == prop, answer.hex()
        return answer[1:]

    def set(self, prop: int, value: bytes):
        answer = self.command(3, bytes((prop,)) + value)
        assert answer == bytes((prop,)) + value, answer.hex()

    def start(self, channel: int, pan: int, short: int = 0xfffe):
        for prop, value in ((self.PHY, b"\1"), (self.CHANNEL, bytes((channel,))), (self.SADDR, struct.pack("<H", short)),
                            (self.PAN, struct.pack("<H", pan)), (self.RAW, b"\1")):
            self.set(prop, value)
        self.channel = channel

    def send(self, mpdu_hex: str) -> int:
        """Sends a frame given without FCS; gives the status: 0 sent, 17 no acknowledgement, 18 busy."""
        mpdu = bytes.fromhex(mpdu_hex) + b"\0\0"
        answer = self.command(3, bytes((0x71,)) + struct.pack("<H", len(mpdu)) + mpdu + bytes((self.channel, 4, 3, 1)))
        assert answer[0] == 0, answer.hex()
        return answer[1]

    def received(self, wanted=lambda mpdu: True, seconds=PATIENCE_S) -> bytes:
        """The next heard frame that is wanted, without its FCS, which has been checked."""
        until = time.monotonic() + seconds
        while True:
            news = self.news.pop(0) if self.news else self.frame(until - time.monotonic())[2:]
            if news[0] != 0x71:
                continue
            length = struct.unpack("<H", news[1:3])[0]
            mpdu = news[3:3 + length]
            assert crc16(mpdu, 0, False) == 0, mpdu.hex()
            if wanted(mpdu[:-2]):
                return mpdu[:-2]
