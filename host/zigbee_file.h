/* Zigbee OTA files in memory, and what their reader found, in words for people. */
#ifndef HOST_ZIGBEE_FILE_H
#define HOST_ZIGBEE_FILE_H

#include "zigbee/ota_file.h"

struct zigbee_bytes {
    const uint8_t *data;
    size_t len;
};
/* bytes must live as long as the source. */
struct al_zfile_source zigbee_source(const struct zigbee_bytes *bytes);

/* What, where, expected and found, what to do: "a sentence without a full stop". */
void zigbee_fault_explain(const struct al_zfile_fault *f, char *out, size_t size);
/* "upgrade image"; "manufacturer specific" and "reserved" for ranges. */
const char *zigbee_tag_name(uint16_t tag);

/* As the public image collection's index has it. */
void zigbee_sha512(const void *data, size_t len, uint8_t digest[64]);

/* "74:4d:bd:ff:fe:60:aa:02" */
#define ZIGBEE_EUI_TEXT 24
void zigbee_eui_text(uint64_t eui, char out[ZIGBEE_EUI_TEXT]);
/* 16 digits, with colons or hyphens between octets, or 0x in front. false: something else. */
bool zigbee_eui_parse(const char *text, uint64_t *eui);

#endif
