/* Any partition table: what is accepted is built to bytes that are accepted again. */
#include <stdlib.h>
#include <string.h>

#include "core/part_table.h"
#include "host/crypto_openssl.h"
#include "host/part_csv.h"
#include "host/vendor_log.h"

static struct al_part_table table, again;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct al_part_fault fault;
    uint8_t raw[AL_PART_TABLE_LEN];
    char why[300];
    if (size > sizeof raw) size = sizeof raw;
    int err = al_part_table_parse(data, size, 0x400000, &crypto_openssl, &table, &fault);
    if ((err == 0) != (fault.check == AL_PART_CHECK_NONE)) abort();
    if (err && table.count) abort();
    part_fault_explain(&fault, why, sizeof why);
    if (err) return 0;
    for (uint32_t i = 0; i < table.count; i++)
        if (table.part[i].size > 0x400000 - table.part[i].offset) abort();
    free(part_csv_write(&table));
    /* Entries behind the MD5 entry make a table that cannot be built like that. */
    if (al_part_table_build(&table, table.has_md5, &crypto_openssl, raw)) return 0;
    if (al_part_table_parse(raw, sizeof raw, 0x400000, &crypto_openssl, &again, NULL) !=
            (table.count ? 0 : -0x103) ||
        again.count != table.count)
        if (table.count) abort();
    return 0;
}
