/* For targets that build what they parsed: a difference is a finding. */
#ifndef TESTS_FUZZ_FRAME_AGAIN_H
#define TESTS_FUZZ_FRAME_AGAIN_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zigbee/put.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A condition that does not hold is a finding. */
#define must(condition) ((condition) ? (void)0 : must_failed(#condition, __FILE__, __LINE__))

static inline void must_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: must(%s) does not hold\n", file, line, condition);
    abort();
}

/* p holds what data begins with (the format may ignore octets behind). */
static inline void begins_with(const uint8_t *data, size_t size, const struct al_put *p)
{
    must(!p->failed && p->len <= size && memcmp(data, p->buf, p->len) == 0);
}

static inline void same(const struct al_put *a, const struct al_put *b)
{
    must(a->len == b->len && memcmp(a->buf, b->buf, a->len) == 0);
}

#endif
