/* The OTA client fetches a file: block requests, their answers, retries. */
#include "core/err.h"
#include "zigbee/ota_client_internal.h"
#include "zigbee/ota_file.h"

enum {
    LONGEST_HOLD_S = 3600, /* whatever WAIT_FOR_DATA says */
    BAD_HOLD_S = 300,      /* its request time lies before its current time */
    SHORTEST_HOLD_MS = 100,
    MEASURED = 8, /* answers before the timeout follows them */
    TIMES = 8,    /* of the slowest answer */
    SHORTEST_MS = 1000,
    MOST_DOUBLINGS = 3
};
static const uint32_t stack_version_at = 18; /* in the OTA header */

void al_zotac_download(struct al_zota_client *c, uint64_t now)
{
    c->downloaded_version = c->file.id.file_version;
    c->downloaded_stack = UINT16_MAX;
    c->min_block_period = 0;
    c->tries = 0;
    c->asked_max = 0;
    c->asking = c->in_page = c->no_pages = c->more = false;
    c->silent_pages = c->answers = 0;
    c->slowest = 0;
    c->page_start = c->page_end = 0;
    c->page_block = AL_ZOTA_BLOCK_SINGLE;
    c->spacing = c->config.page_spacing;
    c->ladder = (struct al_zota_ladder){0};
    c->reason = AL_ZOTA_REASON_NONE;
    al_zotac_set_state(c, AL_ZOTA_CLIENT_DOWNLOADING);
    al_zotac_emit(c, AL_ZOTA_CLIENT_START, 0);
    al_zotac_keep(c);
    if (c->offset == c->file.size)
        al_zotac_complete(c, now);
    else
        al_zotac_proceed(c, now);
}

static uint8_t block_size(const struct al_zota_client *c)
{
    uint8_t size = al_zota_ladder_size(&c->ladder);
    if (size > c->config.max_data_size) size = c->config.max_data_size;
    uint32_t hole = al_zotac_page_hole(c);
    return hole && hole < size ? (uint8_t)hole : size;
}

static uint64_t timeout(const struct al_zota_client *c)
{
    uint64_t most = c->config.block_timeout * AL_ZOTAC_MS, us = c->slowest * TIMES;
    if (c->answers < MEASURED) return most;
    if (us < SHORTEST_MS * AL_ZOTAC_MS) us = SHORTEST_MS * AL_ZOTAC_MS;
    us <<= c->tries < MOST_DOUBLINGS ? c->tries : MOST_DOUBLINGS;
    return us < most ? us : most;
}

static void measure(struct al_zota_client *c, uint64_t now)
{
    uint64_t us = now - c->asked_at;
    c->slowest -= c->slowest / TIMES;
    if (us > c->slowest) c->slowest = us;
    if (c->answers < MEASURED) c->answers++;
}

static void request_block(struct al_zota_client *c, uint64_t now)
{
    uint8_t size = block_size(c);
    struct al_zota_frame f = {
        .command = AL_ZOTA_IMAGE_BLOCK_REQ,
        .u.image_block_req =
            {
                .id = c->file.id,
                .file_offset = c->offset,
                .max_data_size = size,
                .has_node_addr = c->config.send_ext_addr,
                .node_addr = c->config.ext_addr,
                /* Says also that this client honours the field. */
                .has_min_block_period = c->min_block_period != 0,
                .min_block_period = c->min_block_period,
            },
    };
    /* The answer is the acknowledgement: one more only costs air, unless requests get lost. */
    if (al_zotac_request(c, now, &f, c->tries > 0)) return;
    if (size > c->asked_max) c->asked_max = size;
    c->asked_at = now;
    c->deadline = now + timeout(c);
}

static void ask(struct al_zota_client *c, uint64_t now)
{
    if (al_zotac_page_wanted(c))
        al_zotac_page_request(c, now);
    else
        request_block(c, now);
}

static uint64_t owed_pause(const struct al_zota_client *c)
{
    uint64_t unit = c->config.period_in_seconds ? AL_ZOTAC_S : AL_ZOTAC_MS;
    uint64_t period = c->min_block_period * unit, own = c->config.block_delay * AL_ZOTAC_MS;
    if (period > LONGEST_HOLD_S * AL_ZOTAC_S) period = LONGEST_HOLD_S * AL_ZOTAC_S;
    return period > own ? period : own;
}

void al_zotac_proceed(struct al_zota_client *c, uint64_t now)
{
    uint64_t pause = owed_pause(c);
    c->asking = false;
    if (pause == 0)
        ask(c, now);
    else
        c->deadline = now + pause;
}

static void retry_later(struct al_zota_client *c, uint64_t now)
{
    c->asking = false;
    if (++c->tries > c->config.block_retries) {
        al_zotac_tell_end(c, AL_ZCL_ABORT);
        al_zotac_give_up(c, now, AL_ZOTA_REASON_UNANSWERED, AL_ZOTAC_TIMEOUT, 0);
        return;
    }
    uint8_t before = block_size(c);
    al_zota_ladder_bad(&c->ladder);
    if (block_size(c) < before) al_zotac_emit(c, AL_ZOTA_CLIENT_BLOCK_SIZE, block_size(c));
    al_zotac_emit(c, AL_ZOTA_CLIENT_RETRY, c->tries);
    if (c->state == AL_ZOTA_CLIENT_DOWNLOADING) c->deadline = now + al_zotac_pause(c);
}

