"""What a component of a project gets from its idf_component.yml, and names of embedded files."""
import subprocess

import servers


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def build(project):
    return subprocess.run([servers.AIRLIFT, "build", project, "--chip", "esp32c6"], capture_output=True, text=True,
                          timeout=120)


PROJECT = """cmake_minimum_required(VERSION 3.16)
include($ENV{IDF_PATH}/tools/cmake/project.cmake)
set(COMPONENTS main)
project(words)
"""


def test_a_dependency_by_path_is_required_whatever_else_is(tmp_path):
    write(tmp_path, {
        "shared/lamp/CMakeLists.txt": 'idf_component_register(SRCS "lamp.c" INCLUDE_DIRS "include")\n',
        "shared/lamp/include/lamp.h": "int lamp(void);\n",
        "shared/lamp/lamp.c": '#include "lamp.h"\nint lamp(void) { return 1; }\n',
        "words/CMakeLists.txt": PROJECT,
        "words/main/CMakeLists.txt": 'idf_component_register(SRCS "main.c" PRIV_REQUIRES nvs_flash)\n',
        "words/main/idf_component.yml": "dependencies:\n  lamp:\n    path: ../../shared/lamp\n",
        "words/main/main.c": '#include "lamp.h"\nvoid app_main(void) { lamp(); }\n',
    })
    done = build(tmp_path / "words")
    assert done.returncode == 0, done.stderr
    # Without the manifest nobody says so.
    (tmp_path / "words/main/idf_component.yml").unlink()
    assert "lamp.h" in build(tmp_path / "words").stderr


def test_an_embedded_file_may_begin_with_a_digit(tmp_path):
    write(tmp_path, {
        "words/CMakeLists.txt": PROJECT,
        "words/main/CMakeLists.txt": 'idf_component_register(SRCS "main.c" EMBED_FILES "131B-0001-file.zigbee")\n',
        "words/main/131B-0001-file.zigbee": "the file's words",
        "words/main/main.c": """
#include <stdio.h>
extern const char start[] asm("_binary_131B_0001_file_zigbee_start");
extern const char end[] asm("_binary_131B_0001_file_zigbee_end");
void app_main(void) { printf("%.*s", (int)(end - start), start); }
""",
    })
    done = build(tmp_path / "words")
    assert done.returncode == 0, done.stderr
    assert b"the file's words" in (tmp_path / "words/build/words.bin").read_bytes()
