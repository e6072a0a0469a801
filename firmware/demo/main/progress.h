/* A progress bar for a serial line: one line for every tenth part. */
#pragma once

#include <stddef.h>

/* total 0: unknown, nothing is shown. */
void progress_show(size_t done, size_t total);
/* Begins anew. */
void progress_reset(void);
