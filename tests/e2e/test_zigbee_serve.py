"""The Zigbee gateway and its devices as real processes on a scaled medium: `airlift zigbee serve`,
`airlift zigbee client`, `airlift zigbee control`."""
import hashlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import time

import pytest

import air
import lab
import servers

MAKER, TYPE = 0x131b, 0x1011
CODE, OTHER_CODE = "83FED3407A939723A5C639B26916D505C3B5", "83FED3407A939738C552"
# Time-outs shrink with the medium's time, but programs do not get faster.
SPEED = "3" if lab.sanitized() else "10"
PATIENCE_S = 100


class Process(air.Program):
    """Standard output goes to a file as well, so that nobody has to read along."""

    def __init__(self, work, name, *words):
        super().__init__(work, name, *words)
        self.out_file = work / f"{name}.out"

    def start(self):
        with open(self.log_file, "ab") as log, open(self.out_file, "ab") as out:
            self.process = subprocess.Popen([servers.AIRLIFT, *self.words], stdin=subprocess.PIPE,
                                            stdout=out, stderr=log, text=True)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()

    def end(self, seconds=PATIENCE_S) -> int:
        """Its exit status, once it ends by itself."""
        return self.process.wait(timeout=seconds)


class Serve(Process):
    """`airlift zigbee serve` on a radio; .events() so far, .ask(command, ...)."""

    def __init__(self, medium, *options, name="serve", radio=None, state="gateway.state"):
        self.socket = medium.work / f"{name}.socket"
        super().__init__(medium.work, name, "zigbee", "serve", "--radio", radio or medium.radio, "--state",
                         medium.work / state, "--control", self.socket, "--json", *options)

    def start(self):
        super().start()
        before = len(self.events("formed"))
        air.wait_until(lambda: len(self.events("formed")) > before or self.process.poll() is not None,
                       lambda: self.log, PATIENCE_S)
        assert self.process.poll() is None, self.log

    def lines(self):
        return [json.loads(line) for line in self.out_file.read_text().splitlines(keepends=True)
                if line.startswith('{"') and line.endswith("\n")]

    def events(self, kind=None, device=None):
        return [e for e in self.lines() if "event" in e and kind in (None, e["event"])
                and device in (None, e.get("device"))]

    def ask(self, command, **arguments):
        words = [f"{k}={json.dumps(v) if isinstance(v, bool) else v}" for k, v in arguments.items()]
        done = subprocess.run([servers.AIRLIFT, "zigbee", "control", "--control", self.socket, command, *words],
                              capture_output=True, text=True, timeout=30)
        answer = json.loads(done.stdout)
        assert (done.returncode == 0) == answer["ok"], done.stderr
        return answer

    def wait_for(self, kind, count=1, device=None):
        air.wait_until(lambda: len(self.events(kind, device)) >= count,
                       lambda: f"{count} x {kind} did not come:\n{self.log}", PATIENCE_S)
        return self.events(kind, device)


class Client(Process):
    """`airlift zigbee client`; .image is its file, .result() its JSON when it has ended."""

    def __init__(self, medium, name, *options, radio=None):
        self.image = medium.work / f"{name}.img"
        super().__init__(medium.work, name, "zigbee", "client", "--radio", radio or medium.radio, "--out", self.image,
                         "--state", medium.work / f"{name}.state", "--json", *options)

    def result(self):
        return json.loads(self.out_file.read_text())

    def wait_for_part(self, size):
        part = self.image.with_name(self.image.name + ".part")
        air.wait_until(lambda: part.exists() and part.stat().st_size >= size, lambda: self.log, PATIENCE_S)


@pytest.fixture
def medium(tmp_path):
    with air.Medium(tmp_path, "--speed", SPEED) as m:
        yield m


