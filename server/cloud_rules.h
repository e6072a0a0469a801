/* What the module cloud takes: names, versions, files. The clients in the field search for
 * texts instead of parsing, do not encode what they ask for, and erase a partition before they
 * look at what comes; so what would break them is refused here, before they see it. */
#ifndef SERVER_CLOUD_RULES_H
#define SERVER_CLOUD_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOUD_NAME_MAX        32u /* of products and devices */
#define CLOUD_VERSION_MAX     64u /* what AT+CIUPDATE takes */
#define CLOUD_LABEL_MAX       32u /* life cycle, corename */
#define CLOUD_FILE_MAX        68u /* a partition's name of 64 and ".bin" */
#define CLOUD_FILES_MAX       10u /* of one version */
#define CLOUD_DESCRIPTION_MAX 200u

/* Why something is not done, as an answer of the API. */
struct cloud_refusal {
    unsigned status; /* of HTTP */
    char code[24];
    char message[320];
    char hint[200]; /* may be "" */
};
/* Fills it in; gives false. */
bool cloud_refuse(struct cloud_refusal *why, unsigned status, const char *code, const char *hint,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Letters, digits, '_' and '-'. */
bool cloud_name_ok(const char *name, struct cloud_refusal *why);
/* Printable ASCII but " , \ & # % and blanks: clients cut at these, or put the text into a
 * request line as it is. */
bool cloud_version_ok(const char *version, struct cloud_refusal *why);
/* The same, what: its name for people. "" is allowed. */
bool cloud_label_ok(const char *what, const char *label, struct cloud_refusal *why);
/* For people: no control characters, at most CLOUD_DESCRIPTION_MAX bytes. */
bool cloud_description_ok(const char *text, struct cloud_refusal *why);
/* As a version, but blanks are allowed and '/' is not; ends with ".bin". */
bool cloud_file_ok(const char *name, struct cloud_refusal *why);

/* Is data what the file's name says? "ota.bin": an app image that verifies (or, for compressed
 * layouts, one that begins with "ESP"); "user1.bin", "user2.bin": an ESP8266 image by its magic;
 * "<partition>.bin" of ESP-AT: its magic. warning: "" or what the publisher should know. */
bool cloud_file_check(const char *name, const uint8_t *data, size_t len, char warning[240],
                      struct cloud_refusal *why);

#endif
