#include "cli/api_ops.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "host/file.h"

/* One operation under way. */
struct run {
    struct flash_device *d;
    const struct al_part *part; /* what the operation names */
    const char *file;           /* behind the comma */
    cJSON *result;
    char *why;
    size_t why_size;
};

__attribute__((format(printf, 2, 3))) static void say(struct run *r, const char *format, ...)
{
    char text[128];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    cJSON_AddItemToArray(r->result, cJSON_CreateString(text));
}

static void say_part(struct run *r, const char *what, const struct al_part *p)
{
    say(r, "%s=%s", what, p ? flash_image_slot_name(p) : "NULL");
}

/* --- operations; each gives false when it could not be run at all --- */

static bool reset(struct run *r, bool test_pin)
{
    r->d->boot.test_pin = test_pin;
    (void)flash_device_reset(r->d);
    const struct al_part *p = r->d->ota.running;
    say(r, "boot %s slot=%s", p ? "ok" : "failed", p ? flash_image_slot_name(p) : "None");
    return true;
}

static bool op_boot(struct run *r)
{
    return reset(r, false);
}

static bool op_boottest(struct run *r)
{
    return reset(r, true);
}

static bool op_next(struct run *r)
{
    say_part(r, "next_update", al_ota_next_update(&r->d->ota, r->part));
    return true;
}

static bool op_valid(struct run *r)
{
    say(r, "mark_valid=%d", al_err_vendor(al_ota_mark_valid(&r->d->ota)));
    return true;
}

static bool op_invalid(struct run *r)
{
    say(r, "mark_invalid=%d", al_err_vendor(al_ota_mark_invalid(&r->d->ota)));
    return true;
}

static bool op_rbpossible(struct run *r)
{
    say(r, "rollback_possible=%d", al_ota_rollback_possible(&r->d->ota));
    return true;
}

static bool op_getboot(struct run *r)
{
    say_part(r, "get_boot", al_ota_get_boot(&r->d->ota));
    return true;
}

static bool op_running(struct run *r)
{
    say_part(r, "running", r->d->ota.running);
    return true;
}

static bool op_lastinvalid(struct run *r)
{
    say_part(r, "last_invalid", al_ota_last_invalid(&r->d->ota));
    return true;
}

static bool op_eraselast(struct run *r)
{
    say(r, "erase_last_boot=%d", al_err_vendor(al_ota_erase_last_boot(&r->d->ota)));
    return true;
}

static bool op_invalslot(struct run *r)
{
    say(r, "invalidate_inactive=%d", al_err_vendor(al_ota_invalidate_inactive(&r->d->ota)));
    return true;
}

static bool op_state(struct run *r)
{
    uint32_t state = 0xdead; /* what the caller's variable held, when the call leaves it alone */
    int err = al_ota_get_state(&r->d->ota, r->part, &state);
    say(r, "state(%s) ret=0x%x state=0x%x", flash_image_slot_name(r->part),
        (unsigned)al_err_vendor(err), state);
    return true;
}

static bool op_setboot(struct run *r)
{
    int err = al_ota_set_boot(&r->d->ota, r->part, false);
    say(r, "set_boot_partition=0x%x", (unsigned)al_err_vendor(err));
    return true;
}

static bool op_setbootnv(struct run *r)
{
    int err = al_ota_set_boot(&r->d->ota, r->part, true);
    say(r, "set_boot_partition_skip_validate=0x%x", (unsigned)al_err_vendor(err));
    return true;
}

static void update(struct run *r, const uint8_t *data, size_t len)
{
    struct al_ota *o = &r->d->ota;
    struct al_ota_update u;
    int err = al_ota_begin(o, r->part, AL_OTA_SEQUENTIAL, &u);
    say(r, "begin(%s)=0x%x", flash_image_slot_name(r->part), (unsigned)al_err_vendor(err));
    if (err) return;
    err = al_ota_write(o, &u, data, (uint32_t)len);
    say(r, "write=0x%x", (unsigned)al_err_vendor(err));
    if (err)
        al_ota_abort(o, &u);
    else
        say(r, "end=0x%x", (unsigned)al_err_vendor(al_ota_end(o, &u)));
}

static bool op_ota(struct run *r)
{
    uint8_t *data;
    size_t len;
    int err = file_read(r->file, FLASH_IMAGE_MAX, &data, &len);
    if (err) {
        snprintf(r->why, r->why_size, "cannot read %s: %s", r->file, strerror(-err));
        return false;
    }
    update(r, data, len);
    free(data);
    return true;
}