@pytest.fixture
def images(tmp_path, airlift):
    """add(size, version) puts a file into .dir; gives its bytes."""
    class Images:
        dir = tmp_path / "images"

        def add(self, size, version=2, name="app.zigbee", **kwargs):
            source = tmp_path / f"payload{version}"
            source.write_bytes(os.urandom(size))
            made = tmp_path / name
            done = airlift("zigbee", "pack", source, "--manufacturer", MAKER, "--image-type", TYPE, "--file-version",
                           version, "--out", made)
            assert done.returncode == 0, done.stderr
            made.rename(self.dir / name)
            return (self.dir / name).read_bytes()
    Images.dir.mkdir()
    return Images()


def requests_of(medium, airlift, network_key, client):
    """File offsets of the Image Block Requests that a client sent, in their order."""
    copy = medium.work / "copy.pcap"
    copy.write_bytes(medium.pcap.read_bytes())
    done = airlift("zigbee", "decode", "--layer", "mac", "--nwk-key", network_key, copy, "--json")
    offsets, seen = [], set()
    for frame in json.loads(done.stdout):
        zcl = frame.get("zcl") or {}
        if zcl.get("command_id") != 3 or zcl.get("cluster") != 25 or frame["nwk"]["src"] != client:
            continue
        # A frame that is repeated by MAC or APS is no new request.
        request = zcl["tsn"], zcl["fields"]["fileOffset"]
        if request in seen:
            continue
        seen.add(request)
        offsets.append(zcl["fields"]["fileOffset"])
    return offsets


def test_three_kinds_of_devices_get_the_image(medium, images):
    data = images.add(30000)
    with Serve(medium, "--images", images.dir, "--permit", "250", "--status", medium.work / "status.json") as serve:
        options = {"router": (), "end-device": ("--page-size", "1024"), "sleepy": ()}
        clients = [Client(medium, role, "--role", role, "--model", f"a {role}", "--linger", "40", *more)
                   for role, more in options.items()]
        for c in clients:
            c.start()
        done = serve.wait_for("done", 3)
        assert all(e["version"] == 2 and e["confirmed"] for e in done)
        for c in clients:
            assert c.end() == 0, c.log
            result = c.result()
            assert result["joined"] and result["complete"] and result["bytes"] == len(data), result
            assert result["sha256"] == hashlib.sha256(data).hexdigest()
            assert c.image.read_bytes() == data
        devices = {d["model"]: d for d in serve.ask("devices")["devices"]}
        assert devices["a sleepy"]["role"] == "sleepy end device" and devices["a router"]["role"] == "router"
        assert all(d["upgrade"] == "done" and d["file_version"] == 2 for d in devices.values())
        progress = serve.events("progress", devices["a router"]["device"])
        assert progress and progress[-1]["size"] == len(data) and progress[-1]["rate"] > 0
        air.wait_until(lambda: json.loads((medium.work / "status.json").read_text())["upgrades"]["done"] == 3)
        assert serve.interrupt() == 0


def test_the_server_is_killed_in_the_middle(medium, images, airlift):
    data = images.add(40000)
    options = "--images", images.dir, "--backup", medium.work / "backup.json"
    serve = Serve(medium, *options, "--permit", "250")
    client = Client(medium, "router", "--role", "router", "--linger", "40")
    serve.start()
    client.start()
    for part in (8000, 20000):
        client.wait_for_part(part)
        serve.kill()
        time.sleep(0.3)
        serve.start()
    assert client.end() == 0, client.log
    assert serve.wait_for("done")
    assert [e["resumed"] for e in serve.events("formed")] == [False, True, True]
    assert len(serve.events("joined")) == 1
    assert client.image.read_bytes() == data
    result = client.result()
    assert result["bytes"] == len(data)
    backup = json.loads((medium.work / "backup.json").read_text())
    offsets = requests_of(medium, airlift, backup["network_key"]["key"], result["addr"])
    # Forward only: what was had is never asked for again.
    assert offsets and offsets == sorted(offsets) and len(set(offsets)) >= len(data) // 223
    serve.interrupt()


def test_a_client_is_killed_in_the_middle(medium, images):
    data = images.add(30000)
    with Serve(medium, "--images", images.dir, "--permit", "250") as serve:
        client = Client(medium, "lamp")
        client.start()
        client.wait_for_part(9000)
        client.kill()
        had = client.image.with_name("lamp.img.part").stat().st_size
        client.start()
        assert client.end() == 0, client.log
        result = client.result()
        assert result["resumed_at"] == had and result["bytes"] == len(data) - had
        assert client.image.read_bytes() == data
        assert len({e["device"] for e in serve.events("joined")}) == 1


