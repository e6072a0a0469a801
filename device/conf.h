/* device.conf: what lies around the chip of a virtual device. Text, one
 * `key = value` a line, `#` begins a comment line, every key at most once:
 *
 *   chip = esp32c3          must agree with the eFuses, as the next four
 *   flash_size = 4MB
 *   revision = v0.3
 *   mac = 7c:df:a1:00:00:01
 *   ieee = 7c:df:a1:ff:fe:00:00:01
 *   gpio4 = 0               level that the outside drives: 0, 1, or float
 *   strict = on             off: a program that sets bits is silently ANDed
 *   timing = fast           real: flash takes the time of a chip
 *   net_rate = 0            bytes a second, 0: as fast as it goes
 *   radio = medium:SOCKET   or spinel:...
 *   uart1 = pty:NAME        uart0, uart1, uart2: pty, pty:NAME (in the directory), tcp:PORT
 *   agent = ignore          confirm | fail | ignore; for images of real chips
 *   boot_loop_limit = 10    0: none
 *   rollback = no           these three only for a boot loader that is a real
 *   anti_rollback = no      chip's: its own configuration cannot be read
 *   table_offset = 0x8000 */
#ifndef DEVICE_CONF_H
#define DEVICE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/chip.h"
#include "device/control.h"
#include "device/wire.h"

#define DEVICE_CONF_NAME "device.conf"
#define DEVICE_CONF_MAX  65536u
#define GPIO_FLOAT       2u
#define CONF_UARTS       3u

enum agent_conduct { AGENT_IGNORE, AGENT_CONFIRM, AGENT_FAIL };

struct device_conf {
    const struct al_chip *chip; /* NULL: not given */
    uint32_t flash_size;        /* bytes; 0: not given */
    uint32_t revision;          /* major * 100 + minor */
    bool has_revision, has_mac, has_ieee;
    uint8_t mac[6], ieee[8];
    uint8_t gpio[CONTROL_GPIOS]; /* 0, 1, GPIO_FLOAT */
    bool strict, real_timing;
    uint64_t net_rate;
    char radio[128];                      /* empty: none */
    char uart[CONF_UARTS][WIRE_SPEC_MAX]; /* empty: none */
    uint32_t agent;                       /* enum agent_conduct */
    uint32_t boot_loop_limit;
    bool rollback, anti_rollback;
    uint32_t table_offset;
};

/* What holds without a line. */
void device_conf_defaults(struct device_conf *out);

/* name: of the file, for messages. 0, or AL_ERR_INVALID_ARG with
 * "name:line: what is wrong and what is expected" in why. */
int device_conf_parse(const char *text, size_t len, const char *name, struct device_conf *out,
                      char *why, size_t why_size);

/* One more line, over what is in conf already (an option of the command line). */
int device_conf_override(struct device_conf *conf, const char *line, char *why, size_t why_size);

/* DIR/device.conf. As above; a file that cannot be read is named in why, too. */
int device_conf_read(const char *dir, struct device_conf *out, char *why, size_t why_size);
/* Replaces or adds one line. 0 or -errno. */
int device_conf_set(const char *dir, const char *key, const char *value);

/* Text of values, as the file has them; false: malformed. */
bool conf_parse_size(const char *text, uint64_t max, uint64_t *out); /* 4MB, 64K, 0x1000 */
bool conf_parse_hex(const char *text, uint8_t *out, size_t len);     /* aa:bb:... */
bool conf_parse_revision(const char *text, uint32_t *out);           /* v1.2, 1.2, 102 */
bool conf_parse_agent(const char *text, uint32_t *out);

#endif
