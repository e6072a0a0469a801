/* Panic reports. Written in a signal handler: only write(), and functions that
 * in glibc need neither heap nor a lock that the faulting code may hold once they
 * were called before (the unwinder). An alarm ends a report that hangs. */
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "core/app_image.h"
#include "device/board.h"

#define REPORT_SECONDS  3
#define FRAMES          32
#define FAULT_STACK_LEN (64 * 1024)
#define SHA_SHOWN       9 /* hex digits, CONFIG_APP_RETRIEVE_LEN_ELF_SHA */

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};

static __thread char *fault_stack;
static pthread_key_t stack_key;
static pthread_once_t stack_key_once = PTHREAD_ONCE_INIT;

static void put(const char *text)
{
    size_t len = strlen(text);
    while (len) {
        ssize_t n = write(STDOUT_FILENO, text, len);
        if (n <= 0) return;
        text += n;
        len -= (size_t)n;
    }
}

static void put_hex(uintptr_t value, unsigned digits)
{
    char text[19] = "0x";
    unsigned n = 8;
    while (n < 16 && value >> (4 * n)) n++;
    if (digits > n) n = digits;
    for (unsigned i = 0; i < n; i++)
        text[2 + i] = "0123456789abcdef"[value >> 4 * (n - 1 - i) & 15];
    text[2 + n] = 0;
    put(text);
}

/* --- what happened --- */

/* Program counter and stack pointer of the fault; write: it was a store. */
struct fault {
    uintptr_t pc, sp, address;
    bool write, fetch;
};

static void fault_decode(const siginfo_t *info, const void *context, struct fault *f)
{
    const ucontext_t *u = context;
    *f = (struct fault){.address = (uintptr_t)info->si_addr};
#if defined(__x86_64__)
    f->pc = (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
    f->sp = (uintptr_t)u->uc_mcontext.gregs[REG_RSP];
    f->write = u->uc_mcontext.gregs[REG_ERR] & 2;
    f->fetch = u->uc_mcontext.gregs[REG_ERR] & 16;
#elif defined(__aarch64__)
    f->pc = u->uc_mcontext.pc;
    f->sp = u->uc_mcontext.sp;
#else
    (void)u;
#endif
    if (f->pc == f->address && info->si_signo == SIGSEGV) f->fetch = true;
}

/* The vendor's words differ between its two architectures. */
static bool is_xtensa(void)
{
    struct al_device_ids ids;
    efuse_device_ids(&board()->efuse, &ids);
    return strcmp(ids.chip->name, "esp32") == 0 || strncmp(ids.chip->name, "esp32s", 6) == 0;
}

static const char *cause(int sig, const struct fault *f)
{
    bool x = is_xtensa();
    switch (sig) {
    case SIGILL:
        return x ? "IllegalInstruction" : "Illegal instruction";
    case SIGFPE:
        return "IntegerDivideByZero";
    case SIGTRAP:
        return "Breakpoint";
    case SIGSYS:
        return "Cache error"; /* a call that the sandbox ends a program for */
    default:
        break;
    }
    if (f->fetch) return x ? "InstrFetchProhibited" : "Instruction access fault";
    if (f->write) return x ? "StoreProhibited" : "Store access fault";
    return x ? "LoadProhibited" : "Load access fault";
}

/* --- the report --- */

struct walk {
    unsigned skip, count;
    void *pc[FRAMES];
};

static _Unwind_Reason_Code print_frame(struct _Unwind_Context *context, void *ctx)
{
    struct walk *w = ctx;
    uintptr_t pc = _Unwind_GetIP(context);
    if (w->skip) {
        w->skip--;
        return _URC_NO_REASON;
    }
    if (!pc || w->count == FRAMES) return _URC_END_OF_STACK;
    put(" ");
    put_hex(pc, 0);
    put(":");
    put_hex(_Unwind_GetCFA(context), 0);
    memcpy(&w->pc[w->count++], &pc, sizeof pc);
    return _URC_NO_REASON;
}

/* skip: frames of the reporting code itself. */
static void print_backtrace(unsigned skip)
{
    struct walk w = {.skip = skip};
    put("\nBacktrace:");
    _Unwind_Backtrace(print_frame, &w);
    put("\n\n");
    backtrace_symbols_fd(w.pc, (int)w.count, STDOUT_FILENO);
}

static void print_elf_sha(void)
{
    const struct board *b = board();
    uint32_t at = b->control->running_offset + AL_IMAGE_DESC_OFFSET;
    if (at > b->nor.flash.size - AL_APP_DESC_LEN) return;
    struct al_app_desc desc;
    if (al_app_desc_parse(b->nor.readable + at, &desc) < 0) return;
    char text[SHA_SHOWN + 1];
    for (unsigned i = 0; i < SHA_SHOWN; i++)
        text[i] = "0123456789abcdef"[desc.app_elf_sha256[i / 2] >> (i % 2 ? 0 : 4) & 15];
    text[SHA_SHOWN] = 0;
    put("\n\nELF file SHA256: ");
    put(text);
}

static _Noreturn void finish(void)
{
    print_elf_sha();
    put("\n\nRebooting...\n");
    board()->control->next_reason = RESET_PANIC;
    _exit(0);
}

static void on_fatal_signal(int sig, siginfo_t *info, void *context)
{
    static int reporting;
    struct fault f;
    if (__atomic_exchange_n(&reporting, 1, __ATOMIC_SEQ_CST)) pause(); /* another thread reports */
    alarm(REPORT_SECONDS);
    fault_decode(info, context, &f);
    if (sig == SIGABRT) {
        put("\nabort() was called at PC ");
        put_hex(f.pc, 0);
        put(" on core 0\n");
    } else {
        put("Guru Meditation Error: Core  0 panic'ed (");
        put(cause(sig, &f));
        put("). Exception was unhandled.\n\nCore  0 register dump:\nPC      : ");
        put_hex(f.pc, 16);
        put("  SP      : ");
        put_hex(f.sp, 16);
        put("  EXCVADDR: ");
        put_hex(f.address, 16);
        put("\n");
    }
    print_backtrace(2); /* this handler, and the kernel's frame below it */
    finish();
}

_Noreturn void board_panic(const char *what)
{
    fflush(stdout);
    alarm(REPORT_SECONDS);
    put("\n");
    put(what);
    put("\n");
    print_backtrace(1);
    finish();
}

/* The thread ends. */
static void drop_stack(void *stack)
{
    const stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    free(stack);
}

static void make_stack_key(void)
{
    pthread_key_create(&stack_key, drop_stack);
}

static void thread_stack(void)
{
    if (fault_stack) return;
    fault_stack = malloc(FAULT_STACK_LEN);
    if (!fault_stack) return;
    pthread_once(&stack_key_once, make_stack_key);
    pthread_setspecific(stack_key, fault_stack);
    const stack_t stack = {.ss_sp = fault_stack, .ss_size = FAULT_STACK_LEN};
    sigaltstack(&stack, NULL);
}

void board_catch_faults(void)
{
    thread_stack();
    void *frame[1];
    backtrace(frame, 1); /* loads the unwinder now, not in a handler */
    struct sigaction act = {.sa_sigaction = on_fatal_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigfillset(&act.sa_mask);
    sigdelset(&act.sa_mask, SIGALRM);
    for (size_t i = 0; i < sizeof fatal_signals / sizeof *fatal_signals; i++)
        sigaction(fatal_signals[i], &act, NULL);
    signal(SIGALRM, SIG_DFL);
}
