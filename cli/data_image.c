/* data-image: the tone images of ESP-ADF. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/image.h"
#include "core/err.h"
#include "core/version_number.h"
#include "host/file.h"
#include "host/tone_image.h"

#define DEFAULT_VERSION "v1.0.0"
#define WHY             400

/* An image that was read, as far as it could be. */
struct image {
    uint8_t *data;
    struct tone_bytes bytes;
    struct al_tone tone;
    struct al_tone_desc desc; /* format 1 */
    uint32_t len;             /* 0: not known */
    struct al_tone_fault fault;
    bool opened, valid;
};

static void version_warning(const char *version, char *out, size_t size)
{
    snprintf(out, size,
             "'%s' is no version that devices compare (v0.0.0 to v255.255.255): an upgrade over "
             "another format 1 image will be refused",
             version);
}

/* ---- make ---- */

/* The text of option, or the build's time in this form. false: not the form; said. */
static bool stamp(const struct cli_args *a, const char *option, const char *form,
                  const char *example, char *out, size_t size)
{
    struct tm tm;
    const char *given = cli_value(a, option);
    image_build_time(&tm);
    strftime(out, size, form, &tm);
    if (!given) return true;
    const char *end = strptime(given, form, &tm);
    if (end && !*end && strlen(given) == strlen(example)) {
        snprintf(out, size, "%s", given);
        return true;
    }
    cli_usage(a, "%s %s: expected is %s", option, given, example);
    return false;
}

static const char *folder_of(const struct cli_args *a)
{
    const char *dir = cli_operand_count(a) ? cli_operand(a, 0) : NULL;
    const char *option = cli_value(a, "-r");
    return dir && option ? NULL : dir ? dir : option;
}

static int report_made(const struct cli_args *a, const struct tone_folder *f, const char *out,
                       size_t len)
{
    if (!cli_json_wanted(a)) {
        cli_print("%s: %u files, %zu bytes\n", out, f->count, len);
        return CLI_OK;
    }
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "out", out);
    cJSON_AddNumberToObject(doc, "image_len", (double)len);
    cJSON *files = cJSON_AddArrayToObject(doc, "files");
    for (uint32_t i = 0; i < f->count; i++)
        cJSON_AddItemToArray(files, cJSON_CreateString(f->name[i]));
    return cli_print_json(doc);
}

static int make_image(const struct cli_args *a, const char *dir,
                      const struct tone_image_options *options)
{
    const char *out = cli_value(a, "--out");
    struct tone_folder folder;
    uint8_t *data;
    size_t len;
    char why[WHY];
    if (tone_folder_read(&folder, dir, why, sizeof why)) return cli_fail("%s", why);
    int status = CLI_OK;
    if (tone_image_build(&folder, options, &data, &len, why, sizeof why)) {
        status = cli_fail("%s", why);
    } else {
        status = cli_write_file(out, data, len);
        free(data);
    }
    if (status == CLI_OK) status = report_made(a, &folder, out, len);
    tone_folder_free(&folder);
    return status;
}

static int run_make(const struct cli_args *a)
{
    const char *version = cli_value(a, "--version"), *dir = folder_of(a);
    char time[16], date[16], warning[WHY];
    bool ok = true;
    struct tone_image_options o = {
        .format = (uint32_t)cli_number(a, "--format", 1, 1, &ok),
        .version = version ? version : DEFAULT_VERSION,
        .time = time,
        .date = date,
    };
    ok = ok && stamp(a, "--time", "%H:%M:%S", "HH:MM:SS", time, sizeof time) &&
         stamp(a, "--date", "%Y-%m-%d", "YYYY-MM-DD", date, sizeof date);
    if (!ok) return CLI_USAGE;
    if (!dir) return cli_usage(a, "give one folder, as DIR or with -r");
    if (!cli_has(a, "--out")) return cli_usage(a, "--out FILE is needed");
    if (o.format == 0 && version) return cli_usage(a, "an image of format 0 has no version");
    int status = cli_check_writable(cli_value(a, "--out"));
    if (status == CLI_OK) status = make_image(a, dir, &o);
    if (status == CLI_OK && o.format == 1 && al_version_number(o.version) < 0) {
        version_warning(o.version, warning, sizeof warning);
        cli_warn("warning: %s", warning);
    }
    return status;
}

