#!/usr/bin/env python3
"""The demonstration behind `make demo-at`: a module that is driven by AT commands over a pty, and
upgraded in every way that it knows: AT+USEROTA, AT+CIUPDATE for the firmware and for a user
partition, AT+WEBSERVER, and AT+AIRUPDATE over the port itself. The server is airliftd with its
module cloud. In the end a firmware comes that dies before `ready`, and is rolled back.
Exit status 1 when anything that should happen does not.
Usage: demo_at.py [--build DIR] [--svg FILE]
"""
import hashlib
import json
import os
import pathlib
import re
import select
import sys
import time

from demo_stage import Device, Failed, Play, Server, free_port, main, run, screen

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIRST, BY_URL, BY_CLOUD, BY_PAGE, BROKEN = "v4.2.0.0", "v4.3.0.0", "v4.4.0.0", "v4.5.0.0", "v4.6.0.0"
CLOUD_VERSION = "v4.4.0.0"
PARTITION = "mqtt_ca"
SHOWN = re.compile(r"rst:0x|abort\(\)|Loaded app from")
# What the picture leaves out.
UNSEEN = re.compile(r"^$|BEGIN CERT|END CERT|^   \|   [A-Za-z0-9+/=]{20,}$|AT version|SDK version|compile time|rst:0x|"
                    r"SYSFLASH:\"(?!mqtt_ca)")
PATIENCE_S = 60
AWAKE = r"ready\r\nWIFI CONNECTED\r\nWIFI GOT IP\r\n"  # it joins the saved network by itself


