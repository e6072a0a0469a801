"""The AT port of a virtual device that runs firmware/at, as a host on its UART has it.

    with at_port.module(tmp_path, firmware) as at:      # a pty; how="tcp" for a TCP port
        at.expect("\r\nready\r\n")
        at.command("AT", "\r\nOK\r\n")                  # echo included, byte for byte
"""
import contextlib
import os
import re
import select
import socket
import time

import lab

PATIENCE_S = 40


class AtPort:
    """Bytes in, bytes out. `device` is the lab.Device, `uart` its UART 0 with the log."""

    def __init__(self, device, uart, fd):
        self.device, self.uart, self.fd, self.held = device, uart, fd, b""
        self.echo = True

    def send(self, data):
        data = data.encode() if isinstance(data, str) else data
        while data:
            select.select([], [self.fd], [], PATIENCE_S)
            data = data[os.write(self.fd, data[:4096]):]

    def _more(self, until):
        left = until - time.monotonic()
        if left > 0 and select.select([self.fd], [], [], left)[0]:
            self.held += os.read(self.fd, 65536)
            return True
        return False

    def expect(self, wanted, seconds=PATIENCE_S):
        """The next bytes are these."""
        wanted = wanted.encode() if isinstance(wanted, str) else wanted
        until = time.monotonic() + seconds
        while len(self.held) < len(wanted) and wanted.startswith(self.held) and self._more(until):
            pass
        assert self.held[:len(wanted)] == wanted, f"expected {wanted!r}\ncame     {self.held!r}"
        self.held = self.held[len(wanted):]

    def match(self, pattern, seconds=PATIENCE_S):
        """The next bytes match all of the pattern (bytes); gives the match."""
        until = time.monotonic() + seconds
        while True:
            found = re.match(pattern, self.held, re.S)
            if found:
                self.held = self.held[found.end():]
                return found
            if not self._more(until):
                raise AssertionError(f"expected {pattern!r}\ncame     {self.held!r}")

    def until(self, text, seconds=PATIENCE_S):
        """All bytes up to and with text."""
        return self.match(b".*?" + re.escape(text.encode()), seconds)[0]

    def silent(self, seconds):
        self._more(time.monotonic() + seconds)
        assert self.held == b"", self.held

    def command(self, line, answer, seconds=PATIENCE_S):
        self.send(line + "\r\n")
        self.expect((line + "\r\n" if self.echo else "") + answer, seconds)


def _open(uart, how, link):
    if how == "tcp":
        port = int(uart.expect(r"UART 1 is TCP port (\d+)")[1])
        connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        connection.setblocking(False)
        return connection.detach()
    uart.expect(r"UART 1 is ")
    return os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


@contextlib.contextmanager
def running(device, how="pty", options=()):
    """Switches a device on, its AT port opened."""
    link = device.dir.parent / "at-port"
    wire = "tcp:0" if how == "tcp" else f"pty:{link}"
    with device.on("--uart1", wire, *options) as uart:
        fd = _open(uart, how, link)
        try:
            yield AtPort(device, uart, fd)
        finally:
            os.close(fd)


@contextlib.contextmanager
def module(directory, firmware, how="pty", options=()):
    with running(lab.Device(directory / "device", firmware), how, options) as at:
        yield at
