"""The documentation is run: every command of README.md, CONTRIBUTING.md and docs/*.md.

The fences of a page that are marked

    sh        are one session: run in order by bash -euo pipefail in one new directory
    output    show what the `sh` fence before them printed (standard output and error): their lines
              have to come in this order; a line `...` stands for any lines, `…` for any text
    others    (text, c, csv, ...) are pictures and contents of files; a fence needs a mark

The directory stands for a clean clone after `make`: it has `build`, a copy of `firmware`, and
`core`, `esp`, `host`, `idf`, `radio`, `tests` and `zigbee`. The README's session puts build/bin on the PATH itself; for the other pages it is there.
A command that has to fail is written `! command`. An `airliftd ... &` is waited for until it
listens. A session must end what it starts in the background (`kill %1`). A free port takes the place
of 8070, in the firmware's defaults too.
"""
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

import lab
import servers

PAGES = ["README.md", "CONTRIBUTING.md",
         *sorted(str(p.relative_to(servers.ROOT)) for p in (servers.ROOT / "docs").glob("*.md"))]
# Not run: they build, test or measure the whole project, or need root and systemd.
EXEMPT = re.compile(r"make( (demo(-\w+)?|test|lint|test-san|fuzz|bench|rv32|install))?( [A-Z_]+=\S+)*( +#.*)?$"
                    r"|systemctl ")
MARKS = {"sh", "output", "text", "c", "cmake", "csv", "ini", "json"}
TIME_S = 240
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.M | re.S)


def fences(page):
    """[(mark, content, line)] of a page."""
    text = (servers.ROOT / page).read_text()
    return [(m[1], m[2], text[:m.start()].count("\n") + 1) for m in FENCE.finditer(text)]


def joined(content):
    """Command lines, with those that go on behind a backslash put together."""
    return content.replace("\\\n", " ").splitlines()


def with_port(text, port):
    return re.sub(r"\b8070\b", str(port), text)


def script(page, port):
    """The session of a page; the output of fence N goes to .output.N."""
    out = ["wait_for_server() {", "  for _ in $(seq 200); do",
           f"    if (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null; then return 0; fi; sleep 0.05",
           "  done", "  return 1", "}", "exec 9>.trace; BASH_XTRACEFD=9"]
    for number, (mark, content, line) in enumerate(fences(page)):
        if mark != "sh":
            continue
        out.append(f"exec >.output.{number} 2>&1; echo {page}:{line} >.fence")
        for command in joined(content):
            if EXEMPT.match(command.strip()):
                continue
            if command.startswith("! "):  # bash -e goes on when it succeeds
                command = f"if {command[2:]}\nthen echo 'this should have failed'; exit 1; fi"
            out.append(command)
            if re.match(r"airliftd .*&\s*(#.*)?$", command):
                out.append("wait_for_server")
    out += ['for _ in $(seq 70); do [ -n "$(jobs -rp)" ] || break; sleep 0.1; done  # it is ending',
            'left=$(jobs -rp); [ -z "$left" ] || { echo "still running: $left"; exit 1; }']
    return with_port("\n".join(out) + "\n", port)


@pytest.fixture
def clone(tmp_path):
    """What a session needs of a clean clone."""
    root = tmp_path / "clone"
    root.mkdir()
    (root / "build").symlink_to(servers.BUILD)
    for name in ("core", "esp", "host", "idf", "radio", "tests", "zigbee"):
        (root / name).symlink_to(servers.ROOT / name)
    shutil.copytree(servers.ROOT / "firmware", root / "firmware", ignore=shutil.ignore_patterns("build"))
    return root


