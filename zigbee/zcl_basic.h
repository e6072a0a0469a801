/* The Basic cluster, server side: what interviews read of a node. */
#ifndef ZIGBEE_ZCL_BASIC_H
#define ZIGBEE_ZCL_BASIC_H

#include "zigbee/zcl.h"

#define AL_ZCL_BASIC            0x0000u
#define AL_ZCL_BASIC_ATTRIBUTES 9
#define AL_ZCL_BASIC_STRING     33 /* a length and 32 characters */

enum al_zcl_power {
    AL_ZCL_POWER_UNKNOWN,
    AL_ZCL_POWER_MAINS,
    AL_ZCL_POWER_MAINS_3_PHASE,
    AL_ZCL_POWER_BATTERY,
    AL_ZCL_POWER_DC
};

/* Strings: zero-terminated, cut at 32 (date code: 16) characters; NULL: the attribute is
 * not there. */
struct al_zcl_basic_config {
    uint8_t application_version, stack_version, hardware_version;
    const char *manufacturer, *model, *date_code, *software_build;
    uint8_t power_source; /* enum al_zcl_power */
};

struct al_zcl_basic {
    struct al_zcl_cluster cluster;
    struct al_zcl_attribute attributes[AL_ZCL_BASIC_ATTRIBUTES];
    uint8_t numbers[5];
    uint8_t strings[4][AL_ZCL_BASIC_STRING];
};

/* Then al_zcl_add_cluster(endpoint, &b->cluster). The strings are copied. */
void al_zcl_basic_init(struct al_zcl_basic *b, const struct al_zcl_basic_config *c);

#endif
