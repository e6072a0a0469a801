"""A module driven over its AT port: firmware/at on a virtual device."""
import hashlib
import re
import socket

import pytest

import at_port
import lab
import servers

OK, ERROR, READY = "\r\nOK\r\n", "\r\nERROR\r\n", "\r\nready\r\n"
OLD, NEW = "v4.2.0.0", "v4.3.0.0"


@pytest.fixture(scope="module")
def firmware():
    return lab.build("at")


@pytest.fixture(scope="module")
def newer():
    return lab.build("at", config={"APP_PROJECT_VER": NEW})


@pytest.fixture
def at(tmp_path, firmware):
    with at_port.module(tmp_path, firmware) as port:
        port.expect(READY)
        yield port


def version(at):
    at.send("AT+GMR\r\n")
    return at.match(rb'AT\+GMR\r\nAT version:4\.2\.0\.0\(airlift-[\d.]+ - ESP32C3 - \w+ +\d+ \d+ [\d:]+\)\r\n'
                    rb'SDK version:v[\w.-]+\r\n'
                    rb'compile time\([0-9a-f]+\):\w+ +\d+ \d+ [\d:]+\r\n'
                    rb'Bin version:([\w.]+)\(MINI-1\)\r\n\r\nOK\r\n')[1].decode()


def upload(at, image, extra=""):
    """AT+AIRUPDATE of these bytes, up to the answer behind the progress."""
    at.command(f"AT+AIRUPDATE={len(image)}{extra}", "\r\nOK\r\n\r\n>")
    at.send(image)
    at.match(rb"(\+AIRUPDATE:\d+,%d\r\n){1,9}\r\nRecv %d bytes\r\n" % (len(image), len(image)))


@pytest.mark.parametrize("how", ["pty", "tcp"])
def test_a_session_of_small_commands(tmp_path, firmware, how):
    with at_port.module(tmp_path, firmware, how) as at:
        at.expect(READY)
        at.command("AT", OK)
        assert version(at) == OLD
        at.command("AT+SYSLOG?", "+SYSLOG:0\r\n" + OK)
        at.command("AT+FAKE", ERROR)
        at.command("AT+SYSLOG=1", OK)
        at.command("AT+FAKE", "ERR CODE:0x01090000\r\n" + ERROR)
        at.command("AT+CWMODE?", "+CWMODE:1\r\n" + OK)
        at.command("AT+CWMODE=4", "ERR CODE:0x01070000\r\n" + ERROR)
        at.command("AT+CWJAP?", "No AP\r\n" + OK)
        at.command("AT+CWSAP=\"me\",\"12345678\",1,3",
                   "ERR CODE:0x010a0001\r\n+ERRMSG:\"no access point in AT+CWMODE=1: set 2 or 3 first\"\r\n" + ERROR)
        at.command("AT+CWMODE=3", OK)
        at.command("AT+CWSAP=\"me\",\"1234567\",1,3", "ERR CODE:0x01040001\r\n" + ERROR)
        at.command("AT+CWSAP=\"me, too\",\"12345678\",1,3", OK)
        at.command("AT+CWSAP?", "+CWSAP:\"me\\, too\",\"12345678\",1,3,10,0\r\n" + OK)
        at.command("AT+CIPMUX=1", OK)
        at.command("AT+CIPMUX?", "+CIPMUX:1\r\n" + OK)
        at.send("AT+CIPAP?\r\n")
        at.match(rb'AT\+CIPAP\?\r\n\+CIPAP:ip:"([\d.]+)"\r\n\+CIPAP:gateway:"\1"\r\n'
                 rb'\+CIPAP:netmask:"[\d.]+"\r\n\r\nOK\r\n')
        at.command("ATE0", OK)
        at.echo = False
        at.command("AT", OK)
        at.command("ATE1", OK)
        at.silent(0.1)


def test_what_was_sent_too_early_is_answered_behind_ready(tmp_path, firmware):
    with at_port.module(tmp_path, firmware) as at:
        at.send("AT\r\n")  # the chip has only been switched on
        at.expect(READY + "AT\r\n" + OK)


def test_networks_around_the_device_decide_who_joins(tmp_path, firmware):
    device = lab.Device(tmp_path / "device", firmware)
    (device.dir / "wifi.conf").write_text("# here\nhome = correct horse\nguest =\n")
    with at_port.running(device) as at:
        at.expect(READY)
        at.command('AT+CWJAP="home","wrong horse"', "+CWJAP:2\r\n" + ERROR)
        at.command('AT+CWJAP="nobody","x"', "+CWJAP:3\r\n" + ERROR)
        at.command("AT+CWJAP", ERROR)
        at.command('AT+CWJAP="guest",""', "WIFI CONNECTED\r\nWIFI GOT IP\r\n" + OK)
        at.command('AT+CWJAP="home","correct horse"',
                   "WIFI DISCONNECT\r\nWIFI CONNECTED\r\nWIFI GOT IP\r\n" + OK)
        at.command("AT+CWJAP?", '+CWJAP:"home","00:00:00:00:00:00",1,-40,0,1,3,0,1\r\n' + OK)
        at.command("AT+CWSTATE?", '+CWSTATE:2,"home"\r\n' + OK)
        at.command("AT+CWQAP", OK + "WIFI DISCONNECT\r\n")
        at.command("AT+CWMODE=2", OK)
        at.command('AT+CWJAP="guest"', ERROR)


