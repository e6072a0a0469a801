"""`airlift build` and idf/: projects as ESP-IDF knows them, and what comes out."""
import hashlib
import json
import re
import shutil
import subprocess

import pytest

import lab
import servers

FIRMWARE = servers.ROOT / "firmware"
IDF = servers.ROOT / "idf"
CHIPS = ["esp32", "esp32s2", "esp32s3", "esp32c2", "esp32c3", "esp32c6", "esp32h2"]
SAMPLES = ["hello_world", "native_ota_example", "simple_ota_example", "advanced_https_ota",
           "partitions_ota", "demo"]
TOP = "cmake_minimum_required(VERSION 3.16)\ninclude($ENV{IDF_PATH}/tools/cmake/project.cmake)\nproject(app)\n"


@pytest.fixture
def project(tmp_path):
    """Makes a small project: {path: text} beside a main component."""
    def make(files=None, main="void app_main(void) {}\n", top=TOP, register='SRCS "main.c"',
             name="p"):
        root = tmp_path / name
        content = {"CMakeLists.txt": top, "main/main.c": main,
                   "main/CMakeLists.txt": f"idf_component_register({register})\n"}
        content.update(files or {})
        for path, text in content.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return root
    return make


@pytest.fixture
def build(airlift, tmp_path):
    """Builds a project; gives its build folder. fails: a failure is expected, gives stderr."""
    def run(root, *options, fails=False, dir="out"):
        result = airlift("build", root, "-B", tmp_path / dir, *options)
        if fails:
            assert result.returncode == 1, result.stdout + result.stderr
            return result.stderr
        assert result.returncode == 0, result.stderr
        run.stderr = result.stderr
        return tmp_path / dir
    return run


