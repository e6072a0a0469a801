"""Recorded Zigbee frames through `airlift zigbee decode --layer mac`, from every container."""
import json
import pathlib
import re
import shutil
import struct
import subprocess

import pytest

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors" / "zigbee-stack"
TEXT = (VECTORS / "join-ota.txt").read_text() + (VECTORS / "fragments.txt").read_text()
FRAMES = {int(line.split()[0]): bytes.fromhex(line.split()[3]) for line in TEXT.splitlines() if not line.startswith("#")}
NETWORK_KEY = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
DEVICE, COORDINATOR = "74:4d:bd:ff:fe:60:aa:02", "74:4d:bd:ff:fe:63:78:8a"


@pytest.fixture
def decode(airlift, tmp_path):
    """Decodes bytes: exit status, list of frames by number, standard error."""
    def run(data, *words):
        path = tmp_path / "capture"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        done = airlift("zigbee", "decode", "--layer", "mac", path, *words, "--json")
        doc = json.loads(done.stdout)
        return done.returncode, {f["number"]: f for f in doc} if isinstance(doc, list) else doc, done.stderr
    return run


def tap(mpdu):
    return struct.pack("<BBHHHI", 0, 0, 28, 0, 1, 1) + struct.pack("<HHIHHI", 10, 4, 0, 3, 3, 13) + mpdu


def zep(mpdu, version=4, fcs=True, port=17754):
    body = b"EX\x02\x01" + bytes([13]) + b"\x01\x00" + bytes([fcs, 200]) + bytes(22) + bytes([len(mpdu)]) + mpdu
    udp = struct.pack(">HHHH", 40000, port, 8 + len(body), 0) + body
    if version == 4:
        return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1") + udp
    return struct.pack(">IHBB", 6 << 28, len(udp), 17, 64) + bytes(32) + udp


CONTAINERS = {
    "fcs": (195, lambda m: m), "no_fcs": (230, lambda m: m[:-2]), "tap": (283, tap),
    "zep_ethernet": (1, lambda m: bytes(12) + b"\x08\x00" + zep(m)),
    "zep_vlan": (1, lambda m: bytes(12) + b"\x81\x00\x00\x05\x86\xdd" + zep(m, 6)),
    "zep_ip": (101, zep), "zep_ipv6": (229, lambda m: zep(m, 6)),
    "zep_no_crc": (228, lambda m: zep(m, fcs=False)),
    "zep_sll": (113, lambda m: bytes(14) + b"\x08\x00" + zep(m)),
    "zep_sll2": (276, lambda m: b"\x08\x00" + bytes(18) + zep(m)),
}


