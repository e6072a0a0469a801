/* Every selection, scenario and otatool switch of tests/vectors/esp-flash/otadata: results
 * of the original boot loader, app library and tool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/api_ops.h"
#include "host/crypto_openssl.h"
#include "tests/support/vectors.h"

#define DIR     "esp-flash/otadata"
#define FLASH   0x400000u
#define OTADATA 0xd000u

static int load(void **state)
{
    *state = vector_json(DIR "/expected.json");
    return 0;
}

static int unload(void **state)
{
    cJSON_Delete(*state);
    return 0;
}

/* --- building the flash --- */

static void put_file(uint8_t *flash, uint32_t offset, const char *name)
{
    size_t len;
    uint8_t *data = vector_file(&len, DIR "/%s", name);
    memcpy(flash + offset, data, len);
    free(data);
}

static void put_table(uint8_t *flash, const cJSON *rows)
{
    struct al_part_table t = {.count = 0};
    const cJSON *row;
    cJSON_ArrayForEach(row, rows)
    {
        struct al_part *p = &t.part[t.count++];
        p->type = (uint8_t)vector_number(row, "type");
        p->subtype = (uint8_t)vector_number(row, "subtype");
        p->offset = (uint32_t)vector_number(row, "offset");
        p->size = (uint32_t)vector_number(row, "size");
        snprintf(p->label, sizeof p->label, "%s", vector_string(row, "label"));
    }
    assert_int_equal(al_part_table_build(&t, true, &crypto_openssl, flash + AL_PART_TABLE_OFFSET),
                     0);
}

static uint8_t *new_flash(const cJSON *all, const char *table, const cJSON *slots)
{
    uint8_t *flash = malloc(FLASH);
    assert_non_null(flash);
    memset(flash, 0xff, FLASH);
    const cJSON *rows = vector_get(vector_get(all, "tables"), table), *row;
    put_table(flash, rows);
    cJSON_ArrayForEach(row, rows)
    {
        const cJSON *file = cJSON_GetObjectItem(slots, vector_string(row, "label"));
        if (file) put_file(flash, (uint32_t)vector_number(row, "offset"), file->valuestring);
    }
    return flash;
}

/* Takes flash over. */
static void new_device(struct flash_device *d, struct flash_image *image, uint8_t *flash,
                       const char *config)
{
    const struct al_device_ids ids = {.chip = al_chip_by_id(13)};
    assert_int_equal(flash_image_memory(image, flash, FLASH, 0), 0);
    free(flash);
    flash_device_init(d, image, &ids);
    d->boot.anti_rollback = strcmp(config, "ar") == 0 || strstr(config, "anti-rollback on");
    d->boot.rollback =
        d->boot.anti_rollback || strcmp(config, "rb") == 0 || strcmp(config, "rollback on") == 0;
}

static void put_entry(uint8_t *flash, uint32_t index, uint32_t seq, uint32_t state, uint32_t crc)
{
    struct al_ota_entry e = {.seq = seq, .state = state, .crc = crc};
    memset(e.seq_label, 0xff, sizeof e.seq_label);
    al_ota_entry_encode(&e, flash + OTADATA + index * AL_SECTOR);
}

/* entries: [{ota_seq, ota_state, crc, crc_ok}, ...] */
static void assert_entries(const struct al_ota_entry e[2], const cJSON *entries)
{
    for (int i = 0; i < 2; i++) {
        const cJSON *want = cJSON_GetArrayItem(entries, i);
        assert_int_equal(e[i].seq, vector_number(want, "ota_seq"));
        assert_int_equal(e[i].state, vector_number(want, "ota_state"));
        assert_int_equal(e[i].crc, vector_number(want, "crc"));
        assert_int_equal(al_ota_entry_crc_ok(&e[i]), cJSON_IsTrue(vector_get(want, "crc_ok")));
    }
}

/* --- selection --- */

static void gather_line(void *ctx, const struct vendor_line *line)
{
    char text[256];
    vendor_line_print(line, 0, false, text, sizeof text);
    cJSON_AddItemToArray(ctx, cJSON_CreateString(text));
}

static void check_selection(const cJSON *all, const cJSON *file, const cJSON *want)
{
    struct flash_image image;
    struct flash_device d;
    struct al_ota_entry e[2];
    const char *table = vector_string(want, "table");
    uint8_t *flash = new_flash(all, table, vector_get(vector_get(all, "slots"), table));
    put_file(flash, OTADATA, vector_string(file, "file"));
    new_device(&d, &image, flash, vector_string(want, "config"));
    d.efuse_version = (uint32_t)vector_number(want, "efuse_secure_version");
    cJSON *log = cJSON_CreateArray();
    d.ctx = log;
    d.line = gather_line;

    (void)flash_device_reset(&d);
    const cJSON *booted = vector_get(want, "booted");
    assert_int_equal(d.result.selected_index, vector_number(want, "selected_index"));
    if (cJSON_IsNull(booted))
        assert_null(d.ota.running);
    else
        assert_string_equal(d.ota.running->label, booted->valuestring);
    flash_device_otadata(&d, e);
    const cJSON *after = cJSON_GetObjectItem(want, "entries_after");
    assert_entries(e, after ? after : vector_get(file, "entries"));
    const cJSON *raised = cJSON_GetObjectItem(want, "efuse_secure_version_after");
    assert_int_equal(d.efuse_version,
                     raised ? raised->valueint : vector_number(want, "efuse_secure_version"));
    if (!cJSON_Compare(log, vector_get(want, "log"), true)) {
        char *text = cJSON_Print(log);
        fail_msg("%s, %s, %s: log is %s", vector_string(file, "name"), table,
                 vector_string(want, "config"), text);
    }
    cJSON_Delete(log);
    flash_image_close(&image);
}

