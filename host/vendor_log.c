#include "host/vendor_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 5))) static void set(struct vendor_line *l, char level,
                                                      const char *tag, const char *format, ...)
{
    va_list ap;
    l->level = level;
    l->tag = tag;
    va_start(ap, format);
    vsnprintf(l->text, sizeof l->text, format, ap);
    va_end(ap);
}

/* Versions of chips are major * 100 + minor. */
#define REV(v) (v) / 100, (v) % 100

static void line_signature_v1(const struct al_sig_fault *f, struct vendor_line *out)
{
    if (f->check == AL_SIG_CHECK_NO_BLOCK)
        set(out, 'E', "secure_boot_v1",
            "image has invalid signature version field 0x%08x (image without a signature?)",
            f->found);
    else
        set(out, 'E', "esp_image", "Secure boot signature verification failed");
}

static void line_signature(const struct al_sig_fault *f, struct vendor_line *out)
{
    static const char tag[] = "secure_boot_v2";
    if (f->v1) {
        line_signature_v1(f, out);
        return;
    }
    switch (f->check) {
    case AL_SIG_CHECK_NONE:
        break;
    case AL_SIG_CHECK_NO_BLOCK:
        set(out, 'E', tag, "No signature block generated for valid scheme");
        break;
    case AL_SIG_CHECK_CRC:
        set(out, 'E', tag, "Sig block %u invalid: Stored CRC ends 0x%04x calculated ends 0x%04x",
            f->block, f->expected & 0xffff, f->found & 0xffff);
        break;
    case AL_SIG_CHECK_SCHEME:
        set(out, 'E', tag, "%s signing scheme selected but signature block generated for %s scheme",
            f->expected == AL_SIG_RSA ? "RSA" : "ECDSA", f->found == AL_SIG_RSA ? "RSA" : "ECDSA");
        break;
    case AL_SIG_CHECK_IMAGE_DIGEST:
        set(out, 'E', tag, "Sig block %u invalid: Image digest does not match", f->block);
        break;
    case AL_SIG_CHECK_KEY:
    case AL_SIG_CHECK_SIGNATURE:
        set(out, 'E', tag, "Secure Boot V2 verification failed.");
        break;
    }
}

void vendor_line_image(const struct al_image_fault *f, struct vendor_line *out)
{
    static const char tag[] = "esp_image", common[] = "boot_comm";
    out->level = 0;
    switch (f->check) {
    case AL_IMAGE_CHECK_NONE:
    case AL_IMAGE_CHECK_SECURE_VERSION: /* told by the boot loader, see boot.h */
        break;
    case AL_IMAGE_CHECK_SLOT_SIZE:
        set(out, 'E', tag, "partition size 0x%x invalid, larger than 16MB", f->found);
        break;
    case AL_IMAGE_CHECK_READ:
        set(out, 'E', tag, "bootloader_flash_read failed at 0x%08x", f->address + f->offset);
        break;
    case AL_IMAGE_CHECK_MAGIC:
        set(out, 'E', tag, "image at 0x%x has invalid magic byte (nothing flashed here?)",
            f->address);
        break;
    case AL_IMAGE_CHECK_CHIP_ID:
        set(out, 'E', common, "mismatch chip ID, expected %u, found %u", f->expected, f->found);
        break;
    case AL_IMAGE_CHECK_MIN_CHIP_REV:
    case AL_IMAGE_CHECK_MAX_CHIP_REV:
        set(out, 'E', common, "chip revision check failed. Required %s v%u.%u, found v%u.%u.",
            f->check == AL_IMAGE_CHECK_MIN_CHIP_REV ? ">=" : "<=", REV(f->expected), REV(f->found));
        break;
    case AL_IMAGE_CHECK_SEGMENT_COUNT:
        set(out, 'E', tag, "image at 0x%x segment count %u exceeds max %u", f->address, f->found,
            f->expected);
        break;
    case AL_IMAGE_CHECK_SEGMENT_LENGTH:
        set(out, 'E', tag, "invalid segment length 0x%x", f->found);
        break;
    case AL_IMAGE_CHECK_SEGMENT0_SHORT:
        set(out, 'E', tag, "Segment %u: length 0x%x is too short for app description", f->segment,
            f->found);
        break;
    case AL_IMAGE_CHECK_APP_DESC_MAGIC:
        set(out, 'E', tag, "Failed to fetch app description header!");
        break;
    case AL_IMAGE_CHECK_SEGMENT_ADDRESS:
        set(out, 'E', tag, "Segment %u load address 0x%08x, doesn't match data 0x%08x", f->segment,
            f->expected, f->found);
        break;
    case AL_IMAGE_CHECK_SEGMENT_RANGE:
        set(out, 'E', tag, "Segment %u 0x%08x-0x%08x invalid: bad load address range", f->segment,
            f->expected, f->found);
        break;
    case AL_IMAGE_CHECK_MIN_EFUSE_REV:
    case AL_IMAGE_CHECK_MAX_EFUSE_REV:
        set(out, 'E', common, "Image requires efuse blk rev %s v%u.%u, but chip is v%u.%u",
            f->check == AL_IMAGE_CHECK_MIN_EFUSE_REV ? ">=" : "<=", REV(f->expected),
            REV(f->found));
        break;
    case AL_IMAGE_CHECK_CHECKSUM:
        set(out, 'E', tag, "Checksum failed. Calculated 0x%x read 0x%x", f->expected, f->found);
        break;
    case AL_IMAGE_CHECK_LENGTH:
        set(out, 'E', tag, "Image length %u doesn't fit in partition length %u", f->found,
            f->expected);
        break;
    case AL_IMAGE_CHECK_HASH:
        set(out, 'E', tag, "Image hash failed - image is corrupt");
        break;
    case AL_IMAGE_CHECK_SIGNATURE:
        line_signature(&f->signature, out);
        break;
    }
}

