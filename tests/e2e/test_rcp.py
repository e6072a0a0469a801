"""`airlift radio rcp`: a spinel host that shares no code with it finds a radio there."""
import os
import pathlib
import socket
import subprocess

import pytest

import air
import servers

BEACON_REQUEST = "0308 01 ffff ffff 07"
PAN = 0x1a62


@pytest.fixture
def medium(tmp_path):
    with air.Medium(tmp_path) as m:
        yield m


def test_a_frame_goes_from_host_to_host(medium):
    with air.Rcp(medium) as one, air.Rcp(medium, "--eui64", "f4:12:fa:ff:fe:00:00:01") as two:
        with air.SpinelHost(one.port) as sender, air.SpinelHost(two.port) as listener:
            assert listener.get(8) == bytes.fromhex("f412fafffe000001")
            assert two.eui64 == "f4:12:fa:ff:fe:00:00:01" != one.eui64
            sender.start(15, PAN, 0)
            listener.start(15, PAN, 0x1234)
            assert sender.send(BEACON_REQUEST) == 0
            assert listener.received() == bytes.fromhex(BEACON_REQUEST)
            assert sender.send("6188 02 621a 3412 0000 aabb") == 0
            assert listener.received() == bytes.fromhex("618802621a34120000aabb")
            assert sender.send("6188 03 621a 7856 0000 aabb") == 17  # nobody is 0x5678
            air.wait_until(lambda: len(medium.frames()) == 7)  # 4 times without acknowledgement
    assert [m[:3].hex() for _, m in medium.frames()][:3] == ["030801", "618802", "020002"]


def test_a_pty_is_a_serial_line_until_it_ends(medium, tmp_path):
    link = tmp_path / "ttyRCP"
    with air.Rcp(medium, listen=f"pty:{link}") as rcp:
        assert rcp.link == str(link) and os.readlink(link) == rcp.device and pathlib.Path(rcp.device).is_char_device()
        with open(link, "r+b", buffering=0) as line, air.SpinelHost(line=line) as host:
            assert host.get(1) == b"\4\3"
            host.start(0x11, PAN)  # the channel travels escaped
            assert host.get(host.CHANNEL) == b"\x11"
        assert rcp.interrupt() == 0
    assert not link.is_symlink()


def test_one_host_at_a_time_and_each_finds_it_new(medium):
    with air.Rcp(medium) as rcp:
        with air.SpinelHost(rcp.port) as first:
            first.start(15, PAN)
            with socket.create_connection(("127.0.0.1", rcp.port)) as second:
                second.settimeout(air.PATIENCE_S)
                assert second.recv(1) == b""
            assert first.get(first.PHY) == b"\1"
        with air.SpinelHost(rcp.port) as next_one:
            assert next_one.get(next_one.PHY) == b"\0"
            assert next_one.get(next_one.CHANNEL) == b"\x0b"
        rcp.wait_for_log("a second host was turned away")


def test_it_ends_with_the_medium(tmp_path):
    with air.Medium(tmp_path) as medium, air.Rcp(medium) as rcp:
        medium.stop()
        assert rcp.process.wait(air.PATIENCE_S) == 1
        assert "airlift: " in rcp.log


def test_what_it_says_to_people(medium):
    words = [servers.AIRLIFT, "radio", "rcp", "--medium", medium.address, "--listen", "tcp:0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        process.terminate()
        assert process.wait(air.PATIENCE_S) == 0
    assert line.startswith("tcp://127.0.0.1:") and "a radio co-processor" in line


@pytest.mark.parametrize("words, status, reason", [
    (["--listen", "tcp:0"], 2, "--medium and --listen are needed"),
    (["--medium", "/no/such/air", "--listen", "tcp:0"], 1, "no medium is there"),
    (["--medium", "AIR", "--listen", "tcp:99999"], 1, "expected a port"),
    (["--medium", "AIR", "--listen", "/dev/ttyS0"], 2, "expected tcp:PORT or pty:LINK"),
    (["--medium", "AIR", "--listen", "tcp:0", "--eui64", "12:34"], 2, "EUI-64"),
])
def test_wrong_use_is_explained(airlift, medium, words, status, reason):
    done = airlift("radio", "rcp", *[medium.address if w == "AIR" else w for w in words], timeout=20)
    assert done.returncode == status and reason in done.stderr, done.stderr