def test_install_codes_decide(medium, images):
    images.add(2000)
    good, wrong = "02:00:00:00:00:00:00:01", "02:00:00:00:00:00:00:02"
    with Serve(medium, "--images", images.dir, "--permit", "250", "--install-codes-only", "--install-code",
               f"{good}={CODE}", "--install-code", f"{wrong}={CODE}") as serve:
        clients = [Client(medium, "good", "--eui64", good, "--install-code", CODE),
                   Client(medium, "wrong", "--eui64", wrong, "--install-code", OTHER_CODE, "--join-tries", "1"),
                   Client(medium, "none", "--eui64", "02:00:00:00:00:00:00:03", "--join-tries", "1")]
        for c in clients:
            c.start()
        assert clients[0].end() == 0, clients[0].log
        for c in clients[1:]:
            assert c.end() == 1
            assert not c.result()["joined"] and "not joined" in c.result()["reason"]
        assert {e["device"] for e in serve.events("joined")} == {good}
        assert "SECURITY" in clients[1].result()["reason"], clients[1].result()


class Intruder:
    """A node of the medium that sends what it likes."""

    def __init__(self, medium, channel):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(str(medium.address))
        self.socket.send(b"\x01" + struct.pack("<BQ", 1, 0x0666) + b"intruder")
        self.socket.send(b"\x02" + struct.pack("<BbHHQB", channel, 0, 0xffff, 0xfffe, 0x0666, 0))

    def send(self, mpdu):
        """Without asking for an acknowledgement, so that it is sent once and soon."""
        self.socket.send(b"\x03" + bytes((mpdu[0] & ~0x20,)) + mpdu[1:])
        time.sleep(0.03)
        while select.select([self.socket], [], [], 0)[0]:  # the medium shuts out who does not listen
            self.socket.recv(65536)

    def close(self):
        self.socket.close()


def test_rogue_and_replayed_frames_change_nothing(medium, images):
    data = images.add(20000)
    with Serve(medium, "--images", images.dir, "--permit", "250") as serve:
        client = Client(medium, "lamp", "--linger", "40")
        client.start()
        client.wait_for_part(4000)
        network = serve.ask("status")["network"]
        intruder = Intruder(medium, network["channel"])
        pan, addr = int(network["pan_id"], 16), serve.events("joined")[0]["addr"]
        # An Image Notify and an Upgrade End Response without security, then all that was on the air.
        for zcl in (bytes((0x09, 1, 0, 3, 100)), bytes((0x19, 2, 7)) + bytes(16)):
            nwk = struct.pack("<HHHBB", 0x0008, addr, 0, 30, 200) + bytes((0x00, 1, 25, 0, 4, 1, 1, 77)) + zcl
            intruder.send(struct.pack("<HBHHH", 0x8841, 9, pan, addr, 0) + nwk)
        frames = [mpdu for _, mpdu in medium.frames() if len(mpdu) > 20]
        for mpdu in frames[-60:]:
            intruder.send(mpdu)
        for i in range(30):
            intruder.send(struct.pack("<HBHHH", 0x8841, i, pan, addr, 0) + os.urandom(3 + 3 * i))
        intruder.close()
        assert client.end() == 0, client.log
        assert client.image.read_bytes() == data and client.result()["bytes"] == len(data)
        assert serve.wait_for("done")


def test_through_radio_co_processors(medium, images):
    data = images.add(15000)
    with air.Rcp(medium) as one, air.Rcp(medium) as other:
        with Serve(medium, "--images", images.dir, "--permit", "250",
                   radio=f"spinel:tcp://127.0.0.1:{one.port}") as serve:
            client = Client(medium, "lamp", radio=f"spinel:tcp://127.0.0.1:{other.port}")
            client.start()
            assert client.end() == 0, client.log
            assert client.image.read_bytes() == data
            assert serve.ask("status")["network"]["coordinator"] == one.eui64
            assert client.result()["device"] == other.eui64


