/* Any text as a backup: refused in words and nothing of a network stays, or a coordinator
 * resumes it and its own backup can be restored. */
#include "tests/fuzz/coordinator.h"
#include "tests/fuzz/json_mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t byte;
    char error[300] = "";
    cJSON *doc = cJSON_ParseWithLength((const char *)data, size);
    if (!doc) return 0;
    struct zb_memory *records = zb_memory_new();
    const struct al_zb_store *store = zb_memory_store(records);
    if (zb_backup_restore(doc, store, error, sizeof error)) {
        must(error[0] != '\0');
        must(store->load(store->ctx, AL_ZB_REC_NETWORK, &byte, 1) <= 0);
        must(store->load(store->ctx, AL_ZB_REC_NWK_KEYS, &byte, 1) <= 0);
    } else {
        must(store->load(store->ctx, AL_ZB_REC_NETWORK, &byte, 1) > 0);
        resume(store);
    }
    zb_memory_free(records);
    cJSON_Delete(doc);
    return 0;
}
