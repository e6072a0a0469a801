/* The boot loader's decision in words, for people who do not know its log. */
#ifndef CLI_BOOT_EXPLAIN_H
#define CLI_BOOT_EXPLAIN_H

#include "cli/flash_device.h"

/* One otadata entry: "otadata entry 0: sequence 1, VALID: usable". */
void boot_explain_entry(unsigned index, const struct al_ota_entry *e, char *text, size_t size);

/* What an event means and why it comes; false: it needs no word. slots: OTA app rows in the table,
 * e: the entries before the reset. */
bool boot_explain_event(const struct al_boot_event_args *a, uint32_t slots,
                        const struct al_ota_entry e[2], char *text, size_t size);

/* Why a partition cannot be started, from IMAGE_FAULT, TOO_OLD or DESC_FAILED;
 * false: another event. */
bool boot_explain_refusal(const struct al_boot_event_args *a, char *text, size_t size);

#endif
