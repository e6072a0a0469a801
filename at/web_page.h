/* The files of the page, embedded by mk/page.mk from at/page/. */
#ifndef AT_WEB_PAGE_H
#define AT_WEB_PAGE_H

#include <stddef.h>
#include <stdint.h>

struct web_file {
    const char *path, *type; /* "/page.js", its media type; path NULL ends the list */
    const uint8_t *plain, *gzip;
    size_t plain_len, gzip_len;
};

extern const struct web_file web_files[];

#endif
