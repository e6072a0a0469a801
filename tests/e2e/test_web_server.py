"""The web server of AT+WEBSERVER on a virtual device, with curl: endpoints, provisioning, uploads, who may not."""
import contextlib
import json
import socket
import time

import pytest

import lab
import web_device
from web_device import NEW, OLD, WebDevice

DONE, FAILED = '{"state": 0}', '{"state": 1}'


@pytest.fixture(scope="module")
def images():
    """(old, new): the firmware that runs, and its successor."""
    return web_device.firmware(OLD), web_device.firmware(NEW)


@pytest.fixture(scope="module")
def shared(images, tmp_path_factory):
    """One device for the tests that leave it as it was."""
    with WebDevice(tmp_path_factory.mktemp("web"), images[0], {"home": "correct horse", "guest": ""}) as device:
        device.serve()
        yield device


@pytest.fixture
def device(images, tmp_path):
    with WebDevice(tmp_path, images[0]) as device:
        device.serve()
        yield device


def keeps_old(device):
    """Nothing has changed: the old firmware runs and starts next."""
    slots = device.slots()
    assert slots["ota_0"]["running"] and slots["ota_0"]["boot"] and slots["ota_0"]["version"] == OLD
    return True


def test_answers_are_the_originals_bytes(shared):
    assert shared.curl("/getversion").text == '{"version":"1.0"}'
    assert shared.curl("/getstainfo").text == '{"state":0,"sta_ssid":"","sta_password":"","message":"waiting config"}'
    assert shared.curl("/getaprecord").text == (
        '{"state":0,"message":"scan done","aplist":[{"ssid":"home","auth_mode":3},{"ssid":"guest","auth_mode":0}]}')
    info = shared.curl("/getotainfo", "-H", "Object: none")
    assert info.text.startswith(f'{{"state":0,"fw_version":"{OLD}","at_core_version":"4.2.0.0",'
                                '"partitions":["ota","ble_data",')
    assert info.headers["content-type"] == "application/json"
    assert shared.curl("/getresult", data=b"received=1").text == DONE
    assert shared.curl("/nothing").status == 404
    assert shared.curl("/getversion", data=b"").status == 405
    assert shared.curl("/setstainfo").status == 405


def test_the_slots_are_told(shared):
    told = shared.curl("/getslots").json
    slot, other = told["slots"]
    assert (told["chip"], told["other"], told["upload"]) == ("ESP32-C3", "ota_1", False)
    assert told["partitions"][0] == {"name": "ota", "size": other["size"]}
    assert slot["project"] == "at" and slot["sha256"] and slot["image_len"] == len(shared.device.firmware.data)
    assert other["state"] == "empty" and "version" not in other


def test_every_answer_carries_the_security_headers(shared):
    for path, data in (("/", None), ("/getslots", None), ("/nothing", None), ("/setotadata", b"x")):
        answer = shared.curl(path, data=data)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_the_page_comes_compressed_and_plain(shared):
    plain, packed = shared.curl("/"), shared.curl("/", "--compressed")
    assert plain.headers["content-type"] == packed.headers["content-type"] == "text/html"
    assert "content-encoding" not in plain.headers and packed.headers["content-encoding"] == "gzip"
    assert plain.body == packed.body and b"<!doctype html>" in plain.body


def station(shared, ssid, password):
    return shared.post("/setstainfo", json.dumps({"ssid_len": len(ssid), "ssid": ssid, "password_len": len(password),
                                                  "password": password}))


def wait_state(shared, state):
    until = time.monotonic() + 15
    while (told := shared.curl("/getstainfo").json)["state"] != state:
        assert time.monotonic() < until, told
        time.sleep(0.1)
    return told


def test_a_network_is_set_and_its_result_fetched(shared):
    answer = station(shared, "home", "correct horse")
    assert (answer.status, answer.text) == (200, DONE)
    assert station(shared, "home", "correct horse").text == FAILED  # one attempt at a time
    shared.expect(r"\+WEBSERVERRSP:1\r\n")
    told = wait_state(shared, 1)
    assert told == {"state": 1, "sta_ssid": "home", "sta_password": "********", "message": "connect OK"}
    shared.curl("/getresult", data=b"received=1")
    shared.expect(r"\+WEBSERVERRSP:2\r\n")
    assert shared.curl("/getstainfo").json["message"] == "waiting config"


