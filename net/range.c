/* See range.h. */
#include "net/range.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* Digits; too many of them give UINT64_MAX, which lies outside every body. */
static bool number(const char **p, uint64_t *out)
{
    const char *c = *p;
    uint64_t v = 0;
    for (; *c >= '0' && *c <= '9'; c++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *c - '0', &v))
            v = UINT64_MAX;
    if (c == *p) return false;
    *p = c;
    *out = v;
    return true;
}

/* One range-spec ("0-99", "100-", "-5"). false: not well formed. inside: part of it
 * lies in the body, and first and last say where. */
static bool one_part(const char **p, uint64_t length, bool *inside, uint64_t *first, uint64_t *last)
{
    uint64_t a = 0, b = UINT64_MAX;
    bool has_first = number(p, &a);
    if (*(*p)++ != '-') return false;
    bool has_last = number(p, &b);
    if (has_first && has_last && b < a) return false;
    if (!has_first) {
        if (!has_last) return false;
        a = b < length ? length - b : 0;
        *inside = b > 0 && length > 0;
        b = length - 1;
    } else {
        *inside = a < length;
    }
    *first = a;
    *last = b < length ? b : length - 1;
    return true;
}

enum range_answer range_parse(const char *header, uint64_t length, uint64_t *first, uint64_t *last)
{
    if (!header || strncasecmp(header, "bytes", 5) != 0) return RANGE_WHOLE;
    const char *p = skip_blanks(header + 5);
    if (*p++ != '=') return RANGE_WHOLE;
    unsigned parts = 0, inside = 0;
    do {
        uint64_t a, b;
        bool is_inside;
        p = skip_blanks(p);
        if (*p == ',' || (*p == 0 && parts > 0)) continue; /* empty list elements are allowed */
        if (++parts > RANGE_MAX_PARTS || !one_part(&p, length, &is_inside, &a, &b))
            return RANGE_WHOLE;
        if (is_inside && inside++ == 0) *first = a, *last = b;
        p = skip_blanks(p);
    } while (*p++ == ',');
    if (p[-1] != 0) return RANGE_WHOLE;
    if (inside == 0) return RANGE_OUTSIDE;
    return inside == 1 ? RANGE_PART : RANGE_WHOLE;
}

void http_date_format(time_t t, char out[HTTP_DATE_LEN])
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm;
    gmtime_r(&t, &tm);
    snprintf(out, HTTP_DATE_LEN, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday],
             (unsigned)tm.tm_mday % 100, months[tm.tm_mon], (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

bool http_date_parse(const char *text, time_t *out)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    if (!end || *end) return false;
    *out = timegm(&tm);
    return true;
}

bool range_if_range(const char *if_range, const char *etag, time_t modified)
{
    time_t t;
    if (!if_range) return true;
    if (if_range[0] == '"') return strcmp(if_range, etag) == 0;
    return http_date_parse(if_range, &t) && t == modified;
}

/* Is etag one of the list, or the list "*"? weak: "W/" does not count. */
static bool in_list(const char *list, const char *etag, bool weak)
{
    size_t len = strlen(etag);
    if (strcmp(list, "*") == 0) return true;
    for (const char *p = list; *p;) {
        p += strspn(p, " \t,");
        bool is_weak = strncmp(p, "W/", 2) == 0;
        if (is_weak) p += 2;
        if (*p != '"') return false;
        const char *end = strchr(p + 1, '"');
        if (!end) return false;
        bool same = (size_t)(end + 1 - p) == len && strncmp(p, etag, len) == 0;
        if (same && (weak || !is_weak)) return true;
        p = skip_blanks(end + 1);
    }
    return false;
}

int http_preconditions_status(const struct http_preconditions *p, const char *etag, time_t modified)
{
    time_t t;
    if (p->if_match) {
        if (!in_list(p->if_match, etag, false)) return 412;
    } else if (p->if_unmodified_since && http_date_parse(p->if_unmodified_since, &t)) {
        if (modified > t) return 412;
    }
    if (p->if_none_match) {
        if (in_list(p->if_none_match, etag, true)) return 304;
    } else if (p->if_modified_since && http_date_parse(p->if_modified_since, &t)) {
        if (modified <= t) return 304;
    }
    return 0;
}
