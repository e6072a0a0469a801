/* Any answer of a cloud, in pieces of any size: a version that is found can be asked for, and
 * the result does not depend on the pieces. The last byte gives the size of a piece. */
#include "at/at_cloud_answer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct result {
    bool good;
    char version[AT_CLOUD_VERSION_MAX + 1];
    int status;
    int64_t length;
};

static struct result query(const uint8_t *data, size_t size, size_t piece)
{
    struct at_cloud_query_answer a;
    enum at_cloud_step step = AT_CLOUD_MORE;
    char why[128] = "";
    at_cloud_query_init(&a);
    for (size_t at = 0; at < size && step == AT_CLOUD_MORE; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        uint8_t *copy = malloc(n);
        if (!copy) abort();
        memcpy(copy, data + at, n);
        step = at_cloud_query_feed(&a, copy, n, why, sizeof why);
        free(copy);
    }
    struct result r = {.status = a.head.status, .length = a.head.length};
    r.good = step != AT_CLOUD_BAD && at_cloud_query_end(&a, why, sizeof why);
    if (!r.good && !why[0]) abort();
    if (r.good) strcpy(r.version, a.version);
    return r;
}

static void download(const uint8_t *data, size_t size)
{
    struct at_cloud_head h;
    char why[128] = "";
    size_t used;
    at_cloud_head_init(&h);
    enum at_cloud_step step = at_cloud_head_feed(&h, data, size, &used, why, sizeof why);
    if (used > size || (step == AT_CLOUD_BAD && !why[0])) abort();
    if (step == AT_CLOUD_DONE && (h.status < 200 || h.status > 999 || h.length < -1)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct at_cloud_peer peer = {"s", 80, "t"};
    char request[AT_CLOUD_REQUEST_MAX];
    if (size < 1) return 0;
    size_t piece = data[size - 1] ? data[size - 1] : 1;
    struct result whole = query(data, size, size), parts = query(data, size, piece);
    if (whole.good && !at_cloud_download(&peer, whole.version, "ota", request)) abort();
    /* One that finds enough does not look at what follows, so pieces may only find more. */
    if (whole.good && (!parts.good || strcmp(whole.version, parts.version) != 0)) abort();
    download(data, size);
    return 0;
}
