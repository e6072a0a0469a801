"""The command line as a whole: every command's help, completion, man pages, exit statuses."""
import json
import os
import struct
import subprocess

import pytest

import servers


def all_commands():
    """Descriptions of all commands, as the program itself gives them."""
    done = subprocess.run([servers.AIRLIFT, "help", "--json"], capture_output=True, check=True)
    return [c for group in json.loads(done.stdout) for c in group["commands"]]


COMMANDS = all_commands()
NAMES = [c["name"] for c in COMMANDS]


def test_help_lists_every_command(airlift):
    done = airlift("--help")
    assert done.returncode == 0 and not done.stderr
    for name in NAMES:
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=NAMES)
def test_help_of_a_command_is_complete(airlift, command):
    done = airlift(*command["name"].split(), "--help")
    assert done.returncode == 0 and not done.stderr
    assert done.stdout.startswith(f"Usage: airlift {command['name']} ")
    assert "Example:\n  " in done.stdout
    for option in command["options"]:
        assert f"  {option['name']}" in done.stdout
    text = done.stdout.split("\nExample:")[0]
    assert max(map(len, text.split("\n")[1:])) <= 100


@pytest.mark.parametrize("command", COMMANDS, ids=NAMES)
def test_an_unknown_option_is_wrong_use(airlift, command):
    done = airlift(*command["name"].split(), "--no-such-option")
    assert done.returncode == 2 and not done.stdout
    assert "there is no option --no-such-option" in done.stderr
    assert f"airlift {command['name']} --help" in done.stderr


@pytest.mark.parametrize("command", [c for c in COMMANDS if c["operands"][:1] not in ("", "[")],
                         ids=lambda c: c["name"])
def test_missing_operands_are_wrong_use(airlift, command):
    done = airlift(*command["name"].split())
    assert done.returncode == 2 and command["operands"] in done.stderr


@pytest.mark.parametrize("command", [c for c in COMMANDS if c["operands"].startswith("FILE")],
                         ids=lambda c: c["name"])
def test_a_missing_file_is_named(airlift, command, tmp_path):
    done = airlift(*command["name"].split(), tmp_path / "no-such-file", cwd=tmp_path)
    assert done.returncode in (1, 2) and done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("first", sorted({n.split()[0] for n in NAMES if " " in n} -
                                         {n for n in NAMES if " " not in n}))
def test_first_words_have_help_and_need_a_second(airlift, first):
    done = airlift(first, "--help")
    assert done.returncode == 0
    for name in NAMES:
        assert (f"\n  {name} " in done.stdout) == name.startswith(first + " ")
    assert airlift(first).returncode == 2


def test_two_known_words_need_a_third(airlift):
    done = airlift("cloud", "key", "--help")
    assert done.returncode == 0 and "cloud key revoke" in done.stdout and "cloud roms" not in done.stdout
    assert airlift("help", "cloud", "key").stdout == done.stdout
    done = airlift("cloud", "key")
    assert done.returncode == 2 and "'cloud key' needs one more word" in done.stderr and "mean" not in done.stderr
    done = airlift("cloud", "key", "revok", "3")
    assert done.returncode == 2 and "no command 'cloud key revok'" in done.stderr and "'airlift cloud key revoke'" in done.stderr


def test_no_words_and_unknown_words_are_wrong_use(airlift):
    assert airlift().returncode == 2
    done = airlift("pusch")
    assert done.returncode == 2 and "Did you mean 'airlift push'?" in done.stderr
    assert airlift("help", "nonsense").returncode == 2


def test_version(airlift):
    assert airlift("--version").stdout == airlift("version").stdout
    number = json.loads(airlift("version", "--json").stdout)["version"]
    assert airlift("version").stdout == f"airlift {number}\n"


