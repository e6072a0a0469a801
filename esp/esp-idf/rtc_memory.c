#include "esp/esp-idf/rtc_memory.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "device/board.h"
#include "esp_log.h"

/* The linker gives begin and end of the sections of esp_attr.h, if there are any. */
extern uint8_t __start_airlift_rtc_noinit[] __attribute__((weak));
extern uint8_t __stop_airlift_rtc_noinit[] __attribute__((weak));
extern uint8_t __start_airlift_rtc_data[] __attribute__((weak));
extern uint8_t __stop_airlift_rtc_data[] __attribute__((weak));

#define RTC_MAGIC 0x43545241u /* "ARTC" */

/* Begin of control->rtc_memory; the two sections follow. */
struct saved {
    uint32_t magic, noinit_len, data_len;
};

static size_t noinit_len(void)
{
    return (size_t)(__stop_airlift_rtc_noinit - __start_airlift_rtc_noinit);
}

static size_t data_len(void)
{
    return (size_t)(__stop_airlift_rtc_data - __start_airlift_rtc_data);
}

static size_t clipped(size_t len, size_t used)
{
    size_t room = CONTROL_RTC_LEN - sizeof(struct saved) - used;
    return len < room ? len : room;
}

/* Also in a signal handler: memcpy only. */
void rtc_memory_save(void)
{
    uint8_t *to = board()->control->rtc_memory;
    struct saved s = {.magic = RTC_MAGIC};
    s.noinit_len = (uint32_t)clipped(noinit_len(), 0);
    s.data_len = (uint32_t)clipped(data_len(), s.noinit_len);
    memcpy(to, &s, sizeof s);
    if (s.noinit_len) memcpy(to + sizeof s, __start_airlift_rtc_noinit, s.noinit_len);
    if (s.data_len) memcpy(to + sizeof s + s.noinit_len, __start_airlift_rtc_data, s.data_len);
}

/* A new program's variables may lie elsewhere, as on the chip: lengths are what
 * is checked, meaning is the application's business. */
void rtc_memory_restore(void)
{
    const struct control *c = board()->control;
    struct saved s;
    if (noinit_len() + data_len() > CONTROL_RTC_LEN - sizeof s)
        ESP_LOGW("rtc_memory", "variables in RTC memory take %zu bytes; only %zu are kept",
                 noinit_len() + data_len(), CONTROL_RTC_LEN - sizeof s);
    memcpy(&s, c->rtc_memory, sizeof s);
    size_t all = sizeof c->rtc_memory - sizeof s;
    if (s.magic != RTC_MAGIC || s.noinit_len > all || s.data_len > all - s.noinit_len) return;
    if (c->reset_reason != RESET_POWERON && s.noinit_len == clipped(noinit_len(), 0) &&
        s.noinit_len)
        memcpy(__start_airlift_rtc_noinit, c->rtc_memory + sizeof s, s.noinit_len);
    if (c->reset_reason == RESET_DEEPSLEEP && s.data_len == clipped(data_len(), s.noinit_len) &&
        s.data_len)
        memcpy(__start_airlift_rtc_data, c->rtc_memory + sizeof s + s.noinit_len, s.data_len);
}

/* --- fatal signals --- */

static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
static struct sigaction before[sizeof fatal / sizeof *fatal];

static void save_and_pass_on(int sig, siginfo_t *info, void *context)
{
    rtc_memory_save();
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        if (fatal[i] != sig) continue;
        if (before[i].sa_flags & SA_SIGINFO) {
            before[i].sa_sigaction(sig, info, context);
        } else if (before[i].sa_handler != SIG_DFL && before[i].sa_handler != SIG_IGN) {
            before[i].sa_handler(sig);
        } else {
            sigaction(sig, &before[i], NULL);
            raise(sig);
        }
    }
}

void rtc_memory_catch_faults(void)
{
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        struct sigaction mine;
        sigaction(fatal[i], NULL, &mine);
        if (mine.sa_sigaction == save_and_pass_on) continue;
        before[i] = mine;
        mine.sa_sigaction = save_and_pass_on;
        mine.sa_flags |= SA_SIGINFO;
        sigaction(fatal[i], &mine, NULL);
    }
}
