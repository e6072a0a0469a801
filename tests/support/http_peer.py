#!/usr/bin/env python3
"""An HTTP server that behaves as its paths and queries say, good and bad.

Usage: http_peer.py [--root DIR] [--tls CERT KEY [--tls-version 1.2|1.3] [--client-ca CA]]
Prints its port on the first line of stdout, then one line a request:
METHOD PATH|Range|Authorization|connection number|TLS session reused or not.

  /bytes/N        N bytes, byte i is (i * 7 + i // 256) & 255
  /file/NAME      a file of --root
  /to?URL         redirect to URL (everything behind '?'), status 302
  /loop           redirect to itself
  /torn           the connection ends inside the response's head
  /status/N       that status, a short body
  /echo           the request's body; header X-Method tells its method

Words in the query, separated by '&': chunked | close (no length, ends by closing) |
norange (ranges ignored) | nohead (405 for HEAD) | noclen | stall=N (N bytes of body,
then silence) | cut=N (N bytes, then the connection is reset) | fin=N (N bytes, then
closed) | basic | digest (user "otto", password "geheim") | hang (no answer at all) |
bye (Connection: close) | delay=MS (before the answer) | late (the last chunk comes
30 ms after the others) | empty (ranges behind the first byte have no bytes) |
pause=N (N bytes, 0.4 s nothing, the others) | gzip (said in the head, not done)
"""
import argparse
import base64
import hashlib
import http.server
import itertools
import os
import pathlib
import re
import socket
import ssl
import struct
import sys
import threading
import time

NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c0"
REALM = "firmware"
USER, PASSWORD = "otto", "geheim"
connections = itertools.count(1)
print_lock = threading.Lock()


PERIOD = bytes((i * 7 + i // 256) & 255 for i in range(65536))


def pattern(n: int) -> bytes:
    return (PERIOD * (n // 65536 + 1))[:n]


def digest_ok(header: str, method: str, target: str) -> bool:
    got = dict(re.findall(r'(\w+)="?([^",]*)"?', header))

    def h(text):
        return hashlib.md5(text.encode()).hexdigest()

    ha1, ha2 = h(f"{USER}:{REALM}:{PASSWORD}"), h(f"{method}:{target}")
    want = h(f"{ha1}:{NONCE}:{got.get('nc')}:{got.get('cnonce')}:{got.get('qop')}:{ha2}")
    return got.get("uri") == target and got.get("response") == want


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    root = pathlib.Path(".")

    def setup(self):
        super().setup()
        self.number = next(connections)

    def log_message(self, *args):
        pass

    def say(self):
        reused = getattr(self.connection, "session_reused", None)
        with print_lock:
            print(f"{self.command} {self.path}|{self.headers.get('Range', '-')}|"
                  f"{self.headers.get('Authorization', '-')}|{self.number}|"
                  f"{'resumed' if reused else 'new'}", flush=True)

    def plain(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def authorized(self, words):
        header = self.headers.get("Authorization", "")
        if "basic" in words:
            want = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if header != want:
                self.plain(401, b"who?", WWW_Authenticate=f'Basic realm="{REALM}"')
                return False
        if "digest" in words and not digest_ok(header, self.command, self.path):
            self.plain(401, b"who are you?", WWW_Authenticate=(
                f'Digest realm="{REALM}", qop="auth", nonce="{NONCE}", algorithm=MD5'))
            return False
        return True

    def content(self, path):
        kind, _, rest = path.lstrip("/").partition("/")
        if kind == "bytes":
            return pattern(int(rest))
        if kind == "file" and "/" not in rest and (self.root / rest).is_file():
            return (self.root / rest).read_bytes()
        return None

    def ranged(self, body, words):
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not wanted or "norange" in words:
            return 200, body, None
        first = int(wanted[1])
        last = min(int(wanted[2] or len(body) - 1), len(body) - 1)
        if first >= len(body) or last < first:
            return 416, b"", f"bytes */{len(body)}"
        if first and "empty" in words:
            return 206, b"", f"bytes {first}-{last}/{len(body)}"
        return 206, body[first:last + 1], f"bytes {first}-{last}/{len(body)}"

    def end_badly(self, body, words, options):
        for word in ("stall", "cut", "fin"):
            if word not in options:
                continue
            self.wfile.write(body[:int(options[word])])
            self.wfile.flush()
            if word == "stall":
                time.sleep(30)
            if word == "cut":
                time.sleep(0.1)
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            if word == "cut":
                os.close(self.connection.detach())
            return True
        return False

    def do_GET(self):
        self.say()
        path, _, query = self.path.partition("?")
        if path in ("/to", "/loop"):
            self.plain(302, b"elsewhere", Location=query or path)
            return
        if path == "/torn":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-")
            self.close_connection = True
            return
        words = query.split("&")
        options = dict(w.split("=", 1) for w in words if "=" in w)
        if "hang" in words:
            time.sleep(30)
        time.sleep(int(options.get("delay", 0)) / 1000)
        if self.command == "HEAD" and "nohead" in words:
            self.plain(405)
            return
        if not self.authorized(words):
            return
        if path.startswith("/status/"):
            self.plain(int(path[8:]), b"no", X_Path=path)
            return
        body = self.content(path)
        if body is None:
            self.plain(404, b"not here")
            return
        self.send(words, options, body)

    do_HEAD = do_GET

    def send(self, words, options, body):
        status, body, content_range = self.ranged(body, words)
        self.send_response(status)
        if content_range:
            self.send_header("Content-Range", content_range)
        if "chunked" in words:
            self.send_header("Transfer-Encoding", "chunked")
        elif "close" not in words:
            self.send_header("Content-Length", str(len(body)))
        if "gzip" in words:
            self.send_header("Content-Encoding", "gzip")
        if "close" in words or "bye" in words:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command == "HEAD" or self.end_badly(body, words, options):
            return
        if "chunked" in words:
            for at in range(0, len(body), 3000):
                part = body[at:at + 3000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            if "late" in words:
                time.sleep(0.03)
            self.wfile.write(b"0\r\n\r\n")
        else:
            pause = int(options.get("pause", 0))
            self.wfile.write(body[:pause])
            if pause:
                self.wfile.flush()
                time.sleep(0.4)
            self.wfile.write(body[pause:])

    def do_POST(self):
        self.say()
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while n := int(self.rfile.readline(), 16):
                body += self.rfile.read(n)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.plain(200, body, X_Method=self.command,
                   X_Type=self.headers.get("Content-Type", "none"))

    do_PUT = do_PATCH = do_POST


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    tls = None

    def handle_error(self, request, client_address):
        pass  # clients that refuse a certificate or go away are part of the tests

    def finish_request(self, request, client_address):
        if self.tls:
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)
        if self.tls:
            try:
                request.unwrap()
            except (OSError, ValueError):
                pass


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--root", type=pathlib.Path, default=pathlib.Path("."))
    ap.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    ap.add_argument("--tls-version", choices=("1.2", "1.3"))
    ap.add_argument("--client-ca")
    args = ap.parse_args()
    Handler.root = args.root
    server = Server(("127.0.0.1", 0), Handler)
    if args.tls:
        Server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        Server.tls.load_cert_chain(*args.tls)
        if args.tls_version:
            version = getattr(ssl.TLSVersion, "TLSv1_" + args.tls_version[2])
            Server.tls.minimum_version = Server.tls.maximum_version = version
        if args.client_ca:
            Server.tls.load_verify_locations(args.client_ca)
            Server.tls.verify_mode = ssl.CERT_REQUIRED
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