/* ---- reading ---- */

/* CLI_OK, also for an image with faults; CLI_FAILED after a message: no such file. */
static int image_load(const char *path, struct image *i)
{
    *i = (struct image){0};
    if (cli_read_file(path, TONE_IMAGE_MAX, &i->data, &i->bytes.len)) return CLI_FAILED;
    i->bytes.data = i->data;
    struct al_tone_source source = tone_image_source(&i->bytes);
    if (al_tone_open(&i->tone, &source, &i->fault)) return CLI_OK;
    i->opened = true;
    struct al_tone_fault ignored;
    if (i->tone.format == 1) (void)al_tone_read_desc(&i->tone, &i->desc, &ignored);
    if (al_tone_find_end(&i->tone, &i->len, &ignored)) i->len = 0;
    i->valid = al_tone_verify(&i->tone, &i->len, &i->fault) == 0;
    return CLI_OK;
}

static void add_fault(cJSON *doc, const struct al_tone_fault *fault, const char *why)
{
    cJSON *error = cJSON_AddObjectToObject(doc, "error");
    cJSON_AddStringToObject(error, "check", al_tone_check_name(fault->check));
    cJSON_AddNumberToObject(error, "offset", fault->offset);
    cJSON_AddNumberToObject(error, "expected", fault->expected);
    cJSON_AddNumberToObject(error, "found", fault->found);
    cJSON_AddStringToObject(error, "message", why);
}

static void add_files(cJSON *doc, const struct al_tone *t)
{
    cJSON *files = cJSON_AddArrayToObject(doc, "files");
    struct al_tone_file file;
    struct al_tone_fault fault;
    for (uint32_t n = 0; n < t->count && !al_tone_read_file(t, n, &file, &fault); n++) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddNumberToObject(o, "index", file.index);
        cJSON_AddStringToObject(o, "type", tone_image_type_name(file.type));
        cJSON_AddNumberToObject(o, "address", file.address);
        cJSON_AddNumberToObject(o, "length", file.length);
        cJSON_AddItemToArray(files, o);
    }
}

/* Tail and CRC by themselves: which of them is wrong tells what happened to the image. */
static void add_trailer(cJSON *doc, const struct al_tone *t)
{
    struct al_tone_fault fault;
    uint32_t len;
    bool tail_ok = al_tone_find_end(t, &len, &fault) == 0;
    cJSON_AddBoolToObject(doc, "tail_ok", tail_ok);
    cJSON_AddBoolToObject(doc, "crc_ok", tail_ok && al_tone_check_crc(t, len, &fault) == 0);
}

static cJSON *describe(const struct image *i)
{
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddNumberToObject(doc, "format", i->tone.format);
    cJSON_AddNumberToObject(doc, "file_count", i->tone.count);
    if (i->tone.format == 1) {
        cJSON_AddStringToObject(doc, "version", i->desc.version);
        cJSON_AddStringToObject(doc, "project", i->desc.project);
        cJSON_AddStringToObject(doc, "time", i->desc.time);
        cJSON_AddStringToObject(doc, "date", i->desc.date);
        cJSON_AddNumberToObject(doc, "version_number", al_version_number(i->desc.version));
        add_trailer(doc, &i->tone);
    }
    add_files(doc, &i->tone);
    if (i->len) cJSON_AddNumberToObject(doc, "image_len", i->len);
    cJSON_AddNumberToObject(doc, "file_len", (double)i->bytes.len);
    cJSON_AddBoolToObject(doc, "valid", i->valid);
    return doc;
}