class Port:
    """The pty of the module: what is sent, and what comes, is on the screen line by line."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.held, self.shown = "", 0  # what has not been waited for; how much of it is on the screen

    def close(self):
        os.close(self.fd)

    def _read(self, until):
        left = until - time.monotonic()
        if left <= 0 or not select.select([self.fd], [], [], left)[0]:
            return False
        self.held += os.read(self.fd, 65536).decode("latin1")
        return True

    def _show(self, all_to=None):
        """Lines that are whole come on the screen at once, the rest when it has been waited for."""
        end = all_to or self.held.rfind("\r\n", self.shown) + 2
        if end < self.shown + 2:
            return
        for line in self.held[self.shown:end].split("\r\n"):
            if line:
                colour = "1" if line.startswith("AT+") else "32" if line in ("OK", "ready") else "31" if line == "ERROR" else ""
                screen.say(f"   |   {line}", colour)
        self.shown = end

    def wait_for(self, pattern, seconds=PATIENCE_S):
        """All up to and with what matches."""
        until = time.monotonic() + seconds
        while not (found := re.search(pattern, self.held)):
            self._show()
            if not self._read(until):
                raise Failed(f"the module did not answer {pattern!r}; it said {self.held!r}")
        if found.end() > self.shown:
            self._show(found.end())
        said, self.held = self.held[:found.end()], self.held[found.end():]
        self.shown -= found.end()
        return said

    def write(self, data):
        while data:
            select.select([], [self.fd], [])
            data = data[os.write(self.fd, data[:4096]):]

    def command(self, line, answer=r"\r\nOK\r\n"):
        self.write(line.encode() + b"\r\n")
        return self.wait_for(answer)

    def data(self, line, data, answer=r"\r\nOK\r\n"):
        """A command that asks for data behind its prompt."""
        self.command(line, r"\r\nOK\r\n\r\n>")
        self.write(data)
        return self.wait_for(answer)


class Demo(Play):
    def __init__(self, build):
        super().__init__(build / "demo-at")
        self.bin = build / "bin"
        self.airlift = self.bin / "airlift"
        self.link = self.dir / "module"
        self.modules = free_port()

    def image(self, version):
        return self.dir / f"build-{version}" / "at.bin"

    def build_all(self):
        for version in (FIRST, BY_URL, BY_CLOUD, BY_PAGE, BROKEN):
            conf = self.dir / f"sdkconfig-{version}"
            conf.write_text(f'CONFIG_APP_PROJECT_VER="{version}"\n' + "CONFIG_FIRMWARE_AT_CRASHES=y\n" * (version == BROKEN))
            run(self.airlift, "build", ROOT / "firmware/at", "-B", self.dir / f"build-{version}", "--sdkconfig", conf)

    def shell(self, *words):
        screen.say("   $ airlift " + " ".join(words).replace(f"{self.dir}/", ""), "1")
        return run(self.airlift, *words, "--data", self.server.data)

    def prepare(self):
        screen.title("A server with a product, a device and a version; a module with its AT port on a pty")
        self.build_all()
        self.server = Server(self.bin, self.dir, "--modules", f"127.0.0.1:{self.modules}")
        self.server.start()
        self.server.publish(self.image(BY_URL), "at")
        self.partition = (ROOT / "tests/vectors/at-adf/mqtt_ca.bin").read_bytes()
        content = self.dir / f"{PARTITION}.bin"
        content.write_bytes(self.partition)
        self.shell("cloud", "product", "create", "lamp")
        made = run(self.airlift, "cloud", "device", "create", "lamp01", "--product", "lamp", "--data", self.server.data, "--json")
        self.token = json.loads(made)["devices"][0]["key"]
        screen.say("   $ airlift cloud device create lamp01 --product lamp", "1")
        screen.say(f"   its key: {self.token}")
        self.shell("cloud", "deploy", "lamp", "--version", CLOUD_VERSION, "--file", f"ota.bin={self.image(BY_CLOUD)}",
                   "--file", f"{PARTITION}.bin={content}", "--current")
        run(self.airlift, "device", "create", self.dir / "device", "--from", self.dir / f"build-{FIRST}")
        screen.say(f"   $ airlift device run device --uart1 pty:{self.link.name}", "1")
        self.device = Device(self.airlift, self.dir / "device", self.log, SHOWN, "--uart1", f"pty:{self.link}")
        self.device.wait_for("UART 1 is")
        self.port = Port(self.link)
        self.port.wait_for("ready\r\n")

    def version(self, wanted):
        said = self.port.command("AT+GMR")
        if f"Bin version:{wanted}(" not in said:
            raise Failed(f"the module does not run {wanted}")

    def settings(self):
        screen.title("1. Wi-Fi, and where the module asks for firmware: kept in its manufacturing NVS")
        port = self.port
        self.version(FIRST)
        port.command('AT+CWJAP="lab","correct horse"')
        port.command('AT+SYSMFG=2,"airlift_ota","port",3,%d' % self.modules)
        port.command('AT+SYSMFG=2,"airlift_ota","ssl_port",3,%d' % self.server.port)
        for key, value in (("server", "127.0.0.1"), ("token", self.token), ("ca", self.server.ca.read_text())):
            port.data(f'AT+SYSMFG=2,"airlift_ota","{key}",7,{len(value)}', value.encode())

    def by_url(self):
        screen.title(f"2. AT+USEROTA: {BY_URL} from a URL, over HTTPS; the certificate is checked")
        url = f"https://127.0.0.1:{self.server.port}/firmware/at"
        self.port.data(f"AT+USEROTA={len(url)}", url.encode(), AWAKE)
        self.version(BY_URL)
        self.facts.append(f"AT+USEROTA: {FIRST} -> {BY_URL}, restarted into it, confirmed before ready")

    def by_cloud(self):
        port = self.port
        screen.title(f"3. AT+CIUPDATE: the cloud recommends {CLOUD_VERSION}; then a user partition, over TLS")
        port.command("AT+CIPFWVER?")
        port.command("AT+CIUPDATE", AWAKE)
        self.version(BY_CLOUD)
        self.facts.append(f"AT+CIUPDATE: {BY_URL} -> {BY_CLOUD}, the version that the cloud recommends")
        said = port.command(f'AT+CIUPDATE=1,"{CLOUD_VERSION}","{PARTITION}"')
        if "+CIPUPDATE:4" not in said:
            raise Failed("the partition did not come")
        address = int(re.search(rf'"{PARTITION}",\d+,\d+,(0x[0-9a-f]+)', port.command("AT+SYSFLASH?"))[1], 16)
        if (self.dir / "device/flash.bin").read_bytes()[address:address + 0x2000] != self.partition.ljust(0x2000, b"\xff"):
            raise Failed(f"partition {PARTITION} is not the file that was deployed")
        for line in self.shell("cloud", "events", "--device", "lamp01").splitlines():
            screen.say(f"   {line}")
        self.facts.append(f"AT+CIUPDATE=1: partition {PARTITION} over TLS, byte for byte")

    def by_page(self):
        port, page = self.port, free_port()
        screen.title(f"4. AT+WEBSERVER: {BY_PAGE} as a browser sends it")
        port.command("AT+CWMODE=3")
        port.command(f"AT+WEBSERVER=1,{page},60")
        screen.say(f"   $ curl --data-binary @at.bin -H 'Object: ota' http://127.0.0.1:{page}/setotadata", "1")
        said = run("curl", "-sS", "--data-binary", f"@{self.image(BY_PAGE)}", "-H", "Object: ota", "-H",
                   "Content-Type: application/octet-stream;charset=UTF-8", f"http://127.0.0.1:{page}/setotadata")
        screen.say(f"   {said.strip()}")
        port.wait_for(r"\+WEBSERVERRSP:4\r\n")
        port.command("AT+RST", AWAKE)
        self.version(BY_PAGE)
        self.facts.append(f"AT+WEBSERVER: {BY_CLOUD} -> {BY_PAGE}, sent as the page sends it")

    def by_port(self):
        screen.title(f"5. AT+AIRUPDATE: {BROKEN} over the port itself; it dies before ready")
        image = self.image(BROKEN).read_bytes()
        self.port.data(f'AT+AIRUPDATE={len(image)},"{hashlib.sha256(image).hexdigest()}"', image)
        self.port.command("AT+RST", AWAKE)
        self.version(BY_PAGE)
        self.facts.append(f"AT+AIRUPDATE: {BROKEN} came over the UART, crashed before ready, and was rolled back to {BY_PAGE}")
        self.port.command("AT+SYSROLLBACK?")

    def steps(self):
        self.prepare()
        self.settings()
        self.by_url()
        self.by_cloud()
        self.by_page()
        self.by_port()


if __name__ == "__main__":
    sys.exit(main(__doc__, Demo, UNSEEN))