def test_a_network_moves_to_another_machine(medium, images):
    images.add(3000)
    backup = medium.work / "backup.json"
    with Serve(medium, "--images", images.dir, "--permit", "250", "--backup", backup):
        first = Client(medium, "lamp")
        first.start()
        assert first.end() == 0, first.log
    assert oct(backup.stat().st_mode & 0o777) == "0o600"
    data = images.add(4000, version=3)
    with Serve(medium, "--images", images.dir, "--restore", backup, name="moved", state="moved.state") as serve:
        again = Client(medium, "lamp", "--version", "2")
        again.out_file.unlink()
        again.start()
        assert again.end() == 0, again.log
        assert again.image.read_bytes() == data
        assert serve.events("formed")[0]["resumed"] and not serve.events("joined")
    refused = subprocess.run([servers.AIRLIFT, "zigbee", "serve", "--radio", medium.radio, "--state",
                              medium.work / "moved.state", "--restore", backup], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, timeout=20)
    assert refused.returncode == 1 and "holds a network already" in refused.stderr


def test_commands_on_standard_input_and_new_files(medium, images):
    with Serve(medium, "--images", images.dir, "--permit", "250", "--manual") as serve:
        client = Client(medium, "lamp", "--query-interval", "3000")
        client.start()
        device = serve.wait_for("interview")[0]["device"]
        images.add(2000)
        serve.wait_for("image")
        for command in ({"command": "upgrade", "device": device}, {"command": "images"}, {"command": "nonsense"}):
            print(json.dumps(command), file=serve.process.stdin, flush=True)
        print("no JSON", file=serve.process.stdin, flush=True)
        air.wait_until(lambda: sum("ok" in line for line in serve.lines()) == 4, lambda: serve.log)
        answers = [line for line in serve.lines() if "ok" in line]
        assert [a["ok"] for a in answers] == [True, True, False, False]
        assert answers[1]["images"][0]["file"] == "app.zigbee"
        assert client.end() == 0, client.log
        # A device that is removed knows it.
        again = Client(medium, "lamp", "--version", "2", "--query-interval", "3000")
        again.out_file.unlink()
        again.start()
        air.wait_until(lambda: again.log.count("member of the network") == 2, lambda: again.log, PATIENCE_S)
        assert serve.ask("remove", device=device)["ok"]
        assert again.end() == 1 and "removed this device" in again.result()["reason"]


@pytest.mark.parametrize("words, status, message", [
    (["serve"], 2, "--radio is needed"),
    (["serve", "--radio", "/dev/ttyACM0"], 2, "spinel:DEVICE"),
    (["serve", "--radio", "medium:air", "--parallel", "0"], 2, "0 is too few"),
    (["serve", "--radio", "medium:air", "--backup", "/"], 1, "cannot write /"),
    (["client", "--radio", "medium:air", "--out", "/no/such/directory/file"], 1, "cannot write /no/such/directory/file"),
    (["serve", "--radio", "medium:/nowhere"], 1, "/nowhere"),
    (["serve", "--radio", "medium:x", "--quiet", "25-3"], 2, "22:00-06:00"),
    (["serve", "--radio", "medium:x", "--channel", "9"], 2, "11 to 26"),
    (["serve", "--radio", "medium:x", "--images", "/nowhere"], 1, "/nowhere"),
    (["serve", "--radio", "medium:x", "--restore", "b"], 2, "--state"),
    (["client", "--radio", "medium:x"], 2, "--out is needed"),
    (["client", "--radio", "medium:x", "--out", "i", "--install-code", "83FED3407A939723A5C7"], 2, "mistyped"),
    (["control", "--control", "/nowhere", "status"], 1, "/nowhere"),
])
def test_wrong_use_is_told(airlift, words, status, message):
    done = airlift("zigbee", *words, stdin=subprocess.DEVNULL)
    assert done.returncode == status, done.stderr
    assert message in done.stderr
