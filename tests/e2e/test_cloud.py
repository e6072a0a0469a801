"""The module cloud as modules in the field see it: the request bytes of the original clients, and a reader with the
original's rules; then versions, keys, events, limits, and power loss."""
import concurrent.futures
import hashlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

import servers

AT = servers.ROOT / "tests" / "vectors" / "at-adf"
IMAGES = servers.ROOT / "tests" / "vectors" / "esp-flash" / "image"
V1, V2, MQTT_CA = IMAGES / "app_c3_v1.bin", IMAGES / "app_c3_v2.bin", AT / "mqtt_ca.bin"
DEFAULT_TOKEN = b"dd93253c287f725de50d4071a05dd28b72056ca7"
QUERY = (AT / "ciupdate_query_http.req").read_bytes()
DOWNLOAD = (AT / "ciupdate_download_ota_http.req").read_bytes()
READ = 1024  # what the original client reads at once


class Cloud(servers.Airliftd):
    """airliftd with a port for modules, and `airlift cloud` on it."""

    def __init__(self, data, *options):
        self.modules = servers.free_port()
        super().__init__(data, "--modules", f"127.0.0.1:{self.modules}", *options)

    def start(self):
        super().start()
        servers.wait_for_port(self.modules, self.process, "the port for modules")

    def run(self, *words):
        return subprocess.run([servers.AIRLIFT, "cloud", *map(str, words), "--data", self.data], capture_output=True,
                              text=True, timeout=60)

    def __call__(self, *words):
        """The command's JSON document; it has to succeed."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def device(self, name, product="lamp"):
        """Makes a device; returns its key as bytes."""
        return self("device", "create", name, "--product", product)["devices"][0]["key"].encode()

    def connect(self, tls=False):
        s = socket.create_connection(("127.0.0.1", self.port if tls else self.modules), timeout=20)
        if not tls:
            return s
        # As the modules do it: no CA, no name.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context.wrap_socket(s)


def settle(server):
    """A product with two versions, the newer one current, and a device."""
    server("product", "create", "lamp")
    server.key = server.device("lamp01")
    server("deploy", "lamp", "--version", "v2.1.0.0", "--file", f"ota.bin={V1}", "--current")
    server("deploy", "lamp", "--version", "v2.2.0.0", "--file", f"ota.bin={V2}", "--file", f"mqtt_ca.bin={MQTT_CA}",
           "--file", f"user1.bin={V1}", "--current")


@pytest.fixture
def cloud(tmp_path):
    with Cloud(tmp_path / "data") as server:
        settle(server)
        yield server


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """The same, for tests that only ask."""
    with Cloud(tmp_path_factory.mktemp("cloud") / "data", "--module-limit", "100000", "--module-address-limit",
               "100000") as server:
        settle(server)
        yield server


def request(cloud, vector=QUERY, **changes):
    """Bytes of a vector with the device's key in place of the default one; changes: version, filename."""
    text = vector.replace(DEFAULT_TOKEN, cloud.key)
    for name, value in changes.items():
        line, rest = text.split(b" HTTP/", 1)
        head, tail = line.split(name.encode() + b"=", 1)
        text = head + name.encode() + b"=" + value + (b"&" + tail.split(b"&", 1)[1] if b"&" in tail else b"") + \
            b" HTTP/" + rest
    return text


def original_query(s, text):
    """The version that the original client would find; None: ERROR."""
    s.sendall(text)
    window = b""
    while True:
        data = s.recv(READ)
        if not data:
            return None
        window = window[-64:] + data
        at = window.find(b'rom_version": ')
        if at >= 0 and b"status" in window:
            value = window[at + len(b'rom_version": "'):]
            return value[:value.index(b'",')] if b'",' in value else None


