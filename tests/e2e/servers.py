"""Real HTTP(S) servers for the end-to-end tests, each on a free loopback port.

Every server is a context manager with `.url` (no slash at the end), `.port` and `.ca` (PEM file
to trust, None for plain HTTP). All serve files below a directory `root`, except airliftd.

    Airliftd(data)                             airliftd, own CA
    Nginx(root, work, tls=...)                 nginx
    OpensslServer(root, work)                  openssl s_server -WWW (no ranges, no length, HTTP/1.0)
    PythonServer(root, ...)                    http.server: ranges or not, length or not, redirects...
"""
import base64
import http.server
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("AIRLIFT_BUILD", ROOT / "build")).resolve()
AIRLIFT = BUILD / "bin" / "airlift"
AIRLIFTD = BUILD / "bin" / "airliftd"
START_S = 15


# Below the ports that the kernel gives to clients, and each worker of the test run has its own.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
_ports = itertools.cycle(random.sample(range(12000 + 2500 * (_WORKER % 8), 14500 + 2500 * (_WORKER % 8)), 2500))


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    for port in _ports:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def wait_for_port(port: int, process: subprocess.Popen, what: str):
    """Returns when something accepts on the port; fails when the process ends before."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{what} ended with status {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{what} does not listen on {port}")


def make_certificate(work: pathlib.Path, names=("DNS:localhost", "IP:127.0.0.1"), cn="localhost",
                     days=30):
    """A self-signed certificate; returns (certificate file, key file)."""
    work.mkdir(parents=True, exist_ok=True)
    cert, key = work / "cert.pem", work / "cert.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
                    "-days", str(days), "-subj", f"/CN={cn}",
                    "-addext", "subjectAltName=" + ",".join(names)],
                   check=True, capture_output=True)
    return cert, key


def issue_certificate(ca, work: pathlib.Path, names=("DNS:localhost", "IP:127.0.0.1"), days=30):
    """A certificate from `ca` (certificate, key), as make_certificate gives it. days < 0: it has expired."""
    work.mkdir(parents=True, exist_ok=True)
    request, cert, key, ext = work / "request.pem", work / "cert.pem", work / "cert.key", work / "ext"
    ext.write_text("subjectAltName=" + ",".join(names) + "\n")
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", request, "-subj", "/CN=ota server"], check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", ca[0], "-CAkey", ca[1], "-set_serial", "2",
                    "-days", str(days), "-extfile", ext, "-out", cert], check=True, capture_output=True)
    return cert, key


class Server:
    """A program that serves until the with block ends."""
    process: subprocess.Popen = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, sig=signal.SIGTERM):
        """Ends the program; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            status = self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        return status


class Airliftd(Server):
    """airliftd on a data directory. `log` is its stderr so far; `token` for publishing."""

    def __init__(self, data, *options, port=None, preexec=None):
        self.data, self.options, self.preexec = pathlib.Path(data), options, preexec
        self.port = port or free_port()
        scheme = "http" if "--http" in options else "https"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.ca = None if scheme == "http" else self.data / "tls" / "ca.pem"
        self.log_file = self.data.with_name(self.data.name + ".log")

    def start(self):
        log = open(self.log_file, "ab")
        self.process = subprocess.Popen(
            [AIRLIFTD, "--data", self.data, "--listen", f"127.0.0.1:{self.port}", *self.options],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=self.preexec)
        log.close()
        try:
            wait_for_port(self.port, self.process, "airliftd")
            until = time.monotonic() + START_S
            while not (self.data / "airliftd.json").exists():
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("airliftd does not announce itself")
                time.sleep(0.01)
        except RuntimeError as e:
            raise RuntimeError(f"{e}\n{self.log}") from None

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    @property
    def token(self) -> str:
        return (self.data / "token").read_text().strip()

    def push(self, file, name=None, *options, check=True):
        """`airlift push FILE`; returns the completed process (stdout is JSON)."""
        words = [AIRLIFT, "push", file, "--data", self.data, "--json", *options]
        if name:
            words += ["--name", name]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        if check and done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done

    def artifacts(self) -> dict:
        """What is published: {name: description}."""
        done = subprocess.run([AIRLIFT, "artifacts", "--data", self.data, "--json"],
                              capture_output=True, text=True, check=True, timeout=60)
        return {a["name"]: a for a in json.loads(done.stdout)["artifacts"]}


NGINX_CONF = """
daemon off; worker_processes 1; pid {work}/nginx.pid; error_log {work}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log {work}/access.log; default_type application/octet-stream; {http}
  client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3;
  uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5;
  server {{ listen 127.0.0.1:{port}{ssl}; root {root}; {server} }}
}}
"""


