/* device.conf. See conf.h. */
#include "device/conf.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "host/file.h"

#define LINE_MAX_LEN 256u

/* --- values --- */

bool conf_parse_size(const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    if (!isdigit((unsigned char)*text)) return false;
    bool hex = text[0] == '0' && (text[1] | 0x20) == 'x';
    errno = 0;
    uint64_t value = strtoull(text, &end, hex ? 16 : 10);
    if (errno) return false;
    unsigned shift = 0;
    if (*end == 'k' || *end == 'K') shift = 10;
    if (*end == 'm' || *end == 'M') shift = 20;
    if (shift) end++;
    if (shift && (*end == 'b' || *end == 'B')) end++;
    if (*end || value > max >> shift) return false;
    *out = value << shift;
    return true;
}

bool conf_parse_hex(const char *text, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++, text += 3) {
        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1])) return false;
        if (text[2] != (i + 1 < len ? ':' : 0)) return false;
        out[i] = (uint8_t)strtoul((char[]){text[0], text[1], 0}, NULL, 16);
    }
    return true;
}

bool conf_parse_revision(const char *text, uint32_t *out)
{
    unsigned major, minor;
    int end = 0;
    if (*text == 'v') text++;
    if (!isdigit((unsigned char)*text)) return false;
    if (sscanf(text, "%3u.%2u%n", &major, &minor, &end) == 2 && !text[end]) {
        *out = major * 100 + minor;
    } else {
        if (sscanf(text, "%5u%n", &minor, &end) != 1 || text[end]) return false;
        *out = minor;
    }
    return *out <= 65535;
}

