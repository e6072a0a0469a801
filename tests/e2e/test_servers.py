"""The servers that other tests rely on do what they promise, as curl sees it."""
import subprocess

import pytest

DATA = bytes(range(256)) * 256  # 64 KiB


def curl(server, path, *options):
    words = ["curl", "-sS", "--max-time", "20", *options]
    if server.ca:
        words += ["--cacert", server.ca]
    return subprocess.run([*words, server.url + path], capture_output=True)


@pytest.fixture(autouse=True)
def served(web_root):
    (web_root / "file.bin").write_bytes(DATA)


def test_nginx_serves_ranges(nginx):
    assert curl(nginx, "/file.bin").stdout == DATA
    assert curl(nginx, "/file.bin", "-r", "10-19").stdout == DATA[10:20]


def test_openssl_serves_whole_files_only(openssl_server):
    assert curl(openssl_server, "/file.bin", "--http1.0").stdout == DATA
    assert curl(openssl_server, "/file.bin", "--http1.0", "-r", "10-19").stdout == DATA


def test_python_serves_with_and_without_ranges(python_server):
    assert curl(python_server(), "/file.bin", "-r", "10-19").stdout == DATA
    assert curl(python_server(ranges=True), "/file.bin", "-r", "10-19").stdout == DATA[10:20]


def test_python_serves_without_length_and_chunked(python_server):
    for server in (python_server(length=False), python_server(chunked=True)):
        done = curl(server, "/file.bin", "-i")
        head, body = done.stdout.split(b"\r\n\r\n", 1)
        assert b"Content-Length" not in head and body == DATA


def test_python_redirects_and_asks_for_a_password(python_server):
    server = python_server(redirects={"/a": "/file.bin"}, auth=("u", "p"))
    assert curl(server, "/a", "-L", "-w", "%{http_code}").stdout.endswith(b"401")
    assert curl(server, "/a", "-L", "-u", "u:p").stdout == DATA


def test_python_cuts_a_download_short(python_server, certificate):
    server = python_server(cut_after=5000, tls=certificate, ranges=True)
    done = curl(server, "/file.bin")
    assert done.returncode != 0 and done.stdout == DATA[:5000]
    assert curl(server, "/file.bin", "-r", "5000-").stdout == DATA[5000:]
