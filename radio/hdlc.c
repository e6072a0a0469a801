/* HDLC-lite. See hdlc.h. */
#include "radio/hdlc.h"

#include "zigbee/fcs.h"

#define ESCAPE  0x7d
#define INVERT  0x20
#define XON     0x11
#define XOFF    0x13
#define VENDOR  0xf8 /* escaped by OpenThread's co-processors, too */
#define FCS_LEN 2u

static void put_escaped(struct al_put *out, uint8_t byte)
{
    bool special =
        byte == HDLC_FLAG || byte == ESCAPE || byte == XON || byte == XOFF || byte == VENDOR;
    if (special) al_put8(out, ESCAPE);
    al_put8(out, special ? byte ^ INVERT : byte);
}

void hdlc_put(struct al_put *out, const uint8_t *payload, size_t len)
{
    uint16_t fcs = al_crc_x25(0, payload, len);
    al_put8(out, HDLC_FLAG);
    for (size_t i = 0; i < len; i++) put_escaped(out, payload[i]);
    put_escaped(out, (uint8_t)fcs);
    put_escaped(out, (uint8_t)(fcs >> 8));
    al_put8(out, HDLC_FLAG);
}

static void start_over(struct hdlc_decoder *d)
{
    d->len = 0;
    d->escaped = d->too_long = d->complete = false;
}

/* At a flag: is what came before it a good frame? */
static bool is_frame(struct hdlc_decoder *d)
{
    if (d->len == 0 && !d->escaped && !d->too_long) return false; /* flags in a row */
    bool good = !d->escaped && !d->too_long && d->len > FCS_LEN &&
                al_crc_x25(0, d->payload, d->len) == AL_CRC_X25_GOOD;
    d->bad += !good;
    return good;
}

static void take_byte(struct hdlc_decoder *d, uint8_t byte)
{
    if (byte == XON || byte == XOFF) return;
    if (byte == ESCAPE) {
        d->escaped = true;
        return;
    }
    if (d->escaped) byte ^= INVERT;
    d->escaped = false;
    if (d->len == sizeof d->payload)
        d->too_long = true;
    else
        d->payload[d->len++] = byte;
}

size_t hdlc_take(struct hdlc_decoder *d, const uint8_t *data, size_t len, size_t *used)
{
    if (d->complete) start_over(d);
    for (size_t i = 0; i < len; i++) {
        if (data[i] != HDLC_FLAG) {
            take_byte(d, data[i]);
        } else if (is_frame(d)) {
            *used = i + 1;
            d->complete = true;
            return d->len - FCS_LEN;
        } else {
            start_over(d);
        }
    }
    *used = len;
    return 0;
}
