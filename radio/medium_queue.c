#include "radio/medium_queue.h"

#include <stdlib.h>
#include <string.h>

bool medium_queue_reserve(struct medium_queue *q, size_t slots)
{
    if (slots <= q->slots) return true;
    struct medium_queue_entry *heap = realloc(q->heap, slots * sizeof *heap);
    if (!heap) return false;
    q->heap = heap;
    uint32_t *place = realloc(q->place, slots * sizeof *place);
    if (!place) return false;
    memset(place + q->slots, 0, (slots - q->slots) * sizeof *place);
    q->place = place;
    q->slots = slots;
    return true;
}

void medium_queue_free(struct medium_queue *q)
{
    free(q->heap);
    free(q->place);
    memset(q, 0, sizeof *q);
}

static bool before(const struct medium_queue_entry *a, const struct medium_queue_entry *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void put_at(struct medium_queue *q, size_t i, struct medium_queue_entry e)
{
    q->heap[i] = e;
    q->place[e.slot] = (uint32_t)i + 1;
}

static void rise(struct medium_queue *q, size_t i, struct medium_queue_entry e)
{
    while (i > 0 && before(&e, &q->heap[(i - 1) / 2])) {
        put_at(q, i, q->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put_at(q, i, e);
}

static void sink(struct medium_queue *q, size_t i, struct medium_queue_entry e)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= q->count) break;
        if (child + 1 < q->count && before(&q->heap[child + 1], &q->heap[child])) child++;
        if (!before(&q->heap[child], &e)) break;
        put_at(q, i, q->heap[child]);
        i = child;
    }
    put_at(q, i, e);
}

/* e takes the place of what stands at i. */
static void replace(struct medium_queue *q, size_t i, struct medium_queue_entry e)
{
    if (before(&e, &q->heap[i]))
        rise(q, i, e);
    else
        sink(q, i, e);
}

static void take_away(struct medium_queue *q, size_t i)
{
    q->place[q->heap[i].slot] = 0;
    q->count--;
    if (i < q->count) replace(q, i, q->heap[q->count]);
}

void medium_queue_set(struct medium_queue *q, uint32_t slot, uint64_t at)
{
    size_t place = q->place[slot];
    if (at == UINT64_MAX) {
        if (place) take_away(q, place - 1);
        return;
    }
    struct medium_queue_entry e = {at, q->order, slot};
    if (place && q->heap[place - 1].at == at) return; /* keeps its turn */
    q->order++;
    if (place)
        replace(q, place - 1, e);
    else
        rise(q, q->count++, e);
}

uint64_t medium_queue_time(const struct medium_queue *q)
{
    return q->count ? q->heap[0].at : UINT64_MAX;
}

uint32_t medium_queue_take(struct medium_queue *q)
{
    uint32_t slot = q->heap[0].slot;
    take_away(q, 0);
    return slot;
}
