/* What the checks of core/ found, in words for people who do not know the
 * vendor's log: what, where, expected and found, what to do. */
#include "host/vendor_log.h"

#include <stdio.h>

#define REV(v) (v) / 100, (v) % 100

static const char *const image_names[] = {
    [AL_IMAGE_CHECK_NONE] = "none",
    [AL_IMAGE_CHECK_SLOT_SIZE] = "slot_size",
    [AL_IMAGE_CHECK_READ] = "read",
    [AL_IMAGE_CHECK_MAGIC] = "magic",
    [AL_IMAGE_CHECK_CHIP_ID] = "chip_id",
    [AL_IMAGE_CHECK_MIN_CHIP_REV] = "min_chip_rev",
    [AL_IMAGE_CHECK_MAX_CHIP_REV] = "max_chip_rev",
    [AL_IMAGE_CHECK_SEGMENT_COUNT] = "segment_count",
    [AL_IMAGE_CHECK_SEGMENT_LENGTH] = "segment_length",
    [AL_IMAGE_CHECK_SEGMENT0_SHORT] = "segment0_short",
    [AL_IMAGE_CHECK_APP_DESC_MAGIC] = "app_desc_magic",
    [AL_IMAGE_CHECK_SEGMENT_ADDRESS] = "segment_address",
    [AL_IMAGE_CHECK_SEGMENT_RANGE] = "segment_range",
    [AL_IMAGE_CHECK_MIN_EFUSE_REV] = "min_efuse_block_rev",
    [AL_IMAGE_CHECK_MAX_EFUSE_REV] = "max_efuse_block_rev",
    [AL_IMAGE_CHECK_CHECKSUM] = "checksum",
    [AL_IMAGE_CHECK_LENGTH] = "length",
    [AL_IMAGE_CHECK_HASH] = "hash",
    [AL_IMAGE_CHECK_SIGNATURE] = "signature",
    [AL_IMAGE_CHECK_SECURE_VERSION] = "secure_version",
};

const char *image_check_name(enum al_image_check check)
{
    return check < sizeof image_names / sizeof *image_names ? image_names[check] : "unknown";
}

static void chip_name(uint32_t id, char out[24])
{
    const struct al_chip *c = id <= 0xffff ? al_chip_by_id((uint16_t)id) : NULL;
    snprintf(out, 24, "%s (%u)", c ? c->title : "unknown chip", id);
}

static void explain_signature(const struct al_sig_fault *f, char *out, size_t size)
{
    if (f->v1) {
        snprintf(out, size,
                 f->check == AL_SIG_CHECK_NO_BLOCK
                     ? "offset %u holds no Secure Boot V1 signature (68 bytes that begin with four "
                       "zeros): sign the image (airlift image sign --scheme v1)"
                     : "the Secure Boot V1 signature at offset %u does not verify: sign the image "
                       "with the key that the device trusts",
                 f->offset);
        return;
    }
    switch (f->check) {
    case AL_SIG_CHECK_NONE:
    case AL_SIG_CHECK_NO_BLOCK:
        snprintf(out, size,
                 "offset %u holds no signature block (magic 0xe7): sign the image for Secure Boot "
                 "V2 (airlift image sign)",
                 f->offset);
        break;
    case AL_SIG_CHECK_CRC:
        snprintf(out, size,
                 "signature block %u at offset %u is damaged: CRC is 0x%08x, its bytes give "
                 "0x%08x; sign the image again",
                 f->block, f->offset, f->expected, f->found);
        break;
    case AL_SIG_CHECK_SCHEME:
        snprintf(out, size,
                 "signature block %u at offset %u is of another scheme: expected %s (version %u), "
                 "found version %u; sign with a key of the device's scheme",
                 f->block, f->offset, f->expected == AL_SIG_RSA ? "RSA" : "ECDSA", f->expected,
                 f->found);
        break;
    case AL_SIG_CHECK_IMAGE_DIGEST:
        snprintf(out, size,
                 "signature block %u at offset %u was made for other bytes: the image was changed "
                 "after signing; take the signed file again",
                 f->block, f->offset);
        break;
    case AL_SIG_CHECK_KEY:
        snprintf(out, size,
                 "signature block %u at offset %u is from a key that is not trusted; sign with a "
                 "trusted key, or give the right public key",
                 f->block, f->offset);
        break;
    case AL_SIG_CHECK_SIGNATURE:
        snprintf(out, size,
                 "signature block %u at offset %u names a trusted key, but its signature is wrong; "
                 "sign the image again",
                 f->block, f->offset);
        break;
    }
}

