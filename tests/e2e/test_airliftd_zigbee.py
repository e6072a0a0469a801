"""airliftd as a Zigbee gateway: files in its store, devices on a scaled medium, the API."""
import hashlib
import json
import os
import subprocess
import urllib.error
import urllib.request

import pytest

import air
import servers
from test_zigbee_serve import MAKER, PATIENCE_S, SPEED, TYPE, Client, Serve



def api(server, method, path, token=True, timeout=30):
    request = urllib.request.Request(f"{server.url}/api/v1/zigbee/{path}", method=method)
    if token:
        request.add_header("Authorization", f"Bearer {server.token}")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as e:
        return e.code, json.load(e)


@pytest.fixture
def make_file(tmp_path, airlift):
    def make(name, size, version):
        (tmp_path / "payload").write_bytes(os.urandom(size))
        done = airlift("zigbee", "pack", tmp_path / "payload", "--manufacturer", MAKER, "--image-type", TYPE,
                       "--file-version", version, "--header-string", "a lamp", "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
        return tmp_path / name
    return make


def test_zigbee_files_are_recognized(tmp_path, make_file):
    with servers.Airliftd(tmp_path / "data", "--http") as server:
        file = make_file("lamp.zigbee", 3000, 0x0102)
        server.push(file, "lamp")
        a = server.artifacts()["lamp"]
        assert (a["kind"], a["manufacturer_code"], a["image_type"], a["file_version"], a["header_string"]) == \
            ("zigbee", MAKER, TYPE, 0x0102, "a lamp")
        assert "chip" not in a
        listed = subprocess.run([servers.AIRLIFT, "artifacts", "--data", server.data], capture_output=True, text=True)
        assert "131b-1011" in listed.stdout and "0x00000102" in listed.stdout and "zigbee" in listed.stdout
        with urllib.request.urlopen(f"{server.url}/firmware/lamp") as answer:
            assert answer.read() == file.read_bytes()
        (tmp_path / "cut.ota").write_bytes(file.read_bytes()[:200])
        refused = server.push(tmp_path / "cut.ota", check=False)
        assert refused.returncode == 1 and "total image size" in refused.stderr and "422" in refused.stderr
        assert list(server.artifacts()) == ["lamp"]
        code, answer = api(server, "GET", "status")
        assert code == 404 and answer["error"]["code"] == "no_gateway"


def test_devices_are_upgraded_from_the_store(tmp_path, make_file):
    with air.Medium(tmp_path, "--speed", SPEED) as medium, \
            servers.Airliftd(tmp_path / "data", "--http", "--zigbee-radio", medium.radio) as server:
        assert api(server, "GET", "status", token=False)[0] == 401
        air.wait_until(lambda: api(server, "GET", "status")[1]["network"]["up"], lambda: server.log, PATIENCE_S)
        assert api(server, "POST", "permit?seconds=250")[0] == 200
        first = make_file("lamp.zigbee", 8000, 2)
        server.push(first)
        client = Client(medium, "lamp", "--linger", "60")
        client.start()
        air.wait_until(lambda: api(server, "GET", "status")[1]["upgrades"]["done"] == 1, lambda: server.log, PATIENCE_S)
        device = api(server, "GET", "devices")[1]["devices"][0]
        assert device["file_version"] == 2 and device["upgrade"] == "done"
        assert client.end() == 0, client.log
        assert client.result()["sha256"] == hashlib.sha256(first.read_bytes()).hexdigest()
        # A file published anew under the same name replaces the other; so does its kind.
        second = make_file("lamp.zigbee", 9000, 3)
        server.push(second)
        air.wait_until(lambda: [i["file_version"] for i in api(server, "GET", "images")[1]["images"]] == [3])
        assert api(server, "POST", f"abort?device={device['device']}")[0] in (200, 409)
        code, answer = api(server, "POST", "upgrades?device=00:00:00:00:00:00:00:99")
        assert code == 409 and "no device" in answer["error"]["message"]
        # Mistyped, it must not mean all devices.
        assert api(server, "POST", "upgrades?devise=00:00:00:00:00:00:00:99")[0] == 400
        assert api(server, "GET", "upgrades")[0] == 405 and api(server, "GET", "dance")[0] == 404
        assert (server.data / "zigbee" / "network.state").stat().st_mode & 0o777 == 0o600
        network = api(server, "GET", "status")[1]["network"]
        server.stop()
        server.start()
        air.wait_until(lambda: api(server, "GET", "status")[1]["network"]["up"], lambda: server.log, PATIENCE_S)
        again = api(server, "GET", "status")[1]
        assert again["network"]["extended_pan_id"] == network["extended_pan_id"]
        assert again["devices"][0]["device"] == device["device"]


def test_serve_takes_files_from_an_airliftd(tmp_path, make_file):
    with air.Medium(tmp_path, "--speed", SPEED) as medium, servers.Airliftd(tmp_path / "data", "--http") as server:
        file = make_file("lamp.zigbee", 6000, 2)
        server.push(file)
        server.push(servers.ROOT / "tests" / "vectors" / "esp-flash" / "image" / "app_c3_v1.bin", "app.bin")
        with Serve(medium, "--images", server.url, "--token-file", server.data / "token", "--permit", "250") as serve:
            assert [i["file"] for i in serve.ask("images")["images"]] == ["lamp.zigbee"]
            client = Client(medium, "lamp")
            client.start()
            assert client.end() == 0, client.log
            assert client.image.read_bytes() == file.read_bytes()
        # The server is away: what was fetched is still there.
        server.stop()
        with Serve(medium, "--images", server.url, "--token-file", server.data / "token") as serve:
            assert [i["file"] for i in serve.ask("images")["images"]] == ["lamp.zigbee"]