def test_a_wrong_password_is_told(shared):
    assert station(shared, "home", "wrong horse").text == DONE
    assert wait_state(shared, 2)["message"] == "connect fail"
    shared.curl("/getresult", data=b"received=1")


@pytest.mark.parametrize("body, status", [
    ("{", 400), ("[]", 400), ('{"ssid":"x"}', 400), ('{"ssid":1,"password":""}', 400),
    ('{"ssid":"","password":"12345678"}', 400),
    (json.dumps({"ssid": "x" * 33, "password": ""}), 400), (json.dumps({"ssid": "x", "password": "y" * 65}), 400),
    ("x" * 319, 400), ("x" * 320, 500), ("x" * 100000, 500)])
def test_bad_credentials_are_refused(shared, body, status):
    answer = shared.post("/setstainfo", body)
    assert (answer.status, answer.text) == (status, FAILED) and answer.reason


def test_provisioning_needs_both_modes(shared):
    shared.at("AT+CWMODE=1")
    assert station(shared, "home", "correct horse").status == 400
    shared.at("AT+CWMODE=3")


def test_an_upload_is_verified_chosen_and_starts(device, images):
    answer = device.upload(images[1].data)
    assert (answer.status, answer.text) == (200, DONE)
    device.expect(r"\+WEBSERVERRSP:3\r\n\+WEBSERVERRSP:4\r\n")
    assert device.slots()["ota_1"]["boot"] and device.slots()["ota_0"]["running"]
    assert device.post("/restart").text == DONE
    device.restarted()
    slots = device.slots()
    assert slots["ota_1"]["running"] and slots["ota_1"]["version"] == NEW and slots["ota_1"]["state"] == "valid"
    assert device.post("/rollback").text == DONE  # and back
    device.post("/restart")
    device.restarted()
    assert device.slots()["ota_0"]["running"]


def test_a_slot_without_firmware_is_not_chosen(shared):
    answer = shared.post("/rollback")
    assert (answer.status, answer.text) == (500, FAILED) and "no firmware" in answer.reason
    assert keeps_old(shared)


def test_wrong_files_are_refused_before_anything_is_erased(shared, images, vectors):
    before = shared.device.slot("ota_1")
    wrong_chip = (vectors / "esp-flash/image/app_c6_8k.bin").read_bytes()
    for data, reason in ((b"hello" * 200, "magic byte"), (b"ESP" + bytes(600), "compressed"), (wrong_chip, "ESP32-C6"),
                         (images[1].data[:100], "too short"), (b"", "too short"),
                         (b"\xe9" * (0x1d0000 + 1), "room for")):
        answer = shared.upload(data)
        assert (answer.status, answer.text) == (500, FAILED) and reason in answer.reason, answer.reason
        shared.expect(r"\+WEBSERVERRSP:3\r\n\+WEBSERVERRSP:5\r\n")
    assert shared.upload(b"x", "nothing").status == 500
    assert shared.upload(b"x", "no label with 17").status == 400
    assert shared.curl("/setotadata", "-H", "X-Requested-With: curl", data=b"x").text == FAILED  # no Object
    assert shared.upload(b"x", "ota", "-H", "Transfer-Encoding: chunked").status == 411
    assert shared.device.slot("ota_1") == before and keeps_old(shared)


