"""zigbee-herdsman (zigbee2mqtt's heart) as coordinator and OTA server for `airlift zigbee client`: the
device joins, is interviewed and upgraded over the virtual co-processor."""
import contextlib
import hashlib
import json
import re
import socket
import struct
import threading

import pytest

import air
import peers

pytestmark = peers.needed
PAN, CHANNEL = 0x1a62, 15
MANUFACTURER, IMAGE_TYPE = 0x131b, 0x1011
MAKER, MODEL = "Airlift", "test-light"
EUI = 0x744dbdfffe60aa02
NETWORK_KEY = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
APS_ACK = 45  # octets of an MPDU with nothing but an acknowledgement of the APS in it
IMAGE_NOTIFY, QUERY_NEXT_IMAGE = 0, 1
TYPES = {"router": "Router", "end-device": "EndDevice", "sleepy": "EndDevice"}


def ota_file(path, version, size=1500):
    """A Zigbee OTA file made by hand: header, one element."""
    image = (hashlib.sha512(str(version).encode()).digest() * (size // 64 + 1))[:size]
    total = 56 + 6 + len(image)
    path.write_bytes(struct.pack("<IHHHHHIH32sI", 0x0beef11e, 0x100, 56, 0, MANUFACTURER, IMAGE_TYPE, version, 2,
                                 b"for the tests", total) + struct.pack("<HI", 0, len(image)) + image)
    return path


class Device(air.Program):
    """`airlift zigbee client`"""

    def __init__(self, medium, work, role, *words, version=1):
        self.out = work / "got.zigbee"
        super().__init__(work, f"client-{role}", "zigbee", "client", "--radio", medium.radio, "--role", role,
                         "--eui64", f"{EUI:016x}", "--maker", MAKER, "--model", MODEL, "--build", "1.0.0",
                         "--version", str(version), "--out", self.out, "--long-poll", "500", "--for", "170",
                         "--json", *words)

    def finish(self, seconds=120):
        """Waits for its end; gives its JSON document."""
        out, _ = self.process.communicate(timeout=seconds)
        assert self.process.returncode == 0, f"{out}\n{self.log}"
        return json.loads(out)


def complaints(herdsman, loss):
    """What it warns of. On a busy machine an acknowledgement can be late in real time: zigbee-on-host sends again, and
    takes the repetition of a frame whose acknowledgement was lost for a replay."""
    usual = re.compile("attempt=|NWK Rejecting replay frame" if loss else r"APS DATA.*Failed to send$")
    return [f"{e['level']}: {e['text']}" for e in herdsman.events if e["event"] == "log" and not usual.search(e["text"])]


def interviewed(herdsman):
    """The device, as herdsman has come to know it."""
    herdsman.expect("deviceJoined")
    return herdsman.expect("deviceInterview", seconds=60, status="successful")["device"]


def ota_frames(medium, airlift):
    """The frames of the OTA cluster, all layers, as `airlift zigbee decode` reads them; none is damaged."""
    done = airlift("zigbee", "decode", "--layer", "mac", "--nwk-key", NETWORK_KEY, "--json", medium.pcap)
    assert done.returncode == 0, done.stderr[-3000:]
    return [f for f in json.loads(done.stdout) if f.get("aps", {}).get("cluster") == 0x19 and "zcl" in f]


class ForgetfulLine:
    """Between a host and a co-processor, TCP: once armed, a number of received APS acknowledgements is lost."""

    def __init__(self, port):
        self.target, self.drop, self.dropped = port, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        host, _ = self.listener.accept()
        rcp = socket.create_connection(("127.0.0.1", self.target))
        for end in (host, rcp):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._down, args=(host, rcp), daemon=True).start()
        rest = b""
        while data := rcp.recv(4096):
            *frames, rest = (rest + data).split(b"\x7e")
            for frame in frames:
                if frame and not self._loses(air.unescaped(frame)):
                    host.sendall(b"\x7e" + frame + b"\x7e")
        host.close()

    def _loses(self, payload):
        is_ack = payload[1:3] == b"\x06\x71" and struct.unpack("<H", payload[3:5])[0] == APS_ACK
        if not is_ack or not self.drop:
            return False
        self.drop -= 1
        self.dropped += 1
        return True

    @staticmethod
    def _down(host, rcp):
        while data := host.recv(4096):
            rcp.sendall(data)
        rcp.close()


@contextlib.contextmanager
def coordinator(work, *options):
    """(medium, herdsman), the network open."""
    with air.Medium(work, *options) as medium, air.Rcp(medium) as rcp, \
            peers.Peer("herdsman", rcp.port, work / "herdsman", channel=CHANNEL, panId=PAN) as herdsman:
        herdsman.expect("started")
        herdsman.tell("permit", seconds=180)
        herdsman.expect("done", do="permit")
        yield medium, herdsman
        herdsman.quit()


@pytest.mark.parametrize("role, loss", [("router", 0), ("end-device", 0), ("sleepy", 0), ("sleepy", 0.05)])
def test_a_device_joins_is_interviewed_and_upgraded(tmp_path, role, loss):
    new = ota_file(tmp_path / "new.zigbee", 2)
    with coordinator(tmp_path, "--loss", str(loss)) as (medium, herdsman), \
            Device(medium, tmp_path, role, "--exit-after", "finish", "--linger", "3") as client:
        device = interviewed(herdsman)
        assert device["type"] == TYPES[role]
        assert device["manufacturerName"] == MAKER and device["modelID"] == MODEL
        assert device["ieeeAddr"] == f"0x{EUI:016x}"
        endpoint = device["endpoints"][0]
        assert 0 in endpoint["inputClusters"] and 0x19 in endpoint["outputClusters"]

        herdsman.tell("read", device=device["ieeeAddr"], cluster="genBasic", attributes=["swBuildId", "zclVersion"])
        assert herdsman.expect("done", do="read")["values"]["swBuildId"] == "1.0.0"

        herdsman.tell("ota", device=device["ieeeAddr"], file=str(new))
        done = herdsman.expect("done", do="ota", seconds=150)
        assert done["from"]["fileVersion"] == 1 and done["to"]["fileVersion"] == 2
        client.finish()
    assert client.out.read_bytes() == new.read_bytes()
    progress = [e["percent"] for e in herdsman.events if e["event"] == "progress"]
    assert progress and progress == sorted(progress), progress
    assert not complaints(herdsman, loss)


def test_a_repeated_image_notify_does_not_start_a_second_upgrade(tmp_path, airlift):
    """zigbee-on-host misses the acknowledgement of Image Notify and sends it again, as the same APS message."""
    new = ota_file(tmp_path / "new.zigbee", 2)
    with air.Medium(tmp_path) as medium, air.Rcp(medium) as rcp:
        line = ForgetfulLine(rcp.port)
        with peers.Peer("herdsman", line.port, tmp_path / "herdsman", channel=CHANNEL, panId=PAN) as herdsman:
            herdsman.expect("started")
            herdsman.tell("permit", seconds=180)
            herdsman.expect("done", do="permit")
            with Device(medium, tmp_path, "router", "--exit-after", "finish", "--linger", "3") as client:
                device = interviewed(herdsman)
                # Its own first query is over: what follows is the answer to the notification.
                air.wait_until(lambda: any(f["zcl"]["command_id"] == QUERY_NEXT_IMAGE for f in ota_frames(medium, airlift)),
                               seconds=60)
                before = len(ota_frames(medium, airlift))
                line.drop = 1
                herdsman.tell("ota", device=device["ieeeAddr"], file=str(new))
                herdsman.expect("done", do="ota", seconds=150)
                client.finish()
            herdsman.quit()
        assert line.dropped == 1
        frames = ota_frames(medium, airlift)[before:]
    notes = [f for f in frames if f["zcl"]["command_id"] == IMAGE_NOTIFY and f["nwk"]["src"] == 0]
    queries = {f["aps"]["counter"] for f in frames if f["zcl"]["command_id"] == QUERY_NEXT_IMAGE and
               f["zcl"]["frame_type"] == "cluster"}
    assert len({f["nwk"]["seq"] for f in notes}) == 2 and len({f["aps"]["counter"] for f in notes}) == 1, notes
    assert len(queries) <= 2, queries  # to the notification, and as the new version
    assert client.out.read_bytes() == new.read_bytes()
