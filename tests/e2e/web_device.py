"""A virtual device that runs firmware/at, with its AT port and its web server.

    with web_device.WebDevice(tmp_path) as device:
        device.serve()
        answer = device.curl("/getversion")
"""
import contextlib
import json
import socket
import subprocess

import at_port
import lab
import servers

OLD, NEW = "v1.0.0", "v2.0.0"


def firmware(version=OLD, **config):
    return lab.build("at", config={"APP_PROJECT_VER": version, **config})


class Answer:
    def __init__(self, head, body):
        lines = head.decode().split("\r\n")
        self.status, self.body = int(lines[0].split()[1]), body
        self.headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def reason(self):
        return self.headers.get("reason", "")


class WebDevice:
    def __init__(self, directory, image=None, networks=None):
        self.device, self.port = lab.Device(directory / "device", image or firmware()), 0
        self.switched_on = contextlib.ExitStack()
        if networks is not None:
            (self.device.dir / "wifi.conf").write_text("".join(f"{k} = {v}\n" for k, v in networks.items()))

    def __enter__(self):
        return self.switch_on()

    def __exit__(self, *_):
        self.switch_off()

    def switch_on(self, *options):
        self.uart = self.switched_on.enter_context(at_port.running(self.device, options=options))
        self.expect(r"\r\nready\r\n")
        return self

    def switch_off(self):
        self.switched_on.close()

    def expect(self, pattern):
        """Waits for the pattern on the AT port, behind what was matched before."""
        return self.uart.match(b".*?" + pattern.encode())

    def at(self, line, answer="OK"):
        self.uart.send(line + "\r\n")
        self.expect(rf"\r\n{answer}\r\n")

    def serve(self, password=None, mode=3):
        """Starts the web server."""
        self.port = self.port or servers.free_port()
        self.at(f"AT+CWMODE={mode}")
        self.at(f"AT+WEBSERVER=1,{self.port},25" + (f',"{password}"' if password else ""))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def curl(self, path, *options, data=None) -> Answer:
        """curl's answer; data: body from its standard input."""
        words = ["curl", "-s", "-i", "--max-time", "30", "-H", "Expect:", *map(str, options)]
        if data is not None:
            words += ["--data-binary", "@-"]
        done = subprocess.run([*words, self.url + path], input=data, capture_output=True, timeout=60)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        assert head, f"curl ended with {done.returncode}: {done.stderr}"
        return Answer(head, body)

    def post(self, path, body="{}", *options) -> Answer:
        return self.curl(path, "-H", "Content-Type: application/json", *options, data=body.encode())

    def upload(self, data, object_name="ota", *options) -> Answer:
        return self.curl("/setotadata", "-H", f"Object: {object_name}",
                         "-H", "Content-Type: application/octet-stream;charset=UTF-8", *options, data=data)

    def begin_upload(self, data, part, object_name="ota"):
        """A connection on which the first `part` bytes of an upload were sent."""
        s = socket.create_connection(("127.0.0.1", self.port), 10)
        s.sendall(f"POST /setotadata HTTP/1.1\r\nHost: 127.0.0.1\r\nObject: {object_name}\r\nContent-Type: "
                  f"application/octet-stream\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data[:part])
        self.expect(r"\+WEBSERVERRSP:3\r\n")
        return s

    def slots(self) -> dict:
        """{label: entry of /getslots}."""
        return {s["label"]: s for s in self.curl("/getslots").json["slots"]}

    def restarted(self):
        """After an order to restart: waits until the device is there again; its web server is started anew."""
        self.expect(r"\r\nready\r\n")
        self.serve()
