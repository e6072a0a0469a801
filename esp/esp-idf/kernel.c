#include "esp/esp-idf/kernel.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/board.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/rtc_memory.h"
#include "esp_system.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t critical = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t foreign_key;
static __thread struct tskTaskControlBlock *self;
static __thread bool interrupt;

static struct tskTaskControlBlock *alive;
static bool catch_faults;

void kernel_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

struct tskTaskControlBlock *kernel_tasks(void)
{
    return alive;
}

static void enlist(struct tskTaskControlBlock *t)
{
    t->next = alive;
    alive = t;
}

/* A handle stays readable for a while after its task ended (eTaskGetState), as
 * on the chip, where the idle task frees it later. */
static void bury(struct tskTaskControlBlock *t)
{
    enum { GRAVES = 64 };
    static struct tskTaskControlBlock *graves[GRAVES];
    static unsigned next;
    struct tskTaskControlBlock **p = &alive;
    while (*p && *p != t) p = &(*p)->next;
    if (*p) *p = t->next;
    t->dead = true;
    kernel_forget_bits(t);
    if (graves[next]) {
        pthread_cond_destroy(&graves[next]->wake);
        free(graves[next]);
    }
    graves[next] = t;
    next = (next + 1) % GRAVES;
}

static void foreign_ended(void *t)
{
    pthread_mutex_lock(&mutex);
    bury(t);
    pthread_mutex_unlock(&mutex);
}

static void make_key(void)
{
    pthread_key_create(&foreign_key, foreign_ended);
}

static struct tskTaskControlBlock *new_block(void)
{
    struct tskTaskControlBlock *t = calloc(1, sizeof *t);
    if (t) kernel_cond_init(&t->wake);
    return t;
}

struct tskTaskControlBlock *kernel_self(void)
{
    if (self) return self;
    self = new_block();
    if (!self) esp_system_abort("no memory for a task");
    self->thread = pthread_self();
    pthread_getname_np(self->thread, self->name, sizeof self->name);
    pthread_once(&key_once, make_key);
    pthread_setspecific(foreign_key, self);
    pthread_mutex_lock(&mutex);
    enlist(self);
    pthread_mutex_unlock(&mutex);
    return self;
}

/* Ends or stops the caller if another task wants that. Lock held. */
static void checkpoint(struct tskTaskControlBlock *t)
{
    if (interrupt || t->critical_depth || t->holds) return;
    while (t->suspended && !t->doomed) pthread_cond_wait(&t->wake, &mutex);
    if (!t->doomed) return;
    kernel_forget_bits(t);
    pthread_mutex_unlock(&mutex);
    if (t->own_thread) longjmp(t->leave, 1);
    for (;;) pause(); /* not our thread: it can only stand still */
}

void kernel_lock(void)
{
    struct tskTaskControlBlock *t = kernel_self();
    pthread_mutex_lock(&mutex);
    checkpoint(t);
}

void kernel_unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

void kernel_hold(void)
{
    kernel_self()->holds++;
}

void kernel_release(void)
{
    kernel_self()->holds--;
}

bool kernel_wait(pthread_cond_t *cond, const struct kernel_deadline *until)
{
    struct tskTaskControlBlock *t = kernel_self();
    t->waiting_on = cond;
    int err = until->forever ? pthread_cond_wait(cond, &mutex)
                             : pthread_cond_timedwait(cond, &mutex, &until->at);
    t->waiting_on = NULL;
    bool aborted = t->abort_wait;
    t->abort_wait = false;
    checkpoint(t);
    return err != ETIMEDOUT && !aborted;
}

uint64_t kernel_tick_us(void)
{
    static uint64_t us;
    if (!us) {
        long hz = airlift_config_int("FREERTOS_HZ", 100);
        us = 1000000u / (uint64_t)(hz >= 1 && hz <= 1000 ? hz : 100);
    }
    return us;
}

