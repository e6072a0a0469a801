/* The OTA client asks for pages: blocks that flow without being asked for one by one.
 * What comes before its time waits in the page buffer; a bit for each byte says what is
 * there. What got lost is asked for by blocks. */
#include "core/err.h"
#include "zigbee/ota_client_internal.h"

enum {
    SHORTEST_SILENCE_MS = 250,
    GAPS = 8,           /* a page has ended after so many times the longest gap */
    LAST_GAPS = 2,      /* the same once its last byte has come */
    SILENT_PAGES = 3,   /* in a row: this server has none */
    SMALL_BLOCK = 40,   /* fits into a frame with all headers there are */
    SPACING_MOST = 100, /* ms */
    HOPS = 3,
    HOP_MS = 7 /* of a full frame with its acknowledgement */
};

static uint8_t *bits(const struct al_zota_client *c)
{
    return c->config.page_buffer + c->config.page_size;
}

static bool has(const struct al_zota_client *c, uint32_t offset)
{
    uint32_t i = offset - c->page_start;
    return bits(c)[i / 8] >> (i % 8) & 1;
}

bool al_zotac_page_wanted(const struct al_zota_client *c)
{
    return c->config.page_buffer && c->config.page_size && !c->no_pages && c->page_end <= c->offset;
}

static uint16_t spacing(const struct al_zota_client *c)
{
    uint32_t period = c->min_block_period;
    if (c->config.period_in_seconds) period *= 1000;
    if (period > UINT16_MAX) period = UINT16_MAX;
    /* Behind three hops the air is free again for the next block. */
    uint32_t hops = c->config.hops < HOPS ? c->config.hops : HOPS;
    if (hops > 1 && period < hops * HOP_MS) period = hops * HOP_MS;
    return period > c->spacing ? (uint16_t)period : c->spacing;
}

static uint64_t longest_silence(const struct al_zota_client *c)
{
    return c->config.page_timeout * AL_ZOTAC_MS + spacing(c) * AL_ZOTAC_MS;
}

void al_zotac_page_request(struct al_zota_client *c, uint64_t now)
{
    uint32_t left = c->file.size - c->offset;
    uint16_t size = left < c->config.page_size ? (uint16_t)left : c->config.page_size;
    if (c->page_block > c->config.max_data_size) c->page_block = c->config.max_data_size;
    struct al_zota_frame f = {
        .command = AL_ZOTA_IMAGE_PAGE_REQ,
        .u.image_page_req =
            {
                .id = c->file.id,
                .file_offset = c->offset,
                .max_data_size = c->page_block,
                .page_size = size,
                .response_spacing = spacing(c),
                .has_node_addr = c->config.send_ext_addr,
                .node_addr = c->config.ext_addr,
            },
    };
    if (al_zotac_request(c, now, &f, true)) return;
    c->page_start = c->offset;
    c->page_end = c->offset + size;
    c->page_got = 0;
    c->page_gap = 0;
    c->page_last = now;
    memset(bits(c), 0, (c->config.page_size + 7u) / 8u);
    c->in_page = true;
    c->deadline = now + longest_silence(c);
}

uint32_t al_zotac_page_hole(const struct al_zota_client *c)
{
    uint32_t end = c->offset;
    while (end < c->page_end && !has(c, end)) end++;
    return end - c->offset;
}

bool al_zotac_page_drain(struct al_zota_client *c, uint64_t now)
{
    while (c->offset < c->page_end && has(c, c->offset)) {
        uint32_t end = c->offset;
        while (end < c->page_end && has(c, end)) end++;
        const uint8_t *data = c->config.page_buffer + (c->offset - c->page_start);
        if (!al_zotac_deliver(c, now, data, end - c->offset)) return false;
    }
    return true;
}

/* Pages that lose blocks come slower from now on, whole ones faster again. */
static void adapt_spacing(struct al_zota_client *c)
{
    uint32_t size = c->page_end - c->page_start;
    uint32_t missed = size > c->page_got ? size - c->page_got : 0;
    if (missed > size / 8)
        c->spacing = c->spacing * 2 < SPACING_MOST ? (uint16_t)(c->spacing * 2) : SPACING_MOST;
    else if (missed == 0 && c->spacing > c->config.page_spacing)
        c->spacing--;
}

/* The page brings no more; holes are left to block requests. */
static void end_page(struct al_zota_client *c, uint64_t now)
{
    c->in_page = false;
    adapt_spacing(c);
    if (c->offset == c->file.size)
        al_zotac_complete(c, now);
    else
        al_zotac_proceed(c, now);
}

static void store(struct al_zota_client *c, uint32_t offset, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint32_t at = offset - c->page_start + (uint32_t)i;
        if (!has(c, c->page_start + at)) c->page_got++;
        c->config.page_buffer[at] = data[i];
        bits(c)[at / 8] = (uint8_t)(bits(c)[at / 8] | 1u << (at % 8));
    }
}

void al_zotac_page_block(struct al_zota_client *c, uint64_t now, uint32_t offset,
                         const uint8_t *data, size_t len)
{
    uint32_t end = offset + (uint32_t)len;
    if (offset < c->page_start || end > c->page_end || end <= c->offset) return;
    c->silent_pages = 0;
    uint64_t gap = now - c->page_last;
    /* From the request to the first block, too: that is the queue of all clients. */
    if (gap > c->page_gap) c->page_gap = gap;
    c->page_last = now;
    store(c, offset, data, len);
    uint32_t before = c->offset;
    if (!al_zotac_page_drain(c, now)) return;
    if (!c->in_page) {
        /* Late, while its hole is being asked for: then that is answered. */
        if (c->offset == c->file.size)
            al_zotac_complete(c, now);
        else if (c->offset != before)
            al_zotac_proceed(c, now);
        return;
    }
    c->asking = false;
    if (c->offset == c->page_end) {
        end_page(c, now);
        return;
    }
    uint64_t gaps = end == c->page_end ? LAST_GAPS : GAPS;
    uint64_t silence = gaps * (c->page_gap + spacing(c) * AL_ZOTAC_MS);
    if (end != c->page_end && silence < SHORTEST_SILENCE_MS * AL_ZOTAC_MS)
        silence = SHORTEST_SILENCE_MS * AL_ZOTAC_MS;
    c->deadline = now + (silence < longest_silence(c) ? silence : longest_silence(c));
}

void al_zotac_page_off(struct al_zota_client *c)
{
    c->no_pages = true;
    c->in_page = false;
    c->page_end = 0;
    al_zotac_emit(c, AL_ZOTA_CLIENT_NO_PAGES, 0);
}

void al_zotac_page_silent(struct al_zota_client *c, uint64_t now)
{
    if (c->page_got == 0) {
        /* Perhaps its blocks do not fit into a frame, perhaps the server has no pages. */
        if (c->page_block > SMALL_BLOCK) c->page_block = SMALL_BLOCK;
        if (++c->silent_pages >= SILENT_PAGES) {
            al_zotac_page_off(c);
            al_zotac_proceed(c, now);
            return;
        }
        al_zotac_emit(c, AL_ZOTA_CLIENT_RETRY, c->silent_pages);
    }
    end_page(c, now);
}