static void explain_chip(const struct al_image_fault *f, char *out, size_t size)
{
    char want[24], have[24];
    switch (f->check) {
    case AL_IMAGE_CHECK_CHIP_ID:
        chip_name(f->expected, want);
        chip_name(f->found, have);
        snprintf(out, size,
                 "the image is for %s, the device is %s (chip id, offset %u); build it for that "
                 "chip",
                 have, want, f->offset);
        break;
    case AL_IMAGE_CHECK_MIN_CHIP_REV:
    case AL_IMAGE_CHECK_MAX_CHIP_REV:
        snprintf(out, size,
                 "the image asks for chip revision %s v%u.%u (offset %u), the device has v%u.%u; "
                 "build it with another %s revision",
                 f->check == AL_IMAGE_CHECK_MIN_CHIP_REV ? ">=" : "<=", REV(f->expected), f->offset,
                 REV(f->found), f->check == AL_IMAGE_CHECK_MIN_CHIP_REV ? "minimum" : "maximum");
        break;
    default:
        snprintf(out, size,
                 "the image asks for eFuse block revision %s v%u.%u (app description, offset %u), "
                 "the device has v%u.%u",
                 f->check == AL_IMAGE_CHECK_MIN_EFUSE_REV ? ">=" : "<=", REV(f->expected),
                 f->offset, REV(f->found));
        break;
    }
}

static void explain_segment(const struct al_image_fault *f, char *out, size_t size)
{
    switch (f->check) {
    case AL_IMAGE_CHECK_SEGMENT_COUNT:
        snprintf(out, size,
                 "the header (offset %u) counts %u segments, at most %u are allowed: not an app "
                 "image, or damaged",
                 f->offset, f->found, f->expected);
        break;
    case AL_IMAGE_CHECK_SEGMENT_LENGTH:
        snprintf(out, size,
                 "segment %u has length 0x%x (offset %u); it has to be a multiple of 4 below 16 "
                 "MB: the file is damaged or cut short",
                 f->segment, f->found, f->offset);
        break;
    case AL_IMAGE_CHECK_SEGMENT0_SHORT:
        snprintf(out, size,
                 "segment 0 is %u bytes long (offset %u), the app description alone takes %u: no "
                 "application",
                 f->found, f->offset, f->expected);
        break;
    case AL_IMAGE_CHECK_APP_DESC_MAGIC:
        snprintf(out, size,
                 "no app description at offset %u: expected 0x%08x, found 0x%08x; was the image "
                 "made with ESP-IDF?",
                 f->offset, f->expected, f->found);
        break;
    case AL_IMAGE_CHECK_SEGMENT_ADDRESS:
        snprintf(out, size,
                 "segment %u (offset %u) cannot be mapped: load address 0x%08x and flash address "
                 "0x%08x differ within a page; is the slot's offset a multiple of the page size?",
                 f->segment, f->offset, f->expected, f->found);
        break;
    default:
        snprintf(out, size,
                 "segment %u (offset %u) would be loaded to 0x%08x-0x%08x, where no memory is free",
                 f->segment, f->offset, f->expected, f->found);
        break;
    }
}

void image_fault_explain(const struct al_image_fault *f, char *out, size_t size)
{
    switch (f->check) {
    case AL_IMAGE_CHECK_NONE:
        snprintf(out, size, "nothing is wrong");
        break;
    case AL_IMAGE_CHECK_SLOT_SIZE:
        snprintf(out, size, "the slot of 0x%x bytes is larger than 16 MB; correct the table",
                 f->found);
        break;
    case AL_IMAGE_CHECK_READ:
        snprintf(out, size,
                 "offset %u (flash 0x%x) cannot be read: the image reaches beyond the flash, or is "
                 "damaged",
                 f->offset, f->address + f->offset);
        break;
    case AL_IMAGE_CHECK_MAGIC:
        snprintf(out, size,
                 "no image at flash offset 0x%x: first byte expected 0x%02x, found 0x%02x%s",
                 f->address, f->expected, f->found, f->found == 0xff ? " (erased flash)" : "");
        break;
    case AL_IMAGE_CHECK_CHIP_ID:
    case AL_IMAGE_CHECK_MIN_CHIP_REV:
    case AL_IMAGE_CHECK_MAX_CHIP_REV:
    case AL_IMAGE_CHECK_MIN_EFUSE_REV:
    case AL_IMAGE_CHECK_MAX_EFUSE_REV:
        explain_chip(f, out, size);
        break;
    case AL_IMAGE_CHECK_SEGMENT_COUNT:
    case AL_IMAGE_CHECK_SEGMENT_LENGTH:
    case AL_IMAGE_CHECK_SEGMENT0_SHORT:
    case AL_IMAGE_CHECK_APP_DESC_MAGIC:
    case AL_IMAGE_CHECK_SEGMENT_ADDRESS:
    case AL_IMAGE_CHECK_SEGMENT_RANGE:
        explain_segment(f, out, size);
        break;
    case AL_IMAGE_CHECK_CHECKSUM:
        snprintf(out, size,
                 "checksum at offset %u is 0x%02x, the data give 0x%02x: the image is damaged or "
                 "cut short; build or download it again",
                 f->offset, f->found, f->expected);
        break;
    case AL_IMAGE_CHECK_LENGTH:
        snprintf(out, size,
                 "the image of %u bytes does not fit into the slot of %u bytes; make the partition "
                 "larger or the app smaller",
                 f->found, f->expected);
        break;
    case AL_IMAGE_CHECK_HASH:
        snprintf(out, size,
                 "the SHA-256 at offset %u does not fit the image: it is damaged; build or "
                 "download it again",
                 f->offset);
        break;
    case AL_IMAGE_CHECK_SIGNATURE:
        explain_signature(&f->signature, out, size);
        break;
    case AL_IMAGE_CHECK_SECURE_VERSION:
        snprintf(out, size,
                 "secure version %u (offset %u) is below the device's %u: anti-rollback refuses "
                 "it; build with a secure version of at least %u",
                 f->found, f->offset, f->expected, f->expected);
        break;
    }
}

