#include "esp/esp-idf/timer_task.h"

#include "device/board.h"

static void insert(struct timer_task *tt, struct timed *t)
{
    struct timed **p = &tt->first;
    while (*p && (*p)->due_us <= t->due_us) p = &(*p)->next;
    t->next = *p;
    *p = t;
    t->active = true;
}

static bool take_out(struct timer_task *tt, struct timed *t)
{
    if (!t->active) return false;
    struct timed **p = &tt->first;
    while (*p != t) p = &(*p)->next;
    *p = t->next;
    t->active = false;
    return true;
}

/* A periodic timer goes back into the list before its callback runs: the callback may stop it. */
static void fire_first(struct timer_task *tt, uint64_t now)
{
    struct timed *t = tt->first;
    take_out(tt, t);
    if (t->period_us) {
        t->due_us += t->period_us;
        if (t->skip_late && t->due_us <= now)
            t->due_us += (now - t->due_us) / t->period_us * t->period_us + t->period_us;
        insert(tt, t);
    }
    tt->firing = t;
    kernel_unlock();
    t->fire(t);
    kernel_lock();
    tt->firing = NULL;
    pthread_cond_broadcast(&tt->changed);
}

static void run(void *arg)
{
    struct timer_task *tt = arg;
    kernel_lock();
    for (;;) {
        uint64_t now = board_uptime_us();
        struct kernel_deadline until = {.forever = true};
        if (tt->first && tt->first->due_us <= now) {
            fire_first(tt, now);
            continue;
        }
        if (tt->first) until = kernel_deadline_uptime(tt->first->due_us);
        kernel_wait(&tt->changed, &until);
    }
}

/* Two tasks may start their first timers at the same time. */
static bool ensure_task(struct timer_task *tt)
{
    static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&starting);
    if (!tt->task) {
        kernel_cond_init(&tt->changed);
        xTaskCreate(run, tt->name, 4096, tt, tt->priority, &tt->task);
    }
    bool there = tt->task;
    pthread_mutex_unlock(&starting);
    return there;
}

bool timer_task_start(struct timer_task *tt, struct timed *t, uint64_t due_us, uint64_t period_us)
{
    if (!ensure_task(tt)) return false;
    kernel_lock();
    take_out(tt, t);
    t->due_us = due_us;
    t->period_us = period_us;
    insert(tt, t);
    pthread_cond_broadcast(&tt->changed);
    kernel_unlock();
    return true;
}

bool timer_task_stop(struct timer_task *tt, struct timed *t)
{
    kernel_lock();
    bool was = take_out(tt, t);
    kernel_unlock();
    return was;
}

bool timer_task_active(const struct timed *t)
{
    kernel_lock();
    bool active = t->active;
    kernel_unlock();
    return active;
}

uint64_t timer_task_next(struct timer_task *tt)
{
    kernel_lock();
    uint64_t due = tt->first ? tt->first->due_us : UINT64_MAX;
    kernel_unlock();
    return due;
}

void timer_task_settle(struct timer_task *tt, struct timed *t)
{
    struct kernel_deadline forever = {.forever = true};
    kernel_lock();
    while (tt->firing == t && kernel_self() != tt->task) kernel_wait(&tt->changed, &forever);
    kernel_unlock();
}