def test_a_closed_standard_output_fails_cleanly(tmp_path):
    for words in (["version"], ["--help"], ["help", "--json"], ["version", "--json"]):
        done = subprocess.run(["sh", "-c", 'exec "$0" "$@" >&-', servers.AIRLIFT, *words],
                              capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr == "airlift: cannot write to standard output: Bad file descriptor\n"


def test_a_full_standard_output_fails_cleanly():
    with open("/dev/full", "w") as full:
        done = subprocess.run([servers.AIRLIFT, "--help"], stdout=full, stderr=subprocess.PIPE,
                              text=True)
    assert done.returncode == 1 and "No space left on device" in done.stderr


def test_a_reader_that_leaves_ends_the_command():
    done = subprocess.run(["bash", "-c", '"$0" help --json | head -c 10; exit ${PIPESTATUS[0]}',
                           servers.AIRLIFT], capture_output=True, text=True)
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr


COMPLETE = r"""
source <("$AIRLIFT" completion bash)
COMP_WORDS=(airlift "$@"); COMP_CWORD=$#
_airlift 2>/dev/null; printf '%s\n' "${COMPREPLY[@]}"
"""


def complete(*words, cwd=None):
    """What bash offers for the last of the words."""
    done = subprocess.run(["bash", "-c", COMPLETE, "bash", *words], capture_output=True, text=True,
                          env=dict(os.environ, AIRLIFT=str(servers.AIRLIFT)), check=True, cwd=cwd)
    return [w for w in done.stdout.split("\n") if w]


def test_completion_knows_commands_options_and_choices(tmp_path):
    assert "push" in complete("pu")
    assert set(complete("")) >= {n.split()[0] for n in NAMES} | {"--help"}
    assert "delete" in complete("artifacts", "")
    assert complete("cloud", "").count("product") == 1 and "deploy" in complete("cloud", "")
    assert {"create", "show"} <= set(complete("cloud", "product", ""))
    assert complete("push", "x", "--na") == ["--name"]
    assert set(complete("push", "x", "--kind", "")) == {"esp-app", "esp-bootloader", "zigbee", "other"}
    (tmp_path / "firmware.bin").write_text("")
    assert complete("push", "firm", cwd=tmp_path) == ["firmware.bin"]


@pytest.mark.parametrize("command", COMMANDS, ids=NAMES)
def test_completion_offers_every_option(command):
    offered = complete(*command["name"].split(), "-")
    assert set(offered) == {o["name"] for o in command["options"]} | {"--json", "--help"}


def test_completion_of_other_shells_is_refused(airlift):
    assert airlift("completion", "zsh").returncode == 2


def test_man_pages_are_sound(airlift, tmp_path):
    assert airlift("man", tmp_path / "a" / "man").returncode == 0
    pages = {p.name for p in (tmp_path / "a" / "man").iterdir()}
    assert pages == {"airlift.1"} | {f"airlift-{n.replace(' ', '-')}.1" for n in NAMES}
    for page in sorted((tmp_path / "a" / "man").iterdir()):
        text = page.read_text()
        assert text.startswith(".TH ") and "\n.SH NAME\n" in text
        assert "'" not in {line[:1] for line in text.split("\n")}
    assert airlift("man", "/dev/null/x").returncode == 1


def test_the_command_reference_is_up_to_date():
    done = subprocess.run(["/usr/bin/python3", servers.ROOT / "tools" / "commands_doc.py",
                           servers.BUILD / "bin"], capture_output=True, text=True, check=True)
    assert (servers.ROOT / "docs" / "commands.md").read_text() == done.stdout, "run 'make docs'"


@pytest.mark.parametrize("words,status", [
    (["image", "info", "no-such-file"], 1),
    (["image", "verify", "."], 1),
    (["partition", "build", "no-such-file", "--out", "x"], 1),
    (["flash", "create", "--size", "4MB", "--partitions", "no-such-file", "--out", "x"], 1),
    (["otadata", "show", "no-such-file"], 1),
    (["boot", "no-such-file"], 1),
    (["api", "no-such-file", "boot"], 1),
    (["nvs", "show", "no-such-file"], 1),
    (["device", "info", "no-such-dir"], 1),
    (["api", "no-such-file", "nonsense"], 2),
    (["image", "info"], 2),
    (["image", "info", "--no-such-option"], 2),
    (["nonsense"], 2),
], ids=lambda p: " ".join(p) if isinstance(p, list) else str(p))
def test_a_failure_is_a_json_document_too(airlift, tmp_path, words, status):
    done = airlift(*words, "--json", cwd=tmp_path)
    assert done.returncode == status
    message = json.loads(done.stdout)["error"]["message"]
    assert message and message in done.stderr


HOSTILE = {"escape": b"\x1b[31mred\x07", "no-utf8": b"\xff\xfe\x80", "c1": b"\xc2\x9b31m", "full": b"A" * 16,
           "quote": b'"\\\n'}


@pytest.mark.parametrize("label", HOSTILE.values(), ids=HOSTILE)
def test_labels_steer_neither_terminal_nor_json(airlift, tmp_path, label):
    row = struct.pack("<HBBII16sI", 0x50AA, 0, 0, 0x10000, 0x1000, label, 0)
    flash = bytearray(b"\xff" * 0x20000)
    flash[0x8000:0x8020] = row
    (tmp_path / "flash.bin").write_bytes(flash)
    for words in (["partition", "show"], ["partition", "verify"], ["boot"], ["otadata", "show"], ["nvs", "show"],
                  ["flash", "read", "--partition", "x", "--out", "y"], ["api", "flash.bin", "boot", "running"]):
        operand = [] if "flash.bin" in words else ["flash.bin"]
        done = airlift(*words, *operand, cwd=tmp_path)  # decodes as UTF-8, or raises
        said = done.stdout + done.stderr
        assert not [c for c in said if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)], words
        json.loads(airlift(*words, *operand, "--json", cwd=tmp_path).stdout)
    name = json.loads(airlift("partition", "show", "flash.bin", "--json", cwd=tmp_path).stdout)[0]["name"]
    assert name == label.decode(errors="backslashreplace")