void vendor_line_segment(uint32_t index, const struct al_image_segment *seg, uint32_t flash_address,
                         bool mapped, bool loaded, struct vendor_line *out)
{
    set(out, 'I', "esp_image", "segment %u: paddr=%08x vaddr=%08x size=%05xh (%6u) %s", index,
        flash_address, seg->load_addr, seg->len, seg->len,
        loaded   ? "load"
        : mapped ? "map"
                 : "");
}

void vendor_line_page_size(uint32_t configured, uint32_t found, struct vendor_line *out)
{
    set(out, 'I', "esp_image", "MMU page size mismatch, configured: 0x%x, found: 0x%x", configured,
        found);
}

void vendor_line_table(const struct al_part_fault *f, struct vendor_line *out)
{
    static const char tag[] = "flash_parts";
    out->level = 0;
    switch (f->check) {
    case AL_PART_CHECK_NONE:
        break;
    case AL_PART_CHECK_MAGIC:
        set(out, 'E', tag, "partition %u invalid magic number 0x%x", f->index, f->found);
        break;
    case AL_PART_CHECK_BEYOND:
        set(out, 'E', tag,
            "partition %u invalid - offset 0x%x size 0x%x exceeds flash chip size 0x%x", f->index,
            f->part_offset, f->part_size, f->expected);
        break;
    case AL_PART_CHECK_MD5:
        set(out, 'E', tag, "Incorrect MD5 checksum");
        break;
    case AL_PART_CHECK_TWO_MD5:
        set(out, 'E', tag, "Only one MD5 checksum is allowed");
        break;
    case AL_PART_CHECK_NO_END:
        set(out, 'E', tag, "partition table has no terminating entry, not valid");
        break;
    case AL_PART_CHECK_NO_MD5:
        set(out, 'E', "partition", "No MD5 found in partition table");
        break;
    case AL_PART_CHECK_READ:
        set(out, 'E', tag, "partition table could not be read");
        break;
    case AL_PART_CHECK_OUTSIDE:
    case AL_PART_CHECK_OVERLAP:
    case AL_PART_CHECK_ALIGN:
    case AL_PART_CHECK_TYPE:
        set(out, 'E', "at-customize", "find secondary partition failed");
        break;
    }
}

/* The column "Usage" of the boot loader's list. */
static const char *usage(const struct al_part *p)
{
    static const char *const data[] = {"OTA data",     "RF data",  "WiFi data",
                                       "Unknown data", "NVS keys", "efuse"};
    static const char *const loader[] = {"primary bootloader", "ota bootloader",
                                         "recovery bootloader"};
    static const char *const table[] = {"primary partition_table", "ota partition_table"};
    switch (p->type) {
    case AL_PART_APP:
        if (p->subtype == AL_PART_FACTORY) return "factory app";
        if (p->subtype == AL_PART_TEST) return "test app";
        return p->subtype >= AL_PART_OTA_0 && p->subtype <= AL_PART_OTA_15 ? "OTA app"
                                                                           : "Unknown app";
    case AL_PART_DATA:
        return p->subtype < sizeof data / sizeof *data ? data[p->subtype] : "Unknown data";
    case AL_PART_BOOTLOADER:
        return p->subtype < sizeof loader / sizeof *loader ? loader[p->subtype] : "unknown";
    case AL_PART_PARTITION_TABLE:
        return p->subtype < sizeof table / sizeof *table ? table[p->subtype] : "unknown";
    default:
        return "unknown";
    }
}

