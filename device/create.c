/* Making device directories. See create.h. */
#include "device/create.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/err.h"
#include "device/device.h"
#include "device/flash_args.h"
#include "host/file.h"

#define DEFAULT_SIZE 0x400000u
#define MIN_SIZE     0x10000u
#define MAX_SIZE     0x1000000u

struct creation {
    const struct device_spec *spec;
    char *why;
    size_t why_size;
    uint8_t *flash;
    uint32_t size;
    const struct al_chip *chip;
    struct efuse efuse;
};

static int refuse(const struct creation *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int refuse(const struct creation *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->why, c->why_size, format, args);
    va_end(args);
    return AL_FAIL;
}

/* --- the flash --- */

/* Never NULL behind a result of 0. */
static int blank_flash(struct creation *c, uint32_t size)
{
    if (size < MIN_SIZE || size > MAX_SIZE || size % AL_SECTOR) {
        refuse(c, "flash size %u: expected 64 KiB to 16 MiB, in sectors of 4096", size);
        return AL_FAIL;
    }
    c->size = size;
    c->flash = malloc(size);
    if (!c->flash) {
        refuse(c, "no memory");
        return AL_FAIL;
    }
    memset(c->flash, 0xff, size);
    return 0;
}

static int put_file(struct creation *c, const char *path, uint32_t offset)
{
    uint8_t *data;
    size_t len;
    int err = file_read(path, MAX_SIZE, &data, &len);
    if (err) return refuse(c, "%s: %s", path, strerror(-err));
    if (offset > c->size || len > c->size - offset) {
        free(data);
        return refuse(c, "%s: %zu bytes at 0x%x do not fit into a flash of 0x%x bytes", path, len,
                      offset, c->size);
    }
    for (size_t i = 0; i < len && !err; i++)
        if (c->flash[offset + i] != 0xff) err = -EEXIST;
    memcpy(c->flash + offset, data, len);
    free(data);
    if (err) return refuse(c, "%s at 0x%x overlaps another file of flash_args", path, offset);
    return 0;
}

static int flash_from_build(struct creation *c)
{
    char path[PATH_MAX];
    struct flash_args args;
    uint8_t *text;
    size_t len;
    snprintf(path, sizeof path, "%s/flash_args", c->spec->from);
    int err = file_read(path, 65536, &text, &len);
    if (err)
        return refuse(c, "%s: %s; 'airlift build PROJECT_DIR -B BUILD_DIR' makes a build directory",
                      path, strerror(-err));
    err = flash_args_parse((const char *)text, len, path, &args, c->why, c->why_size);
    free(text);
    if (err) return AL_FAIL;
    uint32_t size = c->spec->flash_size ? c->spec->flash_size : args.flash_size;
    err = blank_flash(c, size ? size : DEFAULT_SIZE);
    for (uint32_t i = 0; i < args.count && !err; i++) {
        const char *name = args.part[i].path;
        int n = *name == '/' ? snprintf(path, sizeof path, "%s", name)
                             : snprintf(path, sizeof path, "%s/%s", c->spec->from, name);
        err = n < (int)sizeof path ? put_file(c, path, args.part[i].offset)
                                   : refuse(c, "%s: path too long", name);
    }
    return err;
}

static int flash_from_dump(struct creation *c)
{
    struct stat st;
    if (stat(c->spec->flash, &st)) return refuse(c, "%s: %s", c->spec->flash, strerror(errno));
    if (st.st_size > MAX_SIZE)
        return refuse(c, "%s: larger than 16 MiB, the largest flash", c->spec->flash);
    uint32_t size = c->spec->flash_size ? c->spec->flash_size : (uint32_t)st.st_size;
    int err = blank_flash(c, size);
    return err ? err : put_file(c, c->spec->flash, 0);
}

static int make_flash(struct creation *c)
{
    if (c->spec->from) return flash_from_build(c);
    if (c->spec->flash) return flash_from_dump(c);
    return blank_flash(c, c->spec->flash_size ? c->spec->flash_size : DEFAULT_SIZE);
}

/* --- the chip --- */

