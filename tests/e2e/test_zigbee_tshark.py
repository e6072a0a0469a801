"""tshark as judge: joins and upgrades of all kinds, played in virtual time by tests/zigbee/test_scenes.c, are
dissected and decrypted frame by frame; and our own decoder reads the same captures."""
import collections
import json
import pathlib
import shutil
import struct
import subprocess

import pytest

import air
import servers

PLAYER = servers.BUILD / "tests" / "zigbee" / "test_scenes"
pytestmark = [pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed: make setup"),
              pytest.mark.skipif(not PLAYER.exists(), reason=f"{PLAYER} is not built: make unit-bins")]

DEFAULT_LINK_KEY = "5a6967426565416c6c69616e63653039"  # ZigBeeAlliance09
INSTALL_CODE_KEY = "66b6900981e1ee3ca4206b6b861c02bb"
SCENES = ["fragments", "whole_frames", "pages", "sleepy", "two_hops", "install_code", "key_change", "rejoin"]
NOTIFY, QUERY, OFFER, BLOCK_REQ, PAGE_REQ, BLOCK, END_REQ, ORDER = range(8)
BAD = {"malformed": "_ws.malformed", "bad fcs": "wpan.fcs_ok==0", "undecrypted": "zbee_sec.encrypted_payload",
       "expert": "_ws.expert.severity >= 0x600000"}
FIELDS = ["wpan.src16", "zbee_nwk.src", "zbee_nwk.seqno", "zbee_aps.counter", "zbee_zcl_general.ota.cmd.srv_rx.id",
          "zbee_zcl_general.ota.cmd.srv_tx.id", "zbee_aps.fragment.count", "zbee_zcl_general.ota.data_size"]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """The directory with NAME.pcap and NAME.txt of every scene."""
    work = tmp_path_factory.mktemp("scenes")
    done = subprocess.run([PLAYER], capture_output=True, text=True, timeout=120, cwd=servers.ROOT,
                          env={"PATH": "/usr/bin:/bin", "AIRLIFT_SCENES": str(work)})
    assert done.returncode == 0, done.stdout + done.stderr
    return work


def facts(scenes, name):
    """What the devices and the air themselves have counted; `key` of the network."""
    return {k: v if k == "key" else int(v)
            for k, v in (line.split() for line in (scenes / f"{name}.txt").read_text().splitlines())}