def test_settings_outlive_a_restart_until_they_are_restored(at):
    at.command("AT+CWMODE=3", OK)
    at.command('AT+CWJAP="home","secret"', "WIFI CONNECTED\r\nWIFI GOT IP\r\n" + OK)
    at.command("AT+SYSSTORE=0", OK)
    at.command("AT+CWMODE=1", OK)
    at.command("AT+SYSLOG=1", OK)
    at.command("AT+RST", OK + READY + "WIFI CONNECTED\r\nWIFI GOT IP\r\n")
    at.command("AT+CWMODE?", "+CWMODE:3\r\n" + OK)
    at.command("AT+SYSLOG?", "+SYSLOG:0\r\n" + OK)
    at.command("AT+SYSSTORE?", "+SYSSTORE:1\r\n" + OK)
    at.command("AT+RST=0", OK + READY + "WIFI CONNECTED\r\nWIFI GOT IP\r\n")
    at.command("AT+RST=1", ERROR)
    at.command("AT+RESTORE", OK + READY)
    at.command("AT+CWMODE?", "+CWMODE:1\r\n" + OK)
    at.command("AT+CWSTATE?", '+CWSTATE:0,""\r\n' + OK)
    at.silent(0.2)


def test_a_reset_ends_a_command_that_runs(at):
    with socket.create_server(("127.0.0.1", 0)) as server:  # never answers
        url = f"http://127.0.0.1:{server.getsockname()[1]}/at.bin"
        at.command(f"AT+USEROTA={len(url)}", "\r\nOK\r\n\r\n>")
        at.send(url)
        at.expect(f"\r\nRecv {len(url)} bytes\r\n")
        at.send("AT\r\n")
        at.expect("\r\nbusy p...\r\n")
        at.send("AT+GMR\r\nAT+RST\r\n")
        at.expect("\r\nbusy p...\r\n\r\nWill force to restart!!!\r\n" + READY)
        assert version(at) == OLD


def test_user_partitions_are_listed_erased_written_and_read(at):
    at.command("AT+SYSLOG=1", OK)
    at.send("AT+SYSFLASH?\r\n")
    listed = at.until(OK).decode()
    rows = [r for r in (servers.ROOT / "firmware/at/at_customize.csv").read_text().splitlines() if r[0] != "#"]
    assert listed.count("+SYSFLASH:") == len(rows)
    assert '+SYSFLASH:"mqtt_ca",64,14,0x37000,0x2000\r\n' in listed
    content = bytes(range(256)) * 16 + b"AT+RST\r\n"
    at.command('AT+SYSFLASH=0,"mqtt_ca"', OK)
    at.command(f'AT+SYSFLASH=1,"mqtt_ca",0,{len(content)}', "\r\nOK\r\n\r\n>")
    at.send(content)
    at.expect(OK)
    at.command('AT+SYSFLASH=2,"mqtt_ca",0,0x1008', "+SYSFLASH:4104,")
    at.expect(content + b"\r\n" + OK.encode())
    assert at.device.read(0x37000, 0x2000) == content.ljust(0x2000, b"\xff")
    at.command('AT+SYSFLASH=1,"mqtt_ca",0,2', "\r\nOK\r\n\r\n>")
    at.send("\xff\xff".encode("latin1"))
    at.expect('ERR CODE:0x010a0001\r\n+ERRMSG:"not erased at offset 0x0: AT+SYSFLASH=0 first"\r\n' + ERROR)
    at.command('AT+SYSFLASH=0,"mqtt_ca",4096,4096', OK)
    assert at.device.read(0x37000, 0x2000) == content[:4096].ljust(0x2000, b"\xff")


@pytest.mark.parametrize("words, code", [
    ('3,"mqtt_ca"', "07"), ('0', "06"), ('0,"nobody"', "07"), ('0,"mqtt_ca",0', "06"), ('2,"mqtt_ca"', "06"),
    ('0,"mqtt_ca",1,4096', "07"), ('0,"mqtt_ca",0,4095', "07"), ('2,"mqtt_ca",0,8193', "07"),
    ('2,"mqtt_ca",8193,1', "07"), ('2,"mqtt_ca",-1,1', "07"), ('1,"mqtt_ca",8192,1', "07"), ('1,"mqtt_ca",0,0', "07"),
    ('2,"ota_0",0,16', "07"), ('2,"mqtt_ca",0x1fff,2', "07"), ('2,mqtt_ca,0,1', "05"), ('2,"mqtt_ca","0",1', "05")])
