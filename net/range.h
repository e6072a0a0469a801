/* Which bytes a GET gets, and whether any: Range, If-Range and the other
 * preconditions. Source: RFC 9110 sections 13 and 14.
 *
 * Ranges are of one kind, bytes, and one part is sent. A header that asks for
 * several parts gets the whole body (a server may ignore Range), unless only one
 * of them lies inside; a header that is not well formed is as if it were absent. */
#ifndef NET_RANGE_H
#define NET_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum range_answer { RANGE_WHOLE = 200, RANGE_PART = 206, RANGE_OUTSIDE = 416 };

#define RANGE_MAX_PARTS 16u /* more are taken for an attack: the whole body */
#define HTTP_DATE_LEN   30u /* "Sun, 06 Nov 1994 08:49:37 GMT" and NUL */

/* header: value of Range, NULL when absent. length: of the whole body. first and last
 * are set for RANGE_PART: first <= last < length. */
enum range_answer range_parse(const char *header, uint64_t length, uint64_t *first, uint64_t *last);

/* May Range be obeyed? if_range: value of the header, NULL when absent (then true).
 * etag: the current one, quoted. Weak tags never match, dates only when equal. */
bool range_if_range(const char *if_range, const char *etag, time_t modified);

/* Values of the four headers, NULL when absent. */
struct http_preconditions {
    const char *if_match, *if_none_match, *if_modified_since, *if_unmodified_since;
};
/* Status to answer with instead of the body: 304 or 412; 0: none. For GET and HEAD. */
int http_preconditions_status(const struct http_preconditions *p, const char *etag,
                              time_t modified);

/* IMF-fixdate, always GMT. parse gives false for other forms. */
void http_date_format(time_t t, char out[HTTP_DATE_LEN]);
bool http_date_parse(const char *text, time_t *out);

#endif