def original_download(s, text, magic):
    """What the original client would have written; None: ERROR."""
    s.sendall(text)
    data = s.recv(READ)
    at = data.find(b"Content-Length: ")
    head, found, body = data.partition(b"\r\n\r\n")
    if at < 0 or not found or at > len(head) or len(body) < max(1, len(magic)) or not body.startswith(magic):
        return None
    length = int(data[at + len(b"Content-Length: "):].split(b"\r\n")[0])
    while len(body) < length:
        data = s.recv(READ)
        if not data:
            return None
        body += data
    return body if len(body) == length else None


@pytest.mark.parametrize("tls", [False, True], ids=["http", "tls"])
def test_the_original_client_upgrades(asked, tls):
    for _ in range(10):  # a head that leaves alone would be read alone now and then
        with asked.connect(tls) as s:
            assert original_query(s, request(asked)) == b"v2.2.0.0"
        with asked.connect(tls) as s:
            assert original_download(s, request(asked, DOWNLOAD), b"\xe9") == V2.read_bytes()


def test_a_user_partition_comes_over_tls(asked):
    text = request(asked, (AT / "ciupdate_download_mqtt_ca_https.req").read_bytes())
    with asked.connect(tls=True) as s:
        assert original_download(s, text, b"\xf1\xf1") == MQTT_CA.read_bytes()


@pytest.mark.parametrize("tls", [False, True], ids=["http", "tls"])
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_both_http_versions_get_the_same(asked, tls, version):
    with asked.connect(tls) as s:
        for vector, magic in ((DOWNLOAD, b"\xe9"), (DOWNLOAD, b"\xe9")):  # keep-alive: twice on one connection
            text = request(asked, vector).replace(b" HTTP/1.1\r\n", b" HTTP/" + version + b"\r\n")
            assert original_download(s, text, magic) == V2.read_bytes()
        assert original_query(s, request(asked).replace(b" HTTP/1.0\r\n", b" HTTP/" + version + b"\r\n")) == b"v2.2.0.0"


def test_head_and_body_leave_in_one_tls_record(asked):
    for text in (request(asked), request(asked, DOWNLOAD)):
        with asked.connect(tls=True) as s:
            s.sendall(text)
            first = s.recv(65536)  # one record at most
            head, found, body = first.partition(b"\r\n\r\n")
            assert found and len(head) < 700 and len(body) >= min(100, len(first))


@pytest.mark.parametrize("path", ["query", "download"])
def test_head_and_body_leave_in_one_send(asked, path):
    """The socket has room for little more than the first segment: what one read gives came in one send."""
    text = request(asked) if path == "query" else request(asked, DOWNLOAD)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)  # room for little more than the first segment
        s.settimeout(10)
        s.connect(("127.0.0.1", asked.modules))
        s.sendall(text)
        head, found, body = s.recv(READ).partition(b"\r\n\r\n")
        assert found and len(head) < 700 and len(body) >= 4
        assert b"\r\nContent-Length: " in head and b"chunked" not in head.lower()


def test_the_answer_is_the_text_of_the_original(asked):
    with asked.connect() as s:
        s.sendall(request(asked).replace(b"keep-alive", b"close"))
        body = b"".join(iter(lambda: s.recv(READ), b"")).partition(b"\r\n\r\n")[2]
    assert body == (AT / "resp_query_ok.http").read_bytes().partition(b"\r\n\r\n")[2]


def test_the_long_form_has_files_and_is_read_by_cipfwver(asked):
    for path in ("/v1/device/rom", "/v1/device/rom/"):
        body = curl(asked, path)[1]
        doc = json.loads(body)
        assert [r["version"] for r in doc["productRoms"]] == ["v2.2.0.0", "v2.1.0.0"]
        assert {f["name"] for f in doc["productRoms"][0]["files"]} == {"ota.bin", "mqtt_ca.bin", "user1.bin"}
        lines = body.split(b'"version": "')[1:]
        assert [line[:line.index(b'", ')] for line in lines] == [b"v2.2.0.0", b"v2.1.0.0"]


