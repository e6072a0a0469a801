/* See zigbee_frames.h. pcap: draft-ietf-opsawg-pcap; TAP: IEEE 802.15.4 TAP link type; ZEP:
 * version 2, in UDP. */
#include "cli/zigbee_frames.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"

#define LINE_MPDU_MAX 256u
#define PACKET_HEADER 16u
#define FILE_HEADER   24u
#define PACKET_MAX    0x40000u
#define ZEP_PORT      17754u
#define ZEP_HEADER    32u

enum link_type {
    LINK_ETHERNET = 1,
    LINK_RAW_OLD = 12,
    LINK_RAW = 101,
    LINK_SLL = 113,
    LINK_FCS = 195,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_NO_FCS = 230,
    LINK_SLL2 = 276,
    LINK_TAP = 283,
};

struct zigbee_frames {
    struct al_cur c;
    uint64_t number;
    bool no_fcs;
    bool pcap, big_endian, nanoseconds;
    uint32_t link;
    uint8_t line[LINE_MPDU_MAX];
};

static uint32_t u32(const struct zigbee_frames *f, const uint8_t *p)
{
    if (!f->big_endian) return al_get_le32(p);
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static unsigned be16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static bool link_is_known(uint32_t link)
{
    static const uint32_t known[] = {LINK_ETHERNET, LINK_RAW_OLD, LINK_RAW,  LINK_SLL, LINK_FCS,
                                     LINK_IPV4,     LINK_IPV6,    LINK_SLL2, LINK_TAP, LINK_NO_FCS};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i] == link) return true;
    return false;
}

static bool open_pcap(struct zigbee_frames *f, char *error, size_t error_size)
{
    const uint8_t *h = al_take(&f->c, FILE_HEADER);
    if (!h) {
        snprintf(error, error_size, "a pcap file has a header of %u bytes, this one ends before",
                 FILE_HEADER);
        return false;
    }
    f->pcap = true;
    f->link = u32(f, h + 20) & 0x0fffffff;
    if (link_is_known(f->link)) return true;
    snprintf(error, error_size,
             "pcap link type %u at offset 20 carries no 802.15.4 frames: 195, 230 and 283 do, and "
             "Ethernet or IP with ZEP",
             f->link);
    return false;
}

struct zigbee_frames *zigbee_frames_open(const uint8_t *data, size_t len, bool no_fcs, char *error,
                                         size_t error_size)
{
    struct zigbee_frames *f = calloc(1, sizeof *f);
    if (!f) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    f->c = al_cur(data, len);
    f->no_fcs = no_fcs;
    uint32_t magic = len >= 4 ? al_get_le32(data) : 0;
    bool ok = true;
    if (magic == 0x0a0d0d0a) {
        snprintf(error, error_size,
                 "this is pcapng; 'editcap -F pcap IN OUT' of Wireshark makes a pcap of it");
        ok = false;
    } else if (magic == 0xa1b2c3d4 || magic == 0xa1b23c4d || magic == 0xd4c3b2a1 ||
               magic == 0x4d3cb2a1) {
        f->big_endian = (magic & 0xff) == 0xa1;
        f->nanoseconds = magic == 0xa1b23c4d || magic == 0x4d3cb2a1;
        ok = open_pcap(f, error, error_size);
    }
    if (ok) return f;
    free(f);
    return NULL;
}

void zigbee_frames_close(struct zigbee_frames *f)
{
    free(f);
}

/* Lines */

/* Pairs of digits, with or without blanks, colons or hyphens between them; -1: something else. */
static int hex_octets(const char *s, size_t len, uint8_t *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < len;) {
        if (strchr(" \t:-", s[i])) {
            i++;
            continue;
        }
        char pair[3] = {s[i], i + 1 < len ? s[i + 1] : 0, 0};
        if (n == max || !isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1]))
            return -1;
        out[n++] = (uint8_t)strtoul(pair, NULL, 16);
        i += 2;
    }
    return (int)n;
}

/* "number direction name hex", as test vectors are written; false: another form. */
static bool four_columns(struct zigbee_frame *frame, const char *line, size_t *at)
{
    unsigned long long number;
    char direction[8], name[64];
    int used = 0;
    if (sscanf(line, "%llu %7[A-Za-z] %63[A-Za-z0-9_.-] %n", &number, direction, name, &used) != 3)
        return false;
    if (direction[1]) return false; /* an octet */
    frame->number = number;
    memcpy(frame->direction, direction, sizeof direction);
    memcpy(frame->name, name, sizeof name);
    *at = (size_t)used;
    return true;
}

static int parse_line(struct zigbee_frames *f, struct zigbee_frame *frame, const char *line,
                      char *error, size_t error_size)
{
    size_t at = 0;
    if (!four_columns(frame, line, &at)) frame->number = f->number;
    int n = hex_octets(line + at, strlen(line) - at, f->line, sizeof f->line);
    if (n <= 0) {
        snprintf(error, error_size,
                 "line %llu is neither hexadecimal octets (at most %u) nor 'number direction name "
                 "octets'",
                 (unsigned long long)f->number, LINE_MPDU_MAX);
        return -1;
    }
    frame->mpdu = f->line;
    frame->len = (size_t)n;
    frame->has_fcs = !f->no_fcs;
    return 1;
}