/* The chip of the boot loader, if one lies where that chip's ROM would look. */
static const struct al_chip *chip_of_loader(const struct creation *c)
{
    const struct al_chip *chip;
    for (unsigned i = 0; (chip = al_chip_at(i)); i++) {
        struct al_image_header h;
        al_image_header_parse(c->flash + chip->bootloader_offset, &h);
        if (h.magic == AL_IMAGE_MAGIC && h.chip_id == chip->id) return chip;
    }
    return NULL;
}

static int find_chip(struct creation *c)
{
    const struct al_chip *found = chip_of_loader(c);
    c->chip = found;
    if (!c->spec->chip && !found)
        return refuse(c, "no boot loader says which chip this is; name it: --chip esp32c3");
    if (!c->spec->chip) return 0;
    c->chip = al_chip_by_name(c->spec->chip);
    if (!c->chip) return refuse(c, "unknown chip '%s'; for example esp32c3", c->spec->chip);
    if (found && found != c->chip)
        return refuse(c, "the boot loader is for %s, not for %s", found->title, c->chip->title);
    return 0;
}

/* What is usually sold: within the limits that the vendor's builds set by default. */
static uint16_t usual_revision(const struct al_chip *chip)
{
    switch (chip->id) {
    case 0:
        return 300;
    case 5:
        return 3;
    case 9:
        return 2;
    case 13:
    case 16:
        return 1;
    case 25: /* H21, H4, S31: not beyond v0.99 yet */
    case 28:
    case 32:
        return 0;
    default:
        return 100;
    }
}

static uint32_t usual_block_revision(const struct al_chip *chip)
{
    if (chip->id == 0) return 0; /* ESP32 has none */
    return chip->id == 5 ? 101 : 1;
}

static int parse_addresses(struct creation *c, uint8_t mac[6], uint8_t ieee[8])
{
    static const uint8_t vendor[3] = {0x7c, 0xdf, 0xa1};
    const struct device_spec *s = c->spec;
    memcpy(mac, vendor, sizeof vendor);
    if (getrandom(mac + 3, 3, 0) != 3) return refuse(c, "no random numbers: %s", strerror(errno));
    if (s->mac && !conf_parse_hex(s->mac, mac, 6))
        return refuse(c, "'%s' is no MAC address; expected aa:bb:cc:dd:ee:ff", s->mac);
    /* EUI-64 from the MAC, as the vendor does */
    memcpy(ieee, mac, 3);
    ieee[3] = 0xff;
    ieee[4] = 0xfe;
    memcpy(ieee + 5, mac + 3, 3);
    if (s->ieee && !conf_parse_hex(s->ieee, ieee, 8))
        return refuse(c, "'%s' is no IEEE address; expected eight bytes aa:bb:...", s->ieee);
    return 0;
}

static int parse_revision(struct creation *c, const char *text, uint32_t *out)
{
    if (!text || conf_parse_revision(text, out)) return 0;
    return refuse(c, "'%s' is no revision; expected v1.0", text);
}

static int make_efuses(struct creation *c)
{
    uint8_t mac[6], ieee[8];
    uint32_t revision = usual_revision(c->chip), block = usual_block_revision(c->chip);
    int err = parse_revision(c, c->spec->revision, &revision);
    if (!err) err = parse_revision(c, c->spec->efuse_block_revision, &block);
    if (!err) err = parse_addresses(c, mac, ieee);
    if (err) return err;
    efuse_blank(&c->efuse, c->chip, (uint16_t)revision);
    al_put_le16(c->efuse.bytes + EFUSE_BLOCK_REVISION, (uint16_t)block);
    (void)efuse_burn(&c->efuse, EFUSE_MAC, mac, sizeof mac);
    (void)efuse_burn(&c->efuse, EFUSE_IEEE, ieee, sizeof ieee);
    if (efuse_raise_secure_version(&c->efuse, c->spec->secure_version))
        return refuse(c, "secure version %u: %s counts to %u", c->spec->secure_version,
                      c->chip->title, c->chip->secure_version_bits);
    return 0;
}

/* --- the directory --- */

