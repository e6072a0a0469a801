/* Words of partition types and subtypes. Apart from part_table.c so that a
 * boot loader that never prints them does not carry them. */
#include "core/part_table.h"

/* clang-format off */
static const char ota_names[16][8] = {
    "ota_0", "ota_1", "ota_2",  "ota_3",  "ota_4",  "ota_5",  "ota_6",  "ota_7",
    "ota_8", "ota_9", "ota_10", "ota_11", "ota_12", "ota_13", "ota_14", "ota_15",
};
static const struct {
    uint8_t type, subtype;
    char name[12];
} names[] = {
    {AL_PART_APP, 0x00, "factory"},     {AL_PART_APP, 0x20, "test"},
    {AL_PART_APP, 0x30, "tee_0"},       {AL_PART_APP, 0x31, "tee_1"},
    {AL_PART_DATA, 0x00, "ota"},        {AL_PART_DATA, 0x01, "phy"},
    {AL_PART_DATA, 0x02, "nvs"},        {AL_PART_DATA, 0x03, "coredump"},
    {AL_PART_DATA, 0x04, "nvs_keys"},   {AL_PART_DATA, 0x05, "efuse"},
    {AL_PART_DATA, 0x06, "undefined"},  {AL_PART_DATA, 0x80, "esphttpd"},
    {AL_PART_DATA, 0x81, "fat"},        {AL_PART_DATA, 0x82, "spiffs"},
    {AL_PART_DATA, 0x83, "littlefs"},   {AL_PART_DATA, 0x90, "tee_ota"},
    {AL_PART_BOOTLOADER, 0x00, "primary"},
    {AL_PART_BOOTLOADER, 0x01, "ota"},
    {AL_PART_BOOTLOADER, 0x02, "recovery"},
    {AL_PART_PARTITION_TABLE, 0x00, "primary"},
    {AL_PART_PARTITION_TABLE, 0x01, "ota"},
};
/* clang-format on */

const char *al_part_type_name(uint8_t type)
{
    static const char words[][16] = {"app", "data", "bootloader", "partition_table"};
    return type < sizeof words / sizeof *words ? words[type] : NULL;
}

const char *al_part_subtype_name(uint8_t type, uint8_t subtype)
{
    if (type == AL_PART_APP && subtype >= AL_PART_OTA_0 && subtype <= AL_PART_OTA_15)
        return ota_names[subtype - AL_PART_OTA_0];
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].type == type && names[i].subtype == subtype) return names[i].name;
    return NULL;
}
