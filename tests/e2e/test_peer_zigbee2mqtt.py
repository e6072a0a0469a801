"""zigbee2mqtt with an MQTT broker, as a user has it, on the virtual co-processor: `airlift zigbee client` joins and is
upgraded by messages over MQTT, from an index of our own. Long; `make test-peers` runs it."""
import hashlib
import json
import os
import pathlib
import queue
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import air
import lab
import peers
import servers
import test_peer_herdsman as herdsman

HOME = pathlib.Path(os.environ.get("AIRLIFT_ZIGBEE2MQTT", servers.ROOT / "build" / "peers-zigbee2mqtt")).resolve()
PROGRAM = HOME / "node_modules" / "zigbee2mqtt"
NAME = f"0x{herdsman.EUI:016x}"
CONVERTER = """export default {
    zigbeeModel: ["%s"], model: "%s", vendor: "%s", description: "device of the tests",
    fromZigbee: [], toZigbee: [], exposes: [], ota: true,
};
"""
SETTINGS = """version: 5
homeassistant: {enabled: false}
frontend: {enabled: false}
mqtt: {base_topic: z, server: "mqtt://127.0.0.1:%d"}
serial: {port: "tcp://127.0.0.1:%d", adapter: zoh}
advanced:
  channel: 15
  pan_id: 6754
  ext_pan_id: [116, 77, 189, 255, 254, 99, 120, 138]
  network_key: [161, 178, 195, 212, 229, 246, 7, 24, 41, 58, 75, 92, 109, 126, 143, 144]
  log_level: info
  log_output: [console]
ota:
  zigbee_ota_override_index_location: index.json
  disable_automatic_update_check: true
  image_block_response_delay: 50
"""


def missing():
    """Why it cannot run, or None."""
    if lab.sanitized():
        return "not in the build with sanitizers: test_peer_herdsman runs the same code there, sooner"
    if not PROGRAM.is_dir():
        return f"zigbee2mqtt is not installed in {HOME}: make peers-setup-zigbee2mqtt"
    if not peers.node():
        return "no node that is new enough: make peers-setup"
    if not (shutil.which("mosquitto") and shutil.which("mosquitto_sub")):
        return "no mosquitto: make peers-setup-zigbee2mqtt"
    return None


pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


class Broker:
    """mosquitto on a free port of this machine; no service of the system."""

    def __init__(self, work):
        with socket.create_server(("127.0.0.1", 0)) as s:
            self.port = s.getsockname()[1]
        self.work = work

    def __enter__(self):
        conf = self.work / "mosquitto.conf"
        conf.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        self.process = subprocess.Popen(["mosquitto", "-c", conf], stdout=subprocess.DEVNULL,
                                        stderr=(self.work / "mosquitto.log").open("wb"))
        air.wait_until(self._answers, lambda: (self.work / "mosquitto.log").read_text(), 20)
        self.listener = subprocess.Popen(["mosquitto_sub", "-p", str(self.port), "-t", "#", "-F", "%t %p"],
                                         stdout=subprocess.PIPE, text=True)
        self.messages, self.seen = queue.Queue(), []
        threading.Thread(target=lambda: [self.messages.put(line) for line in self.listener.stdout], daemon=True).start()
        return self

    def __exit__(self, *_):
        for process in (self.listener, self.process):
            process.terminate()
            process.wait(10)
        self.listener.stdout.close()

    def _answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def publish(self, topic, payload):
        subprocess.run(["mosquitto_pub", "-p", str(self.port), "-t", topic, "-m", payload], check=True, timeout=20)

    def expect(self, topic, wanted=lambda payload: True, seconds=60):
        """The next message on that topic that is wanted, as an object."""
        until = time.monotonic() + seconds
        while True:
            try:
                line = self.messages.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"nothing wanted on {topic}:\n" + "".join(self.seen[-30:])) from None
            self.seen.append(line[:1000] + "\n")
            where, _, text = line.partition(" ")
            if where == topic and text.startswith(("{", "[")) and wanted(json.loads(text)):
                return json.loads(text)


class Zigbee2mqtt:
    def __init__(self, work, broker, rcp):
        self.data, self.log_file = work / "data", work / "zigbee2mqtt.log"
        (self.data / "external_converters").mkdir(parents=True)
        (self.data / "external_converters" / "light.mjs").write_text(
            CONVERTER % (herdsman.MODEL, herdsman.MODEL, herdsman.MAKER))
        (self.data / "configuration.yaml").write_text(SETTINGS % (broker.port, rcp.port))

    def __enter__(self):
        # In somebody else's repository it would think that its sources have changed, and build itself.
        offline = servers.ROOT / "tests" / "peers" / "offline.cjs"
        self.process = subprocess.Popen(
            [peers.node(), "--require", offline, "index.js"], cwd=PROGRAM, stdin=subprocess.DEVNULL,
            stdout=self.log_file.open("wb"), stderr=subprocess.STDOUT,
            env=dict(os.environ, ZIGBEE2MQTT_DATA=str(self.data), Z2M_ONBOARD_NO_SERVER="1", GIT_DIR=os.devnull))
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def log(self):
        return self.log_file.read_text(errors="replace")


def write_index(data, image):
    content = image.read_bytes()
    data.joinpath("index.json").write_text(json.dumps([{
        "fileName": image.name, "fileVersion": 2, "fileSize": len(content), "url": str(image),
        "imageType": herdsman.IMAGE_TYPE, "manufacturerCode": herdsman.MANUFACTURER,
        "sha512": hashlib.sha512(content).hexdigest()}]))


@pytest.mark.parametrize("role", ["router", "sleepy"])
def test_a_device_appears_and_is_upgraded_over_mqtt(tmp_path, role):
    image = herdsman.ota_file(tmp_path / "new.zigbee", 2)
    with air.Medium(tmp_path) as medium, air.Rcp(medium) as rcp, Broker(tmp_path) as broker, \
            Zigbee2mqtt(tmp_path, broker, rcp) as z2m:
        write_index(z2m.data, image)
        try:
            broker.expect("z/bridge/logging", lambda m: "started!" in m["message"], 90)
            broker.publish("z/bridge/request/permit_join", '{"time": 200}')
            broker.expect("z/bridge/response/permit_join", lambda m: m["status"] == "ok")
            with herdsman.Device(medium, tmp_path, role, "--exit-after", "finish", "--linger", "15") as client:
                def interviewed(event):
                    return event["type"] == "device_interview" and event["data"]["status"] == "successful"
                device = broker.expect("z/bridge/event", interviewed, 60)["data"]
                assert device["ieee_address"] == NAME and device["supported"]
                assert device["definition"]["model"] == herdsman.MODEL and device["definition"]["supports_ota"]

                broker.publish("z/bridge/request/device/ota_update/check", json.dumps({"id": NAME}))
                answer = broker.expect("z/bridge/response/device/ota_update/check", seconds=60)
                assert answer["status"] == "ok" and answer["data"]["update_available"], answer

                broker.publish("z/bridge/request/device/ota_update/update", json.dumps({"id": NAME}))
                updating = broker.expect(f"z/{NAME}", lambda m: m.get("update", {}).get("state") == "updating", 60)
                assert updating["update"]["latest_version"] == 2
                answer = broker.expect("z/bridge/response/device/ota_update/update", seconds=200)
                assert answer["status"] == "ok", answer
                assert answer["data"]["to"]["file_version"] == 2, answer
                client.finish()
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{z2m.log[-6000:]}") from None
        assert client.out.read_bytes() == image.read_bytes()
        assert " error:" not in z2m.log, z2m.log
