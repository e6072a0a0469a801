/* The log: levels by tag, line prefix, colours, and the %lx trap (esp_log.h). */
#include "esp_log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "device/board.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/kernel.h"
#include "host/vendor_log.h"

enum { LINE_MAX_LEN = 1024, FORMAT_MAX = 512 };

struct tag_level {
    struct tag_level *next;
    esp_log_level_t level;
    char tag[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tag_level *tags;
static esp_log_level_t default_level = ESP_LOG_MAX; /* not asked for yet */
static vprintf_like_t output = vprintf;

/* Lock held. */
static esp_log_level_t level_of(const char *tag)
{
    if (default_level == ESP_LOG_MAX)
        default_level = (esp_log_level_t)airlift_config_int("LOG_DEFAULT_LEVEL", ESP_LOG_INFO);
    for (struct tag_level *t = tags; t; t = t->next)
        if (!strcmp(t->tag, tag)) return t->level;
    return default_level;
}

esp_log_level_t esp_log_level_get(const char *tag)
{
    pthread_mutex_lock(&lock);
    esp_log_level_t level = level_of(tag ? tag : "");
    pthread_mutex_unlock(&lock);
    return level;
}

static void forget_tags(void)
{
    while (tags) {
        struct tag_level *next = tags->next;
        free(tags);
        tags = next;
    }
}

static void set_one(const char *tag, esp_log_level_t level)
{
    struct tag_level *t = tags;
    while (t && strcmp(t->tag, tag)) t = t->next;
    if (!t) {
        t = malloc(sizeof *t + strlen(tag) + 1);
        if (!t) return;
        memcpy(t->tag, tag, strlen(tag) + 1);
        t->next = tags;
        tags = t;
    }
    t->level = level;
}

void esp_log_level_set(const char *tag, esp_log_level_t level)
{
    pthread_mutex_lock(&lock);
    if (!strcmp(tag, "*")) {
        default_level = level;
        forget_tags();
    } else {
        set_one(tag, level);
    }
    pthread_mutex_unlock(&lock);
}

vprintf_like_t esp_log_set_vprintf(vprintf_like_t func)
{
    return __atomic_exchange_n(&output, func, __ATOMIC_SEQ_CST);
}

uint32_t esp_log_timestamp(void)
{
    return (uint32_t)(board_uptime_us() / 1000);
}

uint32_t esp_log_early_timestamp(void)
{
    return esp_log_timestamp();
}

char *esp_log_system_timestamp(void)
{
    static __thread char text[24];
    uint32_t ms = esp_log_timestamp();
    snprintf(text, sizeof text, "%02u:%02u:%02u.%03u", ms / 3600000 % 24, ms / 60000 % 60,
             ms / 1000 % 60, ms % 1000);
    return text;
}

static int print(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = __atomic_load_n(&output, __ATOMIC_SEQ_CST)(format, args);
    va_end(args);
    return n;
}

/* Copies a format with one `l` less in %ld and the like; `ll` and `%ls` stay.
 * A format too long for out stays as it is. */
static const char *chip_format(const char *format, char out[FORMAT_MAX])
{
    if (strlen(format) >= FORMAT_MAX) return format;
    char *to = out;
    for (const char *p = format; (*to++ = *p); p++) {
        if (*p != '%') continue;
        if (p[1] == '%') { /* a percent sign, no conversion */
            *to++ = *++p;
            continue;
        }
        size_t flags = strspn(p + 1, "-+ #0123456789.*");
        memcpy(to, p + 1, flags);
        to += flags;
        p += flags;
        if (p[1] == 'l' && p[2] && strchr("diuxXo", p[2])) p++;
    }
    return out;
}

/* The text may be longer than the vendor's own lines: a mark keeps its place. */
static void write_line(char level, const char *tag, const char *text)
{
    struct vendor_line line = {.level = level, .tag = tag, .text = "\1"};
    char shape[256];
    vendor_line_print(&line, esp_log_timestamp(), board()->control->colour, shape, sizeof shape);
    char *mark = strchr(shape, '\1');
    if (mark)
        print("%.*s%s%s\n", (int)(mark - shape), shape, text, mark + 1);
    else
        print("%s %s\n", shape, text); /* the tag alone fills the line */
}

void esp_log_line(esp_log_level_t level, const char *tag, const char *format, ...)
{
    if (level == ESP_LOG_NONE || level > ESP_LOG_VERBOSE || level > esp_log_level_get(tag)) return;
    kernel_lock(); /* a deleted or suspended task stops here */
    kernel_unlock();
    char short_text[LINE_MAX_LEN], shorter_format[FORMAT_MAX], *text = short_text;
    format = chip_format(format, shorter_format);
    va_list args;
    va_start(args, format);
    int len = vsnprintf(short_text, sizeof short_text, format, args);
    va_end(args);
    if (len >= LINE_MAX_LEN && (text = malloc((size_t)len + 1))) {
        va_start(args, format);
        vsnprintf(text, (size_t)len + 1, format, args);
        va_end(args);
    }
    write_line("-EWIDV"[level], tag, text ? text : short_text);
    if (text != short_text) free(text);
}

void esp_log_writev(esp_log_level_t level, const char *tag, const char *format, va_list args)
{
    char chip[FORMAT_MAX];
    if (level != ESP_LOG_NONE && level > esp_log_level_get(tag)) return;
    __atomic_load_n(&output, __ATOMIC_SEQ_CST)(chip_format(format, chip), args);
}

void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    esp_log_writev(level, tag, format, args);
    va_end(args);
}