static int next_line(struct zigbee_frames *f, struct zigbee_frame *frame, char *error,
                     size_t error_size)
{
    while (f->c.pos < f->c.len) {
        const char *begin = (const char *)f->c.buf + f->c.pos;
        const char *end = memchr(begin, '\n', f->c.len - f->c.pos);
        size_t len = end ? (size_t)(end - begin) : f->c.len - f->c.pos;
        char line[1024];
        f->c.pos += len + (end ? 1 : 0);
        f->number++;
        const char *comment = memchr(begin, '#', len);
        if (comment) len = (size_t)(comment - begin);
        while (len && isspace((unsigned char)begin[len - 1])) len--;
        while (len && isspace((unsigned char)*begin)) begin++, len--;
        if (len == 0) continue;
        if (len >= sizeof line || memchr(begin, 0, len)) {
            snprintf(error, error_size,
                     "line %llu is no line of text, or too long: neither a pcap nor lines of "
                     "hexadecimal digits",
                     (unsigned long long)f->number);
            return -1;
        }
        memcpy(line, begin, len);
        line[len] = 0;
        return parse_line(f, frame, line, error, error_size);
    }
    return 0;
}

/* pcap */

/* What lies behind the TAP header; its TLV 0 says whether there is an FCS. */
static bool unwrap_tap(struct zigbee_frame *frame)
{
    struct al_cur c = al_cur(frame->mpdu, frame->len);
    uint8_t version = al_u8(&c);
    al_skip(&c, 1);
    uint16_t header = al_le16(&c);
    if (c.failed || version != 0 || header < 4 || header > frame->len) return false;
    c.len = header;
    frame->has_fcs = false;
    while (c.pos + 4 <= header) {
        uint16_t type = al_le16(&c), len = al_le16(&c);
        const uint8_t *value = al_take(&c, len);
        if (!value) return false;
        if (type == 0 && len >= 1) frame->has_fcs = value[0] == 1;
        al_skip(&c, (4u - len % 4u) % 4u);
    }
    frame->mpdu += header;
    frame->len -= header;
    return true;
}

static bool unwrap_zep(struct zigbee_frame *frame, const uint8_t *p, size_t len)
{
    if (len < ZEP_HEADER || memcmp(p, "EX\x02\x01", 4) != 0) return false;
    size_t mpdu = p[31] & 0x7f;
    bool crc = p[7] == 1; /* else the last two octets are what the sniffer measured */
    if (mpdu < 2 || mpdu > len - ZEP_HEADER) return false;
    frame->mpdu = p + ZEP_HEADER;
    frame->len = crc ? mpdu : mpdu - 2;
    frame->has_fcs = crc;
    return true;
}

static bool unwrap_udp(struct zigbee_frame *frame, const uint8_t *p, size_t len)
{
    if (len < 8 || (be16(p) != ZEP_PORT && be16(p + 2) != ZEP_PORT)) return false;
    return unwrap_zep(frame, p + 8, len - 8);
}

static bool unwrap_ip(struct zigbee_frame *frame, const uint8_t *p, size_t len)
{
    if (len >= 20 && p[0] >> 4 == 4) {
        size_t header = 4u * (p[0] & 0x0fu);
        bool fragment = be16(p + 6) & 0x3fff;
        if (header < 20 || header > len || fragment || p[9] != 17) return false;
        return unwrap_udp(frame, p + header, len - header);
    }
    if (len >= 40 && p[0] >> 4 == 6 && p[6] == 17) return unwrap_udp(frame, p + 40, len - 40);
    return false;
}

/* Skips a link header of size octets whose type field is at type_at. */
static bool unwrap_link(struct zigbee_frame *frame, size_t size, size_t type_at)
{
    const uint8_t *p = frame->mpdu;
    size_t len = frame->len;
    if (len < size) return false;
    unsigned type = be16(p + type_at);
    if (type == 0x8100 && size == 14 && len >= 18) { /* one VLAN tag */
        size = 18;
        type = be16(p + 16);
    }
    if (type != 0x0800 && type != 0x86dd) return false;
    return unwrap_ip(frame, p + size, len - size);
}

/* From the packet to the 802.15.4 frame in it; false: there is none. */
static bool unwrap(struct zigbee_frame *frame, uint32_t link)
{
    frame->has_fcs = link == LINK_FCS;
    switch (link) {
    case LINK_FCS:
    case LINK_NO_FCS:
        return true;
    case LINK_TAP:
        return unwrap_tap(frame);
    case LINK_ETHERNET:
        return unwrap_link(frame, 14, 12);
    case LINK_SLL:
        return unwrap_link(frame, 16, 14);
    case LINK_SLL2:
        return unwrap_link(frame, 20, 0);
    default:
        return unwrap_ip(frame, frame->mpdu, frame->len);
    }
}

static int next_packet(struct zigbee_frames *f, struct zigbee_frame *frame, char *error,
                       size_t error_size)
{
    while (f->c.pos < f->c.len) {
        size_t at = f->c.pos;
        const uint8_t *h = al_take(&f->c, PACKET_HEADER);
        uint32_t len = h ? u32(f, h + 8) : 0;
        const uint8_t *data = h && len <= PACKET_MAX ? al_take(&f->c, len) : NULL;
        f->number++;
        if (!data) {
            snprintf(error, error_size,
                     "packet %llu at offset %zu is cut short or %u bytes long: the capture is "
                     "damaged from there on",
                     (unsigned long long)f->number, at, len);
            f->c.pos = f->c.len;
            return -1;
        }
        frame->number = f->number;
        frame->time = u32(f, h) + u32(f, h + 4) / (f->nanoseconds ? 1e9 : 1e6);
        frame->mpdu = data;
        frame->len = len;
        if (unwrap(frame, f->link)) return 1;
    }
    return 0;
}

int zigbee_frames_next(struct zigbee_frames *f, struct zigbee_frame *frame, char *error,
                       size_t error_size)
{
    *frame = (struct zigbee_frame){.time = -1};
    return f->pcap ? next_packet(f, frame, error, error_size)
                   : next_line(f, frame, error, error_size);
}
