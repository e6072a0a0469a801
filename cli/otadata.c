/* otadata: slot selection by hand, as the vendor's otatool does it. */
#include "cli/flash_device.h"

#include <stdio.h>
#include <string.h>

#include "core/err.h"

/* A flash image, opened for these commands. */
struct opened {
    struct flash_image image;
    const struct al_part *part; /* otadata: as otatool, the first */
    struct al_window window;
    struct al_ota_entry entry[2];
};

static int open_flash(const struct cli_args *a, struct opened *o)
{
    char why[512];
    bool ok = true;
    uint32_t offset = (uint32_t)cli_number(a, "--table-offset", 0, FLASH_IMAGE_MAX, &ok);
    if (!ok) return CLI_USAGE;
    if (flash_image_open(&o->image, cli_operand(a, 0), offset, why, sizeof why))
        return cli_fail("%s", why);
    int status = CLI_OK;
    o->part = al_part_find(&o->image.table, AL_PART_DATA, AL_PART_DATA_OTA, NULL);
    if (o->image.table.count == 0) {
        flash_image_table_fault(&o->image, why, sizeof why);
        status = cli_fail("%s", why);
    } else if (!o->part) {
        status = cli_fail("%s: the partition table has no partition of type data, subtype ota: "
                          "this device has no slots to choose from",
                          o->image.path);
    } else if (al_part_window(&o->image.flash, o->part, &o->window) ||
               al_ota_data_read(&o->window, o->entry)) {
        status = cli_fail("%s: the otadata partition at 0x%x has %u bytes, it needs 0x2000",
                          o->image.path, o->part->offset, o->part->size);
    }
    if (status) flash_image_close(&o->image);
    return status;
}

/* The partition that the entries choose; NULL: none. */
static const struct al_part *selected(const struct opened *o)
{
    uint32_t slots = al_part_ota_count_all(&o->image.table);
    int active = slots ? al_ota_active(o->entry) : -1;
    if (active < 0) return NULL;
    uint32_t slot = al_ota_entry_slot(&o->entry[active], slots);
    if (slot > AL_PART_OTA_15 - AL_PART_OTA_0) return NULL;
    return al_part_find(&o->image.table, AL_PART_APP, (uint8_t)(AL_PART_OTA_0 + slot), NULL);
}

static cJSON *to_json(const struct opened *o)
{
    const struct al_part *p = selected(o);
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddNumberToObject(doc, "offset", o->part->offset);
    cJSON_AddItemToObject(doc, "entries", ota_entries_json(o->entry));
    cJSON_AddItemToObject(doc, "selected",
                          p ? cJSON_CreateString(flash_image_slot_name(p)) : cJSON_CreateNull());
    return doc;
}

/* The state after a command, for people or as JSON. */
static int report(const struct cli_args *a, const struct opened *o)
{
    char text[400];
    const struct al_part *p = selected(o);
    if (ota_slots_have_hole(&o->image.table, text, sizeof text)) cli_warn("warning: %s", text);
    if (cli_json_wanted(a)) return cli_print_json(to_json(o));
    for (int i = 0; i < 2; i++) {
        const struct al_ota_entry *e = &o->entry[i];
        if (e->seq == AL_OTA_SEQ_EMPTY)
            cli_print("entry %d  empty\n", i);
        else
            cli_print("entry %d  sequence %-10u  state %-14s  crc 0x%08x %s\n", i, e->seq,
                      ota_state_name(e->state), e->crc, al_ota_entry_crc_ok(e) ? "right" : "WRONG");
    }
    if (p)
        cli_print("selected %s (at 0x%x)\n", flash_image_slot_name(p), p->offset);
    else
        cli_print(
            "selected none: the boot loader takes the factory app, or looks for one that starts\n");
    return CLI_OK;
}

static int finish(const struct cli_args *a, struct opened *o)
{
    int status = flash_device_replace(&o->image);
    if (status) return status;
    (void)al_ota_data_read(&o->window, o->entry);
    return report(a, o);
}

