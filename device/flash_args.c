/* flash_args. See flash_args.h. */
#include "device/flash_args.h"

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "device/conf.h"

#define MAX_LINE 640u

/* Next word of *text, cut off in place; NULL: none. */
static char *next_word(char **text)
{
    char *word = *text + strspn(*text, " \t\r");
    if (!*word) return NULL;
    char *end = word + strcspn(word, " \t\r");
    *text = *end ? end + 1 : end;
    *end = 0;
    return word;
}

/* Both spellings: --flash_size and --flash-size. */
static bool is_flash_size(const char *word)
{
    return strcmp(word, "--flash_size") == 0 || strcmp(word, "--flash-size") == 0;
}

static const char *parse_options(char *text, struct flash_args *out)
{
    for (char *word; (word = next_word(&text));) {
        uint64_t size;
        if (!is_flash_size(word)) continue;
        word = next_word(&text);
        if (!word) return "--flash_size without a size";
        if (strcmp(word, "detect") == 0 || strcmp(word, "keep") == 0) continue;
        if (!conf_parse_size(word, UINT32_MAX, &size)) return "not a flash size; expected 4MB";
        out->flash_size = (uint32_t)size;
    }
    return NULL;
}

static const char *parse_part(char *text, struct flash_args *out)
{
    uint64_t offset;
    char *at = next_word(&text);
    char *path = text + strspn(text, " \t");
    size_t len = strcspn(path, "\r");
    if (!conf_parse_size(at, UINT32_MAX, &offset) || !len)
        return "expected 'OFFSET FILE', for example '0x10000 app.bin'";
    if (out->count == FLASH_ARGS_MAX) return "more files than a flash has use for";
    struct flash_args_part *p = &out->part[out->count];
    if (len >= sizeof p->path) return "the path is too long";
    p->offset = (uint32_t)offset;
    memcpy(p->path, path, len);
    p->path[len] = 0;
    out->count++;
    return NULL;
}

static const char *parse_line(char *line, struct flash_args *out)
{
    char *text = line + strspn(line, " \t\r");
    if (!*text || *text == '#') return NULL;
    return *text == '-' ? parse_options(text, out) : parse_part(text, out);
}

int flash_args_parse(const char *text, size_t len, const char *name, struct flash_args *out,
                     char *why, size_t why_size)
{
    memset(out, 0, sizeof *out);
    for (unsigned number = 1; len; number++) {
        const char *end = memchr(text, '\n', len), *wrong;
        size_t n = end ? (size_t)(end - text) : len;
        char line[MAX_LINE];
        if (n >= sizeof line) {
            wrong = "the line is too long";
        } else {
            memcpy(line, text, n);
            line[n] = 0;
            wrong = strlen(line) == n ? parse_line(line, out) : "a NUL byte";
        }
        if (wrong) {
            snprintf(why, why_size, "%s:%u: %s", name, number, wrong);
            return AL_ERR_INVALID_ARG;
        }
        n += end != NULL;
        text += n;
        len -= n;
    }
    return 0;
}
