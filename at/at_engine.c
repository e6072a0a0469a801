/* The interpreter: ports that give lines, one task that runs them. See at.h.
 *
 *   idle ── line ──> running ── handler returns ──> idle
 *                      │  ├─ line: "busy p...", or after AT+RST: restart at once
 *                      └──┴─ data, after a prompt: kept for at_read() */
#include "at/at_engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "esp_log.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

enum {
    DATA_ROOM = 4096, /* bytes that wait for at_read() */
    STACK = 8192,
    PRIORITY = 5,
    /* Bytes that come while a command runs wait this long, once, before they make a line that is
     * told to be busy: on a real UART a line takes longer than a short command. */
    GRACE_MS = 100
};

struct at_session {
    struct at_session *next;
    struct at_port *port;
    struct at_line line;
    bool gone;               /* read has given 0 */
    unsigned waited;         /* for the command of this number */
    uint8_t data[DATA_ROOM]; /* a ring */
    size_t data_first, data_len;
};

static const char TAG[] = "at";
static const char BUSY[] = "\r\nbusy p...\r\n";

struct at_switches at_switches;

/* state: everything below. output: whole lines; taken inside state or alone. */
static pthread_mutex_t state = PTHREAD_MUTEX_INITIALIZER, output = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct at_engine_config config;
static struct at_session *sessions;
static struct at_call call; /* the command that runs */
static unsigned number;     /* of it */
static bool running, started;

/* --- output --- */

void at_session_write(struct at_session *s, const void *data, size_t len)
{
    pthread_mutex_lock(&output);
    s->port->write(s->port, data, len);
    pthread_mutex_unlock(&output);
}

void at_sessions_write(const void *data, size_t len)
{
    pthread_mutex_lock(&state);
    for (struct at_session *s = sessions; s; s = s->next) at_session_write(s, data, len);
    pthread_mutex_unlock(&state);
}

void at_session_drain(struct at_session *s)
{
    if (s->port->drain) s->port->drain(s->port);
}

_Noreturn void at_restart(struct at_call *c)
{
    pthread_mutex_lock(&state);
    for (struct at_session *s = sessions; s; s = s->next) at_session_drain(s);
    pthread_mutex_unlock(&state);
    esp_restart();
}

/* --- commands --- */

const struct at_command *const *at_command_groups(void)
{
    return config.groups;
}

const struct at_command *at_command_find(const struct at_command *const *groups,
                                         struct at_slice name)
{
    for (; *groups; groups++)
        for (const struct at_command *c = *groups; c->name; c++)
            if (strlen(c->name) == name.len && !memcmp(c->name, name.at, name.len)) return c;
    return NULL;
}

static at_handler *handler_of(const struct at_command *c, enum at_form form)
{
    switch (form) {
    case AT_FORM_TEST:
        return c->test;
    case AT_FORM_QUERY:
        return c->query;
    case AT_FORM_SET:
        return c->set;
    case AT_FORM_EXECUTE:
        return c->execute;
    }
    return NULL;
}

static enum at_result refuse(struct at_call *c, enum at_sub sub)
{
    at_note(c, sub, 0);
    return AT_ERROR;
}

static enum at_result run(struct at_call *c)
{
    c->code = at_request_parse(c->line, c->len, &c->request);
    if (c->code) return AT_ERROR;
    c->command = at_command_find(config.groups, c->request.name);
    if (!c->command) return refuse(c, AT_SUB_UNSUPPORT_CMD);
    at_handler *handler = handler_of(c->command, c->request.form);
    return handler ? handler(c) : refuse(c, AT_SUB_CMD_OP_ERROR);
}

static void command_task(void *arg)
{
    for (;;) {
        pthread_mutex_lock(&state);
        while (!running) pthread_cond_wait(&changed, &state);
        pthread_mutex_unlock(&state);
        enum at_result result = run(&call);
        (void)at_drop_rest(&call);
        /* Who sees the answer may send the next line at once. */
        pthread_mutex_lock(&state);
        at_answer(&call, result == AT_OK_AND_PROMPT ? AT_OK : result);
        running = false;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&state);
    }
}

/* --- lines --- */

static struct timespec after(unsigned ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000L;
    t.tv_sec += t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    return t;
}

/* State held. Waits a moment for the command that runs. */
static void be_patient(struct at_session *s)
{
    if (!running || s->waited == number) return;
    struct timespec until = after(GRACE_MS);
    s->waited = number;
    int err = 0;
    while (running && !s->line.raw && !err)
        err = pthread_cond_clockwait(&changed, &state, CLOCK_MONOTONIC, &until);
}

static void begin(struct at_session *s, const struct at_line_event *ev)
{
    memset(&call, 0, sizeof call);
    call.session = s;
    call.len = ev->len;
    memcpy(call.line, ev->text, ev->len + 1);
    running = true;
    number++;
    pthread_cond_broadcast(&changed);
}

/* A line that is none: the answer of a command that fails. */
static void refuse_line(struct at_session *s)
{
    struct at_call none = {.session = s};
    at_note(&none, AT_SUB_NO_TERMINATOR, 0);
    at_answer(&none, AT_ERROR);
}

