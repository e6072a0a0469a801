/* The body of a request, gathered in memory up to a limit. */
#ifndef SERVER_CLOUD_BODY_H
#define SERVER_CLOUD_BODY_H

#include <stdbool.h>
#include <stddef.h>

#define CLOUD_BODY_MAX 65536u

struct cloud_body {
    char *text; /* malloc'ed, NUL behind it; NULL: empty */
    size_t len;
};

/* false: too long, or no memory. */
bool cloud_body_add(struct cloud_body *b, const void *data, size_t len);

#endif