def image_info(airlift, path):
    result = airlift("image", "info", path, "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def symbols(elf):
    """{name: address} of the global symbols."""
    out = subprocess.run(["nm", str(elf)], capture_output=True, text=True, check=True).stdout
    return {w[2]: int(w[0], 16) for w in map(str.split, out.splitlines()) if len(w) == 3}


def config(folder):
    return (folder / "sdkconfig").read_text()


# What comes out

@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_becomes_images_that_verify_and_fit(airlift, build, sample):
    out = build(FIRMWARE / sample, "--chip", "esp32c3")
    info = image_info(airlift, out / f"{sample}.bin")
    assert info["chip_id"] == 5 and info["hash_ok"] and info["checksum_ok"]
    assert info["app_desc"]["project_name"] == sample
    assert info["app_desc"]["idf_ver"] == "v6.2-dev"
    assert airlift("image", "verify", out / f"{sample}.bin").returncode == 0
    assert airlift("image", "info", out / "bootloader" / "bootloader.bin").returncode == 0
    table = airlift("partition", "verify", out / "partition_table" / "partition-table.bin",
                    "--flash-size", "4MB")
    assert table.returncode == 0, table.stderr
    assert "too small" not in build.stderr
    assert (FIRMWARE / sample / "build").exists() is False


@pytest.mark.parametrize("chip", CHIPS)
def test_the_chip_decides_ids_and_offsets(airlift, build, chip):
    out = build(FIRMWARE / "hello_world", "--chip", chip)
    expected = {"esp32": (0, "0x1000"), "esp32s2": (2, "0x1000"), "esp32s3": (9, "0x0"),
                "esp32c2": (12, "0x0"), "esp32c3": (5, "0x0"), "esp32c6": (13, "0x0"),
                "esp32h2": (16, "0x0")}[chip]
    assert image_info(airlift, out / "hello_world.bin")["chip_id"] == expected[0]
    assert f"{expected[1]} bootloader/bootloader.bin" in (out / "flash_args").read_text()
    assert f'CONFIG_IDF_TARGET="{chip}"' in config(out)
    assert f"CONFIG_IDF_TARGET_{chip.upper()}=y" in config(out)


def test_flash_args_name_what_goes_where(build):
    out = build(FIRMWARE / "simple_ota_example")
    lines = (out / "flash_args").read_text().splitlines()
    assert lines[0] == "--flash-mode dio --flash-freq 40m --flash-size 4MB"
    assert sorted(lines[1:]) == ["0x1000 bootloader/bootloader.bin",
                                 "0x20000 simple_ota_example.bin",
                                 "0x8000 partition_table/partition-table.bin",
                                 "0xf000 ota_data_initial.bin"]
    assert (out / "ota_data_initial.bin").read_bytes() == b"\xff" * 0x2000
    args = json.loads((out / "flasher_args.json").read_text())
    assert args["flash_files"]["0x20000"] == "simple_ota_example.bin"
    assert args["otadata"] == {"offset": "0xf000", "file": "ota_data_initial.bin",
                               "encrypted": "false"}
    description = json.loads((out / "project_description.json").read_text())
    assert description["target"] == "esp32" and description["app_bin"] == "simple_ota_example.bin"


def test_without_otadata_there_is_no_initial_one(project, build):
    root = project({"two.conf": "CONFIG_PARTITION_TABLE_TWO_OTA=y\n"
                                "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\n"})
    assert (build(root, "--sdkconfig", root / "two.conf") / "ota_data_initial.bin").exists()
    out = build(root)
    assert not (out / "ota_data_initial.bin").exists()
    assert "otadata" not in json.loads((out / "flasher_args.json").read_text())


def test_an_image_runs_on_a_virtual_device(airlift, build, tmp_path):
    out = build(FIRMWARE / "hello_world", "--chip", "esp32c6")
    assert airlift("device", "create", tmp_path / "device", "--from", out).returncode == 0
    run = airlift("device", "run", tmp_path / "device", "--until", "Restarting in 10", "--for", 20,
                  stdin=subprocess.DEVNULL)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "This is esp32c6 chip" in run.stdout


def test_plain_cmake_builds_a_project(project, tmp_path):
    root = project()
    out = tmp_path / "plain"
    env = {"PATH": "/usr/bin:/bin", "IDF_PATH": str(IDF), "AIRLIFT_PROGRAM": str(servers.AIRLIFT),
           "AIRLIFT_LIB_DIR": str(servers.AIRLIFT.parent.parent / "lib")}
    subprocess.run(["cmake", "-S", root, "-B", out], env=env, check=True, capture_output=True)
    subprocess.run(["cmake", "--build", out], env=env, check=True, capture_output=True)
    assert (out / "app.bin").exists() and (out / "flash_args").exists()


def test_a_rebuild_without_changes_makes_nothing_anew(project, build):
    root = project()
    out = build(root)
    before = {f: (out / f).stat().st_mtime_ns for f in ("app.elf", "app.bin", "sdkconfig")}
    build(root)
    assert {f: (out / f).stat().st_mtime_ns for f in before} == before


def test_a_changed_option_is_not_kept_from_the_build_before(airlift, project, build):
    root = project()
    build(root, "--chip", "esp32c3", "-D", "PROJECT_VER=7")
    assert image_info(airlift, build(root) / "app.bin")["chip_id"] == 0


# Embedded files

def test_embedded_files_have_the_vendors_symbols(project, build):
    root = project({"main/data.bin": "12345", "certs/ca cert.pem": "PEM"},
                   register='SRCS "main.c" EMBED_FILES "data.bin" '
                            'EMBED_TXTFILES "../certs/ca cert.pem"',
                   main="""
        #include <stdio.h>
        #include <stdint.h>
        extern const char d[] asm("_binary_data_bin_start"), de[] asm("_binary_data_bin_end");
        extern const char t[] asm("_binary_ca_cert_pem_start"), te[] asm("_binary_ca_cert_pem_end");
        extern const uint32_t data_bin_length, ca_cert_pem_length;
        void app_main(void)
        {
            printf("%p %p %p %p %u %u\\n", d, de, t, te, data_bin_length, ca_cert_pem_length);
        }
        """)
    out = build(root)
    s = symbols(out / "app.elf")
    assert s["_binary_data_bin_end"] - s["_binary_data_bin_start"] == 5
    assert s["_binary_ca_cert_pem_end"] - s["_binary_ca_cert_pem_start"] == 4  # with NUL
    image = (out / "app.bin").read_bytes()
    assert b"12345" in image and b"PEM\0" in image
    (root / "main" / "data.bin").write_text("changed")
    build(root)
    assert b"changed" in (out / "app.bin").read_bytes()


def test_a_missing_file_to_embed_is_named(project, build):
    root = project(register='SRCS "main.c" EMBED_TXTFILES "none.pem"')
    assert "none.pem" in build(root, fails=True)


# Version

def version_of(airlift, out):
    return image_info(airlift, out / "app.bin")["app_desc"]["version"]


def test_version_sources_in_their_order(airlift, project, build):
    everything = {"version.txt": "from-file\n",
                  "kconfig.conf": 'CONFIG_APP_PROJECT_VER_FROM_CONFIG=y\n'
                                  'CONFIG_APP_PROJECT_VER="from-kconfig"\n'}
    root = project(everything, top=TOP.replace("app)", "app VERSION 3.2.1)"))
    options = ["--sdkconfig", root / "kconfig.conf", "-D", "PROJECT_VER=from-variable"]
    assert version_of(airlift, build(root, *options)) == "from-kconfig"
    assert version_of(airlift, build(root, *options[2:])) == "from-variable"
    assert version_of(airlift, build(root)) == "from-file"
    (root / "version.txt").unlink()
    assert version_of(airlift, build(root)) == "3.2.1"
    (root / "CMakeLists.txt").write_text(TOP)
    assert version_of(airlift, build(root)) == "1"
    git = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@y"]
    subprocess.run(git + ["init", "-q"], check=True)
    subprocess.run(git + ["commit", "-q", "--allow-empty", "-m", "x"], check=True)
    subprocess.run(git + ["tag", "v9"], check=True)
    assert version_of(airlift, build(root)) == "v9"


def test_a_long_version_is_cut_to_31_characters(airlift, project, build):
    out = build(project(), "-D", "PROJECT_VER=" + "0123456789" * 4)
    assert version_of(airlift, out) == "0123456789012345678901234567890"


def test_the_version_can_be_left_out(airlift, project, build):
    root = project({"sdkconfig.defaults": "CONFIG_APP_EXCLUDE_PROJECT_VER_VAR=y\n"})
    assert version_of(airlift, build(root, "-D", "PROJECT_VER=5")) == ""


@pytest.mark.skipif(lab.sanitized(),
                    reason="sanitizers put the build folder's name into the program")
def test_reproducible_builds_are_equal_byte_for_byte(project, build):
    root = project({"sdkconfig.defaults": "CONFIG_APP_REPRODUCIBLE_BUILD=y\n"})
    digests = {hashlib.sha256((build(root, "-D", "PROJECT_VER=1", dir=d) / "app.bin").read_bytes())
               .hexdigest() for d in ("a", "b")}
    assert len(digests) == 1


def test_secure_version_needs_anti_rollback(airlift, project, build):
    root = project({"anti.conf": "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n"
                                 "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y\n"
                                 "CONFIG_BOOTLOADER_APP_SECURE_VERSION=5\n",
                    "only.conf": "CONFIG_BOOTLOADER_APP_SECURE_VERSION=5\n"})
    out = build(root, "--sdkconfig", root / "anti.conf")
    assert image_info(airlift, out / "app.bin")["app_desc"]["secure_version"] == 5
    out = build(root, "--sdkconfig", root / "only.conf")
    assert "BOOTLOADER_APP_SECURE_VERSION is 'n', not '5'" in build.stderr
    assert image_info(airlift, out / "app.bin")["app_desc"]["secure_version"] == 0


# Configuration

def test_defaults_the_chips_own_and_further_files_override_in_turn(project, build):
    root = project({
        "main/Kconfig.projbuild": "".join(f'config V{i}\n    string "v{i}"\n    default "kconfig"\n'
                                          for i in range(5)),
        "sdkconfig.defaults": "".join(f'CONFIG_V{i}="defaults"\n' for i in range(1, 5)),
        "sdkconfig.defaults.esp32c3": "".join(f'CONFIG_V{i}="chip"\n' for i in range(2, 5)),
        "sdkconfig.defaults.esp32": 'CONFIG_V2="other chip"\n',
        "sdkconfig": "".join(f'CONFIG_V{i}="saved"\n' for i in range(3, 5)),
        "extra": 'CONFIG_V4="extra"\n'})
    out = build(root, "--chip", "esp32c3", "--sdkconfig", root / "extra")
    values = re.findall(r'^CONFIG_V\d="(.*)"$', config(out), re.M)
    assert values == ["kconfig", "defaults", "chip", "saved", "extra"]
    header = (out / "config" / "sdkconfig.h").read_text()
    assert '#define CONFIG_V4 "extra"' in header
    assert (root / "sdkconfig").read_text().count("\n") == 2  # the project is left alone


def test_menus_of_components_and_conditions_count(project, build):
    root = project({
        "main/Kconfig.projbuild": 'config FROM_STDIN\n    bool\n    default y if URL = "STDIN"\n'
                                  'config URL\n    string "u"\n    default "http"\n',
        "components/foo/CMakeLists.txt": 'idf_component_register(SRCS foo.c)\n',
        "components/foo/foo.c": '#include "sdkconfig.h"\nint foo = CONFIG_FOO_NUMBER;\n',
        "components/foo/Kconfig": 'menu "Foo"\nconfig FOO_NUMBER\n    int "n"\n    range 1 9\n'
                                  '    default 3\nendmenu\n',
        "c": 'CONFIG_URL="STDIN"\nCONFIG_FOO_NUMBER=20\n'})
    out = build(root, "--sdkconfig", root / "c")
    assert "CONFIG_FROM_STDIN=y" in config(out) and "CONFIG_FOO_NUMBER=3" in config(out)
    assert "FOO_NUMBER is '3', not '20'" in build.stderr
    assert "CONFIG_FROM_STDIN" not in (build(root) / "config" / "sdkconfig.h").read_text()


def test_unknown_symbols_are_told_and_do_no_harm(project, build):
    root = project({"sdkconfig.defaults": "CONFIG_NO_SUCH_THING=y\n"})
    out = build(root)
    assert "unknown kconfig symbol 'NO_SUCH_THING' assigned to 'y'" in build.stderr
    assert "NO_SUCH_THING" not in config(out)


def test_old_names_of_symbols_still_work(project, build):
    root = project({"sdkconfig.defaults": "CONFIG_APP_ROLLBACK_ENABLE=y\n"},
                   main='#include "sdkconfig.h"\n#ifndef CONFIG_APP_ROLLBACK_ENABLE\n#error no\n'
                        '#endif\nvoid app_main(void) {}\n')
    assert "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y" in config(build(root))


def test_old_names_of_symbols_count_in_cmake_and_new_ones_in_sources(project, build):
    """The option for signed data has moved between releases; projects ask for it by either name."""
    asks = "".join(f"#ifndef CONFIG_{name}\n#error no {name}\n#endif\n"
                   for name in ("SECURE_SIGNED_DATA_PARTITION", "APP_UPDATE_SECURE_SIGNED_DATA_PARTITION"))
    top = TOP + "if(NOT CONFIG_SECURE_SIGNED_DATA_PARTITION)\n    message(FATAL_ERROR no)\nendif()\n"
    for name in ("SECURE_SIGNED_DATA_PARTITION", "APP_UPDATE_SECURE_SIGNED_DATA_PARTITION"):
        root = project({"sdkconfig.defaults": "CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y\n"
                                              "CONFIG_SECURE_BOOT_BUILD_SIGNED_BINARIES=n\n"
                                              f"CONFIG_{name}=y\n"},
                       main='#include "sdkconfig.h"\n' + asks + "void app_main(void) {}\n", top=top, name=name)
        build(root, "--chip", "esp32c3", dir=name + ".out")


def test_a_choice_that_a_later_file_makes_is_no_reason_to_warn(project, build):
    root = project({"sdkconfig.defaults": "CONFIG_PARTITION_TABLE_TWO_OTA=y\nCONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\n",
                    "later": "CONFIG_PARTITION_TABLE_TWO_OTA_LARGE=y\n"})
    assert "CONFIG_PARTITION_TABLE_TWO_OTA_LARGE=y" in config(build(root, "--sdkconfig", root / "later"))
    assert "warning" not in build.stderr
    (root / "later").write_text("CONFIG_SECURE_SIGNED_APPS_ECDSA_SCHEME=y\n")
    build(root, "--sdkconfig", root / "later", dir="other")
    assert "SECURE_SIGNED_APPS_ECDSA_SCHEME is 'n', not 'y'" in build.stderr


def test_words_behind_yes_or_no_are_a_comment(project, build):
    root = project({"sdkconfig.defaults": "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y  # stays off elsewhere\n"
                                          "CONFIG_MBEDTLS_CERTIFICATE_BUNDLE=n  # not needed\n"})
    text = config(build(root))
    assert "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n" in text
    assert "# CONFIG_MBEDTLS_CERTIFICATE_BUNDLE is not set" in text


def test_the_boot_loader_carries_what_it_obeys(project, build):
    root = project({"sdkconfig.defaults": "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n"})
    boot = (build(root) / "bootloader" / "bootloader.bin").read_bytes()
    assert b"# airlift boot loader\n" in boot
    assert b"CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n" in boot and b"SIGNING_KEY" not in boot


def test_a_saved_configuration_of_another_chip_is_refused(project, build):
    root = project({"sdkconfig": 'CONFIG_IDF_TARGET="esp32s3"\n'})
    assert "made for 'esp32s3'" in build(root, "--chip", "esp32c3", fails=True)
    assert 'CONFIG_IDF_TARGET="esp32s3"' in config(build(root))


@pytest.mark.parametrize("text, told", [
    ("CONFIG_FREERTOS_HZ=fast\n", "'fast' is no value for FREERTOS_HZ"),
    ("CONFIG_FREERTOS_HZ 100\n", "sdkconfig.defaults:1"),
])
def test_a_bad_line_in_a_configuration_is_named(project, build, text, told):
    assert told in build(project({"sdkconfig.defaults": text}), fails=True)


# Components

def test_components_of_every_kind_are_built(project, build):
    root = project({
        "components/a/CMakeLists.txt": 'idf_component_register(SRC_DIRS "." EXCLUDE_SRCS "not.c" '
                                       'INCLUDE_DIRS "include" PRIV_REQUIRES b)\n',
        "components/a/a.c": '#include "b.h"\nint a(void) { return B; }\n',
        "components/a/not.c": "#error excluded\n",
        "components/a/include/a.h": "int a(void);\n",
        "components/b/CMakeLists.txt": "idf_component_register(INCLUDE_DIRS .)\n",
        "components/b/b.h": "#define B 2\n",
        "other/extra/CMakeLists.txt": "idf_component_register(SRCS e.cpp INCLUDE_DIRS .)\n",
        "other/extra/e.cpp": '#include <vector>\nextern "C" int e(void) { return '
                             "std::vector<int>{1, 2}.size(); }\n",
        "shared/dep/CMakeLists.txt": "idf_component_register(SRCS d.c)\n",
        "shared/dep/d.c": "int d(void) { return 1; }\n",
        "main/idf_component.yml": "dependencies:\n  idf: '>=5.0'\n  espressif/cjson: '*'\n"
                                  "  dep:\n    path: ../shared/dep\n",
    }, top=TOP.replace("include", "set(EXTRA_COMPONENT_DIRS other)\ninclude"),
        main='#include "a.h"\nint e(void), d(void);\nint sum;\n'
             "void app_main(void) { sum = a() + e() + d(); }\n")
    s = symbols(build(root) / "app.elf")
    assert {"a", "e", "d"} <= s.keys()


def test_only_required_components_are_built_when_asked(project, build):
    root = project({
        "components/bad/CMakeLists.txt": "idf_component_register(SRCS bad.c)\n",
        "components/bad/bad.c": "#error must not be compiled\n",
        "components/good/CMakeLists.txt": "idf_component_register(SRCS good.c)\n",
        "components/good/good.c": "int good;\n",
    }, top=TOP.replace("include", "set(COMPONENTS main)\ninclude"), register="SRCS main.c REQUIRES good nvs_flash")
    build(root)


def test_settings_of_the_whole_project_reach_every_component(project, build):
    check = "#if {0}\n#error {0}\n#endif\n"
    root = project(
        {"components/c/CMakeLists.txt": "idf_component_register(SRCS c.c)\n"
                                        "component_compile_definitions(OWN=1)\n",
         "components/c/c.c": check.format("BEFORE != 1 || AFTER != 2 || OPTION != 3 || OWN != 1")},
        main=check.format("BEFORE != 1 || AFTER != 2 || OPTION != 3 || defined(OWN)")
             + "void app_main(void) {}\n",
        top=TOP.replace("project(", 'idf_build_set_property(COMPILE_DEFINITIONS "BEFORE=1" APPEND)\n'
                                    'project(')
            + 'idf_build_set_property(COMPILE_DEFINITIONS "-DAFTER=2" APPEND)\n'
              'idf_build_set_property(C_COMPILE_OPTIONS "-DOPTION=3" APPEND)\n')
    build(root)


def test_data_can_be_added_to_the_program_itself(project, build):
    root = project({"main/note.txt": "hi"}, top=TOP + 'target_add_binary_data(app.elf '
                                                      '"main/note.txt" TEXT)\n',
                   main='extern const char n[] asm("_binary_note_txt_start");\n'
                        "int printf(const char *, ...);\nvoid app_main(void) { printf(n); }\n")
    assert "_binary_note_txt_end" in symbols(build(root) / "app.elf")


def test_components_registered_in_the_old_way_are_built(project, build):
    root = project({"components/old/CMakeLists.txt": 'set(COMPONENT_SRCS "a.c b.c")\n'
                                                     'set(COMPONENT_ADD_INCLUDEDIRS ".")\n'
                                                     "register_component()\n",
                    "components/old/a.c": "int a;\n", "components/old/b.c": "int b;\n",
                    "components/old/old.h": "extern int a, b;\n"},
                   main='#include "old.h"\nvoid app_main(void) { a = b = 1; }\n')
    assert {"a", "b"} <= symbols(build(root) / "app.elf").keys()


def test_whole_archives_keep_objects_that_nothing_names(project, build):
    files = {"components/w/CMakeLists.txt": "idf_component_register(SRCS w.c WHOLE_ARCHIVE)\n",
             "components/w/w.c": "volatile int x;\n__attribute__((constructor)) void hook(void) { x = 1; }\n"}
    assert "hook" in symbols(build(project(files)) / "app.elf")
    files["components/w/CMakeLists.txt"] = "idf_component_register(SRCS w.c)\n"
    assert "hook" not in symbols(build(project(files, name="q"), dir="q-out") / "app.elf")


def test_an_unknown_requirement_is_named(project, build):
    told = build(project(register="SRCS main.c REQUIRES led_strip"), fails=True)
    assert "Failed to resolve component 'led_strip' required by component 'main'" in told


def test_an_unknown_dependency_is_named_with_what_to_do(project, build):
    manifest = {"main/idf_component.yml": "dependencies:\n  espressif/led_strip: '^2.0'\n"}
    told = build(project(manifest), fails=True)
    assert "'espressif/led_strip'" in told and "components/led_strip" in told
    found = dict(manifest)
    found["components/led_strip/CMakeLists.txt"] = "idf_component_register()\n"
    build(project(found, name="q"))


# Errors

def test_a_compiler_error_is_shown(project, build):
    told = build(project(main="void app_main(void) { oops; }\n"), fails=True)
    assert "main.c:1" in told and "oops" in told


def test_an_undefined_function_is_shown(project, build):
    told = build(project(main="void oops(void);\nvoid app_main(void) { oops(); }\n"), fails=True)
    assert "undefined reference to `oops'" in told


def test_a_folder_without_project_is_refused(build, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "not an ESP-IDF project" in build(tmp_path / "empty", fails=True)


def test_an_unknown_chip_is_refused(project, build):
    assert "Unknown chip 'esp99'" in build(project(), "--chip", "esp99", fails=True)


CUSTOM = 'CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\n'


def test_a_bad_partition_csv_stops_the_build_with_its_line(project, build):
    root = project({"sdkconfig.defaults": CUSTOM, "partitions.csv": "nvs, data, nvs, , oops\n"})
    told = build(root, fails=True)
    assert "oops" in told and "partitions.csv" in told
    (root / "partitions.csv").write_text("nvs, data, nvs, , 0x6000\nfactory, app, factory, , 1M\n")
    build(root)


def test_a_missing_partition_csv_is_named(project, build):
    root = project({"sdkconfig.defaults": CUSTOM})
    assert "partitions.csv does not exist" in build(root, fails=True)


def test_an_app_larger_than_every_slot_is_refused(project, build):
    small = "a, app, ota_0, , 0x10000\nb, app, ota_1, , 0x10000\notadata, data, ota, , 0x2000\n"
    root = project({"sdkconfig.defaults": CUSTOM, "partitions.csv": small})
    told = build(root, fails=True)
    assert "All app partitions are too small for binary app.bin" in told and "overflow" in told
    mixed = "a, app, ota_0, , 0x10000\nb, app, ota_1, , 1M\notadata, data, ota, , 0x2000\n"
    (root / "partitions.csv").write_text(mixed)
    build(root)
    assert "Warning: 1/2 app partitions are too small for binary app.bin" in build.stderr


@pytest.mark.parametrize("name", sorted(
    p.stem.removeprefix("partitions_")
    for p in (IDF / "components" / "partition_table").glob("*.csv")))
def test_predefined_tables_build(airlift, tmp_path, name):
    csv = IDF / "components" / "partition_table" / f"partitions_{name}.csv"
    out = tmp_path / "table.bin"
    made = airlift("partition", "build", csv, "--out", out, "--flash-size", "4MB")
    assert made.returncode == 0, made.stderr
    rows = json.loads(airlift("partition", "show", out, "--json").stdout)
    by_name = {r["name"]: (r["offset"], r["size"]) for r in rows}
    expected = {"singleapp": ("factory", 0x10000, 0x100000),
                "singleapp_large": ("factory", 0x10000, 1500 * 1024),
                "two_ota": ("ota_1", 0x210000, 0x100000),
                "two_ota_large": ("ota_1", 0x1d0000, 1700 * 1024),
                "two_ota_coredump": ("ota_1", 0x220000, 0x100000),
                "two_ota_tee": ("phy_init", 0x3a8000, 0x1000)}
    if name in expected:
        label, offset, size = expected[name]
        assert by_name[label] == (offset, size)


# Signing

def make_key(path, kind):
    words = {"rsa": ["genrsa", "-out", path, "3072"],
             "p256": ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path]}[kind]
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
    public = path.with_suffix(".pub")
    subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-out", public], check=True)
    return public


@pytest.mark.parametrize("chip, kind, scheme", [("esp32c3", "rsa", "RSA"),
                                                ("esp32c6", "p256", "ECDSA_V2")])
def test_images_are_signed_when_configured(airlift, project, build, chip, kind, scheme):
    root = project({"sdkconfig.defaults": "CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y\n"
                                          f"CONFIG_SECURE_SIGNED_APPS_{scheme}_SCHEME=y\n"
                                          'CONFIG_SECURE_BOOT_SIGNING_KEY="key.pem"\n'})
    told = build(root, "--chip", chip, fails=True)
    assert "key.pem does not exist. Generate using" in told
    public = make_key(root / "key.pem", kind)
    out = build(root, "--chip", chip)
    app = out / "app.bin"
    info = image_info(airlift, app)
    assert info["image_len"] % 0x10000 == 0 and len(info["signatures"]) == 1
    assert airlift("image", "verify-signature", app, "--key", public).returncode == 0
    assert airlift("image", "verify", app, "--key", public, "--slot-size", 0x200000).returncode == 0
    other = make_key(root / "other.pem", kind)
    assert airlift("image", "verify-signature", app, "--key", other).returncode == 1
    shutil.copy(root / "other.pem", root / "key.pem")
    build(root, "--chip", chip)
    assert airlift("image", "verify-signature", app, "--key", other).returncode == 0


# image make, sign, encrypt and decrypt by hand

@pytest.mark.parametrize("words, told", [
    (["image", "make", "--elf", "/bin/true"], "--chip"),
    (["image", "make", "--elf", "/bin/true", "--chip", "esp9"], "expected one of esp32 "),
    (["image", "make", "--elf", "Makefile", "--chip", "esp32"], "not an ELF file"),
    (["image", "make", "--elf", "none", "--chip", "esp32"], "No such file"),
    (["image", "make", "--elf", "/bin/true", "--chip", "esp32c2", "--flash-freq", "80m"],
     "expected 60m 30m 20m 15m"),
    (["image", "make", "--elf", "/bin/true", "--chip", "esp32", "--version", "v" * 32],
     "longer than 31"),
    (["image", "make", "--elf", "/bin/true", "--chip", "esp32", "--mmu-page-size", "8K"],
     "cannot have pages of 8192"),
    (["image", "sign", "Makefile", "--key", "Makefile"], "no private key"),
    (["image", "decrypt", "Makefile", "--key", "tests/vectors/delta/encrypted/rsa-private.pem"],
     "not a pre-encrypted image"),
    (["image", "decrypt", "tests/vectors/delta/encrypted/enc-rsa-1byte.bin", "--key",
      "tests/vectors/delta/encrypted/rsa-public.pem"], "private key is needed"),
])
def test_what_cannot_be_made_is_explained_and_leaves_no_file(airlift, tmp_path, words, told):
    result = airlift(*words, "--out", tmp_path / "out.bin")
    assert result.returncode == 1 and told in result.stderr, result.stderr
    assert not (tmp_path / "out.bin").exists()


def test_a_second_signature_can_be_appended(airlift, tmp_path):
    keys = [tmp_path / "a.pem", tmp_path / "b.pem"]
    public = [make_key(k, "p256") for k in keys]
    image, one, two = (tmp_path / n for n in ("image", "one", "two"))
    assert airlift("image", "make", "--elf", "/bin/true", "--chip", "esp32c6", "--secure-pad-v2",
                   "--out", image).returncode == 0
    assert airlift("image", "sign", image, "--key", keys[0], "--out", one).returncode == 0
    assert airlift("image", "sign", one, "--key", keys[1], "--append", "--out", two).returncode == 0
    for key in public:
        assert airlift("image", "verify-signature", two, "--key", key).returncode == 0
    assert airlift("image", "verify-signature", one, "--key", public[1]).returncode == 1