static void take_line(struct at_session *s, const struct at_line_event *ev)
{
    pthread_mutex_lock(&state);
    bool busy = running;
    if (!busy && ev->kind == AT_LINE_COMMAND) begin(s, ev);
    pthread_mutex_unlock(&state);
    if (busy && ev->kind == AT_LINE_COMMAND && ev->len == 6 && !memcmp(ev->text, "AT+RST", 6)) {
        static const char forced[] = "\r\nWill force to restart!!!\r\n";
        at_session_write(s, forced, sizeof forced - 1);
        at_session_drain(s);
        ESP_LOGW(TAG, "restart while a command runs");
        esp_restart();
    }
    if (busy)
        at_session_write(s, BUSY, sizeof BUSY - 1);
    else if (ev->kind == AT_LINE_BAD)
        refuse_line(s);
}

/* --- data --- */

void at_session_raw(struct at_session *s)
{
    pthread_mutex_lock(&state);
    s->data_len = 0;
    at_line_raw(&s->line, true);
    pthread_mutex_unlock(&state);
}

/* State held. As much as there is room for; the port waits for the reader. */
static void keep_data(struct at_session *s, const uint8_t *data, size_t len)
{
    while (len && s->line.raw) {
        while (s->data_len == DATA_ROOM && s->line.raw) pthread_cond_wait(&changed, &state);
        for (; len && s->data_len < DATA_ROOM; len--)
            s->data[(s->data_first + s->data_len++) % DATA_ROOM] = *data++;
        pthread_cond_broadcast(&changed);
    }
}

/* until NULL: for ever. */
static size_t read_until(struct at_session *s, uint8_t *to, size_t len,
                         const struct timespec *until)
{
    size_t n = 0;
    int err = 0;
    pthread_mutex_lock(&state);
    while (len && !s->data_len && s->line.raw && !s->gone && !err)
        err = until ? pthread_cond_clockwait(&changed, &state, CLOCK_MONOTONIC, until)
                    : pthread_cond_wait(&changed, &state);
    for (; n < len && s->data_len; n++, s->data_len--) {
        to[n] = s->data[s->data_first];
        s->data_first = (s->data_first + 1) % DATA_ROOM;
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&state);
    return n;
}

size_t at_read(struct at_call *c, void *buf, size_t len)
{
    return read_until(c->session, buf, len, NULL);
}

size_t at_read_for(struct at_call *c, void *buf, size_t len, unsigned ms)
{
    struct timespec until = after(ms);
    return read_until(c->session, buf, len, &until);
}

/* true: there was a rest. */
static bool end_data(struct at_session *s)
{
    pthread_mutex_lock(&state);
    bool some = s->line.raw && s->data_len > 0;
    if (s->line.raw) at_line_raw(&s->line, false);
    s->data_len = 0;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&state);
    return some;
}

bool at_drop_rest(struct at_call *c)
{
    bool some = end_data(c->session);
    if (some) at_session_write(c->session, BUSY, sizeof BUSY - 1);
    return some;
}

void at_tell_received(struct at_call *c, size_t received)
{
    bool some = end_data(c->session);
    at_print(c, "\r\nRecv %zu bytes\r\n%s", received, some ? BUSY : "");
}

/* --- ports --- */

static void take_bytes(struct at_session *s, const uint8_t *bytes, size_t len)
{
    while (len) {
        struct at_line_event ev;
        pthread_mutex_lock(&state);
        be_patient(s);
        size_t n = at_line_push(&s->line, bytes, len, &ev);
        bool echo = at_switches.echo && !running && ev.kind != AT_LINE_DATA;
        if (ev.kind == AT_LINE_DATA) keep_data(s, ev.data, ev.len);
        pthread_mutex_unlock(&state);
        if (echo) at_session_write(s, bytes, n);
        if (ev.kind == AT_LINE_COMMAND || ev.kind == AT_LINE_BAD) take_line(s, &ev);
        bytes += n;
        len -= n;
    }
}

/* State held. */
static void forget(struct at_session *s)
{
    struct at_session **p = &sessions;
    while (*p != s) p = &(*p)->next;
    *p = s->next;
}

static void port_task(void *arg)
{
    struct at_session *s = arg;
    uint8_t bytes[512];
    size_t n;
    while ((n = s->port->read(s->port, bytes, sizeof bytes)) > 0) take_bytes(s, bytes, n);
    pthread_mutex_lock(&state);
    s->gone = true;
    pthread_cond_broadcast(&changed);
    while (running && call.session == s) pthread_cond_wait(&changed, &state); /* it needs s */
    forget(s);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&state);
    free(s);
    vTaskDelete(NULL);
}

void at_engine_start(const struct at_engine_config *cfg)
{
    config = *cfg;
    at_switches = (struct at_switches){.echo = true};
    if (started) return;
    started = xTaskCreate(command_task, "at_command", STACK, NULL, PRIORITY, NULL) == pdPASS;
    if (!started) esp_system_abort("no memory for the AT command task");
}

void at_engine_add(struct at_port *p)
{
    struct at_session *s = calloc(1, sizeof *s);
    if (!s) esp_system_abort("no memory for an AT port");
    s->port = p;
    at_line_init(&s->line, config.terminator);
    pthread_mutex_lock(&state);
    s->next = sessions;
    sessions = s;
    pthread_mutex_unlock(&state);
    if (xTaskCreate(port_task, "at_port", STACK, s, PRIORITY + 1, NULL) != pdPASS)
        esp_system_abort("no memory for the task of an AT port");
}

void at_port_closed(const struct at_port *p)
{
    pthread_mutex_lock(&state);
    for (struct at_session *s = sessions; s;) {
        if (s->port == p) {
            pthread_cond_wait(&changed, &state);
            s = sessions;
        } else {
            s = s->next;
        }
    }
    pthread_mutex_unlock(&state);
}
