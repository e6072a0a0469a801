"""`airlift radio medium` with nodes that share no code with the project (docs/radio.md shows their
messages), and its captures read by tshark."""
import collections
import json
import shutil
import signal
import socket
import struct
import subprocess

import pytest

import air

PAN, SENT, NO_ACK = 0x1a62, 0, 1
needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed (make setup)")


class Node:
    """A process on the medium; the constructor attaches and configures it."""

    def __init__(self, address, eui64, name="", channel=15):
        self.seen = 0
        if str(address).startswith("udp:"):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.connect(("127.0.0.1", int(str(address)[4:])))
        else:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.socket.connect(str(address))
        self.socket.settimeout(10)
        self.eui64 = eui64
        self.say(0x01, struct.pack("<BQ", 1, eui64) + name.encode())
        assert self.hear(0x80) == b"airlift medium\x01"
        self.seen = 0
        eui, self.fast, self.speed, self.now = struct.unpack("<QBIQ", self.hear(0x81))
        assert eui == eui64
        self.say(0x02, struct.pack("<BbHHQB", channel, 0, PAN, eui64 & 0xffff, eui64, 1))

    def say(self, kind, fields=b""):
        self.socket.send(bytes([kind]) + fields)

    def hear(self, kind=None):
        packet = self.socket.recv(300)
        self.seen += 1
        if kind is None:
            return packet
        assert packet[:1] == bytes([kind]), packet
        return packet[1:]

    def transmit(self, to, seq, ack=True):
        fcf = 0x8861 if ack and to != 0xffff else 0x8841
        self.say(0x03, struct.pack("<HBHHH", fcf, seq, PAN, to, self.eui64 & 0xffff))

    def wait(self, until=2 ** 64 - 1):
        """As fast as possible: the next message, or TIME at until."""
        self.say(0x06, struct.pack("<QI", until, self.seen))
        packet = self.hear()
        self.now = struct.unpack("<Q", packet[1:9])[0]
        return packet

    def close(self):
        self.socket.close()


def dissect(pcap, *fields, where=None):
    """[the fields of a frame] for each frame of a capture."""
    words = ["tshark", "-r", str(pcap), "-T", "fields", "-E", "separator=,"]
    for field in fields:
        words += ["-e", field]
    if where:
        words += ["-Y", where]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [line.split(",") for line in done.stdout.splitlines()]


def stopped(medium, how=signal.SIGINT):
    """Ends it; what it printed."""
    medium.process.send_signal(how)
    out, _ = medium.process.communicate(timeout=10)
    assert medium.process.returncode == 0, medium.log
    return out


def talk(address):
    """Ten frames each way."""
    a, b = Node(address, 1, "a"), Node(address, 2, "b")
    for seq in range(10):
        for sender, receiver in ((a, b), (b, a)):
            sender.transmit(receiver.eui64, seq)
            assert sender.hear(0x83)[8:] == bytes([SENT, 0])
            assert receiver.hear(0x82)[11 + 2] == seq
    a.close()
    b.close()


@pytest.mark.parametrize("link_type", [195, 283])
@needs_tshark
def test_tshark_reads_every_frame(tmp_path, link_type):
    with air.Medium(tmp_path, "--link-type", link_type, "--json") as medium:
        talk(medium.address)
        stats = json.loads(stopped(medium))
    assert not medium.address.exists()
    assert (stats["nodes"], stats["frames"], stats["acks"]) == (2, 40, 20)
    assert [c["channel"] for c in stats["channels"]] == [15]
    assert stats["airtime_us"] == 20 * 352 + 20 * 32 * (6 + 11)
    assert dissect(medium.pcap, "wpan.frame_type", "wpan.seq_no", "wpan.fcs_ok") == \
        [[kind, str(seq), "1"] for seq in range(10) for _ in range(2) for kind in ("0x0001", "0x0002")]
    assert dissect(medium.pcap, "frame.number", where="_ws.malformed || wpan.fcs_ok == 0") == []
    if link_type == 283:
        assert {tuple(f) for f in dissect(medium.pcap, "wpan-tap.ch_num")} == {("15",)}


@needs_tshark
def test_damage_would_be_seen(tmp_path):
    with air.Medium(tmp_path) as medium:
        talk(medium.address)
        stopped(medium)
    data = bytearray(medium.pcap.read_bytes())
    data[24 + 16 + 8] ^= 1
    medium.pcap.write_bytes(data)
    assert dissect(medium.pcap, "frame.number", where="wpan.fcs_ok == 0") == [["1"]]


@needs_tshark
def test_zep_is_read_by_tshark(tmp_path):
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listener.bind(("127.0.0.1", 17754))
    except OSError:
        pytest.skip("UDP port 17754 is in use")
    listener.settimeout(10)
    with air.Medium(tmp_path, "--zep") as medium:
        talk(medium.address)
        datagrams = [listener.recv(300) for _ in range(40)]
        stopped(medium)
    listener.close()
    text = "".join("000000 " + d.hex(" ") + "\n" for d in datagrams)
    (tmp_path / "zep.txt").write_text(text)
    subprocess.run(["text2pcap", "-q", "-F", "pcap", "-u", "17754,17754", tmp_path / "zep.txt", tmp_path / "zep.pcap"],
                   check=True, capture_output=True, timeout=60)
    frames = dissect(tmp_path / "zep.pcap", "zep.channel_id", "wpan.seq_no")
    assert frames == [["15", str(seq)] for seq in range(10) for _ in range(4)]
    assert dissect(tmp_path / "zep.pcap", "frame.number", where="_ws.malformed || wpan.fcs_ok == 0") == []


