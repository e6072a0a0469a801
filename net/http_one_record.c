/* See http_one_record.h. */
#include "net/http_one_record.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 32768u

struct body {
    gnutls_session_t session;
    const uint8_t *data;
    void (*release)(void *ctx);
    void *release_ctx;
    bool flushed;
};

static ssize_t next_block(void *ctx, uint64_t pos, char *out, size_t max)
{
    struct body *b = ctx;
    size_t limit = pos == 0 ? HTTP_ONE_RECORD_FIRST : BLOCK;
    if (pos > 0 && !b->flushed) {
        if (!http_one_record_flush(b->session)) return MHD_CONTENT_READER_END_WITH_ERROR;
        b->flushed = true;
    }
    if (max > limit) max = limit;
    memcpy(out, b->data + pos, max); /* max never exceeds what is left of the known length */
    return (ssize_t)max;
}

static void free_body(void *ctx)
{
    struct body *b = ctx;
    b->release(b->release_ctx);
    free(b);
}

struct MHD_Response *http_one_record_response(gnutls_session_t session, const void *data,
                                              size_t len, void (*release)(void *ctx),
                                              void *release_ctx)
{
    if (len <= HTTP_ONE_RECORD_FIRST)
        return MHD_create_response_from_buffer_with_free_callback_cls(len, (void *)(uintptr_t)data,
                                                                      release, release_ctx);
    struct body *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    *b = (struct body){session, data, release, release_ctx, false};
    struct MHD_Response *r =
        MHD_create_response_from_callback(len, BLOCK, next_block, b, free_body);
    if (!r) free(b);
    return r;
}

void http_one_record_begin(gnutls_session_t session)
{
    gnutls_record_cork(session);
}

bool http_one_record_flush(gnutls_session_t session)
{
    return gnutls_record_uncork(session, 0) >= 0;
}