def test_areas_outside_of_a_user_partition_are_refused(shared, words, code):
    shared.send(f"AT+SYSFLASH={words}\r\n")
    shared.until(f"ERR CODE:0x01{code}")
    shared.until(ERROR)


@pytest.fixture(scope="module")
def shared(tmp_path_factory, firmware):
    """One module for tests that leave it as it was."""
    with at_port.module(tmp_path_factory.mktemp("shared"), firmware) as port:
        port.expect(READY)
        port.command("AT+SYSLOG=1", OK)
        yield port


@pytest.mark.parametrize("words, code", [
    ('3,"n"', "070000"), ('2,"n","k",0,1', "070003"), ('2,"n","k",9,1', "070003"), ('2,"n","k",1,-1', "070004"),
    ('2,"n","k",2,128', "070004"), ('2,"n","k",3,65536', "070004"), ('2,"n","k",4,-32769', "070004"),
    ('2,"n","k",5,4294967296', "070004"), ('2,"n","k",6,2147483648', "070004"), ('2,"n","k",7,0', "070004"),
    ('2,"n","k",8,4000', "070004"), ('2,"n",,1,1', "070002"), ('2,"n","k",1', "060504"), ('0', "060201"),
    ('2,"","k",1,1', "040001"), ('2,"n","",1,1', "040002"), ('0,"n",""', "040002"),
    ('2,"0123456789abcdef","k",1,1', "040001"), ('2,"n","0123456789abcdef",1,1', "040002"), ('1,n', "050001")])
def test_manufacturing_values_that_do_not_fit_are_refused(shared, words, code):
    shared.command(f"AT+SYSMFG={words}", f"ERR CODE:0x01{code}\r\n" + ERROR)
    shared.command("AT+SYSMFG?", OK)


@pytest.mark.parametrize("url", ["ftp://x/y", "http", "http://a b", "http://x\r\nAT+GMR\r\n", "https://\0x"])
def test_what_is_no_url_is_refused_with_a_reason(shared, url):
    shared.command(f"AT+USEROTA={len(url)}", "\r\nOK\r\n\r\n>")
    shared.send(url)
    shared.expect(f"\r\nRecv {len(url)} bytes\r\nERR CODE:0x010a0001\r\n"
                  '+ERRMSG:"expected an URL: http:// or https://, no blanks, no control bytes"\r\n' + ERROR)


def test_manufacturing_values_are_written_read_and_erased(at):
    at.command("AT+SYSMFG?", OK)
    values = {1: 255, 2: -128, 3: 65535, 4: -32768, 5: 4294967295, 6: -2147483648}
    for kind, value in values.items():
        at.command(f'AT+SYSMFG=2,"numbers","n{kind}",{kind},{value}', OK)
        at.command(f'AT+SYSMFG=1,"numbers","n{kind}"', f'+SYSMFG:"numbers","n{kind}",{kind},{value}\r\n' + OK)
    at.command('AT+SYSMFG=2,"numbers","n1",1,256', ERROR)
    at.command('AT+SYSMFG=2,"texts","s",7,5', "\r\nOK\r\n\r\n>")
    at.send("a\r\nbc")
    at.expect(OK)
    at.command('AT+SYSMFG=1,"texts","s"', '+SYSMFG:"texts","s",7,5,a\r\nbc\r\n' + OK)
    at.command('AT+SYSMFG=2,"texts","b",8,3', "\r\nOK\r\n\r\n>")
    at.send(b"\0\xff>")
    at.expect(OK)
    at.command('AT+SYSMFG=1,"texts","b"', '+SYSMFG:"texts","b",8,3,')
    at.expect(b"\0\xff>\r\n\r\nOK\r\n")
    at.command("AT+SYSMFG?", '+SYSMFG:"numbers"\r\n+SYSMFG:"texts"\r\n' + OK)
    at.command('AT+SYSMFG=1,"texts"', '+SYSMFG:"texts","s",7\r\n+SYSMFG:"texts","b",8\r\n' + OK)
    at.command('AT+SYSMFG=0,"texts","s"', OK)
    at.command('AT+SYSMFG=1,"texts","s"', ERROR)
    at.command('AT+SYSMFG=0,"numbers"', OK)
    at.command('AT+SYSMFG=1,"numbers","n1"', ERROR)