def run(page, clone):
    """Runs a page's session and ends what it left behind. (status, what the last fence printed)"""
    path = os.environ["PATH"] if page == "README.md" else f"{servers.BUILD}/bin:{os.environ['PATH']}"
    file = clone.parent / "session.sh"
    port = servers.free_port()
    for kconfig in (clone / "firmware").rglob("Kconfig*"):
        kconfig.write_text(with_port(kconfig.read_text(), port))
    file.write_text(script(page, port))
    session = subprocess.Popen(["bash", "-euo", "pipefail", "-x", file], cwd=clone,
                               env=dict(os.environ, PATH=path), stdin=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        status = session.wait(TIME_S)
    except subprocess.TimeoutExpired:
        status = "took too long"
    try:
        os.killpg(session.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    session.wait()
    last = max(clone.glob(".output.*"), key=lambda f: int(f.name[8:]))
    trace = (clone / ".trace").read_text(errors="replace").splitlines()[-3:]
    return status, "\n".join([last.read_text(errors="replace")[-8000:], *trace])


def tracked_names():
    """What a clone has at its top."""
    done = subprocess.run(["git", "ls-files"], cwd=servers.ROOT, capture_output=True, text=True)
    return {line.split("/")[0] for line in done.stdout.splitlines()}


def shown_in_order(shown, printed):
    """None, or the first line of the shown output that was not printed where it should be."""
    at, skip, lines = 0, False, printed.splitlines()
    for line in shown.splitlines():
        if line == "...":
            skip = True
            continue
        pattern = re.compile(".*".join(map(re.escape, line.rstrip().split("…"))) + r"\s*")
        found = next((i for i in range(at, len(lines)) if pattern.fullmatch(lines[i])), None)
        if found is None or (found > at and not skip and at > 0):
            return line
        at, skip = found + 1, False
    return None


@pytest.mark.parametrize("page", PAGES)
def test_fences_say_what_they_are(page):
    wrong = [f"{page}:{line}: ```{mark}" for mark, _, line in fences(page) if mark not in MARKS]
    assert not wrong
    text = FENCE.sub("", (servers.ROOT / page).read_text())
    assert "```" not in text
    assert not re.search(r"\n\n    \S", text), "an indented block: use a fence"


def anchors(page):
    """The anchors that a Markdown viewer gives the headings of a page."""
    text = FENCE.sub("", page.read_text())
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-")
            for h in re.findall(r"^#+ (.*)$", text, re.M)}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    file = servers.ROOT / page
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", file.read_text())):
        path, _, anchor = link.partition("#")
        target = file.parent / path if path else file
        if "://" not in link and not (target.exists() and (not anchor or anchor in anchors(target))):
            lost.append(link)
    assert not lost


@pytest.mark.parametrize("page", [p for p in PAGES if any(f[0] == "sh" for f in fences(p))])
def test_commands_do_what_the_page_says(page, clone):
    if page == "docs/troubleshooting.md" and lab.sanitized():
        pytest.skip("firmware with sanitizers is linked to fixed addresses: no offsets for addr2line")
    if page == "docs/zigbee-api-v2.md" and lab.sanitized():
        pytest.skip("minutes of air for a program of 3 MB with sanitizers")
    began = time.monotonic()
    before = {p.name for p in clone.iterdir()}
    status, said = run(page, clone)
    where = (clone / ".fence").read_text().strip()
    assert status == 0, f"{where}, after {time.monotonic() - began:.0f} s: {status}\n{said}"
    made = {p.name for p in clone.iterdir()} - before
    assert not made & tracked_names(), "the session writes over the tree"
    printed = ""
    for number, (mark, content, line) in enumerate(fences(page)):
        if mark == "sh":
            printed = (clone / f".output.{number}").read_text(errors="replace")
        elif mark == "output":
            missing = shown_in_order(content, printed)
            assert missing is None, f"{page}:{line}: was not printed: {missing}\n{printed[-8000:]}"


def test_a_page_that_is_wrong_is_noticed(clone, monkeypatch, tmp_path):
    page = tmp_path / "page.md"
    monkeypatch.setattr(servers, "ROOT", tmp_path)
    for body, good in (("echo hello", True), ("false", False), ("! false", True), ("! true", False),
                       ("sleep 30 &", False), ("false | true", False)):
        page.write_text(f"# Page\n\n```sh\n{body}\n```\n")
        status, _ = run("page.md", clone)
        assert (status == 0) == good, body
    assert shown_in_order("a\n...\nd…f\n", "a\nb\nc\ndef\n") is None
    assert shown_in_order("a\nc\n", "a\nb\nc\n") == "c"
    assert shown_in_order("a\n...\nb\n", "b\na\n") == "b"
