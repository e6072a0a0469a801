/* boot: what the boot loader would do with a flash image, and why. */
#include "cli/boot_explain.h"

#include <stdio.h>

#include "core/err.h"

/* What one reset left behind. */
struct account {
    const struct flash_device *d;
    struct al_ota_entry before[2];
    uint32_t version_before;
    cJSON *words, *tried, *log;
    const struct al_part *refused; /* not in tried yet */
    char refusal[512];
};

static void add_tried(struct account *s, const struct al_part *p, const char *error)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "slot", flash_image_slot_name(p));
    cJSON_AddNumberToObject(o, "offset", p->offset);
    cJSON_AddItemToObject(o, "error", error ? cJSON_CreateString(error) : cJSON_CreateNull());
    cJSON_AddItemToArray(s->tried, o);
    s->refused = NULL;
}

static void add_words(struct account *s, const char *text)
{
    cJSON_AddItemToArray(s->words, cJSON_CreateString(text));
}

static void on_event(void *ctx, const struct al_boot_event_args *a)
{
    struct account *s = ctx;
    char text[600];
    uint32_t slots = al_part_ota_count_all(&s->d->image->table);
    if (boot_explain_refusal(a, s->refusal, sizeof s->refusal)) s->refused = a->part;
    if (a->event == AL_BOOT_EV_NOT_BOOTABLE) add_tried(s, a->part, s->refusal);
    if (a->event == AL_BOOT_EV_LOADED) add_tried(s, a->part, NULL);
    /* The test app has no line of its own when it fails. */
    if ((a->event == AL_BOOT_EV_NO_TEST || a->event == AL_BOOT_EV_NOTHING) && s->refused)
        add_tried(s, s->refused, s->refusal);
    if (boot_explain_event(a, slots, s->before, text, sizeof text)) add_words(s, text);
    if (a->event == AL_BOOT_EV_LOADED && cJSON_GetArraySize(s->tried) > 1)
        add_words(s,
                  "it was not the first choice: lower slots are tried next, then the factory app, "
                  "then higher slots; otadata does not change by that");
}

static void on_line(void *ctx, const struct vendor_line *line)
{
    struct account *s = ctx;
    char text[256];
    vendor_line_print(line, 0, false, text, sizeof text);
    cJSON_AddItemToArray(s->log, cJSON_CreateString(text));
}

static void explain_start(struct account *s)
{
    char text[400];
    const struct al_part_table *t = &s->d->image->table;
    if (t->count == 0) return;
    if (ota_slots_have_hole(t, text, sizeof text)) add_words(s, text);
    if (!al_part_find(t, AL_PART_DATA, AL_PART_DATA_OTA, NULL)) {
        add_words(s,
                  "the table has no otadata partition: the factory app is always the first choice");
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        boot_explain_entry(i, &s->before[i], text, sizeof text);
        add_words(s, text);
    }
}

static void begin(struct account *s, struct flash_device *d)
{
    *s = (struct account){.d = d,
                          .version_before = d->efuse_version,
                          .words = cJSON_CreateArray(),
                          .tried = cJSON_CreateArray(),
                          .log = cJSON_CreateArray()};
    flash_device_otadata(d, s->before);
    d->ctx = s;
    d->line = on_line;
    d->boot_event = on_event;
    explain_start(s);
}

/* Takes over what s has gathered. */
static cJSON *to_json(struct account *s)
{
    const struct al_boot_result *r = &s->d->result;
    struct al_ota_entry after[2];
    cJSON *doc = cJSON_CreateObject();
    flash_device_otadata(s->d, after);
    if (r->part) {
        cJSON_AddStringToObject(doc, "slot", flash_image_slot_name(r->part));
        cJSON_AddNumberToObject(doc, "offset", r->part->offset);
        cJSON_AddStringToObject(doc, "version", r->image.desc.version);
    } else {
        cJSON_AddNullToObject(doc, "slot");
        cJSON_AddNullToObject(doc, "offset");
    }
    cJSON_AddNumberToObject(doc, "selected_index", r->selected_index);
    cJSON_AddNumberToObject(doc, "active_entry", r->active_entry);
    cJSON_AddItemToObject(doc, "entries_before", ota_entries_json(s->before));
    cJSON_AddItemToObject(doc, "entries_after", ota_entries_json(after));
    cJSON_AddNumberToObject(doc, "efuse_secure_version_before", s->version_before);
    cJSON_AddNumberToObject(doc, "efuse_secure_version_after", s->d->efuse_version);
    cJSON_AddBoolToObject(doc, "rollback", s->d->boot.rollback);
    cJSON_AddBoolToObject(doc, "anti_rollback", s->d->boot.anti_rollback);
    cJSON_AddNumberToObject(doc, "chip_id", s->d->boot.device.chip->id);
    cJSON_AddItemToObject(doc, "tried", s->tried);
    cJSON_AddItemToObject(doc, "log", s->log);
    cJSON_AddItemToObject(doc, "explanation", s->words);
    return doc;
}

static void print(const cJSON *doc, const struct flash_device *d)
{
    const struct al_boot_result *r = &d->result;
    cli_print("Why:\n");
    if (d->as_built)
        cli_print("  - the boot loader in this flash was built with %s\n",
                  d->boot.anti_rollback ? "rollback and anti-rollback"
                  : d->boot.rollback    ? "rollback"
                                        : "rollback off");
    print_strings(doc, "explanation", "  - ");
    if (d->efuse_version != cJSON_GetObjectItem(doc, "efuse_secure_version_before")->valuedouble)
        cli_print("  - the secure version in the eFuses rises to %u\n", d->efuse_version);
    cli_print("Log of the boot loader:\n");
    print_strings(doc, "log", "  ");
    if (r->part && r->image.has_desc)
        cli_print("Boots %s at 0x%x: %s %s\n", flash_image_slot_name(r->part), r->part->offset,
                  r->image.desc.project_name, r->image.desc.version);
    else if (r->part)
        cli_print("Boots %s at 0x%x\n", flash_image_slot_name(r->part), r->part->offset);
    else
        cli_print("Boots nothing\n");
}

static int run(const struct cli_args *a)
{
    struct flash_image image;
    struct flash_device d;
    struct account s;
    int status = flash_device_open(a, &image, &d);
    if (status) return status;
    d.boot.test_pin = cli_has(a, "--test-pin");
    begin(&s, &d);
    int err = flash_device_reset(&d);
    cJSON *doc = to_json(&s);
    status = flash_device_save(a, &d);
    if (cli_json_wanted(a) && !status) {
        status = cli_print_json(doc);
    } else {
        if (!status) print(doc, &d);
        cJSON_Delete(doc);
    }
    flash_image_close(&image);
    if (!status && err) status = cli_fail("%s: nothing in it can be started", cli_operand(a, 0));
    return status;
}

static const struct cli_option options[] = {
    {"--test-pin", NULL, "the pin that asks for the test app is held", false},
    FLASH_DEVICE_OPTIONS,
    {0},
};

const struct cli_command boot_commands[] = {
    {
        .name = "boot",
        .operands = "FLASH",
        .summary = "what the boot loader would do with a flash image, and why",
        .details = "One reset: partition table, otadata, the slot that is selected, what is tried "
                   "and why it is refused, and what starts. Exit status 1 when nothing can be "
                   "started. Without --write the file stays as it is, though the JSON document "
                   "shows otadata as the boot loader would leave it.",
        .example = "airlift boot flash.bin --rollback",
        .options = options,
        .run = run,
    },
    {0},
};