def test_a_long_list_stays_below_8_kib_with_the_newest(cloud):
    cloud.push(MQTT_CA, "ca", "--kind", "other")
    client = http.client.HTTPConnection("127.0.0.1", cloud.modules)
    for i in range(60):
        assert deploy_hook(cloud, f"v{i:060}", client) == 200
    status, body = curl(cloud, "/v1/device/rom/")
    assert status == 200 and len(body) < 8192
    versions = [r["version"] for r in json.loads(body)["productRoms"]]
    assert versions == [f"v{i:060}" for i in range(59, 59 - len(versions), -1)]
    assert json.loads(body)["recommended_rom_version"] == "v2.2.0.0"


def curl(cloud, path, *options, tls=True, key=None):
    """Status and body."""
    words = ["curl", "-sS", "-k", "--max-time", "20", "--path-as-is", "-w", "\n%{http_code}", *options]
    if key is not False:
        words += ["-H", b"Authorization: token " + (key or cloud.key)]
    url = (cloud.url if tls else f"http://127.0.0.1:{cloud.modules}") + path
    out = subprocess.run([*words, "-g", url], capture_output=True, check=True).stdout
    body, _, status = out.rpartition(b"\n")
    return int(status), body


def deploy_hook(cloud, version, client=None, files=(("ca", "mqtt_ca.bin"),), key=None):
    """POST /v1/products/1/roms/ as a build server does; the status."""
    if not hasattr(cloud, "owner"):
        cloud.owner = cloud("key", "create", "--product", "lamp")["key"]
    client = client or http.client.HTTPConnection("127.0.0.1", cloud.modules)
    body = {"productRoms": [{"version": version, "life_cycle": "beta", "recommended": 0,
                             "files": [{"path": p, "name": n} for p, n in files]}]}
    client.request("POST", "/v1/products/1/roms/", json.dumps(body), {"Authorization": f"token {key or cloud.owner}"})
    answer = client.getresponse()
    text = answer.read()
    assert text.startswith(b"{") and json.loads(text)["status"] == answer.status
    return answer.status


# ESP8266, other clients ----------------------------------------------------------------------

@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_esp8266_downloads_the_slot_that_does_not_run(asked, version):
    text = (f"GET /v1/device/rom/?action=download_rom&version=v2.2.0.0&filename=user1.bin HTTP/{version}\r\n"
            "Host: 192.168.1.2\r\nConnection: keep-alive\r\nCache-Control: no-cache\r\n"
            "User-Agent: Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/30.0.1599.101 "
            f"Safari/537.36 \r\nAccept: */*\r\nauthorization: token {asked.key.decode()}\r\n"
            "Accept-Encoding: gzip,deflate,sdch\r\nAccept-Language: zh-CN,zh;q=0.8\r\n\r\n").encode()
    with asked.connect() as s:
        assert original_download(s, text, b"\xe9") == V1.read_bytes()


def test_newer_clients_resume_and_revalidate(asked):
    path = "/v1/device/rom/?action=download_rom&version=v2.2.0.0&filename=ota.bin"
    tag = '"%s"' % hashlib.sha256(V2.read_bytes()).hexdigest()
    for tls in (False, True):
        assert curl(asked, path, "-r", "20000-", tls=tls) == (206, V2.read_bytes()[20000:])
        assert curl(asked, path, "-r", "20000-", "-H", f"If-Range: {tag}", tls=tls)[0] == 206
        assert curl(asked, path, "-H", f"If-None-Match: {tag}", tls=tls) == (304, b"")
        assert curl(asked, path, "-r", "99999999-", tls=tls)[0] == 416


@pytest.mark.parametrize("version", ["v1.0(b)[x];{}<>|^`~!$'*=@:?", "v1+build.7", "../../etc/passwd", "v1;drop"])
def test_odd_versions_are_found_unencoded(cloud, version):
    cloud("deploy", "lamp", "--version", version, "--file", f"mqtt_ca.bin={MQTT_CA}")
    text = request(cloud, DOWNLOAD, version=version.encode(), filename=b"mqtt_ca.bin")
    with cloud.connect() as s:
        assert original_download(s, text, b"\xf1\xf1") == MQTT_CA.read_bytes()


