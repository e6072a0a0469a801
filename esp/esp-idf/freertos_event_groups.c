/* Event groups. A set looks at every waiting task before any bit is cleared, so
 * that two tasks with clear-on-exit both get the same bit. */
#include <stdlib.h>

#include "esp/esp-idf/kernel.h"
#include "freertos/event_groups.h"

#define ALL_BITS 0x00ffffffu

struct EventGroupDef_t {
    EventBits_t bits;
    struct tskTaskControlBlock *waiting; /* linked by bits.next */
};

EventGroupHandle_t xEventGroupCreate(void)
{
    return calloc(1, sizeof(struct EventGroupDef_t));
}

void vEventGroupDelete(EventGroupHandle_t g)
{
    kernel_lock();
    while (g->waiting) { /* they go on with no bits set */
        g->waiting->bits.done = true;
        g->waiting->bits.value = 0;
        pthread_cond_broadcast(&g->waiting->wake);
        kernel_forget_bits(g->waiting);
    }
    kernel_unlock();
    free(g);
}

void kernel_forget_bits(struct tskTaskControlBlock *t)
{
    if (!t->bits.group) return;
    struct tskTaskControlBlock **p = &t->bits.group->waiting;
    while (*p != t) p = &(*p)->bits.next;
    *p = t->bits.next;
    t->bits.group = NULL;
}

static bool satisfied(EventBits_t bits, EventBits_t wanted, bool all)
{
    return all ? (bits & wanted) == wanted : (bits & wanted) != 0;
}

/* Lock held. */
static void set_bits(EventGroupHandle_t g, EventBits_t bits)
{
    EventBits_t clear = 0;
    g->bits |= bits & ALL_BITS;
    for (struct tskTaskControlBlock *t = g->waiting, *next; t; t = next) {
        next = t->bits.next;
        if (!satisfied(g->bits, t->bits.wanted, t->bits.all)) continue;
        t->bits.done = true;
        t->bits.value = g->bits;
        if (t->bits.clear) clear |= t->bits.wanted;
        kernel_forget_bits(t);
        pthread_cond_broadcast(&t->wake);
    }
    g->bits &= ~clear;
}

/* Lock held. Waits on the task's own condition: the group may be gone by then. */
static EventBits_t wait_bits(EventGroupHandle_t g, EventBits_t wanted, bool clear, bool all,
                             TickType_t ticks)
{
    EventBits_t value = g->bits;
    if (satisfied(value, wanted, all)) {
        if (clear) g->bits &= ~wanted;
        return value;
    }
    if (!ticks) return value;
    struct kernel_deadline until = kernel_deadline_ticks(ticks);
    struct tskTaskControlBlock *me = kernel_self();
    me->bits = (struct kernel_bits_wait){
        .group = g, .next = g->waiting, .wanted = wanted, .all = all, .clear = clear};
    g->waiting = me;
    while (!me->bits.done && kernel_wait(&me->wake, &until)) continue;
    if (me->bits.done) return me->bits.value;
    kernel_forget_bits(me);
    return g->bits;
}

EventBits_t xEventGroupWaitBits(EventGroupHandle_t g, const EventBits_t wanted,
                                const BaseType_t clear, const BaseType_t all, TickType_t ticks)
{
    kernel_lock();
    EventBits_t value = wait_bits(g, wanted, clear, all, ticks);
    kernel_unlock();
    return value;
}

EventBits_t xEventGroupSetBits(EventGroupHandle_t g, const EventBits_t bits)
{
    kernel_lock();
    set_bits(g, bits);
    EventBits_t value = g->bits;
    kernel_unlock();
    return value;
}

EventBits_t xEventGroupClearBits(EventGroupHandle_t g, const EventBits_t bits)
{
    kernel_lock();
    EventBits_t before = g->bits;
    g->bits &= ~bits;
    kernel_unlock();
    return before;
}

EventBits_t xEventGroupSync(EventGroupHandle_t g, const EventBits_t set, const EventBits_t wanted,
                            TickType_t ticks)
{
    kernel_lock();
    EventBits_t before = g->bits | set;
    set_bits(g, set);
    EventBits_t value;
    if (satisfied(before, wanted, true)) { /* the last one to arrive */
        value = before;
        g->bits &= ~wanted;
    } else {
        value = wait_bits(g, wanted, true, true, ticks);
    }
    kernel_unlock();
    return value;
}
