#include "cli/nvs_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/flash_device.h"
#include "core/err.h"
#include "host/vendor_log.h"

static const struct {
    const char *name;
    uint8_t type;
} types[] = {{"u8", AL_NVS_U8},         {"i8", AL_NVS_I8},   {"u16", AL_NVS_U16},
             {"i16", AL_NVS_I16},       {"u32", AL_NVS_U32}, {"i32", AL_NVS_I32},
             {"u64", AL_NVS_U64},       {"i64", AL_NVS_I64}, {"float", AL_NVS_FLOAT},
             {"double", AL_NVS_DOUBLE}, {"str", AL_NVS_STR}, {"string", AL_NVS_STR},
             {"blob", AL_NVS_BLOB}};

const char *nvs_type_name(uint8_t type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type) return types[i].name;
    return NULL;
}

uint8_t nvs_type_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, name) == 0) return types[i].type;
    return 0;
}

static void add_names(const struct al_part_table *table, char *out, size_t size)
{
    size_t used = strlen(out);

    for (uint32_t i = 0; i < table->count && used < size; i++) {
        const struct al_part *p = &table->part[i];
        if (p->type != AL_PART_DATA || p->subtype != AL_PART_DATA_NVS) continue;
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", p->label);
    }
}

/* User partitions of ESP-AT last. */
static void list_partitions(const struct flash_image *image, char *out, size_t size)
{
    out[0] = 0;
    add_names(&image->table, out, size);
    add_names(&image->user, out, size);
    if (!out[0]) snprintf(out, size, "none");
}

static int in_flash_image(struct nvs_file *f, const char *name)
{
    const struct al_part *p = al_part_find(&f->image.table, AL_PART_DATA, AL_PART_ANY, name);
    char known[256];

    if (!p) p = al_part_find(&f->image.user, AL_PART_DATA, AL_PART_ANY, name);
    list_partitions(&f->image, known, sizeof known);
    if (!p)
        return cli_fail("%s: no partition '%s' in its table; NVS partitions there: %s "
                        "(--partition NAME)",
                        f->image.path, name, known);
    if (p->subtype != AL_PART_DATA_NVS)
        return cli_fail("%s: partition '%s' is not of subtype nvs; NVS partitions there: %s",
                        f->image.path, name, known);
    if (al_part_window(&f->image.flash, p, &f->part))
        return cli_fail("%s: partition '%s' at 0x%x, 0x%x bytes, reaches behind the end of the "
                        "file (0x%x bytes); is it cut off?",
                        f->image.path, name, p->offset, p->size, f->image.flash.size);
    snprintf(f->label, sizeof f->label, "%s", p->label);
    return CLI_OK;
}

/* A file without a partition table is the partition itself if it looks like one. */
static int bare(struct nvs_file *f, const char *name)
{
    char why[512];
    bool known = false, blank = true;

    for (uint32_t at = 0; at < f->image.flash.size; at += AL_SECTOR) {
        struct al_nvs_page page;
        al_nvs_page_header(f->image.bytes + at, &page);
        known = known || (page.state != AL_NVS_PAGE_UNINIT && page.state != AL_NVS_PAGE_CORRUPT);
    }
    for (uint32_t i = 0; i < f->image.flash.size && blank; i++) blank = f->image.bytes[i] == 0xff;
    /* Damaged beyond recognition, but of the size of one: what init does with it is the answer. */
    if (!name && (known || blank || f->image.flash.size <= AL_PART_TABLE_OFFSET)) {
        f->part = al_window_all(&f->image.flash);
        return CLI_OK;
    }
    flash_image_table_fault(&f->image, why, sizeof why);
    return cli_fail("%s; and it is no NVS partition either", why);
}

int nvs_file_open(const struct cli_args *a, struct nvs_file *f)
{
    const char *name = cli_value(a, "--partition");
    char why[512];
    bool ok = true;
    uint32_t table = (uint32_t)cli_number(a, "--table-offset", 0, FLASH_IMAGE_MAX, &ok);

    memset(f, 0, sizeof *f);
    if (!ok) return CLI_USAGE;
    if (flash_image_open(&f->image, cli_operand(a, 0), table, why, sizeof why))
        return cli_fail("%s", why);
    int status = f->image.table.count ? in_flash_image(f, name ? name : "nvs") : bare(f, name);
    if (status) {
        nvs_file_close(f);
        return status;
    }
    size_t pages = f->part.size / AL_SECTOR;
    f->pages = calloc(pages ? pages : 1, sizeof *f->pages);
    f->before = malloc(f->part.size + 1);
    if (!f->pages || !f->before) {
        nvs_file_close(f);
        return cli_fail("out of memory");
    }
    memcpy(f->before, f->image.bytes + f->part.offset, f->part.size);
    f->init = al_nvs_init(&f->nvs, &f->part, f->pages, pages);
    return CLI_OK;
}

void nvs_file_reopen_readonly(struct nvs_file *f)
{
    memcpy(f->image.bytes + f->part.offset, f->before, f->part.size);
    f->part.readonly = true;
    f->init = al_nvs_init(&f->nvs, &f->part, f->pages, f->part.size / AL_SECTOR);
}

int nvs_file_fail_init(const struct nvs_file *f)
{
    const char *name = vendor_err_name(al_err_vendor(f->init));

    switch (f->init) {
    case AL_ERR_NVS_NO_FREE_PAGES:
        return cli_fail("%s: none of its %u pages is free (%s): writing needs one in reserve. A "
                        "device erases such a partition; 'airlift nvs erase' does too",
                        f->image.path, (unsigned)(f->part.size / AL_SECTOR), name);
    case AL_ERR_NVS_NEW_VERSION_FOUND:
        return cli_fail("%s: a page is of a newer format than version 2 (%s); only an erase helps",
                        f->image.path, name);
    case AL_ERR_NOT_ALLOWED:
        return cli_fail("%s: the partition is read-only and would have to be repaired (%s)",
                        f->image.path, name);
    default:
        return cli_fail("%s: the NVS partition cannot be opened (%s)", f->image.path, name);
    }
}

int nvs_file_save(const struct nvs_file *f)
{
    return flash_device_replace(&f->image);
}

void nvs_file_close(struct nvs_file *f)
{
    flash_image_close(&f->image);
    free(f->pages);
    free(f->before);
    f->pages = NULL;
    f->before = NULL;
}
