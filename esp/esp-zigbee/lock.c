/* The lock of the stack, recursive. */
#include "esp/esp-idf/kernel.h"
#include "esp/esp-zigbee/stack.h"

static struct {
    struct tskTaskControlBlock *owner;
    unsigned depth, waiting;
    pthread_cond_t changed;
} lock;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_condition(void)
{
    kernel_cond_init(&lock.changed);
}

static void take(struct tskTaskControlBlock *self)
{
    lock.owner = self;
    lock.depth = 1;
}

bool esp_zb_lock_acquire(TickType_t block_ticks)
{
    struct tskTaskControlBlock *self = kernel_self();
    struct kernel_deadline until = kernel_deadline_ticks(block_ticks);
    pthread_once(&once, make_condition);
    kernel_lock();
    if (lock.owner == self) {
        lock.depth++;
        kernel_unlock();
        return true;
    }
    lock.waiting++;
    zb_stack_wake();
    bool in_time = true;
    while (lock.owner && in_time) in_time = kernel_wait(&lock.changed, &until);
    lock.waiting--;
    bool got = !lock.owner;
    if (got) take(self);
    pthread_cond_broadcast(&lock.changed);
    kernel_unlock();
    return got;
}

void esp_zb_lock_release(void)
{
    kernel_lock();
    if (lock.owner == kernel_self() && --lock.depth == 0) {
        lock.owner = NULL;
        pthread_once(&once, make_condition);
        pthread_cond_broadcast(&lock.changed);
    }
    kernel_unlock();
    zb_stack_wake(); /* what was asked for may be due before the loop's own timers */
}

void zb_lock_enter_loop(void)
{
    esp_zb_lock_acquire(portMAX_DELAY);
}

void zb_lock_step_aside(void)
{
    struct tskTaskControlBlock *self = kernel_self();
    const struct kernel_deadline never = {.forever = true};
    kernel_lock();
    if (lock.waiting && lock.owner == self && lock.depth == 1) {
        lock.owner = NULL;
        pthread_cond_broadcast(&lock.changed);
        while (lock.owner || lock.waiting) kernel_wait(&lock.changed, &never);
        take(self);
    }
    kernel_unlock();
}
