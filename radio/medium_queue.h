/* The events of a medium in the order of their time: a binary heap of slots, each of
 * which holds at most one event. Events of the same time come in the order in which
 * they were put in. */
#ifndef RADIO_MEDIUM_QUEUE_H
#define RADIO_MEDIUM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct medium_queue_entry {
    uint64_t at, order;
    uint32_t slot;
};

struct medium_queue {
    struct medium_queue_entry *heap;
    uint32_t *place; /* of a slot in the heap, counted from 1; 0: empty */
    size_t count, slots;
    uint64_t order;
};

/* Room for slots 0..slots-1; false: no memory, nothing has changed. */
bool medium_queue_reserve(struct medium_queue *q, size_t slots);
void medium_queue_free(struct medium_queue *q);

/* Puts the event of a slot to this time; UINT64_MAX: takes it away. */
void medium_queue_set(struct medium_queue *q, uint32_t slot, uint64_t at);
uint64_t medium_queue_time(const struct medium_queue *q); /* of the first; UINT64_MAX: none */
/* Takes the first event away, of which there must be one. */
uint32_t medium_queue_take(struct medium_queue *q);

#endif
