/* Any CSV: refused with a class and a sentence, or a table that says the same when
 * it is written as text and compiled again. */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "host/crypto_openssl.h"
#include "host/part_csv.h"

static const char *flavor_only(void *ctx, const char *name)
{
    return strcmp(name, "FLAVOR") == 0 ? "app0" : NULL;
}

/* Labels that mean something in CSV, or are stripped, do not come back the same. */
static bool stays_as_it_is(const char *label)
{
    for (const char *c = label; *c; c++)
        if (*c <= ' ' || *c > '~' || strchr("$#,", *c)) return false;
    return label[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct al_part_table table;
    static uint8_t raw[AL_PART_TABLE_LEN], again[AL_PART_TABLE_LEN];
    struct part_csv_fault fault;
    struct part_csv_options o = {.crypto = &crypto_openssl,
                                 .variable = flavor_only,
                                 .primary_given = true,
                                 .recovery_given = true,
                                 .recovery_offset = 0x100000};
    int err = part_csv_compile(data, size, &o, raw, &fault);
    if (err && (!fault.error_class || !fault.message[0])) abort();
    if (err) return 0;
    if (al_part_table_parse(raw, sizeof raw, UINT32_MAX, &crypto_openssl, &table, NULL)) {
        if (table.count) abort(); /* an empty table is none for a device */
        return 0;
    }
    for (uint32_t i = 0; i < table.count; i++)
        if (!stays_as_it_is(table.part[i].label)) return 0;
    char *text = part_csv_write(&table);
    o.no_verify = true; /* names cut to 16 bytes may be equal now */
    err = part_csv_compile(text, strlen(text), &o, again, &fault);
    free(text);
    if (!err && memcmp(raw, again, sizeof raw)) abort();
    return 0;
}