static int run_show(const struct cli_args *a)
{
    struct opened o;
    int status = open_flash(a, &o);
    if (status) return status;
    status = report(a, &o);
    flash_image_close(&o.image);
    return status;
}

/* --- switch --- */

/* N or a name; false: no such slot. */
static bool find_slot(const struct opened *o, const char *name, uint32_t slots, uint32_t *slot)
{
    uint64_t number;
    if (cli_parse_number(name, UINT32_MAX, &number)) {
        *slot = (uint32_t)number;
        return number < slots;
    }
    const struct al_part *p = flash_image_part(&o->image, name);
    if (!p || p->type != AL_PART_APP || p->subtype < AL_PART_OTA_0) return false;
    *slot = p->subtype - (uint32_t)AL_PART_OTA_0;
    return *slot < slots;
}

/* Sequence and CRC change; all else in that sector stays, the old state too. */
static void write_switch(struct opened *o, struct al_ota_switch plan)
{
    uint8_t *at = o->image.bytes + o->part->offset + plan.index * AL_SECTOR;
    struct al_ota_entry *e = &o->entry[plan.index];
    e->seq = plan.seq;
    e->crc = al_ota_entry_crc(plan.seq);
    al_ota_entry_encode(e, at);
}

static int do_switch(const struct cli_args *a, struct opened *o)
{
    const char *name = cli_operand(a, 1);
    uint32_t slot, slots = al_part_ota_count(&o->image.table);
    if (slots == 0)
        return cli_fail("%s: No ota app partitions found: the table has no ota_0", o->image.path);
    if (!find_slot(o, name, slots, &slot))
        return cli_fail("%s: Partition to switch to not found: '%s' is none of the %u OTA slots; "
                        "give its number (0 to %u) or its name",
                        o->image.path, name, slots, slots - 1);
    struct al_ota_switch plan = al_ota_switch_plan_tool(o->entry, slot, slots);
    write_switch(o, plan);
    if (al_ota_entry_unusable(&o->entry[plan.index]))
        cli_warn("warning: entry %u keeps its state %s, so the boot loader will not follow it; "
                 "erase otadata first ('airlift otadata erase')",
                 plan.index, ota_state_name(o->entry[plan.index].state));
    return finish(a, o);
}

static int run_switch(const struct cli_args *a)
{
    struct opened o;
    int status = open_flash(a, &o);
    if (status) return status;
    status = do_switch(a, &o);
    flash_image_close(&o.image);
    return status;
}

static int run_erase(const struct cli_args *a)
{
    struct opened o;
    int status = open_flash(a, &o);
    if (status) return status;
    memset(o.image.bytes + o.part->offset, 0xff, o.part->size);
    status = finish(a, &o);
    flash_image_close(&o.image);
    return status;
}

static const struct cli_option options[] = {
    {"--table-offset", "X", "offset of the partition table; default 0x8000", false},
    {0},
};

const struct cli_command otadata_commands[] = {
    {
        .name = "otadata show",
        .operands = "FLASH",
        .summary = "show both otadata entries and the slot they select",
        .example = "airlift otadata show flash.bin",
        .options = options,
        .run = run_show,
    },
    {
        .name = "otadata switch",
        .operands = "FLASH SLOT",
        .summary = "make the boot loader take a slot, as otatool switch_ota_partition",
        .details =
            "SLOT is a number (0 is ota_0) or a name. The entry that is not in force gets the "
            "next sequence that leads to the slot; its state stays as it was, as with the "
            "vendor's tool. The image in the slot is not looked at: see 'airlift boot'.",
        .example = "airlift otadata switch flash.bin 1",
        .options = options,
        .run = run_switch,
    },
    {
        .name = "otadata erase",
        .operands = "FLASH",
        .summary = "erase otadata: back to the factory app, or to the first slot that starts",
        .example = "airlift otadata erase flash.bin",
        .options = options,
        .run = run_erase,
    },
    {0},
};
