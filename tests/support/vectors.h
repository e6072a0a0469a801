/* Test vectors: files under tests/vectors/ and their expected.json. Whatever is
 * missing or has another type fails the running test with its path. */
#ifndef TESTS_SUPPORT_VECTORS_H
#define TESTS_SUPPORT_VECTORS_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

/* path: below tests/vectors/, "esp-flash/image/app_c3_v1.bin"; printf format.
 * Result is malloc'ed, with a NUL behind the last byte. */
uint8_t *vector_file(size_t *len, const char *path, ...) __attribute__((format(printf, 2, 3)));
/* Freed with cJSON_Delete. */
cJSON *vector_json(const char *path);

/* Members. A number may be written as "0x1000"; "erased" is 0xffffffff. */
const cJSON *vector_get(const cJSON *object, const char *key);
int64_t vector_number(const cJSON *object, const char *key);
int64_t vector_to_number(const cJSON *value);
const char *vector_string(const cJSON *object, const char *key);
/* Bytes of a hex string; len: exactly that many. */
void vector_hex(const cJSON *object, const char *key, uint8_t *out, size_t len);

#endif
