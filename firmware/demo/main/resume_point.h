/* Where a download that was cut goes on, kept in NVS. */
#pragma once

#include <stdint.h>

struct resume_point {
    char version[32]; /* of the image that is in the slot in part */
    uint32_t bytes;   /* a multiple of 1024 */
};

/* What was saved for this version; zero bytes when it was another. */
struct resume_point resume_point_load(const char version[32]);
/* NULL: forget. A failure is told, and costs no more than the comfort. */
void resume_point_save(const struct resume_point *point);
