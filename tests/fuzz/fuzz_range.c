/* Any header value: the answer lies inside the body. The first two bytes give its length. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    uint64_t length = (uint64_t)data[0] << 8 | data[1], first = UINT64_MAX, last = UINT64_MAX;
    char *header = malloc(size - 1);
    if (!header) return 0;
    memcpy(header, data + 2, size - 2);
    header[size - 2] = 0;
    enum range_answer got = range_parse(header, length, &first, &last);
    if (got == RANGE_PART && (first > last || last >= length)) abort();
    if (got != RANGE_PART && got != RANGE_WHOLE && got != RANGE_OUTSIDE) abort();
    struct http_preconditions p = {header, header, header, header};
    int status = http_preconditions_status(&p, "\"tag\"", 1000);
    if (status != 0 && status != 304 && status != 412) abort();
    time_t t;
    char again[HTTP_DATE_LEN];
    if (http_date_parse(header, &t)) http_date_format(t, again);
    range_if_range(header, "\"tag\"", 1000);
    free(header);
    return 0;
}
