/* What the parts of `airlift zigbee simulate` share. */
#ifndef CLI_ZIGBEE_SIMULATE_H
#define CLI_ZIGBEE_SIMULATE_H

#include <stdio.h>

#include "cli/cli.h"
#include "radio/zb_rollout.h"

#define ZIGBEE_SAMPLES 600

/* How far each device was at times that lie apart evenly. When the table is full, every
 * other sample is dropped: the distance doubles. */
struct zigbee_course {
    unsigned devices;
    unsigned count;            /* samples */
    uint64_t step, next;       /* us */
    uint64_t *at;              /* [ZIGBEE_SAMPLES] */
    uint32_t *bytes;           /* [ZIGBEE_SAMPLES][devices] */
    struct cli_progress shown; /* bytes of all devices */
};

/* A finished roll-out, to be told. */
struct zigbee_simulation {
    const char *file;
    struct zb_rollout_config config;
    struct zb_rollout_result result;
    struct zigbee_course course;
};

/* "3 h 12 min", "4 min 10 s", "12.3 s" */
const char *zigbee_duration(double seconds, char out[32]);
/* "80 devices have the image after 3 h 12 min." */
void zigbee_simulation_sentence(const struct zigbee_simulation *s, char *out, size_t size);

/* For people, on stdout. */
void zigbee_simulation_print(const struct zigbee_simulation *s);
cJSON *zigbee_simulation_json(const struct zigbee_simulation *s);
/* The picture, a whole SVG document. */
void zigbee_simulation_svg(const struct zigbee_simulation *s, FILE *out);

#endif
