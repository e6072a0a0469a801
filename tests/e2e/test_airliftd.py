"""airliftd as curl, openssl and many clients at once see it; what goes wrong, and power loss."""
import concurrent.futures
import contextlib
import hashlib
import http.client
import json
import os
import pty
import resource
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

import servers

IMAGES = servers.ROOT / "tests" / "vectors" / "esp-flash" / "image"
V1, V2 = IMAGES / "app_c3_v1.bin", IMAGES / "app_c3_v2.bin"


class Answer:
    """What `curl -i` printed, taken apart."""

    def __init__(self, done):
        self.exit, self.error = done.returncode, done.stderr.decode()
        head, _, self.body = done.stdout.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if lines[0].startswith("HTTP/") else 0
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()


def curl(server, path, *options, ca=True):
    words = ["curl", "-sS", "-i", "--max-time", "30", "--path-as-is", *options]
    if "Expect: 100-continue" not in options:
        words += ["-H", "Expect:"]
    if ca and server.ca:
        words += ["--cacert", server.ca]
    return Answer(subprocess.run([*map(str, words), server.url + path], capture_output=True))


def post(server, query, file, *options, token=None):
    return curl(server, "/api/v1/artifacts?" + query, "-H",
                f"Authorization: Bearer {token or server.token}", "--data-binary", f"@{file}",
                *options)


@pytest.fixture
def served(airliftd):
    airliftd.push(V1, "app.bin")
    return airliftd


# Downloads ---------------------------------------------------------------------------------

def test_download_is_byte_identical(served):
    got = curl(served, "/firmware/app.bin")
    assert got.status == 200 and got.body == V1.read_bytes()
    assert got.headers["etag"] == '"%s"' % hashlib.sha256(got.body).hexdigest()
    assert got.headers["accept-ranges"] == "bytes"
    assert got.headers["content-length"] == str(len(got.body))


@pytest.mark.parametrize("spec,first,last", [
    ("0-0", 0, 0), ("0-9", 0, 9), ("65606-65615", 65606, 65615), ("-10", 65606, 65615),
    ("65600-", 65600, 65615), ("65615-", 65615, 65615), ("100-999999", 100, 65615),
    ("-999999", 0, 65615)])
def test_ranges_are_exact(served, spec, first, last):
    got = curl(served, "/firmware/app.bin", "-r", spec)
    assert got.status == 206
    assert got.headers["content-range"] == f"bytes {first}-{last}/65616"
    assert got.body == V1.read_bytes()[first:last + 1]


@pytest.mark.parametrize("value", ["bytes=5-4", "bytes=x-", "lines=1-2", "bytes=0-1,5-6", "bytes=-"])
def test_ranges_that_are_ignored_give_the_whole(served, value):
    got = curl(served, "/firmware/app.bin", "-H", f"Range: {value}")
    assert got.status == 200 and got.body == V1.read_bytes()


@pytest.mark.parametrize("value", ["bytes=65616-", "bytes=-0", "bytes=99999999999999999999-"])
def test_ranges_behind_the_end_are_refused(served, value):
    got = curl(served, "/firmware/app.bin", "-H", f"Range: {value}")
    assert got.status == 416
    assert got.headers["content-range"] == "bytes */65616"


def test_head_tells_the_length_and_ignores_ranges(served):
    got = curl(served, "/firmware/app.bin", "-I", "-r", "0-9")
    assert got.status == 200 and got.headers["content-length"] == "65616" and not got.body


def test_if_none_match_gives_304_without_body(served):
    tag = curl(served, "/firmware/app.bin", "-I").headers["etag"]
    got = curl(served, "/firmware/app.bin", "-H", f"If-None-Match: {tag}")
    assert got.status == 304 and not got.body and got.headers["etag"] == tag
    assert got.headers.get("content-length", "65616") == "65616"
    assert curl(served, "/firmware/app.bin", "-H", 'If-None-Match: "x"').status == 200
    assert curl(served, "/firmware/app.bin", "-H", 'If-Match: "x"').status == 412


