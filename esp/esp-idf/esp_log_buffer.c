/* Buffers in the log, 16 bytes a line. */
#include <ctype.h>
#include <stdio.h>

#include "esp_log.h"

enum { BYTES_PER_LINE = 16 };

typedef void line_fn(char *out, size_t size, const uint8_t *bytes, size_t n);

static void each_line(const char *tag, const void *buffer, size_t len, esp_log_level_t level,
                      line_fn *format)
{
    const uint8_t *bytes = buffer;
    for (size_t at = 0; at < len; at += BYTES_PER_LINE) {
        size_t n = len - at < BYTES_PER_LINE ? len - at : BYTES_PER_LINE;
        char text[160];
        format(text, sizeof text, bytes + at, n);
        ESP_LOG_LEVEL(level, tag, "%s", text);
    }
}

static void hex_line(char *out, size_t size, const uint8_t *bytes, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%02x", i ? " " : "", bytes[i]);
}

static void char_line(char *out, size_t size, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = (char)bytes[i];
    out[n] = 0;
}

/* address, two groups of eight bytes, printable characters */
static void dump_line(char *out, size_t size, const uint8_t *bytes, size_t n)
{
    size_t at = (size_t)snprintf(out, size, "%p  ", (const void *)bytes);
    for (size_t i = 0; i < BYTES_PER_LINE; i++) {
        const char *gap = i == BYTES_PER_LINE / 2 ? "  " : " ";
        at += (size_t)(i < n ? snprintf(out + at, size - at, "%s%02x", gap, bytes[i])
                             : snprintf(out + at, size - at, "%s  ", gap));
    }
    at += (size_t)snprintf(out + at, size - at, "  |");
    for (size_t i = 0; i < n; i++) out[at++] = isprint(bytes[i]) ? (char)bytes[i] : '.';
    snprintf(out + at, size - at, "|");
}

void esp_log_buffer_hex_internal(const char *tag, const void *buffer, uint16_t len,
                                 esp_log_level_t level)
{
    each_line(tag, buffer, len, level, hex_line);
}

void esp_log_buffer_char_internal(const char *tag, const void *buffer, uint16_t len,
                                  esp_log_level_t level)
{
    each_line(tag, buffer, len, level, char_line);
}

void esp_log_buffer_hexdump_internal(const char *tag, const void *buffer, uint16_t len,
                                     esp_log_level_t level)
{
    each_line(tag, buffer, len, level, dump_line);
}