def tshark(pcap, keys, *words):
    colons = [":".join(k[i:i + 2] for i in range(0, 32, 2)) for k in keys]
    uat = [w for k in colons for w in ("-o", f'uat:zigbee_pc_keys:"{k}","Normal","test"')]
    done = subprocess.run(["tshark", "-r", pcap, *uat, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def judge(pcap, keys):
    """Counts of bad frames by kind, with the first of each as text."""
    if not tshark(pcap, keys, "-Y", " or ".join(f"({e})" for e in BAD.values())):
        return {}
    found = {kind: tshark(pcap, keys, "-Y", expression) for kind, expression in BAD.items()}
    return {kind: (len(lines), lines[0]) for kind, lines in found.items() if lines}


def ota_messages(pcap, keys):
    """{command: number of messages}; {kind of fragments: messages}; largest block. Copies by relays and
    repetitions of the MAC have the NWK sequence number of the original, those of the APS its counter."""
    commands, fragments, largest, seen = collections.Counter(), collections.Counter(), 0, set()
    words = [w for f in FIELDS for w in ("-e", f)]
    for line in tshark(pcap, keys, "-Y", "zbee_zcl.cs.cmd.id or zbee_zcl_general.ota.cmd.srv_rx.id or "
                       "zbee_zcl_general.ota.cmd.srv_tx.id", "-T", "fields", "-E", "separator=,", *words):
        _, source, _, counter, received, sent, count, size = line.split(",")
        command = received or sent
        message = source, counter, command
        if not command or message in seen:
            continue
        seen.add(message)
        commands[int(command, 0)] += 1
        if count:
            fragments[int(count)] += 1
        largest = max(largest, int(size or "0", 0))
    return commands, fragments, largest


def keys_of(scenes, name):
    return [facts(scenes, name)["key"], DEFAULT_LINK_KEY, INSTALL_CODE_KEY]


@pytest.mark.parametrize("name", SCENES)
def test_tshark_finds_nothing_to_complain_of(scenes, name):
    pcap, told = scenes / f"{name}.pcap", facts(scenes, name)
    frames = len(tshark(pcap, []))
    bad = judge(pcap, keys_of(scenes, name))
    commands, fragments, largest = ota_messages(pcap, keys_of(scenes, name))
    print(f"\ntshark: {name}: {frames} frames, bad: {bad or 0}, OTA commands {dict(sorted(commands.items()))}, "
          f"reassembled from fragments: {sum(fragments.values())}, largest block {largest}")
    assert frames == told["frames"] > 100
    assert not bad
    assert commands[QUERY] == told["queries"] and commands[END_REQ] == told["ends"] >= 1
    assert commands[OFFER] == told["queries"] and commands[ORDER] >= 1
    assert set(commands) <= {QUERY, OFFER, BLOCK_REQ, PAGE_REQ, BLOCK, END_REQ, ORDER}
    if name == "pages":
        assert commands[PAGE_REQ] >= told["size"] // 1024 and commands[BLOCK] >= told["blocks"] > 8
        assert commands[BLOCK_REQ] < 20  # what was missing in a page
        return
    assert told["blocks"] <= commands[BLOCK_REQ] <= told["blocks"] + told["retries"]
    assert commands[BLOCK] >= told["blocks"]
    if name == "whole_frames":
        assert largest == 48 and not fragments
    else:
        # 3 fragments, or more with the copies of those that were sent again; less for the end of the file. Over
        # lossy ways the devices ask for blocks that fit into a frame.
        assert largest == 223 and sum(fragments.values()) > 25 and fragments[3] > 20 and min(fragments) >= 2


@pytest.mark.parametrize("name", SCENES)
def test_our_decoder_reads_the_same_captures(airlift, scenes, name):
    pcap = scenes / f"{name}.pcap"
    done = airlift("zigbee", "decode", "--layer", "mac", "--nwk-key", facts(scenes, name)["key"], "--link-key",
                   INSTALL_CODE_KEY, "--json", pcap)
    assert done.returncode == 0, done.stderr
    frames = json.loads(done.stdout)
    assert len(frames) == facts(scenes, name)["frames"] and not [f for f in frames if "error" in f]
    own = collections.Counter(f["zcl"]["command_id"] for f in frames if f.get("aps", {}).get("cluster") == 0x19 and
                              f.get("zcl", {}).get("frame_type") == "cluster")
    theirs, _, _ = ota_messages(pcap, keys_of(scenes, name))
    assert set(own) == set(theirs)


def records(pcap):
    """[(record header, frame)], each as a bytearray, behind the file's header."""
    data, at, out = pcap.read_bytes(), 24, []
    while at < len(data):
        length = struct.unpack("<I", data[at + 8:at + 12])[0]
        out.append((data[at:at + 16], bytearray(data[at + 16:at + 16 + length])))
        at += 16 + length
    return data[:24], out


def damage(pcap, to, with_fcs):
    """Changes one octet in the tail of a long frame; with_fcs: its FCS fits again."""
    head, frames = records(pcap)
    frame = next(f for _, f in frames[len(frames) // 2:] if len(f) > 60)
    frame[-10] ^= 0x10
    if with_fcs:
        frame[-2:] = struct.pack("<H", air.crc16(bytes(frame[:-2]), 0, False))
    to.write_bytes(head + b"".join(h + bytes(f) for h, f in frames))
    return to


@pytest.mark.parametrize("with_fcs", [False, True])
def test_a_frame_damaged_on_purpose_is_found(airlift, scenes, tmp_path, with_fcs):
    keys = keys_of(scenes, "fragments")
    pcap = damage(scenes / "fragments.pcap", tmp_path / "damaged.pcap", with_fcs)
    bad = judge(pcap, keys)
    assert bad["undecrypted" if with_fcs else "bad fcs"][0] == 1, bad
    done = airlift("zigbee", "decode", "--layer", "mac", "--nwk-key", keys[0], "--json", pcap)
    assert done.returncode == 1
    assert len([f for f in json.loads(done.stdout) if "error" in f]) == 1


def test_without_its_keys_nothing_is_decrypted(scenes):
    """The checks above would see it."""
    pcap = pathlib.Path(scenes / "install_code.pcap")
    assert judge(pcap, [DEFAULT_LINK_KEY])["undecrypted"][0] > 100
