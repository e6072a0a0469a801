/* First bytes of the known user partitions. See partition_magic.h. */
#include "host/partition_magic.h"

#include <string.h>

static const struct known {
    const char *name;
    uint8_t offset, magic[2];
} known[] = {
    {"mqtt_ca", 0, {0xf1, 0xf1}},       {"mqtt_cert", 0, {0xf1, 0xf1}},
    {"mqtt_key", 0, {0xf1, 0xf1}},      {"client_ca", 0, {0xf1, 0xf1}},
    {"client_cert", 0, {0xf1, 0xf1}},   {"client_key", 0, {0xf1, 0xf1}},
    {"server_ca", 0, {0xf1, 0xf1}},     {"server_cert", 0, {0xf1, 0xf1}},
    {"server_key", 0, {0xf1, 0xf1}},    {"wpa2_ca", 0, {0xf1, 0xf1}},
    {"wpa2_cert", 0, {0xf1, 0xf1}},     {"wpa2_key", 0, {0xf1, 0xf1}},
    {"wpa_ent_ca", 0, {0xf1, 0xf1}},    {"wpa_ent_cert", 0, {0xf1, 0xf1}},
    {"wpa_ent_key", 0, {0xf1, 0xf1}},   {"ble_data", 2, {0x27, 0x95}},
    {"factory_param", 0, {0xfc, 0xfc}},
};

enum partition_magic partition_magic_check(const char *name, const uint8_t *head, size_t len,
                                           struct partition_magic_fault *fault)
{
    const struct known *k = known, *end = known + sizeof known / sizeof *known;
    while (k < end && strcmp(k->name, name) != 0) k++;
    if (k == end) return PARTITION_MAGIC_UNKNOWN;
    for (size_t i = 0; i < sizeof k->magic; i++) {
        size_t at = k->offset + i;
        int found = at < len ? head[at] : -1;
        if (found == k->magic[i]) continue;
        if (fault) *fault = (struct partition_magic_fault){at, k->magic[i], found};
        return PARTITION_MAGIC_WRONG;
    }
    return PARTITION_MAGIC_FITS;
}
