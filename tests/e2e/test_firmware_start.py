"""A program of a few lines, compiled against the vendor's headers, through its resets:
start-up lines, reasons, what RTC memory keeps, watchdog, anti-rollback."""
import re

import pytest

APP = r"""
#include <stdio.h>
#include "esp_attr.h"
#include "esp_err.h"
#include "esp_log.h"
#include "esp_sleep.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"

static RTC_NOINIT_ATTR unsigned boots;
static RTC_DATA_ATTR unsigned sleeps = 10;

/* A sanitizer would see it coming. */
__attribute__((no_sanitize("undefined,address"))) static void crash(void *arg)
{
    int *volatile nowhere = NULL;
    *nowhere = 1;
}

static void hang(void)
{
    ESP_ERROR_CHECK(esp_task_wdt_add(NULL));
    for (;;) vTaskDelay(10);
}

void app_main(void)
{
    if (esp_reset_reason() == ESP_RST_POWERON) boots = 0;
    boots++;
    uint32_t word = 0xfffffffe;
    ESP_LOGI("app", "boot %u reason %d sleeps %u word %lx", boots, esp_reset_reason(), sleeps,
             word);
    switch (boots) {
    case 1: esp_restart();
    case 2: xTaskCreate(crash, "crash", 2048, NULL, 5, NULL); vTaskDelay(1000);
    case 3: ESP_ERROR_CHECK(nvs_flash_init_partition("nothing"));
    case 4: sleeps++; esp_deep_sleep(50000);
    case 5: hang();
    default: ESP_LOGI("app", "the end");
    }
}
"""

CMAKE = """cmake_minimum_required(VERSION 3.16)
include($ENV{IDF_PATH}/tools/cmake/project.cmake)
project(resets VERSION 3.2.1)
"""

COMPONENT = 'idf_component_register(SRCS "app.c" INCLUDE_DIRS "." PRIV_REQUIRES nvs_flash)\n'


def make_project(path, source, sdkconfig):
    (path / "main").mkdir(parents=True)
    (path / "CMakeLists.txt").write_text(CMAKE)
    (path / "main/CMakeLists.txt").write_text(COMPONENT)
    (path / "main/app.c").write_text(source)
    (path / "sdkconfig.defaults").write_text(sdkconfig)
    return path


@pytest.fixture
def run(airlift, tmp_path):
    """Builds a program, makes a device of it and runs that; returns the log."""
    def go(source, sdkconfig="", create=(), ends=("--for", "15"), plain_boot_loader=False):
        project = make_project(tmp_path / "project", source, sdkconfig)
        built = airlift("build", project, "-B", tmp_path / "out", "--chip", "esp32c3")
        assert built.returncode == 0, built.stdout + built.stderr
        if plain_boot_loader:  # one that does not know the options of the app
            (tmp_path / "plain").write_text('CONFIG_IDF_TARGET="esp32c3"\n')
            airlift("image", "make", "--bootloader", "--sdkconfig", tmp_path / "plain", "--chip",
                    "esp32c3", "--out", tmp_path / "out/bootloader/bootloader.bin")
        made = airlift("device", "create", tmp_path / "device", "--from", tmp_path / "out", *create)
        assert made.returncode == 0, made.stderr
        return airlift("device", "run", tmp_path / "device", *ends).stdout
    return go


def test_a_program_lives_through_every_kind_of_reset(run):
    log = run(APP, "CONFIG_ESP_TASK_WDT_INIT=y\nCONFIG_ESP_TASK_WDT_TIMEOUT_S=1\n"
                   "CONFIG_ESP_TASK_WDT_PANIC=y\n", ends=("--until", "the end", "--for", "20"))
    boots = re.findall(r"app: boot (\d+) reason (\d+) sleeps (\d+) word (\w+)", log)
    word = "fffffffe"
    assert boots == [("1", "1", "10", word), ("2", "3", "10", word), ("3", "4", "10", word),
                     ("4", "4", "10", word), ("5", "8", "11", word), ("6", "6", "10", word)]
    assert "Guru Meditation Error" in log
    assert "ESP_ERROR_CHECK failed: esp_err_t 0x105 (ESP_ERR_NOT_FOUND) at 0x" in log
    assert re.search(r'expression: nvs_flash_init_partition\("nothing"\)', log)
    assert "task_wdt:  - main (CPU 0)" in log
    assert "app: the end" in log


def test_start_up_lines_come_in_the_vendors_order(run):
    log = run("void app_main(void) {}\n", ends=("--until", "Returned from", "--for", "10"))
    lines = [r"boot: Loaded app from partition", r"app_init: Application information:",
             r"app_init: Project name:     resets", r"app_init: App version:      3\.2\.1",
             r"app_init: ELF file SHA256:  [0-9a-f]{9}\.\.\.", r"app_init: ESP-IDF:          v6\.2",
             r"main_task: Started on CPU0", r"main_task: Calling app_main\(\)",
             r"main_task: Returned from app_main\(\)"]
    at = 0
    for line in lines:
        found = re.compile(r"[IWE] \(\d+\) " + line).search(log, at)
        assert found, f"{line} not behind {log[:at][-200:]}"
        at = found.end()


def test_an_app_too_old_for_the_efuse_stops_itself(run):
    log = run("void app_main(void) {}\n",
              "CONFIG_PARTITION_TABLE_TWO_OTA=y\nCONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\n"
              "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n"
              "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y\nCONFIG_BOOTLOADER_APP_SECURE_VERSION=1\n",
              create=("--secure-version", "2"), ends=("--resets", "2", "--for", "10"),
              plain_boot_loader=True)
    assert "app_init: Secure version:   1" in log
    assert "efuse_init: Incorrect secure version of app: it has 1, eFuse asks for 2" in log
    assert "Calling app_main" not in log