def test_if_range_protects_a_resumed_download(served):
    old = curl(served, "/firmware/app.bin", "-I").headers
    for validator in (old["etag"], old["last-modified"]):
        assert curl(served, "/firmware/app.bin", "-r", "5-9", "-H",
                    f"If-Range: {validator}").status == 206
    served.push(V2, "app.bin")
    for validator in (old["etag"], old["last-modified"]):
        got = curl(served, "/firmware/app.bin", "-r", "5-9", "-H", f"If-Range: {validator}")
        assert got.status == 200 and got.body == V2.read_bytes()


def test_one_connection_serves_many_requests(served):
    url = served.url + "/firmware/app.bin"
    done = subprocess.run(["curl", "-sS", "-v", "--cacert", served.ca, "-o", "/dev/null", url,
                           "-o", "/dev/null", url, "-r", "0-9", "-o", "/dev/null", url],
                          capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr.count("Connected to") == 1
    assert done.stderr.count("Re-using existing connection") == 2


def test_a_304_leaves_the_connection_in_step(served):
    tag = curl(served, "/firmware/app.bin", "-I").headers["etag"]
    c = http.client.HTTPSConnection("127.0.0.1", served.port,
                                    context=ssl.create_default_context(cafile=served.ca))
    for _ in range(3):
        c.request("GET", "/firmware/app.bin", headers={"If-None-Match": tag})
        r = c.getresponse()
        assert r.status == 304 and r.read() == b""
        c.request("GET", "/firmware/app.bin")
        assert c.getresponse().read() == V1.read_bytes()
    c.close()


@pytest.mark.parametrize("path", [
    "/firmware/../token", "/firmware/..%2ftoken", "/firmware/%2e%2e/token", "/../token", "/token",
    "/firmware/../../airlift.db", "/firmware//etc/passwd", "/firmware/app.bin%00.txt",
    "/firmware/app.bin/", "/firmware/", "/firmware", "/firmware/..", "/firmware/%", "/api/v1/../",
    "/firmware/....//token", "/firmware/\\..\\token", "//firmware/app.bin"])
def test_paths_lead_nowhere_else(served, path):
    got = curl(served, path)
    assert got.status in (400, 404)
    assert served.token.encode() not in got.body


def test_many_clients_at_once_get_their_bytes(served):
    want = V1.read_bytes()

    def client(_):
        c = http.client.HTTPSConnection("127.0.0.1", served.port,
                                        context=ssl.create_default_context(cafile=served.ca))
        for _ in range(4):
            c.request("GET", "/firmware/app.bin")
            if c.getresponse().read() != want:
                return False
        c.close()
        return True

    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        assert all(pool.map(client, range(40)))


def test_downloads_are_whole_while_the_name_is_published_anew(served):
    whole = {V1.read_bytes(), V2.read_bytes()}
    ended = threading.Event()

    def publish():
        for n in range(20):
            served.push(V2 if n % 2 else V1, "app.bin")
        ended.set()

    publisher = threading.Thread(target=publish)
    publisher.start()
    c = http.client.HTTPSConnection("127.0.0.1", served.port,
                                    context=ssl.create_default_context(cafile=served.ca))
    seen = set()
    while not ended.is_set():
        c.request("GET", "/firmware/app.bin")
        r = c.getresponse()
        body = r.read()
        assert r.getheader("ETag") == '"%s"' % hashlib.sha256(body).hexdigest()
        seen.add(body)
    publisher.join()
    c.close()
    assert seen <= whole and len(seen) == 2


# TLS ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_tls_versions(served, version):
    got = curl(served, "/firmware/app.bin", f"--tlsv{version}", "--tls-max", version)
    assert got.status == 200


def test_old_tls_is_refused(served):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{served.port}", "-tls1_1",
                           "-cipher", "ALL@SECLEVEL=0"], input="", capture_output=True, text=True)
    assert done.returncode != 0


def test_a_client_without_the_ca_refuses(served):
    assert curl(served, "/", ca=False).exit == 60


def test_the_certificate_names_localhost_and_what_is_asked_for(tmp_path):
    with servers.Airliftd(tmp_path / "data", "--name", "updates.example.com") as server:
        for host in ("localhost", "updates.example.com"):
            done = subprocess.run(["curl", "-sS", "--cacert", server.ca, "--resolve",
                                   f"{host}:{server.port}:127.0.0.1",
                                   f"https://{host}:{server.port}/api/v1/health"],
                                  capture_output=True, text=True)
            assert json.loads(done.stdout)["status"] == "ok"