struct kernel_deadline kernel_deadline_ticks(TickType_t ticks)
{
    struct kernel_deadline d = {.forever = ticks == portMAX_DELAY};
    clock_gettime(CLOCK_MONOTONIC, &d.at);
    uint64_t ns = (uint64_t)d.at.tv_nsec + ticks * kernel_tick_us() * 1000u;
    d.at.tv_sec += (time_t)(ns / 1000000000u);
    d.at.tv_nsec = (long)(ns % 1000000000u);
    return d;
}

struct kernel_deadline kernel_deadline_uptime(uint64_t us)
{
    uint64_t ns = board()->control->reset_ns + us * 1000u;
    return (struct kernel_deadline){
        .at = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)}};
}

bool kernel_task_ended(const struct tskTaskControlBlock *t)
{
    kernel_lock();
    bool dead = t->dead;
    kernel_unlock();
    return dead;
}

void kernel_catch_faults(void)
{
    catch_faults = true;
    board_catch_faults();
    rtc_memory_catch_faults();
}

void kernel_set_interrupt(bool on)
{
    interrupt = on;
}

BaseType_t xPortInIsrContext(void)
{
    return interrupt;
}

BaseType_t xPortGetCoreID(void)
{
    return 0;
}

void vPortYield(void)
{
    kernel_lock();
    kernel_unlock();
    sched_yield();
}

void vPortEnterCritical(void)
{
    struct tskTaskControlBlock *t = kernel_self();
    pthread_mutex_lock(&critical);
    t->critical_depth++;
}

void vPortExitCritical(void)
{
    struct tskTaskControlBlock *t = kernel_self();
    if (!t->critical_depth) return;
    t->critical_depth--;
    pthread_mutex_unlock(&critical);
}

/* --- starting and ending tasks --- */

static void *task_main(void *arg)
{
    struct tskTaskControlBlock *t = arg;
    self = t;
    pthread_setname_np(pthread_self(), t->name);
    if (catch_faults) kernel_catch_faults();
    if (!setjmp(t->leave)) {
        kernel_lock(); /* deleted or suspended before it began */
        kernel_unlock();
        t->function(t->argument);
        char what[80];
        snprintf(what, sizeof what, "FreeRTOS Task \"%s\" should not return, Aborting now!",
                 t->name);
        esp_system_abort(what);
    }
    pthread_mutex_lock(&mutex);
    bury(t);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static int start_thread(struct tskTaskControlBlock *t)
{
    enum { SMALLEST = 512 * 1024, FACTOR = 4 }; /* TLS on this host needs more than on the chip */
    size_t size = (size_t)t->stack_asked * FACTOR;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, (size < SMALLEST ? SMALLEST : size + 4095) & ~(size_t)4095);
    int err = pthread_create(&t->thread, &attr, task_main, t);
    pthread_attr_destroy(&attr);
    return err;
}

BaseType_t xTaskCreatePinnedToCore(TaskFunction_t code, const char *name, uint32_t stack,
                                   void *argument, UBaseType_t priority, TaskHandle_t *created,
                                   BaseType_t core)
{
    struct tskTaskControlBlock *t = new_block();
    if (!t) return errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY;
    snprintf(t->name, sizeof t->name, "%s", name ? name : "");
    t->function = code;
    t->argument = argument;
    t->stack_asked = stack;
    t->priority = priority < configMAX_PRIORITIES ? priority : configMAX_PRIORITIES - 1;
    t->core = core;
    t->own_thread = true;
    kernel_lock();
    enlist(t);
    if (created) *created = t; /* before it runs: it may look at its own handle */
    int err = start_thread(t);
    if (err) {
        if (created) *created = NULL;
        bury(t);
    }
    kernel_unlock();
    return err ? errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY : pdPASS;
}

void vTaskDelete(TaskHandle_t task)
{
    struct tskTaskControlBlock *me = kernel_self(), *t = task ? task : me;
    while (t == me && me->critical_depth) vPortExitCritical();
    pthread_mutex_lock(&mutex);
    if (!t->dead) {
        t->doomed = true;
        if (t->waiting_on) pthread_cond_broadcast(t->waiting_on);
        pthread_cond_broadcast(&t->wake);
    }
    checkpoint(me);
    pthread_mutex_unlock(&mutex);
}