static int write_conf(const struct creation *c, FILE *f)
{
    struct al_device_ids ids;
    uint8_t m[6], i[8];
    efuse_device_ids(&c->efuse, &ids);
    efuse_mac(&c->efuse, m);
    efuse_ieee(&c->efuse, i);
    fprintf(f,
            "# A virtual device; docs/device.md lists what can stand here.\n"
            "# The next five repeat what efuse.bin and flash.bin hold.\n"
            "chip = %s\nflash_size = 0x%x\nrevision = v%d.%d\n"
            "mac = %02x:%02x:%02x:%02x:%02x:%02x\n"
            "ieee = %02x:%02x:%02x:%02x:%02x:%02x:%02x:%02x\n"
            "\n# Levels that the outside drives, for example\n# gpio4 = 0\n",
            c->chip->name, c->size, ids.revision / 100, ids.revision % 100, m[0], m[1], m[2], m[3],
            m[4], m[5], i[0], i[1], i[2], i[3], i[4], i[5], i[6], i[7]);
    return ferror(f) ? -EIO : 0;
}

static int write_files(struct creation *c, const char *dir)
{
    char path[PATH_MAX + 32], *conf = NULL;
    size_t conf_len;
    FILE *f = open_memstream(&conf, &conf_len);
    if (!f) return refuse(c, "no memory");
    int err = write_conf(c, f);
    if (fclose(f) && !err) err = -ENOMEM;
    const struct {
        const char *name;
        const void *data;
        size_t len;
    } files[] = {{"flash.bin", c->flash, c->size},
                 {"efuse.bin", c->efuse.bytes, EFUSE_LEN},
                 {DEVICE_CONF_NAME, conf, conf_len}};
    for (size_t i = 0; i < 3 && !err; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i].name);
        err = file_write(path, files[i].data, files[i].len, 0644);
        if (err) refuse(c, "%s: %s", path, strerror(-err));
    }
    free(conf);
    return err ? AL_FAIL : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    return remove(path);
}

static void remove_tree(const char *dir)
{
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static bool is_device(const char *dir)
{
    static const char *const files[] = {"flash.bin", "efuse.bin", DEVICE_CONF_NAME};
    char path[PATH_MAX];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        if (access(path, F_OK)) return false;
    }
    return true;
}

/* May dir be made, or replaced? */
static int check_place(const struct creation *c)
{
    const char *dir = c->spec->dir;
    struct stat st;
    if (strlen(dir) > PATH_MAX - 64) return refuse(c, "%.40s...: the path is too long", dir);
    if (lstat(dir, &st)) return errno == ENOENT ? 0 : refuse(c, "%s: %s", dir, strerror(errno));
    if (!S_ISDIR(st.st_mode)) return refuse(c, "%s exists and is no directory", dir);
    if (device_is_running(dir)) return refuse(c, "%s: this device is running; stop it first", dir);
    if (is_device(dir) && !c->spec->force)
        return refuse(c, "%s: there is a device already; --force replaces it", dir);
    return 0;
}

/* Puts the finished directory in its place, in one step. */
static int move_in(const struct creation *c, const char *made)
{
    const char *dir = c->spec->dir;
    if (rename(made, dir) == 0) return 0;
    if (errno != ENOTEMPTY && errno != EEXIST) return refuse(c, "%s: %s", dir, strerror(errno));
    if (!is_device(dir))
        return refuse(c, "%s exists, is not empty, and is no device; choose another place", dir);
    /* check_place() has seen that --force was given */
    if (renameat2(AT_FDCWD, made, AT_FDCWD, dir, RENAME_EXCHANGE))
        return refuse(c, "%s: %s", dir, strerror(errno));
    remove_tree(made); /* the old device now */
    return 0;
}

int device_create(const struct device_spec *s, char *why, size_t why_size)
{
    struct creation c = {.spec = s, .why = why, .why_size = why_size};
    char made[PATH_MAX];
    int err = check_place(&c);
    if (!err) err = make_flash(&c);
    if (!err) err = find_chip(&c);
    if (!err) err = make_efuses(&c);
    if (!err) {
        size_t n = strlen(s->dir);
        while (n > 1 && s->dir[n - 1] == '/') n--;
        snprintf(made, sizeof made, "%.*s.new-XXXXXX", (int)n, s->dir);
        if (!mkdtemp(made)) {
            err = refuse(&c, "%s: %s", s->dir, strerror(errno));
        } else {
            chmod(made, 0755);
            err = write_files(&c, made);
            if (!err) err = move_in(&c, made);
            if (err) remove_tree(made);
        }
    }
    free(c.flash);
    return err ? AL_FAIL : 0;
}
