#include "radio/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/err.h"
#include "zigbee/fcs.h"
#include "zigbee/put.h"

#define PCAP_MAGIC   0xa1b2c3d4u /* time stamps in microseconds */
#define SNAP_LEN     256u
#define PACKET_MAX   256u
#define TLV_FCS_TYPE 0u
#define TLV_RSS      1u
#define TLV_CHANNEL  3u
#define FCS_16_BIT   1u
#define ZEP_VERSION  2u
#define ZEP_DATA     1u
#define ZEP_CRC      1u          /* the last two octets are the FCS, not LQI and such */
#define NTP_EPOCH    2208988800u /* seconds from 1900 to 1970 */

struct capture {
    struct capture_config config;
    FILE *file;
    int socket;
    uint32_t sequence;
    bool failed;
};

/* --- what a frame looks like in each form --- */

static void put_mpdu(struct al_put *p, const struct medium_frame *f)
{
    al_put_bytes(p, f->mpdu, f->len);
    al_put16(p, al_fcs(0, f->mpdu, f->len));
}

static void put_float(struct al_put *p, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    al_put32(p, bits);
}

/* Each TLV is padded to a multiple of 4 octets, which its length does not count. */
static void put_tap_header(struct al_put *p, const struct medium_frame *f)
{
    al_put8(p, 0); /* version */
    al_put8(p, 0);
    al_put16(p, 4 + 3 * 8); /* length of all */
    al_put16(p, TLV_FCS_TYPE);
    al_put16(p, 1);
    al_put32(p, FCS_16_BIT);
    al_put16(p, TLV_RSS);
    al_put16(p, 4);
    put_float(p, f->power);
    al_put16(p, TLV_CHANNEL);
    al_put16(p, 3);
    al_put16(p, f->channel);
    al_put16(p, 0); /* channel page, padding */
}

static void put_be32(struct al_put *p, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8) al_put8(p, (uint8_t)(v >> shift));
}

static void put_zep_header(struct al_put *p, const struct capture *c, const struct medium_frame *f)
{
    uint64_t us = c->config.epoch_us + f->start;
    uint16_t device = (uint16_t)medium_node_eui64(f->from);
    al_put_bytes(p, "EX", 2);
    al_put8(p, ZEP_VERSION);
    al_put8(p, ZEP_DATA);
    al_put8(p, f->channel);
    al_put8(p, (uint8_t)(device >> 8));
    al_put8(p, (uint8_t)device);
    al_put8(p, ZEP_CRC);
    al_put8(p, 255); /* LQI */
    put_be32(p, (uint32_t)(us / 1000000u + NTP_EPOCH));
    put_be32(p, (uint32_t)(((us % 1000000u) << 32) / 1000000u));
    put_be32(p, c->sequence);
    for (int i = 0; i < 10; i++) al_put8(p, 0);
    al_put8(p, (uint8_t)(f->len + AL_FCS_LEN));
}

/* --- where it goes --- */

static void write_all(struct capture *c, const void *data, size_t len)
{
    if (fwrite(data, 1, len, c->file) != len) c->failed = true;
}

static void write_pcap_header(struct capture *c)
{
    uint8_t header[24];
    struct al_put p = al_put(header, sizeof header);
    al_put32(&p, PCAP_MAGIC);
    al_put16(&p, 2); /* version 2.4 */
    al_put16(&p, 4);
    al_put32(&p, 0); /* time zone */
    al_put32(&p, 0); /* accuracy */
    al_put32(&p, SNAP_LEN);
    al_put32(&p, (uint32_t)c->config.link_type);
    write_all(c, header, p.len);
}

static void write_pcap(struct capture *c, const struct medium_frame *f)
{
    uint8_t record[16], packet[PACKET_MAX];
    struct al_put p = al_put(packet, sizeof packet), r = al_put(record, sizeof record);
    uint64_t us = c->config.epoch_us + f->start;
    if (c->config.link_type == CAPTURE_LINK_TAP) put_tap_header(&p, f);
    put_mpdu(&p, f);
    al_put32(&r, (uint32_t)(us / 1000000u));
    al_put32(&r, (uint32_t)(us % 1000000u));
    al_put32(&r, (uint32_t)p.len);
    al_put32(&r, (uint32_t)p.len);
    write_all(c, record, r.len);
    write_all(c, packet, p.len);
}

/* Nobody listening is no failure. */
static void send_zep(struct capture *c, const struct medium_frame *f)
{
    uint8_t packet[PACKET_MAX];
    struct al_put p = al_put(packet, sizeof packet);
    put_zep_header(&p, c, f);
    put_mpdu(&p, f);
    c->sequence++;
    if (send(c->socket, packet, p.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED)
        send(c->socket, packet, p.len, MSG_DONTWAIT | MSG_NOSIGNAL); /* that was of the last one */
}

void capture_frame(void *capture, const struct medium_frame *f)
{
    struct capture *c = capture;
    if (c->file) write_pcap(c, f);
    if (c->socket >= 0) send_zep(c, f);
}

/* --- coming and going --- */

static int open_file(struct capture *c, char *error, size_t error_size)
{
    const char *name = c->config.pcap;
    if (!name) return 0;
    c->file = strcmp(name, "-") == 0 ? stdout : fopen(name, "wbe");
    if (!c->file) {
        snprintf(error, error_size, "%s: %s", name, strerror(errno));
        return AL_FAIL;
    }
    write_pcap_header(c);
    capture_flush(c);
    return 0;
}

static int open_zep(struct capture *c, char *error, size_t error_size)
{
    uint16_t port = c->config.zep_port ? c->config.zep_port : CAPTURE_ZEP_PORT;
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (!c->config.zep) return 0;
    c->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (c->socket >= 0 && connect(c->socket, (struct sockaddr *)&a, sizeof a) == 0) return 0;
    snprintf(error, error_size, "ZEP to 127.0.0.1:%u: %s", port, strerror(errno));
    return AL_FAIL;
}

struct capture *capture_open(const struct capture_config *config, char *error, size_t error_size)
{
    struct capture *c = calloc(1, sizeof *c);
    snprintf(error, error_size, "no memory");
    if (!c) return NULL;
    c->config = *config;
    c->socket = -1;
    if (!c->config.link_type) c->config.link_type = CAPTURE_LINK_FCS;
    if (open_file(c, error, error_size) || open_zep(c, error, error_size)) {
        capture_close(c);
        return NULL;
    }
    return c;
}

void capture_flush(struct capture *c)
{
    if (c->file && fflush(c->file)) c->failed = true;
}

int capture_close(struct capture *c)
{
    if (!c) return 0;
    capture_flush(c);
    if (c->file && c->file != stdout && fclose(c->file)) c->failed = true;
    if (c->socket >= 0) close(c->socket);
    int err = c->failed ? AL_FAIL : 0;
    free(c);
    return err;
}
