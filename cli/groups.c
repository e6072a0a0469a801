/* The list of all commands. See groups.h. */
#include "cli/groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 64u

const struct cli_group cli_groups[] = {
    {"Firmware images", image_commands},
    {"Partition tables", partition_commands},
    {"Flash images", flash_commands},
    {"Data images", data_image_commands},
    {"Slot selection", otadata_commands},
    {"The boot loader's decision", boot_commands},
    {"Non-volatile storage", nvs_commands},
    {"The OTA API on a flash image", api_commands},
    {"Building firmware", build_commands},
    {"Virtual devices", device_commands},
    {"Zigbee", zigbee_commands},
    {"Radio", radio_commands},
    {"Firmware server", server_commands},
    {"Cloud for modules", cloud_commands},
    {"About airlift", meta_commands},
    {0},
};

const struct cli_command *cli_command_at(size_t index)
{
    for (const struct cli_group *g = cli_groups; g->title; g++)
        for (const struct cli_command *c = g->commands; c->name; c++)
            if (index-- == 0) return c;
    return NULL;
}

/* Words of name, when they are the first words of argv; else 0. */
static int words_matching(const char *name, int argc, const char *const *argv)
{
    int word = 0;
    while (*name) {
        size_t len = strcspn(name, " ");
        if (word == argc || strlen(argv[word]) != len || strncmp(argv[word], name, len) != 0)
            return 0;
        word++;
        name += len;
        name += *name == ' ';
    }
    return word;
}

const struct cli_command *cli_find_command(int argc, const char *const *argv, int *used)
{
    const struct cli_command *c, *best = NULL;
    *used = 0;
    for (size_t i = 0; (c = cli_command_at(i)); i++) {
        int words = words_matching(c->name, argc, argv);
        if (words > *used) {
            *used = words;
            best = c;
        }
    }
    return best;
}

static bool begins_commands(const char *word)
{
    size_t len = strlen(word);
    const struct cli_command *c;
    for (size_t i = 0; (c = cli_command_at(i)); i++)
        if (strncmp(c->name, word, len) == 0 && (c->name[len] == ' ' || c->name[len] == 0))
            return true;
    return false;
}

int cli_first_words(int argc, const char *const *argv, char *out, size_t size)
{
    int n = 0;
    out[0] = 0;
    for (char longer[NAME_MAX_LEN]; n < argc; n++) {
        int len = snprintf(longer, sizeof longer, "%s%s%s", out, n ? " " : "", argv[n]);
        if (len < 0 || (size_t)len >= sizeof longer || !begins_commands(longer)) break;
        snprintf(out, size, "%s", longer);
    }
    return n;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Letters to insert, remove, change, or swap with the neighbour, to make a into b. */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[3][NAME_MAX_LEN + 1];
    size_t la = strlen(a), lb = strlen(b);
    if (la > NAME_MAX_LEN || lb > NAME_MAX_LEN) return NAME_MAX_LEN;
    unsigned *before = row[0], *last = row[1], *now = row[2];
    for (size_t j = 0; j <= lb; j++) last[j] = (unsigned)j;
    for (size_t i = 1; i <= la; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= lb; j++) {
            unsigned change = last[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = min3(last[j] + 1, now[j - 1] + 1, change);
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < now[j]) now[j] = before[j - 2] + 1;
        }
        unsigned *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[lb];
}

/* The first words of argv, as many as name has. */
static void words_like(const char *name, int argc, const char *const *argv, char *out, size_t size)
{
    size_t used = 0;
    int i = 0;
    out[0] = 0;
    do {
        int n = i < argc ? snprintf(out + used, size - used, "%s%s", i ? " " : "", argv[i]) : 0;
        if (n < 0 || (size_t)n >= size - used) return;
        used += (size_t)n;
        i++;
        name += strcspn(name, " ");
    } while (*name++);
}

const char *cli_suggest(int argc, const char *const *argv)
{
    char given[NAME_MAX_LEN];
    const char *best = NULL;
    unsigned best_distance = NAME_MAX_LEN;
    const struct cli_command *c;
    for (size_t i = 0; (c = cli_command_at(i)); i++) {
        words_like(c->name, argc, argv, given, sizeof given);
        unsigned d = edit_distance(given, c->name);
        if (d > 0 && d < best_distance && d <= 1 + strlen(c->name) / 4) {
            best = c->name;
            best_distance = d;
        }
    }
    return best;
}
