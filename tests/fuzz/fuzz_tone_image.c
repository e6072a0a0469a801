/* Any bytes as a tone image: it verifies or names a fault; the files of a valid one lie inside it,
 * one behind the other. The CRC of the input is put right first, or hardly any would get past it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/err.h"
#include "core/version_number.h"
#include "host/tone_image.h"

static void put_crc_right(const struct al_tone *t, uint8_t *data)
{
    struct al_tone_fault fault;
    uint32_t len;
    if (t->format != 1 || al_tone_find_end(t, &len, &fault)) return;
    len -= AL_TONE_TRAILER;
    al_put_le32(data + len, al_crc32(0, data, len));
}

static void explain(const struct al_tone_fault *fault, int err)
{
    char why[400];
    if (err != AL_ERR_IMAGE_INVALID || fault->check == AL_TONE_OK) abort();
    tone_image_explain(fault, why, sizeof why);
}

static void walk(const struct al_tone *t, uint32_t len)
{
    struct al_tone_file file;
    struct al_tone_fault fault;
    uint32_t end = AL_TONE_HEADER_LEN;
    if (len > t->source.size) abort();
    for (uint32_t i = 0; i < t->count; i++) {
        if (al_tone_read_file(t, i, &file, &fault)) abort();
        if (file.address < end || file.length > len - file.address) abort();
        end = file.address + file.length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct al_tone t;
    struct al_tone_fault fault;
    struct al_tone_desc desc;
    uint32_t len;
    uint8_t *data = malloc(size ? size : 1);
    if (size) memcpy(data, input, size);
    struct tone_bytes bytes = {data, size};
    struct al_tone_source source = tone_image_source(&bytes);
    int err = al_tone_open(&t, &source, &fault);
    if (err) {
        explain(&fault, err);
    } else {
        if (size && input[size - 1] % 8) put_crc_right(&t, data);
        if (t.format == 1 && !al_tone_read_desc(&t, &desc, &fault))
            (void)al_version_number(desc.version);
        err = al_tone_verify(&t, &len, &fault);
        if (err)
            explain(&fault, err);
        else
            walk(&t, len);
    }
    free(data);
    return 0;
}