static size_t lines_partition(const struct al_boot_event_args *a, struct vendor_line *out)
{
    const struct al_part *p = a->part;
    size_t n = 0;
    if (a->value == 0) {
        set(&out[n++], 'I', "boot", "Partition Table:");
        set(&out[n++], 'I', "boot", "## Label            Usage          Type ST Offset   Length");
    }
    set(&out[n++], 'I', "boot", "%2u %-16s %-16s %02x %02x %08x %08x", a->value, p->label, usage(p),
        p->type, p->subtype, p->offset, p->size);
    if (a->value + 1 == a->value2) set(&out[n++], 'I', "boot", "End of partition table");
    return n;
}

static void line_not_bootable(const struct al_boot_event_args *a, struct vendor_line *out)
{
    if (a->index == AL_BOOT_FACTORY)
        set(out, 'E', "boot", "Factory app partition is not bootable");
    else if (a->index == AL_BOOT_TEST)
        set(out, 'E', "boot", "Factory test app partition is not bootable");
    else
        set(out, 'E', "boot", "OTA app partition slot %d is not bootable", a->index);
}

/* Events with several lines. */
static size_t lines_boot_many(const struct al_boot_event_args *a, struct vendor_line *out)
{
    size_t n = 0;
    switch (a->event) {
    case AL_BOOT_EV_TABLE_FAULT:
        vendor_line_table(a->table, &out[n]);
        n += out[n].level != 0;
        set(&out[n++], 'E', "boot", "Failed to verify partition table");
        set(&out[n++], 'E', "boot", "load partition table error!");
        return n;
    case AL_BOOT_EV_PARTITION:
        return lines_partition(a, out);
    case AL_BOOT_EV_CHECK_SECURE_VERSION:
        set(&out[n++], 'I', "boot", "Enabled a check secure version of app for anti rollback");
        set(&out[n++], 'I', "boot", "Secure version (from eFuse) = %u", a->value);
        return n;
    case AL_BOOT_EV_FACTORY_RESET:
        set(&out[n++], 'I', "boot", "Detect a condition of the factory reset");
        set(&out[n++], 'I', "boot", "Data partitions to erase: %s", a->text ? a->text : "");
        set(&out[n++], 'I', "boot_comm", "## Label            Usage Offset   Length   Cleaned");
        return n;
    case AL_BOOT_EV_ERASED:
        set(&out[n++], 'I', "boot_comm", "%2d %-16s data  %08x %08x [%s]", a->index, a->part->label,
            a->part->offset, a->part->size,
            !a->value2 ? "no"
            : a->value ? "err"
                       : "yes");
        return n;
    default:
        return 0;
    }
}

/* Events with a fixed text. */
static const struct {
    enum al_boot_event event;
    char level;
    const char *text;
} boot_texts[] = {
    {AL_BOOT_EV_INITIAL, 'I', "otadata[0..1] in initial state"},
    {AL_BOOT_EV_DEFAULT_FACTORY, 'I', "Defaulting to factory image"},
    {AL_BOOT_EV_NO_FACTORY, 'I', "No factory image, trying OTA 0"},
    {AL_BOOT_EV_INVALID_FACTORY, 'E', "ota data partition invalid, falling back to factory"},
    {AL_BOOT_EV_INVALID_ALL, 'E',
     "ota data partition invalid and no factory, will try all partitions"},
    {AL_BOOT_EV_TEST_PIN, 'I', "Detect a boot condition of the test firmware"},
    {AL_BOOT_EV_TEST_MISSING, 'E', "Test firmware is not found in partition table"},
    {AL_BOOT_EV_TEST_FALLBACK, 'W', "Falling back to test app as only bootable partition"},
    {AL_BOOT_EV_NO_TEST, 'E', "No bootable test partition in the partition table"},
    {AL_BOOT_EV_NOTHING, 'E', "No bootable app partitions in the partition table"},
};

