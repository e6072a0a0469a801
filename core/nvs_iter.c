/* NVS: iteration and statistics. */
#include "core/nvs_internal.h"

static bool wanted(const struct al_nvs_iter *it, const uint8_t raw[AL_NVS_ENTRY])
{
    if (raw[0] == NVS_NAMESPACES || (it->ns && raw[0] != it->ns)) return false;
    if (raw[1] == AL_NVS_BLOB_IDX) return false;
    if (raw[1] == AL_NVS_BLOB_V1) return it->type == AL_NVS_BLOB_V1;
    /* A blob is shown at its first chunk. */
    if (raw[1] == AL_NVS_BLOB && raw[3] != 0 && raw[3] != NVS_CHUNK_VER1) return false;
    return it->type == 0 || it->type == AL_NVS_ANY || raw[1] == it->type;
}

static int name_namespace(struct al_nvs *nvs, uint8_t ns, char name[16])
{
    memset(name, 0, 16);
    for (unsigned i = 0; i < nvs->used; i++) {
        struct al_nvs_walk w;
        int more = al_nvs_walk_begin(&w, nvs, &nvs->pages[i]);
        if (more) return more;
        while ((more = al_nvs_walk_step(&w)) > 0) {
            if (w.raw[0] != NVS_NAMESPACES || w.raw[1] != AL_NVS_U8 || w.raw[24] != ns) continue;
            memcpy(name, w.raw + 8, AL_NVS_KEY_LEN);
            return 0;
        }
        if (more) return more;
    }
    return 0;
}

static int show(struct al_nvs *nvs, struct al_nvs_iter *it, const struct al_nvs_walk *w)
{
    it->entry = w->next;
    it->found_type = (enum al_nvs_type)w->raw[1];
    memcpy(it->key, w->raw + 8, AL_NVS_KEY_LEN);
    it->key[AL_NVS_KEY_LEN] = 0;
    if (it->found_ns == w->raw[0]) return 0; /* its name is known */
    it->found_ns = w->raw[0];
    return name_namespace(nvs, it->found_ns, it->namespace_name);
}

int al_nvs_next(struct al_nvs *nvs, struct al_nvs_iter *it)
{
    if (!nvs->ready) return AL_ERR_NVS_NOT_INITIALIZED;
    for (; it->page < nvs->used; it->page++, it->entry = 0) {
        struct al_nvs_walk w;
        int more = al_nvs_walk_begin(&w, nvs, &nvs->pages[it->page]);
        if (more) return more;
        w.next = it->entry;
        while ((more = al_nvs_walk_step(&w)) > 0)
            if (wanted(it, w.raw) && al_nvs_header_ok(w.raw, w.entry)) return show(nvs, it, &w);
        if (more) return more;
    }
    return AL_ERR_NVS_NOT_FOUND;
}

int al_nvs_stats(struct al_nvs *nvs, struct al_nvs_stats *out)
{
    memset(out, 0, sizeof *out);
    if (!nvs->ready) return AL_ERR_NVS_NOT_INITIALIZED;
    for (unsigned i = 0; i < nvs->used; i++) {
        if (nvs->pages[i].state == AL_NVS_PAGE_FREEING) {
            memset(out, 0, sizeof *out);
            return AL_FAIL;
        }
        out->used += nvs->pages[i].live;
    }
    out->total = nvs->page_count * AL_NVS_ENTRIES;
    out->free = out->total - out->used;
    out->available = out->free > AL_NVS_ENTRIES ? out->free - AL_NVS_ENTRIES : 0;
    out->namespaces = nvs->namespace_count;
    return 0;
}

int al_nvs_used_entries(struct al_nvs *nvs, uint8_t ns, uint32_t *count)
{
    *count = 0;
    if (!nvs->ready) return AL_ERR_NVS_NOT_INITIALIZED;
    for (unsigned i = 0; i < nvs->used; i++) {
        struct al_nvs_walk w;
        int more = al_nvs_walk_begin(&w, nvs, &nvs->pages[i]);
        if (more) return more;
        while ((more = al_nvs_walk_step(&w)) > 0)
            if (w.raw[0] == ns) *count += w.span;
        if (more) return more;
    }
    return 0;
}
