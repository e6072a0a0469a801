"""UARTs of a virtual device on ptys and TCP ports: who may connect, what is kept, what a reset does."""
import os
import re
import select
import signal
import socket
import time

import pytest

import lab

APP = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "driver/uart.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

static unsigned port; /* this UART speaks */

static void say(const char *text)
{
    uart_write_bytes(port, text, strlen(text));
}

static void obey(const char *line)
{
    char text[300];
    if (strcmp(line, "reset") == 0) {
        uart_wait_tx_done(port, portMAX_DELAY);
        esp_restart();
    } else if (strncmp(line, "sleep ", 6) == 0) {
        vTaskDelay(pdMS_TO_TICKS(atoi(line + 6)));
        say("awake\r\n");
    } else if (strncmp(line, "flood ", 6) == 0) {
        for (int i = 0, n = atoi(line + 6); i < n; i++) {
            snprintf(text, sizeof text, "line %06d of the flood, filled up to sixty-four bytes......\r\n", i);
            say(text);
        }
        say("flood over\r\n");
        printf("flood over\n");
    } else {
        snprintf(text, sizeof text, "echo %.250s\r\n", line);
        say(text);
    }
}

void app_main(void)
{
    const uart_config_t config = {.baud_rate = 115200, .data_bits = UART_DATA_8_BITS, .stop_bits = UART_STOP_BITS_1};
    char line[300];
    size_t len = 0;
    port = CONFIG_TEST_PORT;
    ESP_ERROR_CHECK(uart_driver_install(port, 1024, 0, 0, NULL, 0));
    ESP_ERROR_CHECK(uart_param_config(port, &config));
    say("ready\r\n");
    printf("app is ready\n");
    for (;;) {
        char c;
        if (uart_read_bytes(port, &c, 1, portMAX_DELAY) != 1 || c == '\n') continue;
        if (c != '\r' && len < sizeof line - 1) {
            line[len++] = c;
            continue;
        }
        line[len] = 0;
        len = 0;
        obey(line);
    }
}
"""

PROJECT = {
    "CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\ninclude($ENV{IDF_PATH}/tools/cmake/project.cmake)\n"
                      "project(echo VERSION 1.0.0)\n",
    "main/CMakeLists.txt": 'idf_component_register(SRCS "app.c" INCLUDE_DIRS ".")\n',
    "main/Kconfig.projbuild": "config TEST_PORT\n    int \"UART\"\n    default 1\n",
    "main/app.c": APP,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("echo") / "echo"
    for name, text in PROJECT.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def device(project, tmp_path):
    return lab.Device(tmp_path / "device", lab.build(str(project)))


class Line:
    """A UART's other end: a pty that is opened by name, or a TCP connection."""

    def __init__(self, where):
        self.text = ""
        if isinstance(where, int):
            self.socket = socket.create_connection(("127.0.0.1", where), 5)
            self.fd = self.socket.fileno()
        else:
            self.socket, self.fd = None, os.open(where, os.O_RDWR | os.O_NOCTTY)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.socket:
            self.socket.close()
        elif self.fd >= 0:
            os.close(self.fd)
        self.socket, self.fd = None, -1

    def write(self, text):
        data = text.encode()
        while data:
            data = data[os.write(self.fd, data):]

    def read(self, seconds):
        """What comes next; None: nothing in that time, b"": the end."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return None
        try:
            return os.read(self.fd, 65536)
        except OSError:
            return b""

    def expect(self, text, seconds=lab.PATIENCE_S):
        """Waits for it, gives what came before."""
        until = time.monotonic() + seconds
        while text not in self.text:
            data = self.read(max(0.0, until - time.monotonic()))
            assert data, f"{text!r} did not come {'(the line was closed)' if data == b'' else ''}\n{self.text[-2000:]}"
            self.text += data.decode()
        before, _, self.text = self.text.partition(text)
        return before


def port_of(uart, number=1):
    return int(uart.expect(rf"UART {number} is TCP port (\d+)")[1])


def test_a_pty_leads_to_uart_1_and_its_link_goes_with_the_device(device, tmp_path):
    link = tmp_path / "uart1"
    with device.on("--uart1", f"pty:{link}") as uart:
        uart.expect("app is ready")
        assert link.is_symlink() and str(link.readlink()).startswith("/dev/pts/")
        with Line(link) as line:
            line.expect("ready\r\n")
            line.write("hello\r\n")
            assert line.expect("echo hello\r\n") == ""  # raw: nothing is echoed or changed by the host
        uart.never("echo hello")
    assert not link.is_symlink()


def test_a_pty_without_a_link_is_told(device):
    with device.on("--uart1", "pty") as uart:
        name = uart.expect(r"UART 1 is (/dev/pts/\d+)")[1]
        with Line(name) as line:
            line.expect("ready\r\n")


def test_a_terminal_that_comes_late_sees_the_last_lines(device, tmp_path):
    link = tmp_path / "uart1"
    with device.on("--uart1", f"pty:{link}") as uart:
        uart.expect("app is ready")
        with Line(link) as line:
            line.expect("ready\r\n")
            line.write("sleep 300\rflood 3000\r")
        uart.expect("flood over", 20)  # nobody reads 190 KB, and the firmware goes on all the same
        with Line(link) as line:
            kept = line.expect("flood over\r\n")
            numbers = [int(n) for n in re.findall(r"line (\d{6}) of the flood, .*\.\r\n", kept)]
            assert numbers == list(range(numbers[0], 3000)) and len(numbers) > 800
            line.write("still there?\r")
            line.expect("echo still there?\r\n")


def test_a_flood_that_nobody_reads_holds_nothing_up(device):
    with device.on("--uart1", "tcp:0", "--for", "2") as uart:
        with Line(port_of(uart)) as line:
            line.expect("ready\r\n")
            line.write("flood 100000000\r")
            line.expect("line 000000")
        assert uart.process.wait(20) == 0


def test_a_reader_that_is_slow_loses_nothing(device):
    with device.on("--uart1", "tcp:0") as uart, Line(port_of(uart)) as line:
        line.write("flood 10000\r")
        time.sleep(0.5)
        got = line.expect("flood over\r\n")
        assert [int(n) for n in re.findall(r"line (\d{6}) ", got)] == list(range(10000))


def test_the_connection_outlives_resets(device):
    with device.on("--uart1", "tcp:0") as uart, Line(port_of(uart)) as line:
        for _ in range(3):
            line.expect("ready\r\n")
            line.write("reset\r")
        line.expect("ready\r\n")
        line.write("the same line\r")
        line.expect("echo the same line\r\n")
        uart.expect("rst:0x3")


def test_the_connection_outlives_a_brownout(device):
    with device.on("--uart1", "tcp:0", "--brownout", "0.3") as uart, Line(port_of(uart)) as line:
        line.expect("ready\r\n")
        uart.expect("Brownout detector was triggered")
        line.expect("ready\r\n")
        line.write("again\r")
        line.expect("echo again\r\n")


def test_what_is_sent_while_nobody_reads_waits(device):
    with device.on("--uart1", "tcp:0") as uart, Line(port_of(uart)) as line:
        line.expect("ready\r\n")
        line.write("sleep 500\r" + "".join(f"word {i}\r" for i in range(3000)))  # far more than the FIFO
        got = line.expect("echo word 2999\r\n")
        assert re.findall(r"echo word (\d+)", got) == [str(i) for i in range(2999)]


def test_one_client_at_a_time_and_the_next_when_it_is_gone(device):
    with device.on("--uart1", "tcp:0") as uart:
        port = port_of(uart)
        with Line(port) as line:
            line.expect("ready\r\n")
            with Line(port) as second:
                assert second.read(10) == b""
            line.write("still mine\r")
            line.expect("echo still mine\r\n")
        for i in range(3):
            with Line(port) as line:
                line.write(f"client {i}\r")
                line.expect(f"echo client {i}\r\n")


def test_a_client_that_has_sent_all_still_gets_the_answer(device):
    with device.on("--uart1", "tcp:127.0.0.1:0") as uart, Line(port_of(uart)) as line:
        line.expect("ready\r\n")
        line.write("question\r")
        line.socket.shutdown(socket.SHUT_WR)
        line.expect("echo question\r\n")


def test_uart_0_on_a_pty_has_log_and_driver(project, tmp_path):
    device = lab.Device(tmp_path / "device", lab.build(str(project), config={"TEST_PORT": "0"}))
    link = tmp_path / "uart0"
    with device.on("--uart0", f"pty:{link}") as uart:
        uart.expect("UART 0 is ")
        with Line(link) as line:
            boot = line.expect("ready\r\n")
            assert "2nd stage bootloader\r\n" in boot and "main_task: Calling app_main()\r\n" in boot
            line.write("hello\r")
            line.expect("echo hello\r\n")
    assert "Calling app_main" not in uart.text  # the terminal has notes only


def test_uart_0_stays_stdin_and_stdout(project, tmp_path):
    device = lab.Device(tmp_path / "device", lab.build(str(project), config={"TEST_PORT": "0"}))
    with device.on() as uart:
        uart.expect("^ready$")
        uart.write("hello\r")
        uart.expect("^echo hello$")


def test_device_conf_wires_a_uart_and_an_option_wins(device, tmp_path):
    with open(device.dir / "device.conf", "a") as conf:
        conf.write("uart1 = pty:from-file\n")
    with device.on() as uart, uart.expect("app is ready") and Line(device.dir / "from-file") as line:
        line.expect("ready\r\n")
    with device.on("--uart1", f"pty:{tmp_path}/from-option") as uart:
        uart.expect("app is ready")
        assert not (device.dir / "from-file").is_symlink() and (tmp_path / "from-option").is_symlink()


@pytest.mark.parametrize("wire", ["pty:{tmp}/outside", "pty:../outside", "tcp:0.0.0.0:0", "tcp:[::]:0"])
def test_a_firmware_cannot_reach_out_by_its_device_conf(airlift, device, tmp_path, wire):
    with open(device.dir / "device.conf", "a") as conf:
        conf.write(f"uart1 = {wire.format(tmp=tmp_path)}\n")
    done = airlift("device", "run", device.dir, "--for", "5")
    assert done.returncode == 1 and "a file that the firmware can write may ask for" in done.stderr
    assert not (tmp_path / "outside").is_symlink() and "ESP-ROM" not in done.stdout


def test_a_link_that_a_killed_run_left_is_replaced(device, tmp_path):
    link = tmp_path / "uart1"
    with device.on("--uart1", f"pty:{link}") as uart:
        uart.expect("app is ready")
        uart.process.send_signal(signal.SIGKILL)
        uart.process.wait()
    assert link.is_symlink()
    with device.on("--uart1", f"pty:{link}") as uart, uart.expect("app is ready") and Line(link) as line:
        line.expect("ready\r\n")


@pytest.mark.parametrize("value, words", [
    ("serial", "expected pty, pty:LINK, tcp:PORT or tcp:ADDRESS:PORT"),
    ("pty:", "expected pty"),
    ("tcp:70000", "expected a port, 0 to 65535"),
    ("tcp:localhost:1", "expected a port"),
    ("tcp:203.0.113.1:0", "203.0.113.1:0: Cannot assign requested address"),
    ("pty:/nowhere/uart", "/nowhere/uart: No such file or directory"),
    ("pty:{tmp}/file", "/file: File exists"),
    ("pty:{tmp}/elsewhere", "/elsewhere: File exists"),
    ("pty:{tmp}/good", "/good leads to UART 1 already"),
])
def test_wires_that_cannot_be_are_refused_and_leave_nothing(airlift, device, tmp_path, value, words):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "elsewhere").symlink_to(tmp_path / "file")
    good = tmp_path / "good"
    done = airlift("device", "run", device.dir, "--uart1", f"pty:{good}", "--uart2", value.format(tmp=tmp_path),
                   "--for", "5")
    assert done.returncode == 1 and words in done.stderr and "ESP-ROM" not in done.stdout
    assert not good.is_symlink() and (tmp_path / "file").read_text() == "mine"
    assert (tmp_path / "elsewhere").readlink() == tmp_path / "file"


def test_a_port_in_use_is_named(airlift, device):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = airlift("device", "run", device.dir, "--uart1", f"tcp:{port}", "--for", "5")
        assert done.returncode == 1 and f"UART 1: 127.0.0.1:{port}: Address already in use" in done.stderr


def test_power_off_closes_the_line(device, tmp_path):
    with device.on("--uart1", "tcp:0") as uart, Line(port_of(uart)) as line:
        line.expect("ready\r\n")
        uart.switch_off()
        assert line.read(5) == b""