class Nginx(Server):
    """nginx. http, server: further lines for these blocks, e.g. "limit_rate 100k;"."""

    def __init__(self, root, work, tls=True, http="", server="", cert=None, protocols="TLSv1.2 TLSv1.3"):
        self.root, self.work, self.tls = pathlib.Path(root), pathlib.Path(work), tls
        self.http, self.server, self.protocols = http, server, protocols
        self.port = free_port()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.cert, self.key = cert or (make_certificate(self.work) if tls else (None, None))
        self.ca = self.cert

    def start(self):
        self.work.mkdir(parents=True, exist_ok=True)
        server = self.server
        if self.tls:
            server += (f" ssl_certificate {self.cert}; ssl_certificate_key {self.key};"
                       f" ssl_protocols {self.protocols};")
        conf = self.work / "nginx.conf"
        conf.write_text(("user root;" if os.geteuid() == 0 else "") + NGINX_CONF.format(
            work=self.work, root=self.root, port=self.port, http=self.http, server=server,
            ssl=" ssl" if self.tls else ""))
        program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        self.process = subprocess.Popen([program, "-c", conf, "-p", self.work],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_for_port(self.port, self.process, "nginx")


class OpensslServer(Server):
    """openssl s_server -WWW: HTTP/1.0, no Content-Length, no ranges, one client at a time."""

    def __init__(self, root, work, *options, cert=None):
        self.root, self.options = pathlib.Path(root), options
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.cert, self.key = cert or make_certificate(pathlib.Path(work))
        self.ca = self.cert

    def start(self):
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-WWW", "-quiet", "-accept", f"127.0.0.1:{self.port}",
             "-cert", self.cert, "-key", self.key, *self.options],
            cwd=self.root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        wait_for_port(self.port, self.process, "openssl s_server")


class PythonServer:
    """Python's http.server in a thread, with the faults that are asked for.

    ranges=True         answers Range with 206 (http.server itself does not)
    length=False        sends no Content-Length and closes (HTTP/1.0 style)
    chunked=True        Transfer-Encoding: chunked
    redirects={"/a": "/b"} or {"/a": (307, "http://...")}
    auth=("user", "password")  401 until Basic credentials come
    cut_after=N         closes the connection after N body bytes, the first `cuts` times
    delay=S             waits before each 4 KiB
    tls=(cert, key)     HTTPS
    `requests` is the list of (method, path, headers as dict with lower-case names).
    """

    def __init__(self, root, ranges=False, length=True, chunked=False, redirects=None, auth=None,
                 cut_after=None, cuts=1, delay=0.0, tls=None):
        self.root = pathlib.Path(root)
        self.ranges, self.length, self.chunked = ranges, length, chunked
        self.redirects, self.auth = redirects or {}, auth
        self.cut_after, self.cuts, self.delay = cut_after, cuts, delay
        self.requests = []
        self.ca = tls[0] if tls else None
        self._tls = tls
        self._server = None

    def __enter__(self):
        outer = self

        class Bound(_Handler):
            owner = outer

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self._server.daemon_threads = True
        if self._tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self._tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Handler(http.server.BaseHTTPRequestHandler):
    owner: PythonServer = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def refuse(self, status, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def authorized(self):
        want = "Basic " + base64.b64encode(":".join(self.owner.auth).encode()).decode()
        return self.headers.get("Authorization") == want

    def answer(self, body):
        o = self.owner
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        o.requests.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        if o.auth and not self.authorized():
            return self.refuse(401, [("WWW-Authenticate", 'Basic realm="firmware"')])
        if path in o.redirects:
            to = o.redirects[path]
            status, to = to if isinstance(to, tuple) else (302, to)
            return self.refuse(status, [("Location", to)])
        file = (o.root / path.lstrip("/")).resolve()
        if not file.is_file() or o.root.resolve() not in file.parents:
            return self.refuse(404)
        self.send_file(file.read_bytes(), body)

    def send_file(self, data, body):
        o = self.owner
        total, status = len(data), 200
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if o.ranges and wanted:
            first = int(wanted[1])
            if first >= total:
                return self.refuse(416, [("Content-Range", f"bytes */{total}")])
            last = min(int(wanted[2] or total - 1), total - 1)
            data, status = data[first:last + 1], 206
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last}/{total}")
        if o.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif o.length:
            self.send_header("Content-Length", str(len(data)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if body:
            self.send_body(data)

    def send_body(self, data):
        o = self.owner
        cut = o.cut_after if o.cuts > 0 else None
        for at in range(0, len(data), 4096):
            piece = data[at:at + 4096]
            if cut is not None and at + len(piece) > cut:
                o.cuts -= 1
                self.wfile.write(piece[:max(0, cut - at)])
                self.wfile.flush()
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if o.delay:
                time.sleep(o.delay)
            try:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if o.chunked else piece)
            except OSError:
                self.close_connection = True
                return
        if o.chunked:
            self.wfile.write(b"0\r\n\r\n")


if __name__ == "__main__":
    sys.exit("these are fixtures for the tests")