def test_a_large_file_arrives_whole_over_both(cloud, tmp_path):
    large = tmp_path / "own.bin"
    large.write_bytes(os.urandom(3 << 20))
    done = cloud.run("deploy", "lamp", "--version", "v3", "--file", f"own.bin={large}")
    assert done.returncode == 0 and "erased" in done.stderr  # a name that originals fail with
    for tls in (False, True):
        with cloud.connect(tls) as s:
            text = request(cloud, DOWNLOAD, version=b"v3", filename=b"own.bin")
            assert original_download(s, text, b"") == large.read_bytes()


# Refusals ------------------------------------------------------------------------------------

@pytest.mark.parametrize("header", ["", "Authorization: token \r\n", "Authorization: token (null)\r\n",
                                    "Authorization: Bearer KEY\r\n", "Authorization: token KEYx\r\n",
                                    "Authorization: token dd93253c287f725de50d4071a05dd28b72056ca7\r\n"])
def test_bad_tokens_are_refused_with_json_and_the_connection_ends(asked, header):
    for tls in (False, True):
        with asked.connect(tls) as s:
            s.sendall(("GET /v1/device/rom/?is_format_simple=true HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n"
                       + header.replace("KEY", asked.key.decode()) + "\r\n").encode())
            head, _, body = b"".join(iter(lambda: s.recv(READ), b"")).partition(b"\r\n\r\n")
            assert head.split()[1] == b"403" and body.startswith(b'{"status": 403, "message": "')


@pytest.mark.parametrize("path,status", [
    ("/v1/device/rom/?action=download_rom&version=v9&filename=ota.bin", 404),
    ("/v1/device/rom/?action=download_rom&version=&filename=ota.bin", 404),
    ("/v1/device/rom/?action=download_rom&version=v2.2.0.0&filename=../ota.bin", 404),
    ("/v1/device/rom/?action=download_rom&version=v2.2.0.0", 404),
    ("/v1/device/rom/?action=download_rom&version=%00&filename=ota.bin", 404),
    ("/v1/device/rom/?action=" + "x" * 200, 404), ("/v1/device/rom/?action=erase", 404),
    ("/v1/", 404), ("/v1/products/1/roms/", 405), ("/v1/messages/", 405), ("/v1/products/x/roms", 404)])
def test_what_is_not_there_is_told_as_json(asked, path, status):
    got, body = curl(asked, path, tls=False)
    assert got == status and body.startswith(b"{") and json.loads(body)["status"] == status


def test_nothing_else_is_served_on_the_plain_port(asked):
    for path in ("/", "/firmware/lamp-v2.2.0.0-ota.bin", "/api/v1/health", "/api/v1/artifacts", "/api/v1/asked/devices"):
        status, body = curl(asked, path, "-H", f"X: {asked.token}", tls=False)
        assert status == 404 and json.loads(body)["status"] == 404


def test_a_product_without_a_version_answers_404(cloud):
    cloud("product", "create", "fan")
    key = cloud.device("fan01", "fan")
    status, body = curl(cloud, "/v1/device/rom/?is_format_simple=true", key=key)
    assert status == 404 and b"rom_version" not in body
    path = "/v1/device/rom/?action=download_rom&version=v2.2.0.0&filename=ota.bin"
    assert curl(cloud, path, key=key)[0] == 404  # another product's version


