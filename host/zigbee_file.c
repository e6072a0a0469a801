#include "host/zigbee_file.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "core/err.h"

static int read_bytes(void *ctx, uint32_t off, void *buf, size_t len)
{
    const struct zigbee_bytes *b = ctx;
    if (off > b->len || len > b->len - off) return AL_ERR_INVALID_SIZE;
    memcpy(buf, b->data + off, len);
    return 0;
}

struct al_zfile_source zigbee_source(const struct zigbee_bytes *bytes)
{
    uint32_t size = bytes->len < UINT32_MAX ? (uint32_t)bytes->len : UINT32_MAX;
    return (struct al_zfile_source){(void *)(uintptr_t)bytes, read_bytes, size};
}

/* Classes 1 to 6: of the header. */
static void explain_header(const struct al_zfile_fault *f, char *out, size_t size)
{
    unsigned long long expected = f->expected, found = f->found;
    switch (f->class) {
    case AL_ZFILE_NO_MAGIC:
        snprintf(out, size,
                 "this is no Zigbee OTA file: the bytes 1e f1 ee 0b are nowhere in it; pack an "
                 "image with 'airlift zigbee pack'");
        break;
    case AL_ZFILE_TRUNCATED_HEADER:
        snprintf(out, size,
                 "the file ends inside its header: %llu bytes from the magic, the header has "
                 "%llu; get the whole file",
                 found, expected);
        break;
    case AL_ZFILE_BAD_HEADER_VERSION:
        snprintf(out, size, "header version 0x%04llx at offset 4, only 0x01xx is known", found);
        break;
    case AL_ZFILE_BAD_HEADER_LENGTH:
        snprintf(out, size,
                 "header length %llu at offset 6, but the fields that its field control announces "
                 "need %llu",
                 found, expected);
        break;
    case AL_ZFILE_BAD_TOTAL_SIZE:
        snprintf(out, size, "total image size %llu at offset 52 is less than the header's %llu",
                 found, expected);
        break;
    default:
        snprintf(out, size,
                 "total image size %llu at offset 52, but the file has only %llu bytes from the "
                 "magic; get the whole file",
                 expected, found);
    }
}

/* Classes 7 to 10 and 13: of the elements. */
static void explain_elements(const struct al_zfile_fault *f, char *out, size_t size)
{
    unsigned long long expected = f->expected, found = f->found;
    switch (f->class) {
    case AL_ZFILE_ELEMENT_OVERRUN:
        snprintf(out, size,
                 "element length %llu at offset 0x%x, but only %llu bytes are left of the total "
                 "image size",
                 found, f->offset, expected);
        break;
    case AL_ZFILE_PARTIAL_ELEMENT:
        snprintf(out, size, "%llu bytes at offset 0x%x, where an element header of %llu should be",
                 found, f->offset, expected);
        break;
    case AL_ZFILE_NO_IMAGE:
        snprintf(out, size, "no upgrade image (tag 0x0000) among the elements from offset 0x%x on",
                 f->offset);
        break;
    case AL_ZFILE_DUPLICATE_IMAGE:
        snprintf(out, size,
                 "%llu upgrade images (tag 0x0000), the second at offset 0x%x; only "
                 "one may be there",
                 found, f->offset);
        break;
    default:
        if (f->found != f->expected)
            snprintf(out, size, "integrity code of %llu bytes at offset 0x%x, it has to have %llu",
                     found, f->offset, expected);
        else
            snprintf(out, size,
                     "the integrity code at offset 0x%x fits neither the bytes before its value "
                     "nor those before its tag: the file was changed",
                     f->offset);
    }
}

/* Classes 11, 12, 14 and 15: for whom the file is. */
static void explain_ids(const struct al_zfile_fault *f, char *out, size_t size)
{
    char device[ZIGBEE_EUI_TEXT], file[ZIGBEE_EUI_TEXT];
    unsigned long long expected = f->expected, found = f->found;
    if (f->class == AL_ZFILE_BAD_HW_RANGE) {
        snprintf(out, size,
                 "minimum hardware version 0x%04llx at offset %u is above the maximum 0x%04llx",
                 found, f->offset, expected);
    } else if (f->class == AL_ZFILE_WILDCARD_ID) {
        snprintf(out, size, "%s 0x%llx at offset %u is a wild card, which no file may have",
                 f->offset == 12 ? "image type" : "file version", found, f->offset);
    } else if (f->class == AL_ZFILE_TOO_LARGE) {
        snprintf(out, size, "%llu bytes, but the device has room for %llu", found, expected);
    } else if (f->expected <= 0xffff && f->found <= 0xffff) { /* no EUI-64 is that small */
        snprintf(out, size,
                 "hardware version 0x%04llx of the device is not in the file's range: its bound "
                 "at offset %u is 0x%04llx",
                 expected, f->offset, found);
    } else {
        zigbee_eui_text(f->expected, device);
        zigbee_eui_text(f->found, file);
        snprintf(out, size, "the file is for device %s (offset %u), not for %s", file, f->offset,
                 device);
    }
}

void zigbee_fault_explain(const struct al_zfile_fault *f, char *out, size_t size)
{
    if (f->class == AL_ZFILE_OK)
        snprintf(out, size, "nothing is wrong");
    else if (f->class <= AL_ZFILE_TRUNCATED_FILE)
        explain_header(f, out, size);
    else if (f->class <= AL_ZFILE_BAD_INTEGRITY || f->class == AL_ZFILE_DUPLICATE_IMAGE)
        explain_elements(f, out, size);
    else
        explain_ids(f, out, size);
}

const char *zigbee_tag_name(uint16_t tag)
{
    static const char *const names[] = {
        "upgrade image",
        "ECDSA signature, suite 1",
        "signing certificate, suite 1",
        "integrity code",
        "picture",
        "ECDSA signature, suite 2",
        "signing certificate, suite 2",
    };
    if (tag < sizeof names / sizeof *names) return names[tag];
    return tag >= 0xf000 ? "manufacturer specific" : "reserved";
}

void zigbee_sha512(const void *data, size_t len, uint8_t digest[64])
{
    EVP_Digest(data, len, digest, NULL, EVP_sha512(), NULL);
}

void zigbee_eui_text(uint64_t eui, char out[ZIGBEE_EUI_TEXT])
{
    for (int i = 0; i < 8; i++)
        snprintf(out + i * 3, 4, "%02x%s", (unsigned)(eui >> (56 - 8 * i)) & 0xff,
                 i < 7 ? ":" : "");
}

bool zigbee_eui_parse(const char *text, uint64_t *eui)
{
    uint64_t value = 0;
    int digits = 0;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) text += 2;
    for (; *text; text++) {
        bool between = digits > 0 && digits < 16 && digits % 2 == 0;
        if ((*text == ':' || *text == '-') && between && isxdigit((unsigned char)text[1])) continue;
        if (!isxdigit((unsigned char)*text) || digits == 16) return false;
        int c = tolower((unsigned char)*text);
        value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
        digits++;
    }
    *eui = value;
    return digits == 16;
}
