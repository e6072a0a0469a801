#include "radio/zb_memory.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

struct record {
    struct record *next;
    uint16_t number;
    size_t len;
    uint8_t data[];
};

struct zb_memory {
    struct al_zb_store store;
    struct record *first;        /* by number */
    const struct record *nearby; /* where the last load ended: numbers often go up; or NULL */
};

static int memory_save(void *ctx, uint16_t number, const void *data, size_t len)
{
    struct zb_memory *m = ctx;
    struct record **at = &m->first, *fresh = NULL;
    if (len && !(fresh = malloc(sizeof *fresh + len))) return AL_ERR_NO_MEM;
    m->nearby = NULL;
    while (*at && (*at)->number != number) at = &(*at)->next;
    if (*at) {
        struct record *old = *at;
        *at = old->next;
        free(old);
    }
    if (!fresh) return 0;
    for (at = &m->first; *at && (*at)->number < number;) at = &(*at)->next;
    *fresh = (struct record){.next = *at, .number = number, .len = len};
    memcpy(fresh->data, data, len);
    *at = fresh;
    return 0;
}

static int memory_load(void *ctx, uint16_t number, void *data, size_t size)
{
    struct zb_memory *m = ctx;
    if (m->nearby && m->nearby->number > number) m->nearby = NULL;
    const struct record *r = m->nearby ? m->nearby : m->first;
    for (; r && r->number < number; r = r->next) m->nearby = r;
    if (!r || r->number != number) return AL_ERR_NOT_FOUND;
    m->nearby = r;
    size_t len = r->len < size ? r->len : size;
    memcpy(data, r->data, len);
    return (int)len;
}

struct zb_memory *zb_memory_new(void)
{
    struct zb_memory *m = calloc(1, sizeof *m);
    if (m) m->store = (struct al_zb_store){m, memory_save, memory_load};
    return m;
}

void zb_memory_free(struct zb_memory *m)
{
    if (!m) return;
    while (m->first) {
        struct record *r = m->first;
        m->first = r->next;
        free(r);
    }
    free(m);
}

int zb_memory_each(const struct zb_memory *m,
                   int (*each)(void *ctx, uint16_t record, const void *data, size_t len), void *ctx)
{
    for (const struct record *r = m->first; r; r = r->next) {
        int result = each(ctx, r->number, r->data, r->len);
        if (result) return result;
    }
    return 0;
}

const struct al_zb_store *zb_memory_store(struct zb_memory *m)
{
    return &m->store;
}