@pytest.mark.parametrize("words,part", [
    (["--version", "a b", "--file", f"ota.bin={V1}"], "0x20"), (["--version", 'a"b', "--file", f"ota.bin={V1}"], "0x22"),
    (["--version", "x" * 65, "--file", f"ota.bin={V1}"], "64"), (["--version", "v5", "--file", f"ota.bin={MQTT_CA}"], "image"),
    (["--version", "v5", "--file", f"ota.bin={IMAGES / 'checksum_byte.bin'}"], "checksum"),
    (["--version", "v5", "--file", f"mqtt_ca.bin={V1}"], "expected 0xf1"), (["--version", "v5", "--file", f"ota={V1}"], "ota"),
    (["--version", "v5", "--file", "ota.bin=nothing"], "nothing"), (["--version", "v5"], "--file"),
    (["--version", "v5"] + [w for i in range(11) for w in ("--file", f"f{i}.bin={MQTT_CA}")], "10"),
    (["--version", "v2.2.0.0", "--file", f"ota.bin={V1}"], "already")])
def test_what_modules_would_stumble_over_is_refused_before_anything_is_sent(asked, words, part):
    before = sorted(asked.artifacts())
    done = asked.run("deploy", "lamp", *words)
    assert done.returncode != 0 and part in done.stderr
    assert sorted(asked.artifacts()) == before and len(asked("roms", "lamp")["roms"]) == 2


@pytest.mark.parametrize("words,status,part", [
    (["key", "revoke", "1x"], 1, "number"), (["key", "revoke", "lamp01"], 1, "number"), (["key", "revoke", "-1"], None, ""),
    (["key", "list", "--device", "x" * 40], 1, "device"), (["key", "list", "--device", "nothing"], 1, "no device"),
    (["events", "--device", "x" * 40], 1, "device"), (["events", "--limit", "abc"], 2, "abc"),
    (["events", "--limit", "1001"], 2, "1000"), (["audit", "--limit", "0"], 1, "limit"),
    (["device", "list", "--product", "lmap"], 1, "no product"),
    (["product", "create", "x", "--description", "a\x1b[2J"], 1, "control")])
def test_a_slip_of_the_pen_is_told_and_does_nothing(asked, words, status, part):
    before = asked("audit")
    done = asked.run(*words)
    assert done.returncode in ((1, 2) if status is None else (status,)) and part in done.stderr and done.stdout == ""
    assert asked("audit") == before and told(asked) == "v2.2.0.0"


@pytest.mark.parametrize("body", [b'{"name": "a\\u0000b"}', b'{"name": "ab"} {}', b"[" * 5000, b"[1]", b'{"name": 5}', b"",
                                  b'{"name": "q\');DROP TABLE cloud_product;--"}'])
def test_absurd_documents_are_refused(asked, body):
    done = subprocess.run(["curl", "-sS", "-w", "%{http_code}", "--cacert", asked.ca, "-H", f"Authorization: Bearer {asked.token}",
                           "--data-binary", "@-", f"{asked.url}/api/v1/cloud/products"], input=body, capture_output=True)
    assert done.stdout.endswith(b"400") and json.loads(done.stdout[:-3])["error"]["message"]
    assert [p["name"] for p in asked("product", "list")["products"]] == ["lamp"]


def test_what_a_failed_deployment_leaves_is_named_and_used_by_the_next(cloud):
    words = ["deploy", "lamp", "--version", "v3", "--file", f"mqtt_ca.bin={MQTT_CA}", "--file"]
    done = cloud.run(*words, "own.bin=" + "0" * 64 + ".bin")
    assert done.returncode == 1 and "airlift artifacts delete lamp-v3-mqtt_ca.bin" in done.stderr
    assert cloud.run(*words, "own.bin=nothing").returncode == 1
    assert cloud("deploy", "lamp", "--version", "v3", "--file", f"mqtt_ca.bin={MQTT_CA}")["version"] == "v3"


# Versions, keys, events ----------------------------------------------------------------------

def told(cloud, key=None):
    return json.loads(curl(cloud, "/v1/device/rom/?is_format_simple=true", key=key)[1])["recommended_rom_version"]