def test_print_ca_gives_what_clients_trust(served, tmp_path):
    done = subprocess.run([servers.AIRLIFTD, "--data", served.data, "--print-ca"],
                          capture_output=True)
    assert done.returncode == 0 and done.stdout == served.ca.read_bytes()
    fresh = tmp_path / "fresh"
    done = subprocess.run([servers.AIRLIFTD, "--data", fresh, "--print-ca"], capture_output=True)
    assert done.returncode == 0 and done.stdout == (fresh / "tls" / "ca.pem").read_bytes()


def test_given_certificate_is_used(tmp_path, certificate):
    cert, key = certificate
    with servers.Airliftd(tmp_path / "data", "--cert", cert, "--key", key) as server:
        server.ca = cert
        assert curl(server, "/api/v1/health").status == 200
        assert not (server.data / "tls").exists()


def test_plain_http_only_when_asked_for(tmp_path, served):
    with servers.Airliftd(tmp_path / "plain", "--http") as server:
        server.push(V1, "app.bin")
        assert curl(server, "/firmware/app.bin", "-r", "1-2").body == V1.read_bytes()[1:3]
    assert curl_plain(served).exit != 0


def curl_plain(server):
    return Answer(subprocess.run(["curl", "-sS", "-i", "--max-time", "10",
                                  f"http://127.0.0.1:{server.port}/"], capture_output=True))


# Hostile clients ---------------------------------------------------------------------------

def raw_request(server, data):
    """Sends bytes over TLS; returns what comes back until the server closes or 3 s pass."""
    context = ssl.create_default_context(cafile=server.ca)
    with socket.create_connection(("127.0.0.1", server.port), timeout=3) as raw, \
            context.wrap_socket(raw, server_hostname="127.0.0.1") as tls:
        got = b""
        try:
            tls.sendall(data)
            while piece := tls.recv(65536):
                got += piece
        except OSError:
            pass
        return got


@pytest.mark.parametrize("data", [
    b"\x00" * 1000, b"GET\r\n\r\n", b"GET /firmware/app.bin HTTP/9.9\r\n\r\n",
    b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"H%d: v\r\n" % n for n in range(9000)) + b"\r\n",
    b"POST /api/v1/artifacts?name=x HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /api/v1/artifacts?name=x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /api/v1/artifacts?name=x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"],
    ids=["zeros", "no-path", "version", "long-path", "long-header", "many-headers", "negative",
         "overflow", "bad-chunk"])
def test_broken_requests_are_refused_and_the_server_lives(served, data):
    got = raw_request(served, data)
    assert not got.startswith(b"HTTP/1.1 2")
    with socket.create_connection(("127.0.0.1", served.port)) as plain:
        plain.sendall(data)  # no TLS at all
    assert curl(served, "/firmware/app.bin").body == V1.read_bytes()


def test_all_addresses_are_served_by_default(tmp_path):
    if not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("no IPv6 here")
    port = servers.free_port()
    with servers.Airliftd(tmp_path / "data", "--listen", f"[::]:{port}", port=port) as server:
        for host in ("127.0.0.1", "[::1]", "localhost"):
            done = subprocess.run(["curl", "-sS", "--cacert", server.ca,
                                   f"https://{host}:{port}/api/v1/health"], capture_output=True)
            assert done.returncode == 0, done.stderr


# Publishing --------------------------------------------------------------------------------

def test_push_tells_what_was_published(airliftd):
    told = json.loads(airliftd.push(V1, "app.bin").stdout)
    assert told["sha256"] == hashlib.sha256(V1.read_bytes()).hexdigest()
    assert (told["name"], told["size"], told["version"], told["chip"]) == (
        "app.bin", 65616, "1.0.0", "esp32c3")
    assert airliftd.artifacts() == {"app.bin": told}


