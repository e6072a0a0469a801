"""The device's page in a real Chromium, used as a person would."""
import hashlib
import re
import select
import socket
import socketserver
import threading
import time
import urllib.parse

import pytest

import browser
import lab
import servers
import web_device
from web_device import NEW, OLD, WebDevice

SHOTS = servers.BUILD / "screenshots"
PAGE = servers.ROOT / "at" / "page"


@pytest.fixture(scope="module")
def chromium():
    if browser.MISSING:
        pytest.skip(browser.MISSING)
    with browser.Browser() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def images():
    return web_device.firmware(OLD), web_device.firmware(NEW)


@pytest.fixture
def device(images, tmp_path):
    with WebDevice(tmp_path, images[0], {"home": "correct horse", "guest": ""}) as device:
        device.serve()
        yield device


@pytest.fixture
def window(chromium, device):
    """The page of the device, as it is after a start. Whatever a test does, the console stays clean but for requests
    that the device refused, and nobody but the device is asked."""
    chromium.prefer(color_scheme="light")
    chromium.cdp("Emulation.clearDeviceMetricsOverride")
    chromium.upload_rate()
    chromium.requests()
    chromium.console()
    open_page(chromium, device)
    yield chromium
    foreign = [url for url in chromium.requests() if urllib.parse.urlsplit(url).hostname != "127.0.0.1"]
    assert foreign == []
    told = [line for line in chromium.console() if "Failed to load resource" not in line]
    assert told == []


class Toll(socketserver.ThreadingTCPServer):
    """Between browser and device: ends the connection in place of the answer to requests that begin with `swallow`."""
    daemon_threads = True

    def __init__(self, target):
        super().__init__(("127.0.0.1", 0), None)
        self.target, self.port, self.swallow, self.swallowed = target, self.server_address[1], None, False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def finish_request(self, client, _):
        with socket.create_connection(("127.0.0.1", self.target)) as device:
            begun = False
            while True:
                ready, _, _ = select.select([client, device], [], [])
                data = ready[0].recv(65536)
                if ready[0] is client:
                    begun = begun or bool(self.swallow and data.startswith(self.swallow))
                    device.sendall(data)
                elif begun:
                    self.swallowed = bool(data)
                    return
                else:
                    client.sendall(data)
                if not data:
                    return


def open_page(chromium, device):
    chromium.go(device.url)
    chromium.wait_text("#subtitle", "ESP32-C3")


def verdict(window):
    window.wait(lambda: window.js("return document.getElementById('file-note').matches('.good, .bad')"), "a verdict")
    return window.text("#file-note")


def choose(window, path):
    window.choose_file("#file", path)
    return verdict(window)


def wait_percent(window, least):
    window.wait(lambda: window.js("return document.getElementById('progress').value") > least, f"{least} %")