def test_a_version_is_taken_back_and_a_device_held(cloud):
    other = cloud.device("lamp02")
    assert told(cloud) == told(cloud, other) == "v2.2.0.0"
    cloud("current", "lamp", "v2.1.0.0")
    assert told(cloud) == told(cloud, other) == "v2.1.0.0"
    cloud("device", "override", "lamp02", "v2.2.0.0")
    assert told(cloud) == "v2.1.0.0" and told(cloud, other) == "v2.2.0.0"
    assert cloud.run("roms", "remove", "lamp", "v2.2.0.0").returncode == 1
    cloud("device", "override", "lamp02", "--none")
    assert told(cloud, other) == "v2.1.0.0"
    cloud("roms", "remove", "lamp", "v2.2.0.0")
    path = "/v1/device/rom/?action=download_rom&version=v2.2.0.0&filename=ota.bin"
    assert curl(cloud, path)[0] == 404


def test_a_version_keeps_its_content_when_its_artifact_is_published_anew(cloud):
    text = request(cloud, DOWNLOAD, version=b"v2.1.0.0", filename=b"ota.bin")
    for content in (V1, V2, V1):
        cloud.push(content, "lamp-v2.1.0.0-ota.bin", "--kind", "esp-app")
        with cloud.connect() as s:
            assert original_download(s, text, b"\xe9") == V1.read_bytes()


