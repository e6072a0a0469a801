"""zigbee-on-host, and zigbee-herdsman on top of it, form a network on the virtual co-processor."""
import time

import pytest

import air
import peers

pytestmark = peers.needed
PAN, CHANNEL = 0x1a62, 15
EPID = 0x744dbdfffe63788a
BEACON_REQUEST = "0308 21 ffff ffff 07"
PERMIT_BIT = 0x8000


@pytest.fixture
def network(tmp_path):
    """(medium, co-processor)"""
    with air.Medium(tmp_path) as medium, air.Rcp(medium) as rcp:
        yield medium, rcp


def is_beacon(mpdu):
    return mpdu[:2] == b"\x00\x80"


def ask_for_beacon(medium):
    """What a device that looks for a network gets to hear."""
    with air.Rcp(medium) as rcp, air.SpinelHost(rcp.port) as device:
        device.start(CHANNEL, 0xffff)
        assert device.send(BEACON_REQUEST) == 0
        return device.received(is_beacon)


def superframe(beacon):
    return int.from_bytes(beacon[7:9], "little")


def is_link_status(mpdu):
    """A NWK command with security, broadcast with radius 1 to all routers, from the coordinator. (Its
    command id is encrypted; nothing else that a coordinator sends looks so.)"""
    mac_ok = mpdu[:2] == b"\x41\x88" and mpdu[3:9] == b"\x62\x1a\xff\xff\x00\x00"
    nwk = int.from_bytes(mpdu[9:11], "little")
    return mac_ok and nwk & 3 == 1 and nwk & 0x200 and mpdu[11:15] == b"\xfc\xff\x00\x00" and mpdu[15] == 1


def test_it_forms_a_network_within_seconds(network, tmp_path):
    medium, rcp = network
    began = time.monotonic()
    with peers.Peer("coordinator", rcp.port, tmp_path / "zoh", channel=CHANNEL, panId=PAN) as zoh:
        formed = zoh.expect("formed")
        assert time.monotonic() - began < 10
        assert formed["panId"] == PAN and formed["api"] == 11 and formed["version"].startswith("AIRLIFT/")

        beacon = ask_for_beacon(medium)
        assert beacon[3:7] == b"\x62\x1a\x00\x00"  # PAN, coordinator
        assert superframe(beacon) == 0x4fff  # closed
        assert beacon[11:14] == b"\x00\x22\x84" and int.from_bytes(beacon[14:22], "little") == EPID

        zoh.tell("permit", seconds=60)
        zoh.expect("done", do="permit")
        assert superframe(ask_for_beacon(medium)) == 0x4fff | PERMIT_BIT

        air.wait_until(lambda: any(is_link_status(m) for _, m in medium.frames()),
                       lambda: "no link status in " + str([m.hex() for _, m in medium.frames()]), 40)
        zoh.quit()
    rcp.wait_for_log("the host has disconnected")
    assert not [e for e in zoh.events if e["event"] == "log"]


def test_a_device_associates_and_is_given_the_network_key(network, tmp_path):
    """The MAC of a join, frame by frame; the device is a spinel host of its own."""
    medium, rcp = network
    eui = bytes.fromhex("744dbdfffe60aa02")
    with peers.Peer("coordinator", rcp.port, tmp_path / "zoh", channel=CHANNEL, panId=PAN) as zoh, \
            air.Rcp(medium) as other, air.SpinelHost(other.port) as device:
        zoh.expect("formed")
        zoh.tell("permit", seconds=60)
        zoh.expect("done", do="permit")
        device.set(device.LADDR, eui)
        device.start(CHANNEL, PAN)
        wire = eui[::-1].hex()
        assert device.send(f"23c8 22 621a 0000 ffff {wire} 01 8e") == 0  # association request, acknowledged
        response = poll(device, f"63c8 %02x 621a 0000 {wire} 04", lambda m: m[:2] == b"\x63\xcc")
        assert response[5:13] == eui[::-1] and response[21] == 2 and response[24] == 0  # for us, success
        short = response[22:24]
        device.set(device.SADDR, short)
        key = poll(device, f"6388 %02x 621a 0000 {short.hex()} 04", lambda m: m[5:7] == short)
        nwk, aps = int.from_bytes(key[9:11], "little"), key[25]
        assert nwk & 0x200 == 0 and nwk & 3 == 0  # not secured by the key that it brings
        assert aps == 0x21, key.hex()  # a command of the APS, secured
        zoh.quit()


def poll(device, request, wanted):
    """Sends data requests, with other sequence numbers, until the frame comes."""
    for seq in range(0x40, 0x48):
        assert device.send(request % seq) == 0
        try:
            return device.received(wanted, seconds=1)
        except TimeoutError:
            continue
    raise AssertionError("polls brought nothing")


@pytest.mark.parametrize("line", ["tcp", "pty"])
def test_a_herdsman_starts_opens_and_resumes(tmp_path, line):
    listen = "tcp:0" if line == "tcp" else f"pty:{tmp_path}/ttyRCP"
    with air.Medium(tmp_path) as medium, air.Rcp(medium, listen=listen) as rcp:
        start_open_and_resume(medium, rcp, tmp_path)


def start_open_and_resume(medium, rcp, tmp_path):
    path = rcp.link or f"tcp://127.0.0.1:{rcp.port}"
    for result in ("reset", "resumed"):
        with peers.Peer("herdsman", rcp.port, tmp_path / "herdsman", path=path, channel=CHANNEL, panId=PAN) as herdsman:
            started = herdsman.expect("started")
            assert started["result"] == result
            assert started["network"]["panID"] == PAN and started["network"]["channel"] == CHANNEL
            herdsman.tell("permit", seconds=60)
            herdsman.expect("permitJoinChanged", permitted=True)
            herdsman.expect("done", do="permit")
            assert superframe(ask_for_beacon(medium)) == 0x4fff | PERMIT_BIT
            herdsman.tell("devices")
            assert [d["type"] for d in herdsman.expect("done", do="devices")["devices"]] == ["Coordinator"]
            herdsman.tell("ota", device="0x0000000000000001", file="none")
            assert "no device" in herdsman.expect("failed", do="ota")["message"]
            herdsman.quit()
        assert not [e for e in herdsman.events if e["event"] == "log"]