void al_zotac_download_run(struct al_zota_client *c, uint64_t now)
{
    if (c->in_page)
        al_zotac_page_silent(c, now);
    else if (c->asking)
        retry_later(c, now);
    else
        ask(c, now);
}

/* The header passes by here: it is the only place that tells the stack version. */
static void look_at_header(struct al_zota_client *c, const uint8_t *data, size_t len)
{
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t at = stack_version_at + i;
        if (at < c->offset || at - c->offset >= len) continue;
        unsigned shift = 8 * i;
        c->downloaded_stack = (uint16_t)((c->downloaded_stack & ~(0xffu << shift)) |
                                         (unsigned)data[at - c->offset] << shift);
    }
}

bool al_zotac_deliver(struct al_zota_client *c, uint64_t now, const uint8_t *data, size_t len)
{
    look_at_header(c, data, len);
    int err = c->app.data(c->app.ctx, c->offset, data, len);
    if (err < 0) {
        al_zotac_tell_end(c, AL_ZCL_ABORT);
        al_zotac_give_up(c, now, AL_ZOTA_REASON_WRITE, 0, err);
        return false;
    }
    c->offset += (uint32_t)len;
    c->tries = 0;
    c->asked_max = 0;
    al_zotac_emit(c, AL_ZOTA_CLIENT_BLOCK, (uint32_t)len);
    if (c->offset - c->saved_offset >= c->config.save_bytes) al_zotac_keep(c);
    return true;
}

static void accept(struct al_zota_client *c, uint64_t now, const struct al_zota_image_block_rsp *r)
{
    bool first_try = c->tries == 0;
    if (first_try && c->asking) measure(c, now);
    if (!al_zotac_deliver(c, now, r->data, r->data_size)) return;
    uint8_t before = block_size(c);
    if (first_try && al_zota_ladder_good(&c->ladder) && block_size(c) > before)
        al_zotac_emit(c, AL_ZOTA_CLIENT_BLOCK_SIZE, block_size(c));
    c->ladder.fails = 0;
    if (!al_zotac_page_drain(c, now)) return;
    if (c->offset == c->file.size)
        al_zotac_complete(c, now);
    else
        al_zotac_proceed(c, now);
}

static void hold(struct al_zota_client *c, uint64_t now, const struct al_zota_image_block_rsp *r)
{
    uint64_t pause = r->request_time < r->current_time
                         ? BAD_HOLD_S * AL_ZOTAC_S
                         : (uint64_t)(r->request_time - r->current_time) * AL_ZOTAC_S;
    if (pause > LONGEST_HOLD_S * AL_ZOTAC_S) pause = LONGEST_HOLD_S * AL_ZOTAC_S;
    if (r->has_min_block_period) c->min_block_period = r->min_block_period;
    if (pause < owed_pause(c)) pause = owed_pause(c);
    if (pause < SHORTEST_HOLD_MS * AL_ZOTAC_MS) pause = SHORTEST_HOLD_MS * AL_ZOTAC_MS;
    if (c->in_page && c->page_got == 0) c->page_end = c->offset; /* asked for anew */
    c->asking = c->in_page = false;
    c->tries = 0; /* the server lives */
    c->deadline = now + pause;
    al_zotac_emit(c, AL_ZOTA_CLIENT_HELD, (uint32_t)(pause / AL_ZOTAC_MS));
}

static void on_data(struct al_zota_client *c, uint64_t now, const struct al_zota_image_block_rsp *r)
{
    if (!al_zota_same_id(&r->id, &c->file.id) || r->data_size == 0 ||
        r->file_offset > c->file.size || r->data_size > c->file.size - r->file_offset) {
        al_zotac_emit(c, AL_ZOTA_CLIENT_IGNORED, AL_ZOTA_IMAGE_BLOCK_RSP);
        return;
    }
    bool next = r->file_offset == c->offset && r->data_size <= c->asked_max;
    if (!c->in_page && next)
        accept(c, now, r);
    else if (c->page_end > c->offset && r->data_size <= c->page_block)
        al_zotac_page_block(c, now, r->file_offset, r->data, r->data_size);
    else
        al_zotac_emit(c, AL_ZOTA_CLIENT_IGNORED, AL_ZOTA_IMAGE_BLOCK_RSP);
}

uint8_t al_zotac_on_block(struct al_zota_client *c, uint64_t now,
                          const struct al_zota_image_block_rsp *r)
{
    /* Late ones of an ended download are no error. */
    if (c->state != AL_ZOTA_CLIENT_DOWNLOADING) return AL_ZCL_SUCCESS;
    switch (r->status) {
    case AL_ZCL_SUCCESS:
        on_data(c, now, r);
        break;
    case AL_ZCL_WAIT_FOR_DATA:
        if (c->asking || c->in_page) hold(c, now, r);
        break;
    case AL_ZCL_ABORT:
        al_zotac_give_up(c, now, AL_ZOTA_REASON_ABORTED, r->status, 0);
        break;
    case AL_ZCL_NO_IMAGE_AVAILABLE:
        al_zotac_give_up(c, now, AL_ZOTA_REASON_WITHDRAWN, r->status, 0);
        break;
    default:
        break; /* the timeout asks again */
    }
    return AL_ZCL_SUCCESS;
}
