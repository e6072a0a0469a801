/* For targets that start a coordinator on the records they made. */
#ifndef TESTS_FUZZ_COORDINATOR_H
#define TESTS_FUZZ_COORDINATOR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "radio/zb_backup.h"
#include "radio/zb_memory.h"
#include "radio/zb_sim.h"
#include "tests/fuzz/frame_again.h"

#define COORDINATOR_DEVICES 8
#define COORDINATOR_EXT     0x00124b0009d80ba7ull

/* On the air of s, powered on with c and these records. */
static inline struct zb_sim_node *coordinator_on(struct zb_sim *s, const struct al_node_config *c,
                                                 const struct al_zb_store *store)
{
    struct zb_sim_node *n = zb_sim_add(s, c, NULL);
    must(n != NULL);
    zb_sim_power_off(n);
    n->config.store = store;
    must(zb_sim_power_on(n) == 0);
    return n;
}

/* Its backup is one: it can be restored, unless the counter of its key is used up. */
static inline void backup_again(const struct al_node *n)
{
    char error[300] = "";
    cJSON *doc = zb_backup_make(n);
    if (!doc) return;
    struct zb_memory *records = zb_memory_new();
    int err = zb_backup_restore(doc, zb_memory_store(records), error, sizeof error);
    if (err && !strstr(error, "used up")) must_failed(error, __FILE__, __LINE__);
    zb_memory_free(records);
    cJSON_Delete(doc);
}

/* The address that a backup brought along. */
static inline uint64_t own_address(const struct al_zb_store *store)
{
    uint8_t bytes[8];
    bool there = store->load(store->ctx, AL_ZB_REC_ADDRESS, bytes, sizeof bytes) == sizeof bytes;
    uint64_t ext = there ? al_get_le64(bytes) : 0;
    return ext ? ext : COORDINATOR_EXT;
}

/* Resumes the network that is in the records, if there is one, and lets time pass. */
static inline void resume(const struct al_zb_store *store)
{
    struct zb_sim *s = zb_sim_new(&(struct medium_config){.seed = 1});
    struct al_node_config c = {.role = AL_NWK_ROLE_COORDINATOR,
                               .ext = own_address(store),
                               .sizes = al_node_sizes_coordinator(COORDINATOR_DEVICES)};
    struct zb_sim_node *n = coordinator_on(s, &c, store);
    struct al_node *node = &n->zb.node;
    if (al_bdb_initialise(&node->bdb, zb_sim_now(s)) == 0) {
        zb_sim_touch(n);
        zb_sim_run(s, 2000000, NULL, NULL);
    }
    if (node->nwk.addr != AL_NWK_NO_ADDR) {
        must(node->nwk.addr == AL_NWK_COORDINATOR);
        must(node->nwk.channel >= 11 && node->nwk.channel <= 26);
        must(node->nwk.active_key < 2);
    }
    backup_again(node);
    zb_sim_free(s);
}

/* A directory of this process, where memory is the disk when it can be. */
static inline void own_directory(char *path, size_t size)
{
    snprintf(path, size, "/dev/shm/airlift-fuzz-XXXXXX");
    if (mkdtemp(path)) return;
    snprintf(path, size, "/tmp/airlift-fuzz-XXXXXX");
    must(mkdtemp(path) != NULL);
}

#endif
