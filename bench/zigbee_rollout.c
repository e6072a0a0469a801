/* Throughput of Zigbee upgrades in the airtime model, and what the server's node costs:
 * JSON on stdout. Usage: zigbee_rollout */
#include <stdio.h>
#include <stdlib.h>

#include "radio/zb_rollout.h"

#define SEEDS      3
#define IMAGE      200000u /* bytes, for one client */
#define IMAGE_MANY 60000u

static uint8_t file[IMAGE];

struct mode {
    const char *name;
    uint8_t max_block;
    uint16_t page_size;
};

static const struct mode modes[] = {
    {"blocks of 64 bytes", 64, 0},
    {"blocks of 223 bytes", 223, 0},
    {"pages of 4096 bytes", 0, 4096},
};

static struct zb_rollout_config config_of(const struct mode *m, unsigned clients, unsigned hops)
{
    struct zb_rollout_config c = {
        .devices = clients + hops - 1,
        .clients = clients,
        .chain = hops > 1,
        .file = file,
        .size = clients == 1 ? IMAGE : IMAGE_MANY,
        .id = {0x131b, 0x1011, 2},
        .max_block = m->max_block,
        .page_size = m->page_size,
    };
    return c;
}

/* fair: rate of the slowest, divided by the mean rate. */
static int measure(const struct zb_rollout_config *base, double *rate, double *fair)
{
    *rate = 0;
    *fair = 1;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct zb_rollout_config c = *base;
        struct zb_rollout_result r;
        c.seed = seed;
        if (zb_rollout_run(&c, &r)) return -1;
        if (r.finished != c.clients) {
            fprintf(stderr, "zigbee_rollout: %u of %u clients\n", r.finished, c.clients);
            return -1;
        }
        *rate += r.rate / SEEDS;
        if (r.fair < *fair) *fair = r.fair;
        free(r.device);
    }
    return 0;
}

static int throughput(void)
{
    static const unsigned clients[] = {1, 10, 80};
    const char *comma = "";
    printf("{\"rows\": [");
    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++)
        for (unsigned hops = 1; hops <= 2; hops++)
            for (size_t n = 0; n < 3; n++) {
                struct zb_rollout_config c = config_of(&modes[m], clients[n], hops);
                double rate, fair;
                if (measure(&c, &rate, &fair)) return 1;
                printf(
                    "%s\n{\"mode\": \"%s\", \"hops\": %u, \"clients\": %u, \"bytes_per_s\": %.0f, "
                    "\"fair\": %.2f}",
                    comma, modes[m].name, hops, clients[n], rate, fair);
                comma = ",";
            }
    printf("],\n");
    return 0;
}

static int server_cost(void)
{
    struct zb_rollout_config c = config_of(&modes[1], 200, 1);
    struct zb_rollout_result r;
    c.seed = 1;
    c.timed = true;
    if (zb_rollout_run(&c, &r)) return 1;
    double seconds = (double)r.us / 1e6;
    printf("\"server\": {\"clients\": %u, \"finished\": %u, \"virtual_s\": %.1f, \"cpu_s\": %.3f, "
           "\"share_of_core\": %.5f, \"frames\": %llu, \"real_s\": %.2f}}\n",
           c.clients, r.finished, seconds, r.server_cpu_s, r.server_cpu_s / seconds,
           (unsigned long long)r.air.frames, r.real_s);
    free(r.device);
    return r.finished == c.clients ? 0 : 1;
}

int main(void)
{
    for (unsigned i = 0; i < IMAGE; i++) file[i] = (uint8_t)(i * 2654435761u >> 13);
    return throughput() || server_cost();
}
