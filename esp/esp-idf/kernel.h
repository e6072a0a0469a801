/* The kernel under the FreeRTOS calls: one lock over all objects, tasks as
 * threads, waiting with a deadline.
 *
 * A task that is deleted or suspended by another one notices at its next
 * kernel_lock() or inside kernel_wait(). It leaves by longjmp to the start of
 * its thread: like on the chip, nothing is cleaned up, and no unwinder is needed. */
#ifndef ESP_KERNEL_H
#define ESP_KERNEL_H

#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#define KERNEL_NOTIFICATIONS configTASK_NOTIFICATION_ARRAY_ENTRIES

struct kernel_notification {
    uint32_t value;
    bool pending;
};

/* What a task waits for in an event group; kept here and not on its stack, so that
 * a deleted task can be taken out of the group's list. */
struct kernel_bits_wait {
    struct EventGroupDef_t *group; /* NULL: in no list */
    struct tskTaskControlBlock *next;
    uint32_t wanted, value;
    bool all, clear, done;
};

struct tskTaskControlBlock {
    struct tskTaskControlBlock *next; /* all tasks alive */
    char name[configMAX_TASK_NAME_LEN];
    pthread_t thread;
    pthread_cond_t wake; /* own: delays, notifications, suspension */
    pthread_cond_t *waiting_on;
    TaskFunction_t function;
    void *argument;
    jmp_buf leave; /* valid when own_thread */
    uint32_t stack_asked;
    UBaseType_t priority;
    BaseType_t core;
    unsigned critical_depth, holds;
    bool own_thread, doomed, dead, suspended, abort_wait;
    struct kernel_notification notes[KERNEL_NOTIFICATIONS];
    struct kernel_bits_wait bits;
};

struct kernel_deadline {
    bool forever;
    struct timespec at; /* CLOCK_MONOTONIC */
};

/* The calling task; threads that FreeRTOS did not start get a block as well. */
struct tskTaskControlBlock *kernel_self(void);

void kernel_lock(void);
void kernel_unlock(void);
void kernel_cond_init(pthread_cond_t *cond);
/* Between these two the calling task is neither deleted nor suspended by others, as
 * it holds a lock of the layer. They nest. */
void kernel_hold(void);
void kernel_release(void);
/* Waits under the lock for a broadcast. false: the deadline passed, or
 * xTaskAbortDelay. Spurious wake-ups happen: look at the condition again. */
bool kernel_wait(pthread_cond_t *cond, const struct kernel_deadline *until);

/* ticks from now; portMAX_DELAY: never. */
struct kernel_deadline kernel_deadline_ticks(TickType_t ticks);
/* A time of board_uptime_us(). */
struct kernel_deadline kernel_deadline_uptime(uint64_t us);
uint64_t kernel_tick_us(void); /* length of a tick: CONFIG_FREERTOS_HZ, default 100 */

/* True when a deleted task has left its thread for good. */
bool kernel_task_ended(const struct tskTaskControlBlock *t);

/* From now on faults are panics, in this thread and in new tasks; RTC memory is kept. */
void kernel_catch_faults(void);

/* The current thread handles interrupts (xPortInIsrContext). */
void kernel_set_interrupt(bool on);

/* Every task alive, under the lock; NULL ends. */
struct tskTaskControlBlock *kernel_tasks(void);
void kernel_forget_bits(struct tskTaskControlBlock *t); /* freertos_event_groups.c */

#endif
