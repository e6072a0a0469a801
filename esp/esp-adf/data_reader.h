/* Where the new content of a data partition comes from: a file of the SD card, or HTTP. Log lines
 * are those of the stream elements that the original reads with. */
#ifndef ESP_ADF_DATA_READER_H
#define ESP_ADF_DATA_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The original's numbers. */
enum { DATA_READER_FAIL = -1, DATA_READER_ABORT = -3 };

struct data_reader;

/* By the scheme in uri, which may stand anywhere in it: file://, then https:// or http://. */
enum data_reader_kind { DATA_READER_NONE, DATA_READER_FILE, DATA_READER_HTTP };
enum data_reader_kind data_reader_kind(const char *uri);

/* cert_pem: what an https server is verified with; NULL: the certificate bundle. stop: asked now
 * and then while waiting; true ends with DATA_READER_ABORT. NULL: it could not be opened; why is
 * logged. */
struct data_reader *data_reader_open(const char *uri, const char *cert_pem, bool (*stop)(void));
/* Up to len bytes; 0: the end, all bytes that were announced came; or DATA_READER_*. */
int data_reader_read(struct data_reader *r, void *buf, size_t len);
/* Bytes in all; -1: not known. */
int64_t data_reader_size(const struct data_reader *r);
void data_reader_close(struct data_reader *r);
/* Is a server verified with the certificate bundle? It is without cert_pem, if there is one. */
bool data_reader_trusts_bundle(const char *cert_pem);

/* --- kinds --- */

struct data_reader_ops {
    const char *name; /* as the lines call it: [file], [http] */
    int (*read)(void *ctx, void *buf, size_t len);
    int64_t (*size)(const void *ctx);
    void (*close)(void *ctx);
};
extern const struct data_reader_ops data_reader_file, data_reader_http;
void *data_reader_file_open(const char *uri);
void *data_reader_http_open(const char *uri, const char *cert_pem, bool (*stop)(void));

#endif