def test_push_to_a_url_with_token_file_and_ca(airliftd):
    done = subprocess.run([servers.AIRLIFT, "push", V1, "--server", airliftd.url + "/", "--ca",
                           airliftd.ca, "--token-file", airliftd.data / "token"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "app_c3_v1.bin" in done.stdout
    assert "app_c3_v1.bin" in airliftd.artifacts()


def test_push_shows_progress_on_a_terminal(airliftd, tmp_path):
    big = tmp_path / "big"
    big.write_bytes(os.urandom(4 << 20))
    terminal, theirs = pty.openpty()
    done = subprocess.run([servers.AIRLIFT, "push", big, "--kind", "other", "--data", airliftd.data,
                           "--json"], stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = os.read(terminal, 100000).decode()
    os.close(terminal)
    assert done.returncode == 0 and json.loads(done.stdout)["size"] == 4 << 20
    assert "uploading [" in shown and "100 %" in shown


def test_history_and_deletion(served):
    served.push(V2, "app.bin")
    got = curl(served, "/api/v1/artifacts/app.bin", "-H", f"Authorization: Bearer {served.token}")
    assert [h["version"] for h in json.loads(got.body)["history"]] == ["1.1.0", "1.0.0"]
    done = subprocess.run([servers.AIRLIFT, "artifacts", "delete", "app.bin", "--data", served.data])
    assert done.returncode == 0
    assert served.artifacts() == {} and curl(served, "/firmware/app.bin").status == 404
    assert [p for p in (served.data / "blobs").rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("method,path", [("GET", "artifacts"), ("POST", "artifacts?name=x"),
                                         ("DELETE", "artifacts/app.bin"), ("GET", "artifacts/app.bin")])
@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic eDp5", "Bearer " + "0" * 64])
def test_without_the_token_nothing_is_told(served, method, path, header):
    options = ["-H", f"Authorization: {header}"] if header else []
    got = curl(served, "/api/v1/" + path, "-X", method, *options)
    assert got.status == 401
    error = json.loads(got.body)["error"]
    assert error["code"] == "unauthorized" and error["hint"]
    assert "app.bin" in served.artifacts()


def test_a_large_body_with_a_bad_token_gets_its_401(airliftd, tmp_path):
    big = tmp_path / "big"
    big.write_bytes(bytes(20 << 20))
    assert post(airliftd, "name=x&kind=other", big, token="wrong").status == 401
    done = airliftd.push(big, "x", "--kind", "other", "--token", "wrong", check=False)
    assert done.returncode == 1 and "token is not right" in done.stderr


# What the vectors' names promise, and the check that refuses.
@pytest.mark.parametrize("file,code", [
    ("bad_magic", "image_magic"), ("checksum_byte", "image_checksum"),
    ("digest_changed", "image_hash"), ("payload_bit_flip", "image_checksum"),
    ("truncated_header", "image_truncated"), ("truncated_segment", "image_truncated"),
    ("truncated_digest", "image_truncated"), ("truncated_before_checksum", "image_truncated"),
    ("segments_17", "image_segment_count"), ("segment_len_huge", "image_segment_length"),
    ("app_desc_magic", "image_app_desc_magic"), ("erased", "image_magic")])
def test_bad_images_are_refused_with_their_check(served, file, code):
    got = post(served, "name=app.bin", IMAGES / f"{file}.bin")
    assert got.status == 422, got.body
    error = json.loads(got.body)["error"]
    assert error["code"] == code and error["message"]
    assert curl(served, "/firmware/app.bin").body == V1.read_bytes()
    assert list((served.data / "tmp").iterdir()) == []


@pytest.mark.parametrize("query", ["", "name=", "name=../x", "name=a/b", "name=.x", "name=a%00b",
                                   "name=" + "a" * 128, "name=a&kind=nonsense"])
def test_bad_arguments_are_refused(airliftd, query):
    assert post(airliftd, query, V1).status == 400
    assert airliftd.artifacts() == {}


def test_an_oversized_file_is_refused(tmp_path):
    big = tmp_path / "big"
    big.write_bytes(bytes(1 << 20))
    with servers.Airliftd(tmp_path / "data", "--max-size", "100K") as server:
        for options in ([], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect: 100-continue"]):
            got = post(server, "name=x&kind=other", big, *options)
            assert got.status == 413, options
            assert json.loads(got.body)["error"]["hint"]
        assert server.push(big, "x", "--kind", "other", check=False).returncode == 1
        assert server.push(V1, "x").returncode == 0
        assert list((server.data / "tmp").iterdir()) == []


def test_a_wrong_digest_and_an_empty_body_are_refused(airliftd, tmp_path):
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    got = post(airliftd, "name=x&sha256=" + "0" * 64, V1)
    assert (got.status, json.loads(got.body)["error"]["code"]) == (400, "sha256")
    got = post(airliftd, "name=x", empty)
    assert (got.status, json.loads(got.body)["error"]["code"]) == (400, "empty")


def open_upload(server, name, announced, body):
    """A publication that stops after part of its body; the open socket."""
    raw = socket.create_connection(("127.0.0.1", server.port))
    tls = ssl.create_default_context(cafile=server.ca).wrap_socket(raw, server_hostname="127.0.0.1")
    tls.sendall((f"POST /api/v1/artifacts?name={name} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                 f"{server.token}\r\nContent-Length: {announced}\r\n\r\n").encode() + body)
    return tls


def wait_until(condition, seconds=10):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "took too long"
        time.sleep(0.02)


def test_a_body_that_breaks_off_leaves_nothing(served):
    tmp = served.data / "tmp"
    upload = open_upload(served, "app.bin", 65616, V2.read_bytes()[:30000])
    wait_until(lambda: list(tmp.iterdir()))
    upload.close()
    wait_until(lambda: not list(tmp.iterdir()))
    assert curl(served, "/firmware/app.bin").body == V1.read_bytes()


def test_kill_in_the_middle_of_a_publication(served):
    tmp = served.data / "tmp"
    upload = open_upload(served, "app.bin", 65616, V2.read_bytes()[:60000])
    wait_until(lambda: any(p.stat().st_size for p in tmp.iterdir()))
    served.stop(signal.SIGKILL)
    upload.close()
    assert list(tmp.iterdir())
    served.start()
    assert list(tmp.iterdir()) == []
    assert served.artifacts()["app.bin"]["version"] == "1.0.0"
    assert curl(served, "/firmware/app.bin").body == V1.read_bytes()
    served.push(V2, "app.bin")
    assert curl(served, "/firmware/app.bin").body == V2.read_bytes()


def test_a_restart_keeps_everything(served):
    before = served.artifacts(), served.token, served.ca.read_bytes()
    headers = curl(served, "/firmware/app.bin", "-I").headers
    assert served.stop() == 0
    assert not (served.data / "airliftd.json").exists()
    served.start()
    assert (served.artifacts(), served.token, served.ca.read_bytes()) == before
    after = curl(served, "/firmware/app.bin", "-I").headers
    assert (after["etag"], after["last-modified"]) == (headers["etag"], headers["last-modified"])


def test_a_new_token_ends_the_old_one(served):
    old = served.token
    served.stop()
    served.options = ("--new-token",)
    served.start()
    assert served.token != old
    assert post(served, "name=x", V1, token=old).status == 401
    assert post(served, "name=x", V1).status == 201


@contextlib.contextmanager
def small_disk(path, size):
    """A tmpfs of that size; skips where that is not allowed."""
    path.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", path],
                                      capture_output=True).returncode:
        pytest.skip("cannot mount a tmpfs here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def test_a_full_disk_is_told_and_harms_nothing(tmp_path):
    with small_disk(tmp_path / "disk", "1m"):
        with servers.Airliftd(tmp_path / "disk" / "data") as server:
            server.push(V1, "app.bin")
            big = tmp_path / "big"
            big.write_bytes(os.urandom(2 << 20))
            got = post(server, "name=app.bin&kind=other", big)
            assert got.status == 507, got.body
            assert json.loads(got.body)["error"]["code"] == "disk_full"
            assert curl(server, "/firmware/app.bin").body == V1.read_bytes()
            assert list((server.data / "tmp").iterdir()) == []
            server.push(V2, "app.bin")


def test_a_file_size_limit_is_told_and_harms_nothing(tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (600000, 600000))
    big = tmp_path / "big"
    big.write_bytes(os.urandom(1 << 20))
    with servers.Airliftd(tmp_path / "data", preexec=limit) as server:
        server.push(V1, "app.bin")
        assert post(server, "name=app.bin&kind=other", big).status == 507
        assert curl(server, "/firmware/app.bin").body == V1.read_bytes()


# Starting ----------------------------------------------------------------------------------

def start_fails(*words):
    """airliftd refuses to start; returns its one line."""
    done = subprocess.run([servers.AIRLIFTD, *map(str, words)], capture_output=True, text=True,
                          timeout=20)
    assert done.returncode == 1, done
    assert len(done.stderr.strip().split("\n")) == 1, done.stderr
    return done.stderr


def test_port_in_use(served, tmp_path):
    said = start_fails("--data", tmp_path / "other", "--listen", f"127.0.0.1:{served.port}")
    assert str(served.port) in said and "another program listens there" in said


def test_data_directory_in_use_missing_or_a_file(served, tmp_path):
    assert "another airliftd" in start_fails("--data", served.data, "--listen", "127.0.0.1:0")
    assert "No such file" in start_fails("--data", tmp_path / "a" / "b")
    file = tmp_path / "file"
    file.write_text("x")
    assert "no directory" in start_fails("--data", file)


def test_certificates_that_do_not_work(tmp_path, certificate):
    cert, key = certificate
    _, other = servers.make_certificate(tmp_path / "other")
    junk = tmp_path / "junk"
    junk.write_text("junk")
    base = ["--data", tmp_path / "data", "--listen", "127.0.0.1:0"]
    assert "No such file" in start_fails(*base, "--cert", tmp_path / "none", "--key", key)
    assert "does not fit" in start_fails(*base, "--cert", cert, "--key", other)
    assert "no certificate" in start_fails(*base, "--cert", junk, "--key", key)
    assert "no private key" in start_fails(*base, "--cert", cert, "--key", junk)
    assert "neither a host name" in start_fails(*base, "--name", "no name")


def test_a_damaged_database_is_told(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "airlift.db").write_bytes(b"no database at all" * 500)
    said = start_fails("--data", tmp_path / "data", "--listen", "127.0.0.1:0")
    assert "airlift.db" in said and "not a database" in said


@pytest.mark.parametrize("words", [[], ["--data"], ["--data", "x", "more"], ["--nope"],
                                   ["--data", "x", "--cert", "c"], ["--data", "x", "--max-size", "0"],
                                   ["--data", "x", "--max-size", "5X"],
                                   ["--data", "x", "--cert-check", "0"],
                                   ["--data", "x", "--http", "--print-ca"]])
def test_wrong_use_is_status_2(words, tmp_path):
    done = subprocess.run([servers.AIRLIFTD, *words], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and "airliftd" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_closed_standard_descriptors_do_no_harm(tmp_path):
    """Messages must not land in the files that are opened instead."""
    data, port = tmp_path / "data", servers.free_port()
    process = subprocess.Popen(["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', servers.AIRLIFTD,
                                "--data", data, "--listen", f"127.0.0.1:{port}"])
    try:
        servers.wait_for_port(port, process, "airliftd")
        wait_until(lambda: (data / "airliftd.json").exists())
        for name in ("lock", "tls/ca.pem", "token"):
            assert b"airliftd:" not in (data / name).read_bytes()
        assert (data / "airlift.db").read_bytes().startswith(b"SQLite format 3")
        assert (data / "lock").read_bytes() == b""
    finally:
        process.terminate()
        assert process.wait(15) == 0


def test_help_and_version():
    for word, text in (("--help", "--print-ca"), ("--version", "airliftd ")):
        done = subprocess.run([servers.AIRLIFTD, word], capture_output=True, text=True)
        assert done.returncode == 0 and text in done.stdout


def test_sigterm_lets_a_download_finish(tmp_path):
    big = tmp_path / "big"
    big.write_bytes(os.urandom(8 << 20))
    with servers.Airliftd(tmp_path / "data") as server:
        server.push(big, "big", "--kind", "other")
        download = subprocess.Popen(["curl", "-sS", "--limit-rate", "6M", "--cacert", server.ca,
                                     server.url + "/firmware/big"], stdout=subprocess.PIPE)
        first = download.stdout.read(100000)
        server.process.send_signal(signal.SIGTERM)
        with download.stdout:
            rest = download.stdout.read()
        assert download.wait(30) == 0 and first + rest == big.read_bytes()
        assert server.process.wait(15) == 0