size_t vendor_lines_boot(const struct al_boot_event_args *a,
                         struct vendor_line out[VENDOR_LINES_MAX])
{
    size_t many = lines_boot_many(a, out);
    if (many) return many;
    out->level = 0;
    for (size_t i = 0; i < sizeof boot_texts / sizeof *boot_texts; i++)
        if (boot_texts[i].event == a->event)
            set(out, boot_texts[i].level, "boot", "%s", boot_texts[i].text);
    switch (a->event) {
    case AL_BOOT_EV_OTADATA_SMALL:
        set(out, 'E', "boot", "ota_info partition size %u is too small (minimum %u bytes)",
            a->value, AL_OTADATA_LEN);
        break;
    case AL_BOOT_EV_DESC_FAILED:
        set(out, 'E', "boot", "Failed to get partition description %d", (int)a->value);
        break;
    case AL_BOOT_EV_SLOT:
        set(out, 'D', "boot", "Active otadata[%d] -> OTA slot %u", a->index, a->value);
        break;
    case AL_BOOT_EV_WRITE_FAILED:
        set(out, 'E', "boot", "Error in write_otadata operation. err = 0x%x", a->value);
        break;
    case AL_BOOT_EV_IMAGE_FAULT:
        vendor_line_image(a->image, out);
        break;
    case AL_BOOT_EV_NOT_BOOTABLE:
        line_not_bootable(a, out);
        break;
    case AL_BOOT_EV_LOADED:
        set(out, 'I', "boot", "Loaded app from partition at offset 0x%x", a->part->offset);
        break;
    case AL_BOOT_EV_SET_SEQ:
        set(out, 'I', "boot", "Set actual ota_seq=%u in otadata[0]", a->value);
        break;
    default:
        break;
    }
    return out->level != 0;
}

void vendor_line_ota(const struct al_ota_event_args *a, struct vendor_line *out)
{
    static const char tag[] = "esp_ota_ops";
    out->level = 0;
    switch (a->event) {
    case AL_OTA_EV_NOT_CONFIRMED:
        set(out, 'E', tag, "Running app has not confirmed state (ESP_OTA_IMG_PENDING_VERIFY)");
        break;
    case AL_OTA_EV_IN_PROGRESS:
        set(out, 'E', tag, "OTA operation already in progress on partition %s", a->part->label);
        break;
    case AL_OTA_EV_BAD_IMAGE_MAGIC:
        set(out, 'E', tag, "OTA image has invalid magic byte (expected 0xE9, saw 0x%02x)",
            a->value);
        break;
    case AL_OTA_EV_BAD_TABLE_MAGIC:
        set(out, 'E', tag,
            "Partition table image has invalid magic word (expected 0x50AA, saw 0x%04x)", a->value);
        break;
    case AL_OTA_EV_FORGED_RECORD:
        set(out, 'E', tag,
            "Image refused: its end would be taken for the record of an update staged in %s",
            a->part->label);
        break;
    case AL_OTA_EV_FINAL:
        set(out, 'I', tag, "Staging partition - <%s>. Final partition - <%s>.", a->part->label,
            a->part2->label);
        break;
    case AL_OTA_EV_IMAGE_FAULT:
        vendor_line_image(a->image, out);
        break;
    case AL_OTA_EV_TABLE_FAULT:
        vendor_line_table(a->table, out);
        break;
    case AL_OTA_EV_VERIFY_FAILED:
        set(out, 'E', tag, "New image failed verification");
        break;
    case AL_OTA_EV_COPY:
        set(out, 'I', tag, "Copy from <%s> staging partition to <%s>...", a->part->label,
            a->part2->label);
        break;
    case AL_OTA_EV_NO_OTADATA:
        set(out, 'E', tag, "not found otadata");
        break;
    case AL_OTA_EV_SECURE_VERSION_LOW:
        set(out, 'E', tag,
            "This a new partition can not be booted due to a secure version is lower than stored "
            "in efuse. Partition will be erased.");
        break;
    case AL_OTA_EV_RUNNING_FACTORY:
        set(out, 'E', tag, "Running firmware is factory");
        break;
    case AL_OTA_EV_ROLLBACK:
        set(out, 'I', tag, "Rollback to previously worked partition.");
        break;
    case AL_OTA_EV_ROLLBACK_IMPOSSIBLE:
        set(out, 'E', tag, "Rollback is not possible, do not have any suitable apps in slots");
        break;
    case AL_OTA_EV_NO_CURRENT_APP:
        set(out, 'E', tag, "ota data invalid, no current app. Assuming factory");
        break;
    }
}

void vendor_line_print(const struct vendor_line *line, uint32_t ms, bool colour, char *out,
                       size_t size)
{
    const char *before = "", *after = "";
    if (colour && strchr("EWI", line->level)) {
        before = line->level == 'E'   ? "\033[0;31m"
                 : line->level == 'W' ? "\033[0;33m"
                                      : "\033[0;32m";
        after = "\033[0m";
    }
    snprintf(out, size, "%s%c (%u) %s: %s%s", before, line->level, ms, line->tag, line->text,
             after);
}