def test_truncated_and_damaged_images_do_not_verify(device, images):
    good = images[1].data
    damaged = bytearray(good)
    damaged[len(good) // 2] ^= 1
    for data in (good[:-40], bytes(damaged)):
        answer = device.upload(data)
        assert (answer.status, answer.text) == (500, FAILED) and "damaged" in answer.reason
        assert keeps_old(device)


def test_a_user_partition_gets_its_content(shared, vectors):
    content = (vectors / "at-adf/mqtt_ca.bin").read_bytes()
    where = next(p for p in shared.curl("/getslots").json["partitions"] if p["name"] == "mqtt_ca")
    assert shared.upload(content, "mqtt_ca").text == DONE
    shared.expect(r"\+WEBSERVERRSP:3\r\n\+WEBSERVERRSP:4\r\n")
    assert shared.device.read(0x37000, where["size"]) == content.ljust(where["size"], b"\xff")
    answer = shared.upload(b"wrong first bytes", "mqtt_ca")
    assert answer.text == FAILED and "magic byte" in answer.reason
    assert shared.device.read(0x37000, len(content)) == content


def test_a_second_upload_is_refused_while_the_first_goes_on(device, images):
    data = images[1].data
    first = device.begin_upload(data, len(data) // 2)
    second = device.upload(data)  # answered although the first waits
    assert (second.status, second.text) == (409, FAILED)
    assert device.post("/restart").status == device.post("/rollback").status == 409
    first.sendall(data[len(data) // 2:])
    assert DONE.encode() in first.recv(4096)
    assert device.slots()["ota_1"]["version"] == NEW and device.slots()["ota_1"]["boot"]


def test_a_cut_connection_frees_the_upload_and_a_second_try_is_right(device, images):
    data = images[1].data
    device.begin_upload(data, len(data) // 2).close()
    device.expect(r"\+WEBSERVERRSP:5\r\n")
    assert keeps_old(device)
    assert device.upload(data).text == DONE
    assert device.device.slot("ota_1", len(data)) == data


def test_half_an_upload_over_a_firmware_that_was_to_start_leaves_the_old_one(device, images):
    assert device.upload(images[1].data).text == DONE and device.slots()["ota_1"]["boot"]
    device.begin_upload(images[1].data, 100000).close()
    device.expect(r"\+WEBSERVERRSP:5\r\n")
    assert device.slots()["ota_1"]["state"] == "damaged" and keeps_old(device)
    assert device.post("/restart").text == DONE
    device.restarted()
    assert keeps_old(device)


def test_an_upload_and_an_upgrade_by_command_do_not_mix(device, images):
    data = images[1].data
    part = len(data) // 5
    device.uart.send(f"AT+AIRUPDATE={len(data)}\r\n")
    device.expect(r"\r\n>")
    device.uart.send(data[:part])
    device.expect(r"\+AIRUPDATE:\d+")
    answer = device.upload(data)
    assert (answer.status, answer.text) == (500, FAILED) and "another upgrade" in answer.reason
    device.uart.send(data[part:])
    device.expect(r"Recv \d+ bytes\r\n.*?\r\nOK\r\n")
    assert device.device.slot("ota_1", len(data)) == data and device.slots()["ota_1"]["boot"]


def test_one_address_that_holds_many_connections_keeps_nobody_else_out(shared):
    with contextlib.ExitStack() as held:
        for _ in range(150):
            held.enter_context(socket.create_connection(("127.0.0.1", shared.port), 5, source_address=("127.0.0.2", 0)))
        assert shared.curl("/getversion", "--max-time", "5").status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "FOO"])
def test_other_methods_are_refused(shared, method):
    for path, allowed in (("/", "GET, HEAD"), ("/getversion", "GET, HEAD"), ("/setotadata", "POST"), ("/restart", "POST")):
        answer = shared.curl(path, "-X", method)
        assert answer.status == 405 and answer.headers["allow"] == allowed
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/../page.js", "/%2e%2e/page.js", "//page.js", "/page.js/", "/page.js%00.css", "/%zz", "/page"])
def test_paths_are_taken_as_they_are(shared, path):
    assert shared.curl(path, "--path-as-is").status == 404


def test_a_silent_connection_is_ended(images, tmp_path):
    data = images[1].data
    with WebDevice(tmp_path, web_device.firmware(OLD, AT_WEB_IDLE_TIMEOUT_S="2")) as device:
        device.serve()
        silent = device.begin_upload(data, len(data) // 2)
        device.expect(r"\+WEBSERVERRSP:5\r\n")
        assert silent.recv(100) == b""
        assert device.upload(data).text == DONE
        assert device.device.slot("ota_1", len(data)) == data


def test_a_power_cut_in_an_upload_leaves_the_old_firmware(images, tmp_path):
    data = images[1].data
    device = WebDevice(tmp_path, images[0])
    device.switch_on("--power-cut", "700")
    device.serve()
    cut = device.begin_upload(data, 2000)
    with pytest.raises(OSError):
        for at in range(2000, len(data), 4096):
            cut.sendall(data[at:at + 4096])
        if not cut.recv(100):
            raise ConnectionResetError
    device.switch_off()
    with device:
        device.serve()
        assert keeps_old(device)
        assert device.upload(data).text == DONE
        assert device.device.slot("ota_1", len(data)) == data


FOREIGN = {
    "another origin": (["-H", "Origin: http://evil.example", "-H", "Content-Type: application/json"], 403),
    "no origin at all": (["-H", "Origin: null", "-H", "Content-Type: application/json"], 403),
    "another port": (["-H", "Origin: http://127.0.0.1:1", "-H", "Content-Type: application/json"], 403),
    "another referer": (["-H", "Referer: http://evil.example/x", "-H", "Content-Type: application/json"], 403),
    "a browser that says so": (["-H", "Sec-Fetch-Site: cross-site", "-H", "Content-Type: application/json"], 403),
    "a form": (["-H", "Content-Type: text/plain"], 415),
    "a form as curl -d sends it": ([], 415),
    "a name that was made to point here": (["-H", "Host: evil.example", "-H", "Content-Type: application/json"], 421),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_other_sites_change_nothing(shared, kind):
    options, status = FOREIGN[kind]
    for path in ("/setstainfo", "/rollback", "/restart"):
        answer = shared.curl(path, *options, data=b'{"ssid":"evil","password":"evilevil"}')
        assert (answer.status, answer.text) == (status, FAILED), path
    if status != 415:
        assert shared.curl("/setotadata", "-H", "Object: ota", *options, data=b"\xe9" * 1000).status == status
    assert keeps_old(shared)


def test_the_own_page_and_programs_may(shared):
    for header in (f"Origin: {shared.url}", f"Referer: {shared.url}/", "Sec-Fetch-Site: same-origin"):
        assert shared.post("/setstainfo", "{", "-H", header).status == 400  # looked at, not refused
    for host in ("device.local", "device", "[::1]", "192.168.4.1:80"):
        assert shared.curl("/getversion", "-H", f"Host: {host}").status == 200


def test_a_password_is_asked_for(shared):
    shared.at("AT+WEBSERVER=0")
    shared.serve('correct \\"horse\\"')
    try:
        for path in ("/", "/getslots", "/nothing"):
            answer = shared.curl(path)
            assert answer.status == 401 and answer.headers["www-authenticate"].startswith("Basic ")
        assert shared.upload(b"\xe9" * 1000).status == 401
        shared.at(f'AT+WEBSERVER=1,{shared.port},25,"another"', "ERROR")
        right = ["-u", 'x:correct "horse"']
        assert shared.curl("/getslots", *right).status == 200
        assert [shared.curl("/", "-u", f"x:{n}").status for n in range(6)] == [401] * 5 + [429]
        assert shared.curl("/getslots", *right).status == 429  # nothing is learned by guessing on
        assert int(shared.curl("/").headers["retry-after"]) <= 30
    finally:
        shared.at("AT+WEBSERVER=0")
        shared.serve()


def test_the_command_starts_and_stops(shared):
    shared.at("AT+WEBSERVER=0")
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", shared.port), 2)
    shared.at("AT+WEBSERVER=0")  # none runs
    shared.at(f"AT+WEBSERVER=0,{shared.port},25", "ERROR")  # the original would start it
    shared.serve()
    shared.at("AT+WEBSERVER=1,1,60")  # keeps its port, only the time-out changes
    assert shared.curl("/getversion").status == 200
    shared.at("AT+WEBSERVER=0")
    with socket.create_server(("127.0.0.1", shared.port)):
        shared.at(f"AT+WEBSERVER=1,{shared.port},25", "ERROR")
    shared.serve()
