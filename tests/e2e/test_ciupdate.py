"""A module that upgrades itself from airliftd's module cloud and from a URL: firmware/at on a virtual device."""
import json
import subprocess

import pytest

import at_port
import lab
import servers

OK, ERROR, READY, PROMPT = "\r\nOK\r\n", "\r\nERROR\r\n", "\r\nready\r\n", "\r\nOK\r\n\r\n>"
OLD, NEW = "v4.2.0.0", "v4.3.0.0"
MQTT_CA = 0x37000


def states(*numbers):
    return "".join(f"+CIPUPDATE:{n}\r\n" for n in numbers)


class Cloud(servers.Airliftd):
    """airliftd with a product that has one device."""

    def __init__(self, data):
        self.modules = servers.free_port()
        super().__init__(data, "--modules", f"127.0.0.1:{self.modules}", "--module-limit", "1000")

    def cloud(self, *words):
        done = subprocess.run([servers.AIRLIFT, "cloud", *words, "--data", self.data, "--json"], capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def firmware():
    return lab.build("at")


@pytest.fixture(scope="module")
def newer():
    return lab.build("at", config={"APP_PROJECT_VER": NEW})


@pytest.fixture(scope="module")
def cloud(tmp_path_factory, newer, vectors):
    """Version v1.0 of product lamp: the newer firmware and a user partition; v0.9 before it."""
    work = tmp_path_factory.mktemp("cloud")
    (work / "ota.bin").write_bytes(newer.data)
    with Cloud(work / "data") as c:
        c.cloud("product", "create", "lamp")
        c.key = find_key(c.cloud("device", "create", "lamp01", "--product", "lamp"))
        certificate = vectors / "at-adf/mqtt_ca.bin"
        c.cloud("deploy", "lamp", "--version", "v0.9", "--file", f"mqtt_ca.bin={certificate}")
        c.cloud("deploy", "lamp", "--version", "v1.0", "--file", f"ota.bin={work / 'ota.bin'}", "--file",
                f"mqtt_ca.bin={certificate}", "--current")
        c.push(work / "ota.bin", "at.bin")
        yield c


def find_key(document):
    """The device's key, wherever it stands in the answer."""
    if isinstance(document, dict):
        if isinstance(document.get("key"), str):
            return document["key"]
        document = list(document.values())
    if isinstance(document, list):
        return next((k for k in map(find_key, document) if k), None)
    return None


def set_text(at, key, value):
    at.command(f'AT+SYSMFG=2,"airlift_ota","{key}",7,{len(value)}', PROMPT)
    at.send(value)
    at.expect(OK)


def point_to(at, cloud):
    """Tells the module of its cloud, as a person would over the port."""
    set_text(at, "server", "127.0.0.1")
    set_text(at, "token", cloud.key)
    set_text(at, "ca", cloud.ca.read_text())
    at.command(f'AT+SYSMFG=2,"airlift_ota","port",3,{cloud.modules}', OK)
    at.command(f'AT+SYSMFG=2,"airlift_ota","ssl_port",3,{cloud.port}', OK)


@pytest.fixture
def at(tmp_path, firmware, cloud):
    with at_port.module(tmp_path, firmware) as port:
        port.expect(READY)
        point_to(port, cloud)
        yield port


def version(at):
    at.send("AT+GMR\r\n")
    said = at.until(OK).decode()
    return said[said.index("Bin version:") + len("Bin version:"):].split("(")[0]


def user_ota(at, url):
    at.command(f"AT+USEROTA={len(url)}", PROMPT)
    at.send(url)
    at.expect(f"\r\nRecv {len(url)} bytes\r\n")


def test_a_module_upgrades_itself_and_its_partitions_from_the_cloud(at, vectors):
    content = (vectors / "at-adf/mqtt_ca.bin").read_bytes().ljust(0x2000, b"\xff")
    at.command("AT+SYSLOG=1", OK)
    at.command("AT+CIUPDATE?", "+CIUPDATE:0\r\n" + OK)
    at.command("AT+CIPFWVER?", '+CIPFWVER:"v1.0"\r\n+CIPFWVER:"v0.9"\r\n' + OK)
    at.command('AT+CIUPDATE=0,"v0.9","mqtt_ca"', states(1, 4) + OK)
    assert at.device.read(MQTT_CA, 0x2000) == content
    at.command('AT+SYSFLASH=0,"mqtt_ca"', OK)
    at.command('AT+CIUPDATE=1,,"mqtt_ca"', states(1, 2, 3, 4) + OK)
    at.command("AT+CIUPDATE?", "+CIUPDATE:4\r\n" + OK)
    assert at.device.read(MQTT_CA, 0x2000) == content
    at.command('AT+CIUPDATE=0,"v9"', states(1) + "ERR CODE:0x010a0001\r\n")
    at.match(rb'\+ERRMSG:"the server answers 404 [^\r]*"\r\n\r\nERROR\r\n')
    at.command("AT+CIUPDATE", states(1, 2, 3, 4) + OK + READY, seconds=60)
    assert version(at) == NEW
    assert at.device.read(MQTT_CA, 0x2000) == content
    set_text(at, "token", "0" * 40)
    at.command("AT+SYSLOG=1", OK)
    at.command("AT+CIUPDATE", states(1, 2) + "ERR CODE:0x010a0001\r\n")
    at.match(rb'\+ERRMSG:"[^\r]*403[^\r]*"\r\n\r\nERROR\r\n')
    log = at.uart.switch_off()
    assert log.has(r"at-ota: ready to upgrade system firmware\.\.\.") and log.has(r"at-ota: receive all packet over")
    assert log.has(r'at-ota: ready to upgrade partition: "mqtt_ca" type:0x40 subtype:0xe addr:0x37000 size:0x2000 encrypt:0')


def test_an_upgrade_that_does_not_block_waits_for_the_users_restart(at):
    at.send("AT+CIUPDATE=1,,,1\r\n")
    said = at.until("+CIPUPDATE:4\r\n").decode()
    assert said.replace(OK, "", 1) == "AT+CIUPDATE=1,,,1\r\n" + states(1, 2, 3, 4)
    at.silent(0.3)
    assert version(at) == OLD
    at.command("AT+RST", OK + READY)
    assert version(at) == NEW


def test_firmware_from_a_url_is_taken_from_a_server_that_is_trusted(at, cloud):
    url = f"{cloud.url}/firmware/at.bin"
    at.command('AT+SYSMFG=0,"airlift_ota","ca"', OK)
    at.command("AT+SYSLOG=1", OK)
    user_ota(at, url)
    at.match(rb'ERR CODE:0x010a0001\r\n\+ERRMSG:"[^\r]*"\r\n\r\nERROR\r\n')
    assert version(at) == OLD
    set_text(at, "ca", cloud.ca.read_text())
    user_ota(at, url)
    at.expect(OK + READY, seconds=60)
    assert version(at) == NEW
    at.command("AT+SYSROLLBACK", OK + READY)
    assert version(at) == OLD
    log = at.uart.switch_off()
    assert log.has("not among the trusted") and log.has(r"at-user: total_len=\d+\(\d+\), 100\.0%!")


def test_firmware_that_dies_before_ready_is_rolled_back(at, cloud, tmp_path):
    broken = lab.build("at", config={"APP_PROJECT_VER": "v9.9.9.9", "FIRMWARE_AT_CRASHES": "y"})
    (tmp_path / "broken.bin").write_bytes(broken.data)
    cloud.push(tmp_path / "broken.bin", "broken.bin")
    user_ota(at, f"{cloud.url}/firmware/broken.bin")
    at.expect(OK + READY, seconds=60)  # of the old one
    assert version(at) == OLD
    log = at.uart.switch_off()
    assert log.has(r"App version: +v9\.9\.9\.9")