bool conf_parse_agent(const char *text, uint32_t *out)
{
    static const char *const words[] = {
        [AGENT_IGNORE] = "ignore", [AGENT_CONFIRM] = "confirm", [AGENT_FAIL] = "fail"};
    for (uint32_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static bool parse_bool(const char *text, bool *out)
{
    *out = strcmp(text, "on") == 0 || strcmp(text, "yes") == 0;
    return *out || strcmp(text, "off") == 0 || strcmp(text, "no") == 0;
}

static bool parse_u32(const char *text, uint32_t *out)
{
    uint64_t value;
    if (!conf_parse_size(text, UINT32_MAX, &value)) return false;
    *out = (uint32_t)value;
    return true;
}

/* --- keys --- */

static bool set_chip(struct device_conf *c, const char *v)
{
    return (c->chip = al_chip_by_name(v)) != NULL;
}

static bool set_flash_size(struct device_conf *c, const char *v)
{
    return parse_u32(v, &c->flash_size);
}

static bool set_revision(struct device_conf *c, const char *v)
{
    return c->has_revision = conf_parse_revision(v, &c->revision);
}

static bool set_mac(struct device_conf *c, const char *v)
{
    return c->has_mac = conf_parse_hex(v, c->mac, sizeof c->mac);
}

static bool set_ieee(struct device_conf *c, const char *v)
{
    return c->has_ieee = conf_parse_hex(v, c->ieee, sizeof c->ieee);
}

static bool set_strict(struct device_conf *c, const char *v)
{
    return parse_bool(v, &c->strict);
}

static bool set_timing(struct device_conf *c, const char *v)
{
    c->real_timing = strcmp(v, "real") == 0;
    return c->real_timing || strcmp(v, "fast") == 0;
}

static bool set_net_rate(struct device_conf *c, const char *v)
{
    return conf_parse_size(v, UINT32_MAX, &c->net_rate);
}

static bool set_radio(struct device_conf *c, const char *v)
{
    if (strncmp(v, "medium:", 7) != 0 && strncmp(v, "spinel:", 7) != 0) return false;
    return (size_t)snprintf(c->radio, sizeof c->radio, "%s", v) < sizeof c->radio;
}

static bool set_uart(struct device_conf *c, unsigned n, const char *v)
{
    if (!wire_spec_valid(v)) return false;
    return (size_t)snprintf(c->uart[n], sizeof c->uart[n], "%s", v) < sizeof c->uart[n];
}

static bool set_uart0(struct device_conf *c, const char *v)
{
    return set_uart(c, 0, v);
}

static bool set_uart1(struct device_conf *c, const char *v)
{
    return set_uart(c, 1, v);
}

static bool set_uart2(struct device_conf *c, const char *v)
{
    return set_uart(c, 2, v);
}

static bool set_agent(struct device_conf *c, const char *v)
{
    return conf_parse_agent(v, &c->agent);
}

static bool set_limit(struct device_conf *c, const char *v)
{
    return parse_u32(v, &c->boot_loop_limit);
}

static bool set_rollback(struct device_conf *c, const char *v)
{
    return parse_bool(v, &c->rollback);
}

static bool set_anti_rollback(struct device_conf *c, const char *v)
{
    return parse_bool(v, &c->anti_rollback);
}

static bool set_table_offset(struct device_conf *c, const char *v)
{
    return parse_u32(v, &c->table_offset) && c->table_offset && c->table_offset % AL_SECTOR == 0;
}

static const struct key {
    const char *name, *expected;
    bool (*set)(struct device_conf *c, const char *value);
} keys[] = {
    {"chip", "the name of a chip, for example esp32c3", set_chip},
    {"flash_size", "a size, for example 4MB", set_flash_size},
    {"revision", "a chip revision, for example v0.3", set_revision},
    {"mac", "six bytes in hex, aa:bb:cc:dd:ee:ff", set_mac},
    {"ieee", "eight bytes in hex, aa:bb:cc:ff:fe:dd:ee:ff", set_ieee},
    {"strict", "on or off", set_strict},
    {"timing", "fast or real", set_timing},
    {"net_rate", "bytes a second, 0 for no limit", set_net_rate},
    {"radio", "medium:SOCKET or spinel:DEVICE", set_radio},
    {"uart0", WIRE_SPEC_WORDS, set_uart0},
    {"uart1", WIRE_SPEC_WORDS, set_uart1},
    {"uart2", WIRE_SPEC_WORDS, set_uart2},
    {"agent", "confirm, fail or ignore", set_agent},
    {"boot_loop_limit", "a number, 0 for no limit", set_limit},
    {"rollback", "yes or no", set_rollback},
    {"anti_rollback", "yes or no", set_anti_rollback},
    {"table_offset", "a flash offset, a multiple of 0x1000", set_table_offset},
};
#define KEYS (sizeof keys / sizeof *keys)

/* --- lines --- */

struct parser {
    struct device_conf *conf;
    const char *name;
    unsigned line;
    uint32_t seen_keys;
    uint64_t seen_gpios;
    char *why;
    size_t why_size;
};

static int complain(struct parser *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int complain(struct parser *p, const char *format, ...)
{
    va_list args;
    int n = snprintf(p->why, p->why_size, "%s:%u: ", p->name, p->line);
    if (n >= 0 && (size_t)n < p->why_size) {
        va_start(args, format);
        vsnprintf(p->why + n, p->why_size - (size_t)n, format, args);
        va_end(args);
    }
    return AL_ERR_INVALID_ARG;
}

static int set_gpio(struct parser *p, const char *key, const char *value)
{
    char *end;
    unsigned long pin = isdigit((unsigned char)key[4]) ? strtoul(key + 4, &end, 10) : CONTROL_GPIOS;
    if (pin >= CONTROL_GPIOS || *end)
        return complain(p, "'%s': expected gpio0 to gpio%u", key, CONTROL_GPIOS - 1);
    if (p->seen_gpios >> pin & 1) return complain(p, "'%s' stands here a second time", key);
    p->seen_gpios |= 1ull << pin;
    if (strcmp(value, "0") == 0 || strcmp(value, "1") == 0)
        p->conf->gpio[pin] = (uint8_t)(*value - '0');
    else if (strcmp(value, "float") != 0)
        return complain(p, "%s = '%s': expected 0, 1 or float", key, value);
    return 0;
}

static int set_key(struct parser *p, const char *key, const char *value)
{
    if (strncmp(key, "gpio", 4) == 0) return set_gpio(p, key, value);
    for (size_t i = 0; i < KEYS; i++) {
        if (strcmp(key, keys[i].name) != 0) continue;
        if (p->seen_keys >> i & 1) return complain(p, "'%s' stands here a second time", key);
        p->seen_keys |= 1u << i;
        if (keys[i].set(p->conf, value)) return 0;
        return complain(p, "%s = '%s': expected %s", key, value, keys[i].expected);
    }
    return complain(p, "unknown key '%s'; docs/device.md lists the keys", key);
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) text++;
    size_t len = strlen(text);
    while (len && isspace((unsigned char)text[len - 1])) text[--len] = 0;
    return text;
}

static int parse_line(struct parser *p, char *line)
{
    char *text = trim(line);
    if (!*text || *text == '#') return 0;
    char *equals = strchr(text, '=');
    if (!equals) return complain(p, "expected 'key = value', found '%s'", text);
    *equals = 0;
    return set_key(p, trim(text), trim(equals + 1));
}

void device_conf_defaults(struct device_conf *out)
{
    *out = (struct device_conf){
        .strict = true, .boot_loop_limit = 10, .table_offset = 0x8000, .agent = AGENT_IGNORE};
    memset(out->gpio, GPIO_FLOAT, sizeof out->gpio);
}

int device_conf_parse(const char *text, size_t len, const char *name, struct device_conf *out,
                      char *why, size_t why_size)
{
    struct parser p = {.conf = out, .name = name, .why = why, .why_size = why_size};
    device_conf_defaults(out);
    while (len) {
        const char *end = memchr(text, '\n', len);
        size_t n = end ? (size_t)(end - text) : len;
        char line[LINE_MAX_LEN];
        p.line++;
        if (n >= sizeof line) return complain(&p, "longer than %u bytes", LINE_MAX_LEN - 1);
        if (memchr(text, 0, n)) return complain(&p, "a NUL byte; this is not a text file");
        memcpy(line, text, n);
        line[n] = 0;
        int err = parse_line(&p, line);
        if (err) return err;
        n += end != NULL;
        text += n;
        len -= n;
    }
    return 0;
}

int device_conf_override(struct device_conf *conf, const char *line, char *why, size_t why_size)
{
    struct parser p = {
        .conf = conf, .name = "command line", .line = 1, .why = why, .why_size = why_size};
    char copy[LINE_MAX_LEN];
    size_t len = strlen(line);
    if (len >= sizeof copy) return complain(&p, "longer than %u bytes", LINE_MAX_LEN - 1);
    memcpy(copy, line, len + 1);
    return parse_line(&p, copy);
}

static int conf_path(const char *dir, char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s/" DEVICE_CONF_NAME, dir) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int device_conf_read(const char *dir, struct device_conf *out, char *why, size_t why_size)
{
    char path[PATH_MAX];
    uint8_t *text = NULL;
    size_t len;
    int err = conf_path(dir, path);
    if (!err) err = file_read(path, DEVICE_CONF_MAX, &text, &len);
    if (err) {
        snprintf(why, why_size, "%s/" DEVICE_CONF_NAME ": %s", dir, strerror(-err));
        return AL_ERR_INVALID_ARG;
    }
    err = device_conf_parse((const char *)text, len, path, out, why, why_size);
    free(text);
    return err;
}

/* True when the line that starts at text sets key. */
static bool line_is(const char *text, const char *key)
{
    text += strspn(text, " \t");
    size_t n = strlen(key);
    return strncmp(text, key, n) == 0 && text[n + strspn(text + n, " \t")] == '=';
}

int device_conf_set(const char *dir, const char *key, const char *value)
{
    char path[PATH_MAX], *made = NULL;
    uint8_t *old = NULL;
    size_t len, made_len;
    int err = conf_path(dir, path);
    if (!err) err = file_read(path, DEVICE_CONF_MAX, &old, &len);
    if (err) return err;
    FILE *f = open_memstream(&made, &made_len);
    if (!f) {
        free(old);
        return -ENOMEM;
    }
    for (char *line = (char *)old, *next; *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next) next++;
        if (line_is(line, key)) continue;
        fprintf(f, "%.*s%s", (int)(next - line), line, next[-1] == '\n' ? "" : "\n");
    }
    fprintf(f, "%s = %s\n", key, value);
    err = fclose(f) ? -ENOMEM : file_write(path, made, made_len, 0644);
    free(made);
    free(old);
    return err;
}