def send_slowly(window, path, until=20):
    """An upload that is under way; it takes about two seconds."""
    choose(window, path)
    window.upload_rate(path.stat().st_size // 2)
    window.click("#send")
    wait_percent(window, until)


def test_facts_are_read_from_the_file_before_it_is_sent(window, images):
    window.requests()
    assert "fits this device" in choose(window, images[1].image)
    told, data = window.text("#details"), images[1].data
    for fact in ("at.bin", str(len(data)), NEW, "ESP32-C3", data[-32:].hex()):
        assert fact in told, told
    assert window.requests() == []
    window.screenshot(SHOTS / "page.png")


def test_an_upload_shows_progress_and_the_new_version_comes_back(window, device, images):
    send_slowly(window, images[1].image, 10)
    first = window.js("return document.getElementById('progress').value")
    wait_percent(window, first + 10)
    window.wait_text("#rate", r"KB/s")
    assert re.search(r"\d+ %", window.text("#percent")) and "left" in window.text("#left")
    assert window.focused() == "cancel" and not window.visible("#send")
    window.screenshot(SHOTS / "page-sending.png")
    assert NEW in window.wait_text("#result-text", "starts with the next restart")
    assert window.focused() == "result" and not window.visible("#details")
    assert window.js("return document.getElementById('send').disabled")
    assert device.slots()["ota_1"]["boot"]
    assert window.js("return document.getElementById('rollback').disabled")  # it starts next anyway
    window.screenshot(SHOTS / "page-sent.png")
    window.upload_rate()
    window.click("#restart-new")
    window.wait_text("#waiting", "Waiting for the device")
    device.restarted()
    window.wait_text("#waiting", f"back and runs {NEW}")
    assert NEW in window.text("#subtitle") and NEW in window.text("#slots li.running h3")


def bad_files(good, vectors):
    damaged = bytearray(good)
    damaged[len(good) // 2] ^= 1
    digest = bytearray(good)
    digest[-1] ^= 1
    return {
        "not a firmware image": b"hello" * 100,
        "compressed image": b"ESP" + bytes(1000),
        "for ESP32-C6. This device is an ESP32-C3": (vectors / "esp-flash/image/app_c6_8k.bin").read_bytes(),
        "too large": good + bytes(0x1d0000),
        "cut short": good[:-40],
        "cut short: it has 200": good[:200],
        "damaged": bytes(damaged),
        "damaged: its checksum or digest": bytes(digest),
        "empty": b"",
    }


def test_wrong_files_are_refused_and_not_sent(window, images, vectors, tmp_path):
    window.requests()
    for n, (reason, data) in enumerate(bad_files(images[1].data, vectors).items()):
        file = tmp_path / f"{n}.bin"
        file.write_bytes(data)
        choose(window, file)
        window.wait_text("#file-note", re.escape(reason))
        assert window.js("return document.getElementById('send').disabled") and not window.visible("#details")
    assert window.requests() == []
    assert "fits" in choose(window, images[1].image)  # and then the right one


def test_the_file_chosen_last_counts(window, images, tmp_path):
    """Also when reading the one before takes longer."""
    small = tmp_path / "small.bin"
    small.write_bytes(b"hello" * 100)
    window.js("""const read = Blob.prototype.arrayBuffer;
        File.prototype.arrayBuffer = async function () {
            if (this.size > 500) await new Promise((done) => setTimeout(done, 700));
            return read.call(this);
        };""")
    window.choose_file("#file", images[1].image)
    window.choose_file("#file", small)
    assert "not a firmware image" in verdict(window)
    time.sleep(1)  # the other one has been read
    assert "not a firmware image" in verdict(window) and not window.visible("#details")


def test_a_file_can_be_dropped(window, images):
    box = window.js("const b = document.getElementById('drop').getBoundingClientRect();"
                    "return [b.x + b.width / 2, b.y + b.height / 2]")
    for kind in ("dragEnter", "dragOver", "drop"):
        window.cdp("Input.dispatchDragEvent", type=kind, x=box[0], y=box[1],
                   data={"items": [], "files": [str(images[1].image)], "dragOperationsMask": 1})
        if kind == "dragOver":
            window.wait(lambda: window.js("return document.getElementById('drop').matches('.over')"), "a lit field")
    assert "fits" in verdict(window) and NEW in window.text("#details")


def test_what_the_device_refuses_is_told_with_its_reason(window, images, tmp_path):
    """A revision that the device has not got: only the device knows."""
    file = tmp_path / "newer.bin"
    file.write_bytes(lab.patched(images[1].data, {15: (999).to_bytes(2, "little")}))
    assert "fits" in choose(window, file)
    window.click("#send")
    assert "does not fit this device" in window.wait_text("#result-text", "The device refused it")


def test_a_lost_connection_is_told_and_a_second_try_succeeds(window, device, images):
    send_slowly(window, images[1].image)
    device.at("AT+WEBSERVER=0")  # the server is gone in the middle
    window.wait_text("#result-text", "connection was lost")
    assert window.visible("#again") and window.focused() == "result"
    window.screenshot(SHOTS / "page-lost.png")
    device.serve()
    assert device.slots()["ota_0"]["boot"]
    window.upload_rate()
    window.click("#again")
    window.wait_text("#result-text", NEW)
    assert device.device.slot("ota_1", len(images[1].data)) == images[1].data


def test_an_upload_can_be_cancelled(window, device, images):
    send_slowly(window, images[1].image)
    window.click("#cancel")
    window.wait_text("#result-text", "Cancelled. The device keeps what it had")
    device.expect(r"\+WEBSERVERRSP:5\r\n")
    assert device.slots()["ota_0"]["boot"]


def test_a_second_person_is_told_that_an_upload_is_under_way(window, device, images):
    first = device.begin_upload(images[1].data, 1000)
    choose(window, images[1].image)
    window.click("#send")
    window.wait_text("#result-text", "Another upload is under way")
    window.wait_text("#slots", "being written")
    first.close()
    device.expect(r"\+WEBSERVERRSP:5\r\n")
    window.wait_text("#slots", "Not a whole firmware")  # it looks again by itself
    window.click("#again")
    window.wait_text("#result-text", NEW)


def test_a_firmware_that_does_not_start_is_told(window, device, images):
    crashing = web_device.firmware("v3.0.0", FIRMWARE_AT_CRASHES="y")
    choose(window, crashing.image)
    window.click("#send")
    window.wait_text("#result-text", "v3.0.0")
    window.click("#restart-new")
    device.restarted()
    window.wait_text("#waiting", f"runs {OLD} as before: the new firmware did not start")


def test_going_back_asks_first(window, device, images):
    assert device.upload(images[1].data).status == 200
    device.post("/restart")
    device.restarted()
    open_page(window, device)
    window.click("#rollback")
    assert window.text("#ask-title") == f"Go back to {OLD}?" and window.focused() == "ask-no"
    window.screenshot(SHOTS / "page-going-back.png")
    window.press("Escape")
    assert not window.visible("#ask") and device.slots()["ota_1"]["boot"]
    window.click("#rollback")
    window.click("#ask-yes")
    device.restarted()
    window.wait_text("#waiting", f"back and runs {OLD}")


def test_a_restart_asks_first_and_comes_back(window, device):
    window.click("#restart")
    window.click("#ask-yes")
    device.restarted()
    window.wait_text("#waiting", f"back and runs {OLD}")


def test_a_user_partition_is_sent(window, device, vectors):
    window.select("#partition", "mqtt_ca")
    content = vectors / "at-adf/mqtt_ca.bin"
    assert "Ready" in choose(window, content)
    assert hashlib.sha256(content.read_bytes()).hexdigest() in window.text("#details")
    window.click("#send")
    window.wait_text("#result-text", "mqtt_ca has its new content")
    assert device.device.read(0x37000, content.stat().st_size) == content.read_bytes()


def test_wifi_is_searched_and_joined(window, device):
    window.click("#scan")
    window.wait_text("#wifi-note", "Networks found: 2")
    names = window.js("return [...document.getElementById('network').options].map((o) => o.text)")
    assert names[:2] == ["home", "guest (open)"]
    window.select("#network", "home")
    assert not window.visible("#ssid")
    window.type("#password", "wrong horse")
    window.click("#connect")
    window.wait_text("#wifi-note", "Could not connect to home")
    window.type("#password", "correct horse")
    window.click("#show")
    assert window.js("return document.getElementById('password').type") == "text"
    window.screenshot(SHOTS / "page-wifi.png")
    window.click("#connect")
    device.expect(r"\+WEBSERVERRSP:1\r\n")
    window.wait_text("#wifi-note", "Connected to home")
    device.expect(r"\+WEBSERVERRSP:2\r\n")


def test_wrong_names_are_told_at_their_field(window):
    window.click("#connect")
    assert window.text("#ssid-note") == "Enter the name of the network." and window.focused() == "ssid"
    window.type("#ssid", "x" * 33)
    window.click("#connect")
    assert "32 bytes" in window.text("#ssid-note")
    window.type("#ssid", "home")
    window.type("#password", "y" * 65)
    window.click("#connect")
    assert "64 bytes" in window.text("#password-note") and window.focused() == "password"


def test_all_is_done_by_keyboard_alone(window, device, images):
    reached = []
    for _ in range(12):
        window.press("Tab")
        reached.append(window.focused() or window.js("return document.activeElement.className"))
    assert reached[:10] == ["skip", "partition", "file", "restart", "network", "scan", "ssid", "password", "show", "connect"]
    window.choose_file("#file", images[1].image)  # what the system's dialog does
    window.wait_text("#file-note", "fits")
    window.js("document.getElementById('file').focus()")
    window.press("Tab", "Enter")
    window.wait_text("#result-text", NEW)
    window.press("Tab", "Enter")  # Restart now
    device.restarted()
    window.wait_text("#waiting", f"back and runs {NEW}")
    assert window.focused() == "waiting"  # the button is gone, the place in the page is not
    window.js("document.getElementById('restart').focus()")
    window.press("Shift+Tab", "Enter")
    assert window.visible("#ask")
    window.press("Escape")
    assert window.focused() == "rollback"


CONTRAST = r"""
const numbers = (c) => c.match(/[\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const ground = (e) => {
  for (; e; e = e.parentElement) {
    const c = numbers(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3]) return c;
  }
  return [255, 255, 255];
};
const low = [];
for (const e of document.querySelectorAll('body *')) {
  const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  if (!own || !e.checkVisibility() || e.closest(':disabled, .unseen, noscript, svg')) continue;
  const a = light(numbers(getComputedStyle(e).color)), b = light(ground(e));
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) low.push([e.tagName, e.textContent.trim().slice(0, 30), ratio]);
}
return low;"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_can_be_read(window, device, images, vectors, scheme, tmp_path):
    device.upload(images[1].data)
    window.as_phone(320)
    window.prefer(color_scheme=scheme)
    open_page(window, device)
    (tmp_path / "x.bin").write_bytes(b"x")
    choose(window, tmp_path / "x.bin")
    assert window.js(CONTRAST) == []
    choose(window, images[1].image)
    window.click("#scan")
    window.wait_text("#wifi-note", "found:")
    assert window.js(CONTRAST) == []
    assert window.js("return document.documentElement.scrollWidth <= innerWidth")
    small = window.js("return [...document.querySelectorAll('button, select, input')].filter((e) => "
                      "e.checkVisibility() && e.getBoundingClientRect().height < 44).map((e) => e.id)")
    assert small == []
    window.screenshot(SHOTS / f"page-phone-{scheme}.png")
    window.click("#send")
    window.wait_text("#result-text", NEW)
    assert window.js(CONTRAST) == []


STICKS_OUT = """
return [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && !e.closest('.unseen, .skip, select') &&
    (e.getBoundingClientRect().right > innerWidth + .5 ||
     getComputedStyle(e).display !== 'inline' && e.scrollWidth > e.clientWidth + 1)).map((e) => e.outerHTML.slice(0, 80));"""


def test_names_as_long_as_they_may_be_break_nothing(window, device, images, tmp_path):
    """Nor does a page enlarged to 200 %, letters alone or everything."""
    version = "v" + "8" * 30
    file = tmp_path / ("long" * 10 + ".bin")
    file.write_bytes(lab.patched(images[1].data, {48: version.encode() + b"\0"}))
    (device.device.dir / "wifi.conf").write_text("W" * 32 + " = correct horse\n")
    window.as_phone(320)
    assert "fits" in choose(window, file)
    window.click("#scan")
    window.wait_text("#wifi-note", "Networks found: 1")
    assert window.js(STICKS_OUT) == []
    window.click("#send")
    window.wait_text("#result-text", version)
    assert window.js(STICKS_OUT) == []
    window.click("#restart")
    assert window.visible("#ask") and window.js(STICKS_OUT) == []
    window.press("Escape")
    window.as_phone(500)
    window.js("document.documentElement.style.fontSize = '200%'")
    assert window.js(STICKS_OUT) == []


def test_a_screen_reader_finds_everything(window, images):
    choose(window, images[1].image)
    tree = window.accessibility()
    controls = {"button", "combobox", "textbox", "link", "progressbar", "option", "img", "image", "region", "dialog"}
    assert [(role, name) for role, name, _ in tree if role in controls and not name] == []
    assert {("button", "Choose a file"), ("button", "Show Password")} <= {(role, name) for role, name, _ in tree}
    assert {p.get("live") for _, _, p in tree} >= {"polite"}
    levels = [p["level"] for role, _, p in tree if role == "heading"]
    assert levels.count(1) == 1
    order = window.js("return [...document.querySelectorAll('main h1, main h2, main h3')].map((e) => +e.tagName[1])")
    assert all(b <= a + 1 for a, b in zip([1, *order], order))
    assert window.js("return [document.documentElement.lang, document.querySelectorAll('main').length]") == ["en", 1]
    ids = window.js("return [...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    referred = window.js("return ['aria-labelledby', 'aria-describedby', 'aria-controls', 'for'].flatMap((a) => "
                         "[...document.querySelectorAll(`[${a}]`)].flatMap((e) => e.getAttribute(a).split(' ')))")
    assert set(referred) - {""} <= set(ids)


def test_progress_is_announced(window, images):
    send_slowly(window, images[1].image, 50)
    assert re.match(r"(25|50|75) % sent", window.js("return document.getElementById('heard').textContent"))
    assert any(role == "progressbar" and name.startswith("Sending") for role, name, _ in window.accessibility())
    window.wait_text("#result-text", NEW)


def test_it_speaks_chinese(chromium, window, device, images):
    try:
        chromium.speak("zh-CN")
        open_page(chromium, device)
        choose(chromium, images[1].image)
        assert chromium.text("#file-note") == "文件完整，适用于本设备。" and chromium.text("#upgrade") == "升级"
        assert chromium.js("return document.documentElement.lang") == "zh"
    finally:
        chromium.speak("en-US")


def test_both_languages_have_every_word():
    source = (PAGE / "words.js").read_text()
    english, chinese = (set(re.findall(r"(?:^|[{,])\s*'?([\w-]+)'?: '", part, re.M))
                        for part in source.split("const chinese"))
    fixed = set(re.findall(r'data-t="(\w+)"', (PAGE / "index.html").read_text()))
    said = set(re.findall(r"say\('([\w-]+)'", "".join(f.read_text() for f in PAGE.glob("*.js"))))
    assert english <= chinese and fixed <= chinese and said <= english
    every = "".join(f.read_text() for f in PAGE.glob("*.js") if f.name != "words.js")
    every += source.split("export function translate")[1]
    assert {word for word in english if not word.startswith("state-") and f"'{word}'" not in every} == set()


def test_without_motion_when_asked(window):
    window.prefer(reduced_motion="reduce")
    moving = window.js("return [...document.querySelectorAll('*')].filter((e) => "
                       "getComputedStyle(e).transitionDuration !== '0s').length")
    assert moving == 0


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 300000])
def test_its_own_sha256_is_right(window, length):
    data = f"Uint8Array.from({{length: {length}}}, (_, i) => i * 7 & 255)"
    told = window.cdp("Runtime.evaluate", awaitPromise=True, returnByValue=True,
                      expression=f"import('/image.js').then((m) => m.sha256({data}))")
    assert told["result"]["value"] == hashlib.sha256(bytes(i * 7 & 255 for i in range(length))).hexdigest()


def test_it_works_behind_a_password(window, device, images):
    device.at("AT+WEBSERVER=0")
    device.serve("secret")
    window.go(device.url.replace("http://", "http://anyone:secret@"))
    window.wait_text("#subtitle", "ESP32-C3")
    choose(window, images[1].image)
    window.click("#send")
    window.wait_text("#result-text", NEW)


def test_an_answer_that_was_lost_is_no_failure(window, device, images):
    """Everything arrived, the answer did not: the page asks the device what it has."""
    with Toll(device.port) as toll:
        window.go(f"http://127.0.0.1:{toll.port}")
        window.wait_text("#subtitle", "ESP32-C3")
        choose(window, images[1].image)
        toll.swallow = b"POST /setotadata"
        window.click("#send")
        assert NEW in window.wait_text("#result-text", "starts with the next restart")
    assert toll.swallowed


def test_a_device_that_does_not_answer_at_first_is_asked_again(window, device):
    with Toll(device.port) as toll:
        toll.swallow = b"GET /getslots"
        window.go(f"http://127.0.0.1:{toll.port}")
        window.wait_text("#subtitle", "does not answer")
        assert ("status", "polite") in [(role, p.get("live")) for role, name, p in window.accessibility()]
        toll.swallow = None
        window.wait_text("#subtitle", "ESP32-C3")


def test_a_device_that_is_away_is_told(window, device):
    device.at("AT+WEBSERVER=0")
    window.click("#restart")
    window.click("#ask-yes")
    window.wait_text("#subtitle", "does not answer")


def test_it_is_small(device):
    total = 0
    page = device.curl("/").text
    files = {"/", *re.findall(r'(?:href|src)="(/[\w.]+)"', page)}
    for script in PAGE.glob("*.js"):
        files.add(f"/{script.name}")
    for file in files:
        answer = device.curl(file, "-H", "Accept-Encoding: gzip")
        assert answer.status == 200 and answer.headers["content-encoding"] == "gzip", file
        total += len(answer.body)
    assert len(files) == len(list(PAGE.iterdir())) and total < 40 * 1024
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", "".join(f.read_text() for f in PAGE.iterdir()))
