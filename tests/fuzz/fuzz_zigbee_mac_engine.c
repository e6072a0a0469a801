/* Any frames, results and times into a MAC that also sends, scans, joins and polls: it
 * stays within its tables, tells each handle once, and never wants to run for ever. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "zigbee/mac.h"

#define SLOTS 6

static struct al_mac mac;
static uint64_t now;
static bool radio_busy, measuring;
static uint8_t channel;
static bool waiting[256]; /* handles whose sent() is to come */

static int configure(void *ctx, const struct al_radio_config *c)
{
    return radio_busy && c->channel != channel ? AL_ERR_INVALID_STATE : (channel = c->channel, 0);
}

static int transmit(void *ctx, const uint8_t *mpdu, uint8_t len)
{
    if (len < 3 || len > AL_RADIO_MPDU_MAX) abort();
    if (radio_busy || measuring) return AL_ERR_INVALID_STATE;
    radio_busy = true;
    return 0;
}

static int set_pending(void *ctx, bool extended, uint64_t addr, bool pending)
{
    return 0;
}

static int energy_scan(void *ctx, uint8_t at, uint32_t us)
{
    if (radio_busy) return AL_ERR_INVALID_STATE;
    measuring = true;
    return 0;
}

static uint32_t next_random(void *ctx)
{
    return 12345;
}

static void data(void *ctx, uint64_t at, const struct al_mac_data_ind *ind)
{
    if (ind->len == 0 || ind->len > AL_RADIO_MPDU_MAX) abort();
}

static void sent(void *ctx, uint64_t at, uint16_t handle, enum al_zb_status status)
{
    if (handle > 255 || !waiting[handle]) abort();
    waiting[handle] = false;
}

static void association(void *ctx, uint64_t at, uint64_t ext, uint8_t capability)
{
    al_mac_association_answer(&mac, at, ext, 0x1111, capability & 1 ? AL_ZB_OK : AL_ZB_DENIED, 0);
}

static void run(void)
{
    for (unsigned turns = 0; al_mac_next(&mac) <= now; turns++) {
        if (turns > 200) abort();
        al_mac_run(&mac, now);
    }
}

/* One step of what the input says; false: it is at its end. */
static bool step(struct al_cur *c)
{
    uint8_t what = al_u8(c), arg = al_u8(c);
    struct al_mac_addr dst = al_mac_short(0x1a62, (uint16_t)(0x2200 | (arg & 3)));
    if (c->failed) return false;
    switch (what % 10) {
    case 0: {
        size_t len = arg % 128u < c->len - c->pos ? arg % 128u : c->len - c->pos;
        uint8_t *mpdu = malloc(len + 1); /* a sanitizer sees a read behind its end */
        al_bytes(c, mpdu, len);
        if (len <= AL_RADIO_MPDU_MAX)
            al_mac_received(
                &mac, now,
                &(struct al_radio_rx){.mpdu = mpdu, .len = (uint8_t)len, .pending = what & 16});
        free(mpdu);
        break;
    }
    case 1:
        if (!radio_busy) break;
        radio_busy = false;
        al_mac_transmitted(&mac, now, (enum al_radio_status)(arg % 4), arg & 4);
        break;
    case 2:
        now += (uint64_t)arg << (what >> 4);
        break;
    case 3:
    case 4: {
        struct al_mac_send s = {.dst = arg & 4 ? al_mac_ext(0, arg & 3) : dst,
                                .payload = c->buf,
                                .len = arg % 40u < c->len ? arg % 40u : c->len,
                                .indirect = what % 10 == 4,
                                .handle = waiting[arg] ? 0 : arg};
        if (al_mac_send(&mac, now, &s) == 0 && s.handle) waiting[arg] = true;
        break;
    }
    case 5:
        if (al_mac_purge(&mac, arg)) waiting[arg] = false;
        break;
    case 6:
        al_mac_scan(&mac, now, what & 16 ? AL_MAC_SCAN_ENERGY : AL_MAC_SCAN_ACTIVE,
                    (uint32_t)arg << 11, arg & 3);
        break;
    case 7:
        if (what & 16)
            al_mac_poll(&mac, now, 0x2200);
        else
            al_mac_associate(&mac, now, 15, 0x1a62, 0x2200, arg);
        break;
    case 8:
        if (!measuring) break;
        measuring = false;
        al_mac_scanned(&mac, now, arg, -50);
        break;
    default:
        if (arg & 128) {
            al_mac_stop(&mac);
            memset(waiting, 0, sizeof waiting);
        }
        al_mac_start(&mac, (uint8_t)(11 + arg % 16), 0x1a62, arg & 64 ? 0xffff : 0x2204, arg & 32);
        break;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct al_radio radio = {NULL, configure, transmit, set_pending, energy_scan};
    static const struct al_mac_up up = {.data = data, .sent = sent, .association = association};
    static struct al_mac_slot slots[SLOTS];
    static struct al_mac_seen seen[2];
    struct al_cur c = al_cur(bytes, len);

    now = 1;
    radio_busy = measuring = false;
    channel = 0;
    memset(waiting, 0, sizeof waiting);
    al_mac_init(&mac, &(struct al_mac_config){.radio = &radio,
                                              .random = {NULL, next_random},
                                              .ext_addr = 1,
                                              .slots = slots,
                                              .slot_count = SLOTS,
                                              .seen = seen,
                                              .seen_count = 2,
                                              .up = &up});
    al_mac_set_beacon(&mac, &(struct al_mac_beacon_ind){.permit_join = true});
    al_mac_start(&mac, 15, 0x1a62, 0x2204, true);
    while (step(&c)) run();
    if (al_mac_free_slots(&mac) > SLOTS) abort();
    return 0;
}
