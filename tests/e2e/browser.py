"""A real Chromium, driven through chromedriver (W3C WebDriver) as a person would use it.

    with browser.Browser() as page:
        page.go(url)
        page.click("#send")
        page.wait_text("#result-text", "Version 2")
"""
import base64
import contextlib
import http.client
import json
import pathlib
import re
import shutil
import subprocess
import time

import servers

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = None if CHROMIUM and DRIVER else "there is no Chromium: `make browser-setup` installs it"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
PATIENCE_S = 30
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Escape": "\ue00c", "Space": "\ue00d", "Shift": "\ue008", "Down": "\ue015"}


class WebDriverError(Exception):
    pass


class Browser:
    def __init__(self, width=1000, height=1000):
        self.size, self.port = (width, height), servers.free_port()
        self.process = subprocess.Popen([DRIVER, f"--port={self.port}"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        try:
            self._wait_for_driver()
            wanted = {"capabilities": {"alwaysMatch": self._capabilities()}}
            self.session = self._ask("POST", "/session", wanted)["sessionId"]
            self.cdp("Emulation.setFocusEmulationEnabled", enabled=True)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def _capabilities(self):
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update", "--lang=en-US",
                   "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
                   f"--window-size={self.size[0]},{self.size[1]}"]
        return {"browserName": "chrome", "goog:chromeOptions": {"args": options, "binary": CHROMIUM},
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}

    def _wait_for_driver(self):
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                if self._ask("GET", "/status")["ready"]:
                    return
            except OSError:
                if time.monotonic() > until:
                    raise
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError, WebDriverError):
            self._ask("DELETE", f"/session/{self.session}")
        self.process.terminate()
        self.process.wait(10)

    def _ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise WebDriverError(f"{value['error']}: {value['message'][:400]}")
        return value

    def _post(self, path, **body):
        return self._ask("POST", f"/session/{self.session}/{path}", body)

    # What a person does.

    def go(self, url):
        self._post("url", url=url)

    def _find(self, css):
        return self._post("element", using="css selector", value=css)[ELEMENT]

    def click(self, css):
        self._post(f"element/{self._find(css)}/click")

    def type(self, css, text):
        element = self._find(css)
        self._post(f"element/{element}/clear")
        self._post(f"element/{element}/value", text=text)

    def choose_file(self, css, path):
        self._post(f"element/{self._find(css)}/value", text=str(path))

    def select(self, css, value):
        self._post(f"element/{self._find(css + f' option[value={json.dumps(value)}]')}/click")

    def press(self, *keys):
        """Keys one after another, each pressed and released; "Shift+Tab" holds the first."""
        actions = []
        for key in keys:
            parts = [KEYS.get(k, k) for k in key.split("+")] if len(key) > 1 else [key]
            actions += [{"type": "keyDown", "value": k} for k in parts]
            actions += [{"type": "keyUp", "value": k} for k in reversed(parts)]
        self._post("actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    # What a person sees.

    def js(self, script, *args):
        return self._post("execute/sync", script=script, args=list(args))

    def text(self, css) -> str:
        """The text as it is shown; "" when it is not."""
        return self.js("const e = document.querySelector(arguments[0]);"
                       "return e && e.checkVisibility() ? e.innerText : ''", css)

    def visible(self, css) -> bool:
        return self.js("const e = document.querySelector(arguments[0]); return !!e && e.checkVisibility()", css)

    def focused(self) -> str:
        return self.js("return document.activeElement.id")

    def wait(self, condition, what, seconds=PATIENCE_S):
        until = time.monotonic() + seconds
        while True:
            got = condition()
            if got:
                return got
            if time.monotonic() > until:
                raise AssertionError(f"{what} did not come; the page shows:\n{self.text('body')}")
            time.sleep(0.05)

    def wait_text(self, css, pattern, seconds=PATIENCE_S) -> str:
        self.wait(lambda: re.search(pattern, self.text(css)), f"{pattern!r} in {css}", seconds)
        return self.text(css)

    def screenshot(self, path):
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        size = self.js("return [document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        shot = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                        clip={"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1})
        path.write_bytes(base64.b64decode(shot["data"]))

    # What the browser knows.

    def cdp(self, command, **params):
        return self._post("goog/cdp/execute", cmd=command, params=params)

    def as_phone(self, width=360, height=740):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2, mobile=True)

    def prefer(self, **features):
        """prefer(color_scheme="dark"): a wish of the person, as CSS media feature prefers-*."""
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": f"prefers-{name.replace('_', '-')}", "value": value}
                                                         for name, value in features.items()])

    def speak(self, language):
        agent = self.js("return navigator.userAgent")
        self.cdp("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)

    def upload_rate(self, rate=-1):
        self.cdp("Network.enable")
        self.cdp("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1,
                 uploadThroughput=rate)

    def console(self) -> list:
        """Errors and warnings since the last call."""
        lines = self._post("se/log", type="browser")
        return [line["message"] for line in lines if line["level"] in ("SEVERE", "WARNING")]

    def requests(self) -> list:
        """Addresses asked for since the last call."""
        messages = [json.loads(line["message"])["message"] for line in self._post("se/log", type="performance")]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    def accessibility(self) -> list:
        """The tree that a screen reader gets: [(role, name, properties)]."""
        nodes = self.cdp("Accessibility.getFullAXTree")["nodes"]
        return [(n["role"]["value"], n.get("name", {}).get("value", ""),
                 {p["name"]: p["value"].get("value") for p in n.get("properties", [])})
                for n in nodes if not n.get("ignored")]