static void print_image(const struct image *i, const cJSON *doc)
{
    const cJSON *file;
    cli_print("format     %u\n", i->tone.format);
    if (i->tone.format == 1) {
        cli_print("version    %s\n", i->desc.version);
        cli_print("project    %s\n", i->desc.project);
        cli_print("made       %s %s\n", i->desc.date, i->desc.time);
        cli_print("CRC        %s\n",
                  cJSON_IsTrue(cJSON_GetObjectItem(doc, "crc_ok")) ? "right" : "WRONG");
        cli_print("tail       %s\n",
                  cJSON_IsTrue(cJSON_GetObjectItem(doc, "tail_ok")) ? "right" : "WRONG");
    }
    if (i->len) cli_print("length     %u of %zu bytes in the file\n", i->len, i->bytes.len);
    cli_print("file  type   address    length\n");
    cJSON_ArrayForEach(file, cJSON_GetObjectItem(doc, "files"))
    {
        cli_print("%4.0f  %-5s  0x%06x  %8.0f\n", cJSON_GetObjectItem(file, "index")->valuedouble,
                  cli_text_of(file, "type"),
                  (unsigned)cJSON_GetObjectItem(file, "address")->valuedouble,
                  cJSON_GetObjectItem(file, "length")->valuedouble);
    }
}

static int run_info(const struct cli_args *a)
{
    struct image i;
    char why[WHY] = "";
    int status = image_load(cli_operand(a, 0), &i);
    if (status) return status;
    if (!i.valid) tone_image_explain(&i.fault, why, sizeof why);
    if (!i.opened) {
        status = cli_fail("%s: at 0x%x: %s", cli_operand(a, 0), i.fault.offset, why);
    } else {
        cJSON *doc = describe(&i);
        if (!i.valid) add_fault(doc, &i.fault, why);
        if (cli_json_wanted(a)) {
            status = cli_print_json(doc);
        } else {
            print_image(&i, doc);
            cJSON_Delete(doc);
            if (!i.valid) cli_warn("%s: at 0x%x: %s", cli_operand(a, 0), i.fault.offset, why);
        }
    }
    free(i.data);
    return status;
}

static int run_verify(const struct cli_args *a)
{
    struct image i;
    char why[WHY] = "", warning[WHY] = "";
    int status = image_load(cli_operand(a, 0), &i);
    if (status) return status;
    if (!i.valid) tone_image_explain(&i.fault, why, sizeof why);
    if (i.valid && i.tone.format == 1 && al_version_number(i.desc.version) < 0)
        version_warning(i.desc.version, warning, sizeof warning);
    if (cli_json_wanted(a)) {
        cJSON *doc = cJSON_CreateObject();
        cJSON_AddBoolToObject(doc, "valid", i.valid);
        if (i.valid) cJSON_AddNumberToObject(doc, "image_len", i.len);
        if (!i.valid) add_fault(doc, &i.fault, why);
        cJSON *warnings = cJSON_AddArrayToObject(doc, "warnings");
        if (*warning) cJSON_AddItemToArray(warnings, cJSON_CreateString(warning));
        status = cli_print_json(doc);
    } else {
        if (*warning) cli_warn("warning: %s", warning);
        if (i.valid) cli_print("%s: valid, %u bytes\n", cli_operand(a, 0), i.len);
    }
    if (!i.valid)
        status = cli_fail("%s: %s at 0x%x: %s", cli_operand(a, 0),
                          al_tone_check_name(i.fault.check), i.fault.offset, why);
    free(i.data);
    return status;
}

/* ---- unpack ---- */

static int unpack_files(const struct image *i, const char *dir)
{
    struct al_tone_file file;
    struct al_tone_fault fault;
    char path[4096];
    int status = CLI_OK;
    for (uint32_t n = 0; !status && n < i->tone.count; n++) {
        if (al_tone_read_file(&i->tone, n, &file, &fault))
            return cli_fail("file %u cannot be read", n);
        snprintf(path, sizeof path, "%s/%03u.%s", dir, n, tone_image_type_name(file.type));
        status = cli_write_file(path, i->data + file.address, file.length);
    }
    return status;
}

