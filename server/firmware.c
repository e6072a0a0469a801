/* See firmware.h. The bytes come from one mapped file, found once: publishing the name anew
 * meanwhile changes nothing for this answer, and If-Range keeps a later one from mixing. */
#include "server/firmware.h"

#include <inttypes.h>
#include <stdio.h>

#include "net/range.h"
#include "server/answers.h"

struct validators {
    char etag[BLOB_HEX_LEN + 2]; /* quoted */
    char modified[HTTP_DATE_LEN];
};

static void add_validators(struct http_request *r, const struct validators *v)
{
    http_answer_header(r, "ETag", v->etag);
    http_answer_header(r, "Last-Modified", v->modified);
    http_answer_header(r, "Accept-Ranges", "bytes");
    http_answer_header(r, "Cache-Control", "no-cache"); /* names change what they stand for */
}

static int precondition(const struct http_request *r, const struct validators *v,
                        const struct artifact *a)
{
    struct http_preconditions p = {
        .if_match = http_request_header(r, "If-Match"),
        .if_none_match = http_request_header(r, "If-None-Match"),
        .if_modified_since = http_request_header(r, "If-Modified-Since"),
        .if_unmodified_since = http_request_header(r, "If-Unmodified-Since"),
    };
    return http_preconditions_status(&p, v->etag, (time_t)a->published);
}

/* Range is for GET only; a HEAD tells about the whole. */
static enum range_answer wanted_range(const struct http_request *r, const struct validators *v,
                                      const struct artifact *a, uint64_t *first, uint64_t *last)
{
    const char *if_range = http_request_header(r, "If-Range");
    if (!http_request_is(r, "GET") || !range_if_range(if_range, v->etag, (time_t)a->published))
        return RANGE_WHOLE;
    return range_parse(http_request_header(r, "Range"), a->size, first, last);
}

static struct firmware_sent send_content(struct http_request *r, const struct artifact *a,
                                         struct blob *blob, const struct validators *v)
{
    char content_range[80];
    uint64_t first = 0, last = 0;
    enum range_answer range = wanted_range(r, v, a, &first, &last);
    if (range == RANGE_OUTSIDE) {
        blob_release(blob);
        snprintf(content_range, sizeof content_range, "bytes */%" PRIu64, a->size);
        answer_error(r, 416, "range", "the range lies behind the end of the file", NULL);
        http_answer_header(r, "Content-Range", content_range);
        add_validators(r, v);
        return (struct firmware_sent){.status = 416};
    }
    uint64_t len = range == RANGE_PART ? last - first + 1 : a->size;
    http_answer_bytes(r, range, blob_data(blob) + first, len, blob_release, blob);
    if (range == RANGE_PART) {
        snprintf(content_range, sizeof content_range, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
                 first, last, a->size);
        http_answer_header(r, "Content-Range", content_range);
    }
    http_answer_header(r, "Content-Type", "application/octet-stream");
    add_validators(r, v);
    return (struct firmware_sent){range, first, len};
}

struct firmware_sent firmware_send(struct http_request *r, const struct artifact *a,
                                   struct blob *blob)
{
    struct validators v;
    snprintf(v.etag, sizeof v.etag, "\"%s\"", a->sha256);
    http_date_format((time_t)a->published, v.modified);
    int status = precondition(r, &v, a);
    if (status == 0) return send_content(r, a, blob, &v);
    if (status == 304) { /* no body is sent, but the length it would have */
        http_answer_bytes(r, 304, blob_data(blob), blob_size(blob), blob_release, blob);
    } else {
        blob_release(blob);
        answer_error(r, (unsigned)status, "precondition", "the file is not the one asked for",
                     NULL);
    }
    add_validators(r, &v);
    return (struct firmware_sent){.status = (unsigned)status};
}

void firmware_answer(struct store *s, struct http_request *r, const char *name)
{
    struct artifact a;
    struct blob *blob;
    if (!http_request_is(r, "GET") && !http_request_is(r, "HEAD")) {
        answer_method(r, "GET, HEAD");
        return;
    }
    int err = store_find(s, name, &a, &blob);
    if (err != 0) {
        answer_store_error(r, err, name);
        return;
    }
    firmware_send(r, &a, blob);
}