def pcap(container, frames, order="<", nanoseconds=False):
    link, wrap = CONTAINERS[container]
    out = struct.pack(order + "IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    for i, mpdu in enumerate(frames):
        packet = wrap(mpdu)
        out += struct.pack(order + "IIII", 1700000000 + i, 500000000 if nanoseconds else 500000, len(packet), len(packet)) + packet
    return out


def test_keys_are_learned_and_every_layer_is_shown(decode):
    status, frames, stderr = decode(TEXT)
    assert (status, stderr) == (0, "")
    assert len(frames) == 30 and not any("error" in f for f in frames.values())
    assert frames[2]["mac"]["beacon"]["extended_pan_id"] == COORDINATOR
    assert frames[7]["mac"]["command"] == {"id": 2, "name": "association_response", "short_addr": 0x60EB, "status": 0}
    assert frames[8]["aps"]["security"] == {"key": "key-transport", "level": 0, "counter": 17, "source": COORDINATOR, "decrypted": True}
    assert frames[8]["aps"]["command"]["key"] == NETWORK_KEY
    assert frames[9]["zdp"] == {"name": "Device_annce", "cluster": 0x13, "seq": 1, "addr": 0x60EB, "ext": DEVICE, "capability": 0x8E}
    assert frames[11]["zdp"]["revision"] == 22
    assert frames[14]["aps"]["command"]["hash"] == "1ab128df1639a1246aaba72a6a559124"
    assert frames[16]["zcl"]["fields"] == {"payloadType": 0, "queryJitter": 100}
    assert frames[18]["zcl"]["fields"]["imageSize"] == 618480
    assert frames[20]["zcl"]["fields"]["data"] == bytes((7 * i + 3) % 256 for i in range(64)).hex()
    assert frames[26]["aps"]["reassembled"] == 240
    assert frames[26]["zcl"]["fields"]["data"] == bytes((7 * (64 + i) + 3) % 256 for i in range(223)).hex()
    assert frames[30]["zcl"]["fields"]["upgradeTime"] == 5


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_the_same_frames(decode, container):
    _, wanted, _ = decode(TEXT)
    order = ">" if container in ("tap", "fcs") else "<"
    status, frames, stderr = decode(pcap(container, FRAMES.values(), order, nanoseconds=container == "tap"))
    assert (status, stderr) == (0, "")
    for number, frame in frames.items():
        assert frame.pop("time") == 1700000000 + number - 1 + 0.5
        for layer in ("mac", "nwk", "aps", "zdp", "zcl"):
            there, good = frame.get(layer), wanted[number].get(layer)
            if layer == "mac" and container in ("no_fcs", "zep_no_crc"):
                good = {k: v for k, v in good.items() if not k.startswith("fcs")}
            assert there == good
    assert len(frames) == 30


def test_text_has_a_line_for_each_layer(airlift):
    done = airlift("zigbee", "decode", "--layer", "mac", "--nwk-key", NETWORK_KEY, VECTORS / "fragments.txt")
    assert done.returncode == 0
    block = done.stdout.split("28  upgrade_end_req  57 octets\n")[1].split("\n29 ")[0]
    assert [line.split()[0] for line in block.splitlines()] == ["mac", "nwk", "aps", "zcl"]
    assert "src=0x60eb" in block and "cluster=0x0019" in block and "name=Upgrade End Request" in block


def test_a_key_opens_what_comes_before_it_too(decode):
    text = (VECTORS / "fragments.txt").read_text() + (VECTORS / "join-ota.txt").read_text()
    status, frames, stderr = decode(text)
    assert (status, stderr) == (0, "")
    assert len(frames) == 30 and not any("error" in f for f in frames.values())


def test_without_the_key_frames_are_named_undecryptable(decode):
    status, frames, stderr = decode((VECTORS / "fragments.txt").read_text())
    assert status == 1 and "10 of 10 frames" in stderr
    assert all(f["error"]["layer"] == "nwk" and f["error"]["name"] == "no_key" for f in frames.values())
    assert "--nwk-key" in frames[21]["error"]["message"]


def test_link_keys_that_do_not_fit_are_counted(decode):
    frame8 = " ".join(next(line for line in TEXT.splitlines() if line.startswith("08")).split())
    changed = frame8[:-20] + ("0" if frame8[-20] != "0" else "1") + frame8[-19:-4]
    status, frames, _ = decode(changed, "--no-fcs", "--link-key", "00112233445566778899aabbccddeeff")
    assert status == 1 and frames[8]["error"]["name"] == "no_key" and "2 link keys" in frames[8]["error"]["message"]


FAULTS = {
    "bad_fcs": FRAMES[16][:-1] + b"\0",
    "bad_length": b"\x02\x00\x01",
    "unsupported": bytes.fromhex("040001"),
    "bad_version": bytes.fromhex("412001"),
    "bad_field": bytes.fromhex("01040100000000"),
    "truncated": bytes.fromhex("618801eaa1000000"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_frames_are_named(decode, name):
    words = [] if name in ("bad_fcs", "bad_length") else ["--no-fcs"]
    status, frames, _ = decode(FAULTS[name].hex(), *words)
    assert status == 1
    assert frames[1]["error"]["name"] == name and frames[1]["error"]["layer"] == "mac"


@pytest.mark.parametrize("data, message", [
    (b"", "no 802.15.4 frame"), (b"# nothing\n", "no 802.15.4 frame"), (b"hello world\n", "line 1"), (b"6188\nabc\n", "line 2"),
    (b"\x0a\x0d\x0d\x0a" + bytes(40), "pcapng"), (b"\xd4\xc3\xb2\xa1\x02", "header of 24 bytes"),
    (struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 105), "link type 105"),
    (pcap("fcs", FRAMES.values())[:-3], "packet 30 at offset"), (b"00" * 300, "line 1"),
])
def test_files_that_are_no_capture_are_refused(airlift, tmp_path, data, message):
    path = tmp_path / "capture"
    path.write_bytes(data)
    done = airlift("zigbee", "decode", "--layer", "mac", "--no-fcs", path)
    assert done.returncode == 1 and message in done.stderr


@pytest.mark.parametrize("words", [["--nwk-key", "a1b2"], ["--link-key", NETWORK_KEY + "00"], ["--nwk-key", "x" * 32]])
def test_keys_that_are_none_are_wrong_use(airlift, words):
    done = airlift("zigbee", "decode", "--layer", "mac", *words, VECTORS / "join-ota.txt")
    assert done.returncode == 2 and "32 hexadecimal digits" in done.stderr


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_tshark_sees_the_same_values(decode, tmp_path):
    (tmp_path / "v.pcap").write_bytes(pcap("fcs", FRAMES.values()))
    names = ["wpan.seq_no", "zbee_nwk.src", "zbee_nwk.seqno", "zbee_aps.counter", "zbee_zcl.cmd.tsn"]
    done = subprocess.run(["tshark", "-r", tmp_path / "v.pcap", "-o", "uat:zigbee_pc_keys:\"5A:69:67:42:65:65:41:6C:6C:69:61:6E:63:65:30:39\",\"Normal\",\"tclk\"",
                           "-T", "fields", "-E", "separator=,", *sum((["-e", n] for n in names), [])], capture_output=True, text=True, check=True)
    _, frames, _ = decode(TEXT)
    lines = done.stdout.splitlines()
    assert len(lines) == 30
    for number, line in enumerate(lines, 1):
        f = frames[number]
        ours = [f["mac"]["seq"], f.get("nwk", {}).get("src"), f.get("nwk", {}).get("seq"), f.get("aps", {}).get("counter"), f.get("zcl", {}).get("tsn")]
        theirs = [int(re.sub(r",.*", "", v), 0) if v else None for v in line.split(",")]
        assert ours == theirs, f"frame {number}"
