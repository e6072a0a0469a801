/* Any packet: refused in words, or the same octets again when it is built anew. Then the
 * text as a layout. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "radio/medium_layout.h"
#include "radio/medium_message.h"

static void check_message(const uint8_t *data, size_t size)
{
    struct medium_message m;
    uint8_t again[MEDIUM_MESSAGE_MAX];
    char why[160] = "";
    if (!medium_message_parse(&m, data, size, why, sizeof why)) {
        if (!*why) abort();
        return;
    }
    if (medium_message_build(&m, again) != size || memcmp(again, data, size) != 0) abort();
}

static void check_layout(const uint8_t *data, size_t size)
{
    char why[200] = "", *text = malloc(size + 1);
    if (!text) return;
    memcpy(text, data, size);
    text[size] = 0;
    struct medium_layout *l = medium_layout_parse(text, why, sizeof why);
    struct medium *m = l ? medium_new(&(struct medium_config){0}) : NULL;
    for (uint64_t i = 1; m && i < 4; i++) {
        const struct medium_node_config c = {.eui64 = i, .name = i == 1 ? "a" : "b"};
        struct medium_node *n = medium_add_node(m, &c);
        if (n) medium_layout_apply(l, n);
    }
    medium_free(m);
    medium_layout_free(l);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_message(data, size);
    check_layout(data, size);
    return 0;
}
