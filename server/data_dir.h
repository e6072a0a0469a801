/* The data directory, and what a running airliftd leaves there for programs on the same
 * machine: DATA/airliftd.json {"url","pid"} while it runs, DATA/token, DATA/tls/ca.pem. */
#ifndef SERVER_DATA_DIR_H
#define SERVER_DATA_DIR_H

#include <stdbool.h>
#include <stddef.h>

/* Makes the directory (its parent has to be there) and locks it for this process. The lock's
 * descriptor, to be kept open; or -1 and why. */
int data_dir_lock(const char *data_dir, char *why, size_t why_size);

/* Writes, or removes (url NULL), airliftd.json. 0 or -errno. */
int data_dir_announce(const char *data_dir, const char *url);

/* What local clients need. Empty strings: not there. */
struct data_dir_server {
    char url[300];
    char token[128];
    char ca_file[4096];
};
/* false and why: no airliftd runs on this directory, or its files cannot be read. */
bool data_dir_find(const char *data_dir, struct data_dir_server *out, char *why, size_t why_size);

#endif
