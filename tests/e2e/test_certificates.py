"""airliftd renews and reloads its certificate while it serves, and drops nobody."""
import signal
import socket
import ssl
import subprocess
import time

import servers

WAIT_S = 20


def serial(certificate):
    """Serial number of a PEM file."""
    return int(subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-serial"],
                              capture_output=True, text=True, check=True).stdout.split("=")[1], 16)


class Connection:
    """A connection that stays open; knows the serial number of the certificate it got."""

    def __init__(self, server, ca):
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        self.tls = ssl.create_default_context(cafile=ca).wrap_socket(raw, server_hostname="localhost")
        self.serial = int(self.tls.getpeercert()["serialNumber"], 16)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()

    def ask(self):
        """Status of one more request."""
        self.tls.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = b""
        while not got.endswith(b"}"):
            piece = self.tls.recv(4096)
            if not piece:
                break
            got += piece
        return int(got.split()[1]) if got else 0


def serial_in_force(server, ca):
    with Connection(server, ca) as c:
        assert c.ask() == 200
        return c.serial


def wait_for(condition, server):
    until = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < until, server.log
        time.sleep(0.05)


def expire_soon(server, work, days=1):
    """Puts a certificate that the CA signed, but that ends soon, in the place of the server's."""
    tls = server.data / "tls"
    work.mkdir()
    subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", work / "key", "-out", work / "csr", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", work / "csr", "-CA", tls / "ca.pem",
                    "-CAkey", tls / "ca.key", "-copy_extensions", "copy", "-days", str(days),
                    "-out", work / "pem"], check=True, capture_output=True)
    ends = serial(work / "pem")
    (work / "key").rename(tls / "server.key")
    (work / "pem").rename(tls / "server.pem")
    return ends


def is_renewed(server, *old):
    """New connections get the certificate of the file, which is none of the old ones."""
    file = server.data / "tls" / "server.pem"
    now = serial_in_force(server, server.ca)
    lasts = subprocess.run(["openssl", "x509", "-in", file, "-noout", "-checkend", str(800 * 86400)],
                           capture_output=True).returncode == 0
    return lasts and now == serial(file) and now not in old


def test_a_certificate_that_ends_soon_is_renewed_while_connections_stay(tmp_path):
    with servers.Airliftd(tmp_path / "data", "--cert-check", "1") as server:
        with Connection(server, server.ca) as before:
            assert before.ask() == 200
            short = expire_soon(server, tmp_path / "short")
            wait_for(lambda: is_renewed(server, before.serial, short), server)
            assert before.ask() == 200
        assert "new connections get a new certificate" in server.log


def test_sighup_renews_at_once_and_only_what_has_to_be(airliftd, tmp_path):
    first = serial_in_force(airliftd, airliftd.ca)
    short = expire_soon(airliftd, tmp_path / "short")
    airliftd.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "new certificate" in airliftd.log, airliftd)
    assert is_renewed(airliftd, first, short)
    second = serial_in_force(airliftd, airliftd.ca)
    airliftd.process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert serial_in_force(airliftd, airliftd.ca) == second
    assert airliftd.log.count("new connections get") == 1


def test_sighup_reloads_given_files_and_keeps_the_old_ones_when_they_are_bad(tmp_path):
    old_cert, old_key = servers.make_certificate(tmp_path / "old")
    new_cert, new_key = servers.make_certificate(tmp_path / "new")
    cert, key = tmp_path / "cert.pem", tmp_path / "cert.key"
    cert.write_bytes(old_cert.read_bytes())
    key.write_bytes(old_key.read_bytes())
    with servers.Airliftd(tmp_path / "data", "--cert", cert, "--key", key) as server:
        assert serial_in_force(server, old_cert) == serial(old_cert)
        cert.write_bytes(new_cert.read_bytes())  # its key comes later
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "the certificate in force stays" in server.log, server)
        assert "does not fit" in server.log
        assert serial_in_force(server, old_cert) == serial(old_cert)
        key.write_bytes(new_key.read_bytes())
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "another certificate" in server.log, server)
        assert serial_in_force(server, new_cert) == serial(new_cert)


def test_sighup_does_not_end_a_server_without_tls(tmp_path):
    with servers.Airliftd(tmp_path / "data", "--http") as server:
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
            plain.sendall(b"GET /api/v1/health HTTP/1.0\r\n\r\n")
            assert plain.recv(100).startswith(b"HTTP/1.")
        assert server.process.poll() is None
