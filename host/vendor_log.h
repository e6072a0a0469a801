/* The vendor's log: line format, and the texts for what core/ reports.
 * `L (ms) tag: text`, L one of E W I D V; colours as ESP-IDF prints them.
 * Source: esp_log, bootloader_support, esp_ota_ops.c. */
#ifndef HOST_VENDOR_LOG_H
#define HOST_VENDOR_LOG_H

#include "core/boot.h"

struct vendor_line {
    char level;      /* 'E' 'W' 'I' 'D'; 0: nothing to print */
    const char *tag; /* static */
    char text[160];  /* without newline */
};

/* Lines that the original prints for these; level 0 when it prints none. */
void vendor_line_image(const struct al_image_fault *f, struct vendor_line *out);
void vendor_line_table(const struct al_part_fault *f, struct vendor_line *out);
void vendor_line_ota(const struct al_ota_event_args *a, struct vendor_line *out);
/* What struct al_image_trace reports. */
void vendor_line_segment(uint32_t index, const struct al_image_segment *seg, uint32_t flash_address,
                         bool mapped, bool loaded, struct vendor_line *out);
void vendor_line_page_size(uint32_t configured, uint32_t found, struct vendor_line *out);

/* Some boot events make several lines (the heading of the partition table, ...).
 * Gives their number, 0..VENDOR_LINES_MAX; all have a level. */
#define VENDOR_LINES_MAX 4
size_t vendor_lines_boot(const struct al_boot_event_args *a,
                         struct vendor_line out[VENDOR_LINES_MAX]);

/* "I (123) boot: text", coloured if wanted, NUL terminated, no newline. */
void vendor_line_print(const struct vendor_line *line, uint32_t ms, bool colour, char *out,
                       size_t size);

/* For people who do not know the vendor's log: what is wrong, where, expected
 * and found, what to do. name: the check's short name ("checksum"). */
const char *image_check_name(enum al_image_check check);
void image_fault_explain(const struct al_image_fault *f, char *out, size_t size);
const char *part_check_name(enum al_part_check check);
void part_fault_explain(const struct al_part_fault *f, char *out, size_t size);

/* "ESP_ERR_IMAGE_INVALID" for 0x2002; "UNKNOWN ERROR" otherwise. The whole
 * table of esp_err_to_name. */
const char *vendor_err_name(int vendor_code);

#endif
