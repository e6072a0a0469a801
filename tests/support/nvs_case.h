/* NVS vectors: a flash that counts and records its operations, and comparing a
 * partition with what the original made of it (tests/vectors/nvs/README.md). */
#ifndef TESTS_SUPPORT_NVS_CASE_H
#define TESTS_SUPPORT_NVS_CASE_H

#include "core/nvs.h"
#include "tests/support/mem_flash.h"
#include "tests/support/vectors.h"

#define NVS_CASE_PAGES 16u
#define NVS_CASE_OPS   1024u

struct nvs_op {
    bool erase;
    uint32_t offset, len;
};

struct nvs_case {
    struct mem_flash mem;
    struct al_flash flash; /* over mem, counting */
    uint32_t ops;          /* one call of program or erase each */
    struct nvs_op op[NVS_CASE_OPS];
    struct al_window part;
    struct al_nvs nvs;
    struct al_nvs_page page[NVS_CASE_PAGES];
};

/* start: "erased:N" pages, or a file below tests/vectors/nvs/. The result is
 * freed with nvs_case_free. */
struct nvs_case *nvs_case_new(const char *start, bool mapped);
/* edits, donor: members of a damaged case; donor may be NULL. */
void nvs_case_edit(struct nvs_case *c, const cJSON *edits, const char *donor);
void nvs_case_free(struct nvs_case *c);
int nvs_case_init(struct nvs_case *c);
/* SHA-256 of the partition as hex. */
void nvs_case_sha256(const struct nvs_case *c, char out[65]);
void sha256_hex(const void *data, size_t len, char out[65]);

/* Type by its name in the vectors, and back; 0 or NULL: none. */
enum al_nvs_type nvs_type(const char *name);
const char *nvs_type_word(enum al_nvs_type type);
/* Bytes of a value in the notation of the sessions; str with its NUL. *len: their
 * number. malloc'ed. */
uint8_t *nvs_value_bytes(enum al_nvs_type type, const char *text, size_t *len);
/* Fails the test unless reading gives this {value | length, sha256 | get}. */
void nvs_assert_value(struct nvs_case *c, uint8_t ns, const char *key, const cJSON *expected);
/* As nvs_assert_value, value alone; sha256 instead of it may be NULL. */
void nvs_assert_bytes(enum al_nvs_type type, const uint8_t *data, size_t len, const cJSON *value,
                      const cJSON *sha256);

#endif