const char *part_check_name(enum al_part_check check)
{
    static const char *const names[] = {
        [AL_PART_CHECK_NONE] = "none",       [AL_PART_CHECK_MAGIC] = "magic",
        [AL_PART_CHECK_BEYOND] = "beyond",   [AL_PART_CHECK_MD5] = "md5",
        [AL_PART_CHECK_TWO_MD5] = "two_md5", [AL_PART_CHECK_NO_END] = "no_end",
        [AL_PART_CHECK_NO_MD5] = "no_md5",   [AL_PART_CHECK_READ] = "read",
        [AL_PART_CHECK_OUTSIDE] = "outside", [AL_PART_CHECK_OVERLAP] = "overlap",
        [AL_PART_CHECK_ALIGN] = "align",     [AL_PART_CHECK_TYPE] = "type",
    };
    return check < sizeof names / sizeof *names ? names[check] : "unknown";
}

static void user_fault_explain(const struct al_part_fault *f, char *out, size_t size)
{
    int n = snprintf(out, size, "entry %u (byte %u of the table): user partition 0x%x + 0x%x ",
                     f->index, f->offset, f->part_offset, f->part_size);
    if (n < 0 || (size_t)n >= size) return;
    out += n;
    size -= (size_t)n;
    if (f->check == AL_PART_CHECK_OUTSIDE)
        snprintf(out, size,
                 "is not inside 0x%x..0x%x, which at_customize has for user partitions (its first "
                 "4 KiB belong to the table)",
                 f->expected, f->found);
    else if (f->check == AL_PART_CHECK_OVERLAP)
        snprintf(out, size, "overlaps the one at 0x%x + 0x%x", f->expected, f->found);
    else if (f->check == AL_PART_CHECK_ALIGN)
        snprintf(out, size, "does not begin at a multiple of 0x1000");
    else
        snprintf(out, size, "has a type that no user partition has; data can be, and 0x40 to 0xfe");
}

void part_fault_explain(const struct al_part_fault *f, char *out, size_t size)
{
    switch (f->check) {
    case AL_PART_CHECK_NONE:
        snprintf(out, size, "nothing is wrong");
        break;
    case AL_PART_CHECK_MAGIC:
        snprintf(out, size, "entry %u (byte %u of the table) begins with 0x%04x, expected 0x%04x%s",
                 f->index, f->offset, f->found, f->expected,
                 f->found == 0xffff && f->index == 0 ? ": no partition table is flashed here"
                                                     : ": the table is damaged");
        break;
    case AL_PART_CHECK_BEYOND:
        snprintf(out, size,
                 "entry %u (byte %u of the table): partition 0x%x + 0x%x reaches beyond the flash "
                 "of 0x%x bytes; make it smaller, or take a larger flash",
                 f->index, f->offset, f->part_offset, f->part_size, f->expected);
        break;
    case AL_PART_CHECK_MD5:
        snprintf(out, size,
                 "the MD5 entry (byte %u of the table) does not fit the entries before it: the "
                 "table is damaged; flash it again",
                 f->offset);
        break;
    case AL_PART_CHECK_TWO_MD5:
        snprintf(out, size, "a second MD5 entry (byte %u of the table); only one is allowed",
                 f->offset);
        break;
    case AL_PART_CHECK_NO_END:
        snprintf(out, size,
                 "no end marker (32 bytes of 0xff) in the table, expected by byte %u: it is cut "
                 "short or too long",
                 f->offset);
        break;
    case AL_PART_CHECK_NO_MD5:
        snprintf(out, size,
                 "no MD5 entry behind the entries (byte %u of the table); build the table without "
                 "--disable-md5sum",
                 f->offset);
        break;
    case AL_PART_CHECK_READ:
        snprintf(out, size, "the table could not be read from flash (byte %u)", f->offset);
        break;
    case AL_PART_CHECK_OUTSIDE:
    case AL_PART_CHECK_OVERLAP:
    case AL_PART_CHECK_ALIGN:
    case AL_PART_CHECK_TYPE:
        user_fault_explain(f, out, size);
        break;
    }
}
