/* Any bytes as a Zigbee OTA file: the reader and the stream agree.
 * The last byte says in which pieces the stream gets it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "host/aes_openssl.h"
#include "host/zigbee_file.h"
#include "zigbee/ota_stream.h"

struct seen {
    const uint8_t *ota;
    uint32_t image_len;
};

/* The stream gives the file's own bytes, each once. */
static int on_data(void *ctx, const struct al_zfile_element *e, uint32_t offset,
                   const uint8_t *data, size_t len)
{
    struct seen *seen = ctx;
    if (memcmp(seen->ota + e->offset + offset, data, len) != 0) abort();
    if (e->tag != AL_ZFILE_UPGRADE_IMAGE) return 0;
    if (offset != seen->image_len) abort();
    seen->image_len += (uint32_t)len;
    return 0;
}

static void compare_stream(const struct al_zfile *f, const struct al_aes *aes, const uint8_t *ota,
                           size_t len, size_t piece, const struct al_zfile_fault *strict)
{
    struct seen seen = {ota, 0};
    struct al_zstream_app app = {.ctx = &seen, .data = on_data};
    struct al_zstream s;
    int err = 0;
    al_zstream_begin(&s);
    for (size_t at = 0; !err && at < len; at += piece)
        err = al_zstream_feed(&s, aes, &app, ota + at, len - at < piece ? len - at : piece);
    if (!err) err = al_zstream_end(&s);
    if (s.raw || f->chain == AL_ZFILE_CHAIN_TELINK) return; /* they read it another way */
    if (!err != !strict) abort();
    if (err && err != AL_ERR_IMAGE_INVALID) abort();
    if (err && s.fault.class != strict->class && s.fault.class != AL_ZFILE_DUPLICATE_IMAGE) abort();
    if (!err && (s.image.offset != f->image.offset || seen.image_len != f->image.length)) abort();
}

/* All elements lie inside the file, one behind the other. */
static void walk_elements(const struct al_zfile *f)
{
    uint32_t count = 0, end = f->header.header_length, total = f->header.total_image_size;
    for (struct al_zfile_iter it = al_zfile_first(f); al_zfile_next(f, &it) == 1; count++) {
        const struct al_zfile_element *e = &it.element;
        if (e->offset < end || e->offset > total || e->length > total - e->offset) abort();
        end = e->offset + e->length;
    }
    if (count != f->elements) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct aes_openssl *openssl;
    if (!openssl) openssl = aes_openssl_new();
    if (size == 0) return 0;
    const struct al_aes *aes = aes_openssl_aes(openssl);
    struct zigbee_bytes bytes = {data, size};
    struct al_zfile_source source = zigbee_source(&bytes);
    struct al_zfile f;
    struct al_zfile_fault fault;
    struct al_zfile_verdict v;
    char why[256];
    int err = al_zfile_open(&f, &source, &fault);
    if (err) {
        if (err != AL_ERR_IMAGE_INVALID || fault.class == AL_ZFILE_OK) abort();
        zigbee_fault_explain(&fault, why, sizeof why);
        return 0;
    }
    const uint8_t *ota = bytes.data + f.start;
    walk_elements(&f);
    if (al_zfile_check(&f, aes, &v)) abort();
    for (uint8_t i = 0; i < v.count; i++) {
        if (i && v.fault[i].class <= v.fault[i - 1].class) abort();
        zigbee_fault_explain(&v.fault[i], why, sizeof why);
    }
    compare_stream(&f, aes, ota, bytes.len - f.start, 1 + data[size - 1] % 64u,
                   al_zfile_error(&v, false));
    return 0;
}
