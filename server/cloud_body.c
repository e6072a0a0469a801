/* See cloud_body.h. */
#include "server/cloud_body.h"

#include <stdlib.h>
#include <string.h>

bool cloud_body_add(struct cloud_body *b, const void *data, size_t len)
{
    if (len > CLOUD_BODY_MAX - b->len) return false;
    char *more = realloc(b->text, b->len + len + 1);
    if (!more) return false;
    memcpy(more + b->len, data, len);
    b->text = more;
    b->len += len;
    more[b->len] = 0;
    return true;
}
