/* Mutates lines of JSON as trees, since changed bytes are seldom JSON again: one value becomes
 * another, goes, is doubled, or moves to the name of its neighbour. Now and then as bytes. */
#ifndef TESTS_FUZZ_JSON_MUTATE_H
#define TESTS_FUZZ_JSON_MUTATE_H

#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

static inline unsigned json_random(unsigned *seed, unsigned below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

static inline unsigned json_count(const cJSON *item)
{
    unsigned count = 1;
    for (const cJSON *i = item->child; i; i = i->next) count += json_count(i);
    return count;
}

/* The item of that number, and what it lies in. */
static inline cJSON *json_at(cJSON *item, unsigned *number, cJSON **parent)
{
    if (!*number) return item;
    for (cJSON *i = item->child, *found; i; i = i->next) {
        --*number;
        cJSON *in = *parent;
        *parent = item;
        found = json_at(i, number, parent);
        if (found) return found;
        *parent = in;
    }
    return NULL;
}

static inline cJSON *json_text(const char *from, unsigned *seed)
{
    char text[200];
    size_t len = strlen(from);
    if (len > 100) len = 100;
    memcpy(text, from, len);
    len = LLVMFuzzerMutate((uint8_t *)text, len, sizeof text - 1);
    /* Hexadecimal digits stay some, mostly. */
    for (size_t i = 0; i < len && json_random(seed, 4); i++)
        if (!text[i] || strchr("\x01\x7f\n", text[i]))
            text[i] = "0123456789abcdef"[json_random(seed, 16)];
    text[len] = '\0';
    return cJSON_CreateString(text);
}

static inline cJSON *json_value(const cJSON *old, unsigned *seed)
{
    static const double numbers[] = {
        0,          1,   -1,    255,    256, 65535, 65536, 14,     15,   4278190080, 4294967295,
        4294967296, 0.5, 1e300, -1e300, 11,  26,    65528, 0x5000, 1000, 999999999,  1e19};
    switch (json_random(seed, 8)) {
    case 0:
        return cJSON_CreateNull();
    case 1:
        return cJSON_CreateBool((int)json_random(seed, 2));
    case 2:
        return cJSON_CreateArray();
    case 3:
        return cJSON_CreateObject();
    case 4:
    case 5:
        return json_text(cJSON_IsString(old) ? old->valuestring : "", seed);
    default:
        return cJSON_CreateNumber(numbers[json_random(seed, sizeof numbers / sizeof *numbers)]);
    }
}

static inline void json_change(cJSON *root, unsigned *seed)
{
    cJSON *parent = NULL, *copy;
    unsigned number = json_random(seed, json_count(root));
    cJSON *item = json_at(root, &number, &parent);
    if (!item || !parent) return;
    switch (json_random(seed, 6)) {
    case 0:
        cJSON_Delete(cJSON_DetachItemViaPointer(parent, item));
        break;
    case 1:
        copy = cJSON_Duplicate(item, 1);
        if (cJSON_IsObject(parent))
            cJSON_AddItemToObject(parent, item->string ? item->string : "", copy);
        else
            cJSON_AddItemToArray(parent, copy);
        break;
    case 2: {
        if (!item->next || cJSON_IsArray(parent)) break;
        char *name = item->string;
        item->string = item->next->string;
        item->next->string = name;
        break;
    }
    default:
        copy = json_value(item, seed);
        if (cJSON_IsObject(parent) && item->string) {
            char *name = strdup(item->string);
            cJSON_Delete(cJSON_DetachItemViaPointer(parent, item));
            cJSON_AddItemToObject(parent, name, copy);
            free(name);
        } else {
            cJSON_ReplaceItemViaPointer(parent, item, copy);
        }
    }
}

/* The line or text at data, changed; NULL: it is no JSON. */
static inline char *json_changed(const uint8_t *data, size_t size, unsigned *seed)
{
    cJSON *root = cJSON_ParseWithLength((const char *)data, size);
    if (!root) return NULL;
    for (unsigned i = 1 + json_random(seed, 3); i; i--) json_change(root, seed);
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return text;
}

/* Bytes until the end of the line. */
static inline size_t json_line(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    return end ? (size_t)(end - data) : size;
}

/* All of it as one text, or one line of it. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    size_t begin = 0, end = size;
    unsigned lines = 1;
    char *text = json_random(&seed, 8) ? json_changed(data, size, &seed) : NULL;
    if (!text) {
        for (size_t i = 0; i < size; i++) lines += data[i] == '\n';
        unsigned line = json_random(&seed, lines);
        for (; line; line--) begin += json_line(data + begin, size - begin) + 1;
        end = begin + json_line(data + begin, size - begin);
        text = json_random(&seed, 8) ? json_changed(data + begin, end - begin, &seed) : NULL;
    }
    size_t len = text ? strlen(text) : 0;
    if (!text || begin + len + (size - end) > max) {
        free(text);
        return LLVMFuzzerMutate(data, size, max);
    }
    memmove(data + begin + len, data + end, size - end);
    memcpy(data + begin, text, len);
    free(text);
    return begin + len + (size - end);
}

#endif