def test_a_firmware_comes_over_the_port_and_back_again(at, newer):
    at.command("AT+SYSROLLBACK?", f'+SYSROLLBACK:0x60000,"{OLD}",0x230000,""\r\n' + OK)
    at.command("AT+SYSROLLBACK", ERROR)
    upload(at, newer.data, f',"{hashlib.sha256(newer.data).hexdigest()}"')
    at.expect(OK)
    assert version(at) == OLD  # until the restart
    at.command("AT+RST", OK + READY)
    assert version(at) == NEW
    at.command("AT+SYSROLLBACK?", f'+SYSROLLBACK:0x230000,"{NEW}",0x60000,"{OLD}"\r\n' + OK)
    at.command("AT+RST", OK + READY)  # it was confirmed: it stays
    assert version(at) == NEW
    at.command("AT+SYSROLLBACK", OK + READY)
    assert version(at) == OLD
    assert at.uart.switch_off().count_of("this app is confirmed") == 2


def test_a_firmware_that_dies_before_ready_is_rolled_back(at):
    broken = lab.build("at", config={"APP_PROJECT_VER": "v9.9.9.9", "FIRMWARE_AT_CRASHES": "y"})
    upload(at, broken.data)
    at.expect(OK)
    at.command("AT+RST", OK + READY, seconds=60)
    assert version(at) == OLD
    log = at.uart.switch_off()
    assert log.has(r"App version: +v9\.9\.9\.9") and log.count_of("abort") >= 1


def test_a_wrong_upload_leaves_the_firmware_as_it_was(at, newer):
    at.command("AT+SYSLOG=1", OK)
    at.command("AT+AIRUPDATE=0", "ERR CODE:0x01070000\r\n" + ERROR)
    at.command(f"AT+AIRUPDATE={0x1d0001}", "ERR CODE:0x010a0001\r\n")
    at.match(rb'\+ERRMSG:"[^"]*1900545[^"]*"\r\n\r\nERROR\r\n')
    at.command('AT+AIRUPDATE=5,"abc"', "ERR CODE:0x01040001\r\n" + ERROR)
    upload(at, b"AT+RST\r\n" * 1000)
    at.match(rb'ERR CODE:0x010a0001\r\n\+ERRMSG:"[^\r]*"\r\n\r\nERROR\r\n')
    upload(at, newer.data, f',"{"0" * 64}"')
    at.match(rb'ERR CODE:0x010a0001\r\n\+ERRMSG:"the bytes that came have SHA-256 [0-9a-f]{64}"\r\n\r\nERROR\r\n')
    damaged = bytearray(newer.data)
    damaged[len(damaged) // 2] ^= 1
    upload(at, bytes(damaged))
    at.match(rb'ERR CODE:0x010a0001\r\n\+ERRMSG:"[^\r]*"\r\n\r\nERROR\r\n')
    at.command("AT+RST", OK + READY)
    assert version(at) == OLD


def test_a_user_partition_comes_over_the_port(at, vectors):
    content = (vectors / "at-adf/mqtt_ca.bin").read_bytes()
    upload(at, content, ',,"mqtt_ca"')
    at.expect(OK)
    assert at.device.read(0x37000, 0x2000) == content.ljust(0x2000, b"\xff")


def test_a_configured_byte_ends_a_command_and_the_log_may_share_the_uart(tmp_path):
    other = lab.build("at", config={"AT_COMMAND_TERMINATOR_SUPPORT": "y", "AT_COMMAND_TERMINATOR": "0x3b",
                                    "AT_UART_PORT": "0"})
    device = lab.Device(tmp_path / "device", other)
    log = device.run(until="^OK", stdin="AT+CWMODE?;")
    # Lines of the log may stand between the echo and the answer.
    assert re.search(r"^ready$.*AT\+CWMODE\?;.*\+CWMODE:1$.*^OK$", log, re.M | re.S), log


OWN_PROJECT = {
    "CMakeLists.txt": """cmake_minimum_required(VERSION 3.16)
include($ENV{IDF_PATH}/tools/cmake/project.cmake)
project(lamp)
""",
    "main/CMakeLists.txt": """idf_component_register(SRCS "main.c" REQUIRES esp_at)
""",
    "sdkconfig.defaults": """CONFIG_PARTITION_TABLE_TWO_OTA_LARGE=y
CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y
""",
}


def test_a_project_adds_commands_of_its_own(tmp_path):
    page = (servers.ROOT / "docs/at.md").read_text()
    source = re.search(r"```c\n(.*?)```", page, re.S)[1]
    for name, text in {**OWN_PROJECT, "main/main.c": source}.items():
        (tmp_path / "lamp" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "lamp" / name).write_text(text)
    with at_port.module(tmp_path, lab.build(tmp_path / "lamp")) as at:
        at.expect(READY)
        at.command("AT+LAMP=50", "+LAMP:50\r\n" + OK)
        at.command("AT+LAMP=101", ERROR)
        at.command("AT+SYSFLASH?", OK)  # a table without user partitions
        at.command("AT+SYSMFG?", ERROR)