def test_statistics_are_printed_at_the_end(tmp_path):
    with air.Medium(tmp_path) as medium:
        talk(medium.address)
        medium.wait_for_log("b is gone")
        said = stopped(medium, signal.SIGTERM)
    assert "a is attached as 0000000000000001" in medium.log
    assert "2 nodes in " in said and "40 frames (20 acknowledgements, 0 repetitions), 0 collisions, 0 losses" in said
    assert "channel 15 in use" in said


def test_it_ends_by_itself_with_once(tmp_path):
    with air.Medium(tmp_path, "--once") as medium:
        talk(medium.address)
        assert medium.process.wait(10) == 0
    assert not medium.address.exists()


def test_udp_works_as_the_socket_does(tmp_path):
    with air.Program(tmp_path, "medium", "radio", "medium", "udp:0") as medium:
        medium.wait_for_log("listening on UDP port")
        port = medium.log.split("UDP port ")[1].split()[0]
        talk(f"udp:{port}")


def test_layout_says_who_hears_whom(tmp_path):
    layout = tmp_path / "house"
    layout.write_text("place a 0 0\nplace b 10 0\nplace c 25 0   # far\nlink a c 0\n"
                      "link b > c 1 -70\nlink c > b 0\n")
    with air.Medium(tmp_path, "--layout", layout) as medium:
        a, b, c = (Node(medium.address, i + 1, name) for i, name in enumerate("abc"))
        a.transmit(2, 1)
        assert a.hear(0x83)[8] == SENT
        assert b.hear(0x82)[8:9] == struct.pack("b", -81)  # -95 + 30 log10(30 / 10)
        a.transmit(3, 2)
        assert a.hear(0x83)[8] == NO_ACK
        b.transmit(3, 3)  # heard, but the acknowledgement is not
        assert b.hear(0x83)[8] == NO_ACK
        assert c.hear(0x82)[8:9] == struct.pack("b", -70)
        for node in (a, b, c):
            node.close()


def fast_run(tmp_path, name, seed):
    """(statistics, capture) of 200 frames on a lossy medium, and the real seconds it took."""
    work = tmp_path / name
    work.mkdir()
    with air.Medium(work, "--fast", "--seed", seed, "--loss", "0.2", "--once", "--json") as medium:
        a, waits = Node(medium.address, 1, "a"), collections.Counter()
        for seq in range(200):
            a.transmit(0xffff if seq % 2 else 9, seq)
            waits[a.wait()[9]] += 1
            a.wait(a.now + 3_600_000_000)
        a.close()
        out, _ = medium.process.communicate(timeout=20)
    assert waits == {SENT: 100, NO_ACK: 100}
    return json.loads(out), medium.pcap.read_bytes()


def test_fast_time_is_the_same_each_time(tmp_path):
    first, again, other = (fast_run(tmp_path, name, seed) for name, seed in (("1", 7), ("2", 7), ("3", 8)))
    assert first == again
    assert first[1] != other[1]
    assert first[0]["time_us"] > 199 * 3_600_000_000
    assert first[0]["repetitions"] == 300


def test_socket_in_use_is_refused(tmp_path, airlift):
    with air.Medium(tmp_path) as medium:
        second = airlift("radio", "medium", medium.address)
        assert second.returncode == 1 and "a process listens there already" in second.stderr
        medium.process.kill()
        medium.process.wait()
    assert medium.address.exists()
    with air.Program(tmp_path, "next", "radio", "medium", medium.address) as heir:
        heir.wait_for_log("listening at")
        talk(medium.address)


@pytest.mark.parametrize("words, status, message", [
    (["--loss", "1.5"], 2, "--loss: '1.5' is no number from 0 to 1"),
    (["--fast", "--speed", "2"], 2, "--fast and --speed exclude each other"),
    (["--wait", "3"], 2, "--wait and --patience belong to --fast"),
    (["--link-type", "195"], 2, "--link-type belongs to --pcap FILE"),
    (["--layout", "no-such-file"], 1, "no-such-file: No such file"),
    (["--pcap", "/nowhere/x"], 1, "/nowhere/x: No such file or directory"),
])
def test_wrong_use_is_named(tmp_path, airlift, words, status, message):
    done = airlift("radio", "medium", tmp_path / "air", *words)
    assert done.returncode == status and message in done.stderr
    assert not (tmp_path / "air").exists()


@pytest.mark.parametrize("line, message", [
    ("place a 1", "line 2: a place is 'place NODE X Y'"),
    ("link a b 2", "line 2: the PRR of a link is 0 to 1"),
    ("link a b 1 60", "line 2: the level of a link is -95 to 20 dBm"),
    ("node a", "line 2: a line begins with 'place' or 'link'"),
])
def test_wrong_layout_names_the_line(tmp_path, airlift, line, message):
    (tmp_path / "layout").write_text(f"# a house\n{line}\n")
    done = airlift("radio", "medium", tmp_path / "air", "--layout", tmp_path / "layout")
    assert done.returncode == 1 and message in done.stderr