static void every_selection_is_the_originals(void **state)
{
    const cJSON *file, *boot;
    int count = 0;
    cJSON_ArrayForEach(file, vector_get(*state, "selection"))
    {
        cJSON_ArrayForEach(boot, vector_get(file, "boot"))
        {
            check_selection(*state, file, boot);
            count++;
        }
    }
    assert_true(count >= 100);
}

/* --- scenarios --- */

/* "ota=X,images/a.bin" with the path from the project's root. */
static void local_op(const char *op, char *out, size_t size)
{
    const char *comma = strchr(op, ',');
    if (comma)
        snprintf(out, size, "%.*s,tests/vectors/" DIR "/%s", (int)(comma - op), op, comma + 1);
    else
        snprintf(out, size, "%s", op);
}

/* The vectors' logs leave some lines out. */
static void assert_lines_in_order(const cJSON *got, const cJSON *want)
{
    const cJSON *at = got ? got->child : NULL, *line;
    cJSON_ArrayForEach(line, want)
    {
        while (at && strcmp(at->valuestring, line->valuestring) != 0) at = at->next;
        if (!at) fail_msg("no log line '%s'", line->valuestring);
        at = at->next;
    }
}

static void check_step(struct flash_device *d, const cJSON *want)
{
    char op[200], why[300];
    local_op(vector_string(want, "op"), op, sizeof op);
    cJSON *step = api_op_run(d, op, why, sizeof why);
    if (!step) fail_msg("%s: %s", op, why);
    static const char *const keys[] = {"result", "otadata"};
    for (size_t i = 0; i < 2; i++) {
        const cJSON *got = cJSON_GetObjectItem(step, keys[i]);
        if (cJSON_Compare(got, vector_get(want, keys[i]), true)) continue;
        char *text = cJSON_Print(got);
        fail_msg("%s: %s is %s", op, keys[i], text);
    }
    const cJSON *raised = cJSON_GetObjectItem(want, "efuse_secure_version_after");
    if (raised) assert_int_equal(d->efuse_version, raised->valueint);
    assert_lines_in_order(cJSON_GetObjectItem(step, "log"), cJSON_GetObjectItem(want, "log"));
    cJSON_Delete(step);
}

static void every_scenario_is_the_originals(void **state)
{
    const cJSON *scenario, *step;
    int count = 0;
    cJSON_ArrayForEach(scenario, vector_get(*state, "scenarios"))
    {
        struct flash_image image;
        struct flash_device d;
        uint8_t *flash =
            new_flash(*state, vector_string(scenario, "table"), vector_get(scenario, "slots"));
        for (int i = 0; i < 2; i++) {
            const char *text =
                cJSON_GetArrayItem(vector_get(scenario, "otadata_initial"), i)->valuestring;
            unsigned seq, ota_state, crc;
            assert_int_equal(sscanf(text, "%x/%x/%x", &seq, &ota_state, &crc), 3);
            put_entry(flash, (uint32_t)i, seq, ota_state, crc);
        }
        new_device(&d, &image, flash, vector_string(scenario, "config"));
        cJSON_ArrayForEach(step, vector_get(scenario, "steps"))
        {
            check_step(&d, step);
            count++;
        }
        flash_image_close(&image);
    }
    assert_true(count >= 80);
}

/* --- otatool --- */

static void every_switch_is_that_of_otatool(void **state)
{
    const cJSON *row;
    int count = 0;
    cJSON_ArrayForEach(row, vector_get(*state, "otatool_switch"))
    {
        struct al_ota_entry e[2];
        if (!cJSON_IsTrue(vector_get(row, "changed"))) continue; /* refused: the tool's part */
        for (int i = 0; i < 2; i++) {
            const cJSON *before = cJSON_GetArrayItem(vector_get(row, "before"), i);
            e[i] = (struct al_ota_entry){.seq = (uint32_t)vector_number(before, "ota_seq"),
                                         .state = (uint32_t)vector_number(before, "ota_state"),
                                         .crc = (uint32_t)vector_number(before, "crc")};
        }
        const cJSON *to = vector_get(row, "switch_to");
        uint32_t slot = cJSON_IsString(to) ? (uint32_t)atoi(strchr(to->valuestring, '_') + 1)
                                           : (uint32_t)to->valueint;
        struct al_ota_switch s = al_ota_switch_plan_tool(e, slot, 2);
        e[s.index].seq = s.seq;
        e[s.index].crc = al_ota_entry_crc(s.seq);
        assert_entries(e, vector_get(row, "after"));
        count++;
    }
    assert_true(count >= 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_selection_is_the_originals),
        cmocka_unit_test(every_scenario_is_the_originals),
        cmocka_unit_test(every_switch_is_that_of_otatool),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
