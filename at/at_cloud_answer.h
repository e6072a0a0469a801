/* What the cloud answers, taken in as it comes: a head in any number of pieces, and the version
 * in the text behind it. No I/O.
 *
 *   bytes ──> head ──> [chunks] ──> JSON ──> version        (query)
 *         ──> head ──> the file itself                      (download: only the head is taken) */
#ifndef AT_CLOUD_ANSWER_H
#define AT_CLOUD_ANSWER_H

#include "at/at_cloud_request.h"
#include "at/at_json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AT_CLOUD_HEAD_MAX 8192  /* bytes of a head */
#define AT_CLOUD_BODY_MAX 65536 /* bytes of the answer to a query */

enum at_cloud_step { AT_CLOUD_MORE, AT_CLOUD_DONE, AT_CLOUD_BAD };

struct at_cloud_head {
    int status;
    int64_t length;        /* Content-Length in any letter case; -1: not given */
    bool chunked, encoded; /* Transfer-Encoding, Content-Encoding other than identity */
    /* Inside. */
    bool has_status;
    char line[256]; /* the beginning of a long line is enough */
    size_t line_len, total;
};

void at_cloud_head_init(struct at_cloud_head *h);
/* *used: how many of len belong to the head. BAD: why has the words. */
enum at_cloud_step at_cloud_head_feed(struct at_cloud_head *h, const void *data, size_t len,
                                      size_t *used, char *why, size_t why_size);

/* Takes the chunked coding away. */
struct at_cloud_chunks {
    enum { CHUNK_SIZE, CHUNK_REST, CHUNK_DATA, CHUNK_END, CHUNK_TRAILER, CHUNK_DONE } state;
    uint64_t left;
    unsigned digits;
    bool line_empty;
};

/* Moves the content of data[0..*len) to its begin and sets *len. BAD: no chunks. */
enum at_cloud_step at_cloud_chunks_feed(struct at_cloud_chunks *c, uint8_t *data, size_t *len);

/* The answer to the version query. */
struct at_cloud_query_answer {
    struct at_cloud_head head;
    struct at_cloud_chunks chunks;
    struct at_json json;
    bool in_body, ended;
    uint64_t body; /* bytes of content so far */
    long status;   /* of the JSON text; 0: none in it */
    bool exact;    /* version is of the key recommended_rom_version */
    bool unfit;    /* there is one, but it cannot be asked for */
    char version[AT_CLOUD_VERSION_MAX + 1];
    char message[96]; /* of an answer that refuses */
};

void at_cloud_query_init(struct at_cloud_query_answer *a);
/* data is changed. DONE: version and status are there, or the text has ended. */
enum at_cloud_step at_cloud_query_feed(struct at_cloud_query_answer *a, uint8_t *data, size_t len,
                                       char *why, size_t why_size);
/* DONE, or the connection has ended: is there a version? */
bool at_cloud_query_end(const struct at_cloud_query_answer *a, char *why, size_t why_size);

#endif