def test_what_a_version_holds_cannot_be_deleted(cloud):
    done = subprocess.run([servers.AIRLIFT, "artifacts", "delete", "lamp-v2.1.0.0-ota.bin", "--data", cloud.data],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "cloud" in done.stderr
    cloud("roms", "remove", "lamp", "v2.1.0.0")
    assert cloud.run("roms", "lamp").returncode == 0
    assert "lamp-v2.1.0.0-ota.bin" in cloud.artifacts()


def test_revoked_keys_and_removed_devices_are_strangers(cloud):
    more = cloud("key", "create", "--device", "lamp01", "--label", "spare")
    assert told(cloud, more["key"].encode()) == "v2.2.0.0"
    cloud("key", "revoke", more["id"])
    assert curl(cloud, "/v1/device/rom", key=more["key"].encode())[0] == 403
    cloud("device", "remove", "lamp01")
    assert curl(cloud, "/v1/device/rom")[0] == 403


def test_a_key_is_shown_once(cloud):
    key = cloud.key.decode()
    for words in (("device", "show", "lamp01"), ("device", "list"), ("key", "list"), ("audit",), ("events",)):
        assert key not in cloud.run(*words, "--json").stdout
    made = cloud("product", "create", "fan")
    for words in (("product", "show", "fan"), ("product", "list"), ("key", "list"), ("audit",)):
        out = cloud.run(*words, "--json").stdout
        assert made["secret"] not in out and made["owner_key"] not in out
    assert key not in cloud.log and made["secret"] not in cloud.log and made["owner_key"] not in cloud.log
    text = cloud.run("device", "create", "lamp09", "--product", "lamp").stdout
    assert "CONFIG_AT_OTA_TOKEN_KEY" in text and "AT+SYSMFG" in text and "once" in text


def test_the_deploy_hook_needs_the_owner_key_of_that_product(cloud):
    cloud.push(MQTT_CA, "ca", "--kind", "other")
    assert deploy_hook(cloud, "v3") == 200
    assert deploy_hook(cloud, "v3") == 409
    assert deploy_hook(cloud, "v4", key=cloud.key.decode()) == 403
    stranger = cloud("product", "create", "fan")["owner_key"]
    assert deploy_hook(cloud, "v4", key=stranger) == 403
    assert deploy_hook(cloud, "v4", files=[("ca", "ota.bin")]) == 422
    assert deploy_hook(cloud, "v4", files=[("nothing", "ota.bin")]) == 404
    assert deploy_hook(cloud, 'v"4\\\n') == 400  # told as JSON all the same
    digest = hashlib.sha256(MQTT_CA.read_bytes()).hexdigest()
    assert deploy_hook(cloud, "v4", files=[(digest + ".bin", "mqtt_ca.bin")]) == 200
    assert [r["version"] for r in cloud("roms", "lamp")["roms"]] == ["v4", "v3", "v2.2.0.0", "v2.1.0.0"]
    assert cloud("audit", "--limit", 1)["audit"][0]["who"].startswith("owner key ")


def eventually(check):
    until = time.monotonic() + 10
    while not check():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_events_tell_who_got_what(cloud, tmp_path):
    large = tmp_path / "own.bin"
    large.write_bytes(bytes(8 << 20))
    cloud("deploy", "lamp", "--version", "v3", "--file", f"own.bin={large}")
    assert cloud("device", "show", "lamp01")["status"] == "developing"
    with cloud.connect() as s:
        assert original_query(s, request(cloud)) == b"v2.2.0.0"
    with cloud.connect() as s:
        assert original_download(s, request(cloud, DOWNLOAD), b"\xe9")
    with cloud.connect() as s:
        s.sendall(request(cloud, DOWNLOAD, version=b"v3", filename=b"own.bin"))
        s.recv(READ)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    report = {"get": {"action": "device_upgrade_success"}, "body": {"pre_rom_version": "v2.1.0.0", "rom_version": "v2.2.0.0"}}
    assert curl(cloud, "/v1/messages/", "-d", json.dumps(report), tls=False) == (200, b'{"status": 200, "message": "noted"}')
    assert curl(cloud, "/v1/messages/", "-d", "nothing", tls=False)[0] == 400
    eventually(lambda: len(cloud("events")["events"]) == 4)
    kinds = {(e["action"], e["version"], e["file"], e["status"], e["device"], e["address"]) for e in cloud("events")["events"]}
    assert kinds == {("activate", "", "", "done", "lamp01", "127.0.0.1"),
                     ("download", "v2.2.0.0", "ota.bin", "done", "lamp01", "127.0.0.1"),
                     ("download", "v3", "own.bin", "interrupted", "lamp01", "127.0.0.1"),
                     ("device_upgrade_success", "v2.2.0.0", "", "reported", "lamp01", "127.0.0.1")}
    sizes = {e["version"]: e["bytes"] for e in cloud("events")["events"] if e["status"] == "done" and e["file"]}
    assert sizes == {"v2.2.0.0": V2.stat().st_size}
    assert cloud("device", "show", "lamp01")["status"] == "activated"


def test_what_a_module_asked_for_in_vain_is_an_event(cloud):
    path = "/v1/device/rom/?action=download_rom&version=v9%c2%9b2J&filename=mqtt_ca.bin"
    assert curl(cloud, path, tls=False)[0] == 404
    seen = cloud("events")["events"][0]
    assert (seen["action"], seen["status"], seen["version"], seen["file"]) == ("download", "missing", "v9??2J", "mqtt_ca.bin")
    assert curl(cloud, path, key=b"0" * 40, tls=False)[0] == 403
    assert "no token of a module" in cloud.log and len(cloud("events")["events"]) == 2


def test_the_audit_log_has_every_change_and_outlives_a_restart(cloud):
    cloud("current", "lamp", "v2.1.0.0")
    assert cloud.run("current", "lamp", "v9").returncode == 1  # no change
    cloud.stop()
    cloud.start()
    log = cloud("audit")["audit"]
    assert [e["what"] for e in log] == ["current", "deploy", "deploy", "device create", "product create"]
    assert all(e["who"] == "publishing token from 127.0.0.1" for e in log)
    assert told(cloud) == "v2.1.0.0"


# Load, limits, power loss --------------------------------------------------------------------

def database_files(cloud):
    return {f.name: (f.stat().st_mtime_ns, f.stat().st_size) for f in cloud.data.glob("airlift.db*") if f.suffix != ".db-shm"}


def test_a_thousand_queries_write_nothing(tmp_path):
    with Cloud(tmp_path / "data", "--module-limit", "100000") as cloud:
        cloud("product", "create", "lamp")
        cloud.key = cloud.device("lamp01")
        cloud("deploy", "lamp", "--version", "v1", "--file", f"mqtt_ca.bin={MQTT_CA}", "--current")
        assert told(cloud) == "v1"  # activates
        cloud("events")  # waits for that to be written
        before = database_files(cloud)
        with cloud.connect() as s:
            for _ in range(1000):
                assert original_query(s, request(cloud)) == b"v1"
        cloud("events")
        assert database_files(cloud) == before


def test_a_thousand_modules_behind_one_address_ask_at_once(cloud):
    keys = [d["key"].encode() for d in cloud("device", "batch", "x", "--count", 1000, "--product", "lamp")["devices"]]
    connections = []
    try:
        for key in keys:
            s = cloud.connect()
            s.sendall(QUERY.replace(DEFAULT_TOKEN, key))
            connections.append(s)
        for s in connections:
            assert b"v2.2.0.0" in s.recv(READ)
    finally:
        for s in connections:
            s.close()
    eventually(lambda: sum(d["status"] == "activated" for d in cloud("device", "list")["devices"]) == 1000)


def test_too_many_requests_get_429(tmp_path):
    with Cloud(tmp_path / "data", "--module-limit", "3", "--module-address-limit", "7") as cloud:  # room again in 8 s
        cloud("product", "create", "lamp")
        cloud("deploy", "lamp", "--version", "v1", "--file", f"mqtt_ca.bin={MQTT_CA}", "--current")
        keys = [cloud.device(f"lamp{i}") for i in range(2)]
        seen = [curl(cloud, "/v1/device/rom", key=keys[0])[0] for _ in range(4)]
        assert seen == [200] * 3 + [429]
        status, body = curl(cloud, "/v1/device/rom", "-H", "X-Forwarded-For: 192.0.2.1", key=keys[0])
        assert status == 429 and body == b'{"status": 429, "message": "too many requests"}'
        seen = [curl(cloud, "/v1/device/rom", key=keys[1])[0] for _ in range(3)]  # 8 of this address
        assert seen == [200] * 2 + [429]
        assert curl(cloud, "/v1/device/rom", key=False)[0] == 429
        assert cloud("product", "list")["products"]  # people are not modules


@pytest.mark.parametrize("delay", [0.01, 0.03, 0.1])
def test_kill_during_deploy_leaves_all_or_nothing(cloud, delay):
    for i in range(10):
        cloud.push(MQTT_CA, f"ca{i}", "--kind", "other")
    files = [(f"ca{i}", f"f{i}.bin") for i in range(10)]
    deploy_hook(cloud, "start", files=files)
    done = []

    def keep_deploying():
        try:
            client = http.client.HTTPConnection("127.0.0.1", cloud.modules)
            for i in range(1000):
                if deploy_hook(cloud, f"r{i}", client, files) == 200:
                    done.append(f"r{i}")
        except (OSError, http.client.HTTPException):
            pass
    worker = threading.Thread(target=keep_deploying)
    worker.start()
    time.sleep(delay)
    cloud.stop(signal.SIGKILL)
    worker.join(20)
    (cloud.data / "airliftd.json").unlink(missing_ok=True)
    cloud.start()
    roms = {r["version"]: len(r["files"]) for r in cloud("roms", "lamp")["roms"]}
    assert set(done) <= set(roms)
    assert all(n == 10 for v, n in roms.items() if v.startswith("r")) and roms["start"] == 10
    deployed = [e["detail"] for e in cloud("audit", "--limit", 1000)["audit"] if e["what"] == "deploy"]
    assert len(deployed) == len(roms)


def test_many_at_once_over_tls_get_whole_answers(asked):
    def one(_):
        with asked.connect(tls=True) as s:
            return original_download(s, request(asked, DOWNLOAD), b"\xe9") == V2.read_bytes()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(one, range(40)))
