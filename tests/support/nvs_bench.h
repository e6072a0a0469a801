/* NVS under power cuts: a partition on a flash whose power can be cut, what a reader sees of
 * it, and the judgement after a cut. Used by tests/power/. */
#ifndef TESTS_SUPPORT_NVS_BENCH_H
#define TESTS_SUPPORT_NVS_BENCH_H

#include "core/nvs.h"
#include "device/nor_flash.h"

#define NVS_BENCH_PAGES 5u
#define NVS_BENCH_KEYS  48u
#define NVS_BENCH_VALUE 9000u

/* One key as a reader sees it. */
struct nvs_seen {
    char key[16];
    enum al_nvs_type type; /* 0: not there */
    size_t len;
    uint8_t *value;
};

struct nvs_shot {
    size_t count;
    struct nvs_seen seen[NVS_BENCH_KEYS];
};

/* A partition with its memory state, to go back to. */
struct nvs_saved {
    uint8_t bytes[NVS_BENCH_PAGES * 4096];
    struct al_nvs nvs;
    struct al_nvs_page page[NVS_BENCH_PAGES];
};

struct nvs_bench {
    struct nor_flash nor;
    struct al_window part;
    struct al_nvs nvs;
    struct al_nvs_page page[NVS_BENCH_PAGES];
    uint8_t ns;
    struct nvs_saved start;
    struct nvs_shot before, after;
    uint64_t seed;
    unsigned long points, recut_points;
};

void nvs_bench_save(const struct nvs_bench *b, struct nvs_saved *s);
/* With the power on again. */
void nvs_bench_restore(struct nvs_bench *b, const struct nvs_saved *s);
int nvs_bench_init(struct nvs_bench *b);

/* Adds the keys of b->ns that are there, or one by name. */
void nvs_shot_add_keys(struct nvs_bench *b, struct nvs_shot *shot);
void nvs_shot_add_key(struct nvs_shot *shot, const char *key);
/* Reads the values of its keys. */
void nvs_shot_take(struct nvs_bench *b, struct nvs_shot *shot);
void nvs_shot_free(struct nvs_shot *shot);

/* Power on; fails the test unless init succeeds, every key shows its old or new value
 * (before, after), and the partition takes a new value and opens again. */
void nvs_bench_assert_survived(struct nvs_bench *b);
/* Goes back to `from` and runs, with a cut at the nth operation, torn at byte. false: it
 * ended before that. */
bool nvs_bench_cut(struct nvs_bench *b, int (*run)(struct nvs_bench *b),
                   const struct nvs_saved *from, uint64_t nth, uint32_t tear, uint32_t byte);

#endif