static int run_unpack(const struct cli_args *a)
{
    const char *dir = cli_value(a, "--out");
    struct image i;
    char why[WHY];
    if (!dir) return cli_usage(a, "--out DIR is needed");
    int status = image_load(cli_operand(a, 0), &i);
    if (status) return status;
    int err;
    if (!i.valid) {
        tone_image_explain(&i.fault, why, sizeof why);
        status = cli_fail("%s: %s at 0x%x: %s", cli_operand(a, 0),
                          al_tone_check_name(i.fault.check), i.fault.offset, why);
    } else if ((err = file_make_dirs(dir, 0755))) {
        status = cli_fail("%s: %s", dir, strerror(-err));
    } else {
        status = unpack_files(&i, dir);
    }
    if (status == CLI_OK && cli_json_wanted(a)) {
        cJSON *doc = describe(&i);
        cJSON_AddStringToObject(doc, "out", dir);
        status = cli_print_json(doc);
    } else if (status == CLI_OK) {
        cli_print("%s: %u files\n", dir, i.tone.count);
    }
    free(i.data);
    return status;
}

/* ---- the table of commands ---- */

static const struct cli_option make_options[] = {
    {"--out", "FILE", "the image; needed", false},
    {"-t", "FILE", "same as --out", false},
    {"--format", "0|1", "1: with version, CRC and tail (default)", false},
    {"-F", "0|1", "same as --format", false},
    {"--version", "vX.Y.Z", "of the content; default " DEFAULT_VERSION, false},
    {"-v", "vX.Y.Z", "same as --version", false},
    {"--time", "HH:MM:SS", "build time; default: now, or SOURCE_DATE_EPOCH", false},
    {"--date", "YYYY-MM-DD", "build date; default: today, or SOURCE_DATE_EPOCH", false},
    {"-r", "DIR", "the folder, instead of the operand", false},
    {0},
};

static const struct cli_option unpack_options[] = {
    {"--out", "DIR", "the folder; needed", false},
    {0},
};

const struct cli_command data_image_commands[] = {
    {
        .name = "data-image make",
        .operands = "[DIR]",
        .summary = "pack the tones of a folder for an ESP-ADF data partition",
        .details = "Packs the folder's .mp3 and .wav files, sorted by name. The bytes are those of "
                   "the vendor's mk_audio_tone.py, whose options -r, -t, -F and -v work too.\n\n"
                   "Devices upgrade to a higher version only, and v1.0 is none for them: the "
                   "default here is " DEFAULT_VERSION ".",
        .example = "airlift data-image make tones --out flash_tone.bin --version v1.2.0",
        .options = make_options,
        .run = run_make,
    },
    {
        .name = "data-image info",
        .operands = "FILE",
        .summary = "describe a tone image",
        .details = "Also of a whole partition: what lies behind the image is not looked at.",
        .example = "airlift data-image info flash_tone.bin",
        .run = run_info,
    },
    {
        .name = "data-image verify",
        .operands = "FILE",
        .summary = "check a tone image: table, addresses, tail and CRC",
        .details = "Stricter than a device, which looks at the tag and the tail only.",
        .example = "airlift data-image verify flash_tone.bin",
        .run = run_verify,
    },
    {
        .name = "data-image unpack",
        .operands = "FILE",
        .summary = "write the files of a tone image into a folder",
        .details = "An image has no names: the files become 000.mp3, 001.wav, ..., of which "
                   "'airlift data-image make' makes the same image again.",
        .example = "airlift data-image unpack flash_tone.bin --out tones",
        .options = unpack_options,
        .run = run_unpack,
    },
    {0},
};