enum argument { NO_ARGUMENT, MAY_HAVE_PART, PART, PART_AND_FILE };
static const struct operation {
    const char *name;
    enum argument argument;
    bool (*run)(struct run *r);
} operations[] = {
    {"boot", NO_ARGUMENT, op_boot},
    {"boottest", NO_ARGUMENT, op_boottest},
    {"next", MAY_HAVE_PART, op_next},
    {"valid", NO_ARGUMENT, op_valid},
    {"invalid", NO_ARGUMENT, op_invalid},
    {"rbpossible", NO_ARGUMENT, op_rbpossible},
    {"getboot", NO_ARGUMENT, op_getboot},
    {"running", NO_ARGUMENT, op_running},
    {"lastinvalid", NO_ARGUMENT, op_lastinvalid},
    {"eraselast", NO_ARGUMENT, op_eraselast},
    {"invalslot", NO_ARGUMENT, op_invalslot},
    {"state", PART, op_state},
    {"setboot", PART, op_setboot},
    {"setbootnv", PART, op_setbootnv},
    {"ota", PART_AND_FILE, op_ota},
};

/* --- reading an operation --- */

static const struct operation *find_operation(const char *op, size_t len)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strlen(operations[i].name) == len && memcmp(operations[i].name, op, len) == 0)
            return &operations[i];
    return NULL;
}

static bool bad(char *why, size_t size, const char *op, const char *what)
{
    snprintf(why, size, "operation '%s': %s", op, what);
    return false;
}

/* What is wrong with the form of an operation; NULL: nothing. */
static const char *form_fault(const struct operation *o, const char *argument)
{
    if (!o) return "there is no such operation";
    switch (o->argument) {
    case NO_ARGUMENT:
        return argument ? "it takes nothing behind '='" : NULL;
    case MAY_HAVE_PART:
        return NULL;
    case PART:
        return argument ? NULL : "it takes a partition, as in state=ota_0";
    case PART_AND_FILE:
        return argument && strchr(argument, ',')
                   ? NULL
                   : "it takes a slot and a file, as in ota=ota_0,app.bin";
    }
    return NULL;
}

static const struct operation *read_form(const char *op, const char **argument)
{
    const char *equals = strchr(op, '=');
    *argument = equals ? equals + 1 : NULL;
    return find_operation(op, equals ? (size_t)(equals - op) : strlen(op));
}

bool api_op_check(const char *op, char *why, size_t why_size)
{
    const char *argument;
    const struct operation *o = read_form(op, &argument);
    const char *fault = form_fault(o, argument);
    return !fault || bad(why, why_size, op, fault);
}

static bool find_part(struct run *r, const char *op, const char *argument)
{
    char name[32];
    size_t len = strcspn(argument, ",");
    r->file = argument[len] ? argument + len + 1 : NULL;
    if (len < sizeof name) {
        memcpy(name, argument, len);
        name[len] = '\0';
        r->part = flash_image_part(r->d->image, name);
    }
    return r->part || bad(r->why, r->why_size, op,
                          "the partition table has no partition of that name; 'airlift "
                          "partition show' lists them");
}

static bool run_operation(struct run *r, const char *op)
{
    const char *argument;
    if (!api_op_check(op, r->why, r->why_size)) return false;
    const struct operation *o = read_form(op, &argument);
    return (!argument || find_part(r, op, argument)) && o->run(r);
}

/* --- the step --- */

static void add_line(void *ctx, const struct vendor_line *line)
{
    char text[256];
    vendor_line_print(line, 0, false, text, sizeof text);
    cJSON_AddItemToArray(ctx, cJSON_CreateString(text));
}

static cJSON *otadata_strings(const struct flash_device *d)
{
    struct al_ota_entry e[2];
    char text[48];
    cJSON *list = cJSON_CreateArray();
    flash_device_otadata(d, e);
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "0x%08x/0x%08x/0x%08x", e[i].seq, e[i].state, e[i].crc);
        cJSON_AddItemToArray(list, cJSON_CreateString(text));
    }
    return list;
}

cJSON *api_op_run(struct flash_device *d, const char *op, char *why, size_t why_size)
{
    struct run r = {.d = d, .result = cJSON_CreateArray(), .why = why, .why_size = why_size};
    uint32_t version = d->efuse_version;
    cJSON *log = cJSON_CreateArray();
    d->ctx = log;
    d->line = add_line;
    bool ran = run_operation(&r, op);
    d->ctx = NULL;
    d->line = NULL;
    if (!ran) {
        cJSON_Delete(r.result);
        cJSON_Delete(log);
        return NULL;
    }
    cJSON *step = cJSON_CreateObject();
    cJSON_AddStringToObject(step, "op", op);
    cJSON_AddItemToObject(step, "result", r.result);
    cJSON_AddItemToObject(step, "otadata", otadata_strings(d));
    if (version != d->efuse_version)
        cJSON_AddNumberToObject(step, "efuse_secure_version_after", d->efuse_version);
    cJSON_AddItemToObject(step, "log", log);
    return step;
}
