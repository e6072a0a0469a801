#include "radio/medium_layout.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radio/medium_message.h"

#define WORDS_MAX 7
#define LINE_LEN  256

enum rule_kind { PLACE, LINK };

struct rule {
    enum rule_kind kind;
    char from[MEDIUM_NAME_MAX + 1], to[MEDIUM_NAME_MAX + 1];
    bool one_way;
    double x, y;
    double prr;
    int8_t dbm;
};

struct medium_layout {
    struct rule *rules;
    size_t count;
};

/* --- reading: each gives NULL, or what is wrong --- */

static bool number(const char *text, double least, double most, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && !*end && isfinite(*out) && *out >= least && *out <= most;
}

static bool node_name(const char *text, char out[MEDIUM_NAME_MAX + 1])
{
    size_t len = strlen(text);
    if (len > MEDIUM_NAME_MAX) return false;
    memcpy(out, text, len + 1);
    return true;
}

static const char *read_place(char *const word[], size_t count, struct rule *r)
{
    if (count != 4) return "a place is 'place NODE X Y'";
    if (!node_name(word[1], r->from)) return "a node's name has up to 32 characters";
    if (!number(word[2], -1e6, 1e6, &r->x) || !number(word[3], -1e6, 1e6, &r->y))
        return "X and Y are metres";
    r->kind = PLACE;
    return NULL;
}

static const char *read_link(char *const word[], size_t count, struct rule *r)
{
    double dbm = MEDIUM_LEVEL_DBM;
    r->one_way = count > 2 && strcmp(word[2], ">") == 0;
    size_t to = r->one_way ? 3 : 2;
    if (count < to + 2 || count > to + 3) return "a link is 'link NODE NODE PRR [DBM]'";
    if (!node_name(word[1], r->from) || !node_name(word[to], r->to))
        return "a node's name has up to 32 characters";
    if (!number(word[to + 1], 0, 1, &r->prr)) return "the PRR of a link is 0 to 1";
    if (count == to + 3 && !number(word[to + 2], MEDIUM_SENSITIVITY_DBM, 20, &dbm))
        return "the level of a link is -95 to 20 dBm";
    r->dbm = (int8_t)lrint(dbm);
    r->kind = LINK;
    return NULL;
}

static const char *read_line(char *line, struct rule *r, bool *empty)
{
    char *word[WORDS_MAX], *state = NULL;
    size_t count = 0;
    line[strcspn(line, "#")] = 0;
    for (char *w = strtok_r(line, " \t\r", &state); w; w = strtok_r(NULL, " \t\r", &state)) {
        if (count == WORDS_MAX) return "too many words";
        word[count++] = w;
    }
    *empty = count == 0;
    if (*empty) return NULL;
    if (strcmp(word[0], "place") == 0) return read_place(word, count, r);
    if (strcmp(word[0], "link") == 0) return read_link(word, count, r);
    return "a line begins with 'place' or 'link'";
}

static struct rule *more_room(struct medium_layout *l)
{
    struct rule *rules = realloc(l->rules, (l->count + 1) * sizeof *rules);
    if (!rules) return NULL;
    l->rules = rules;
    memset(&rules[l->count], 0, sizeof *rules);
    return &rules[l->count];
}

struct medium_layout *medium_layout_parse(const char *text, char *error, size_t error_size)
{
    struct medium_layout *l = calloc(1, sizeof *l);
    char line[LINE_LEN];
    snprintf(error, error_size, "no memory");
    for (unsigned number = 1; l && *text; number++) {
        size_t len = strcspn(text, "\n");
        bool empty = false;
        struct rule *r = more_room(l);
        const char *why = r ? NULL : "no memory";
        if (r && len >= sizeof line) why = "the line is too long";
        if (!why) {
            memcpy(line, text, len);
            line[len] = 0;
            why = read_line(line, r, &empty);
        }
        if (why) {
            snprintf(error, error_size, "line %u: %s", number, why);
            medium_layout_free(l);
            return NULL;
        }
        l->count += !empty;
        text += len + (text[len] == '\n');
    }
    return l;
}

void medium_layout_free(struct medium_layout *l)
{
    if (!l) return;
    free(l->rules);
    free(l);
}

/* --- applying --- */

/* The 16 digits of an EUI-64, with or without colons between octets. */
static bool is_eui64(const char *text, uint64_t eui64)
{
    char plain[17], colons[24];
    snprintf(plain, sizeof plain, "%016" PRIx64, eui64);
    for (int i = 0; i < 8; i++)
        snprintf(colons + 3 * i, 4, "%.2s%s", plain + 2 * i, i < 7 ? ":" : "");
    return strcasecmp(text, plain) == 0 || strcasecmp(text, colons) == 0;
}

static bool is_node(const struct medium_node *n, const char *name)
{
    return strcmp(name, medium_node_name(n)) == 0 || is_eui64(name, medium_node_eui64(n));
}

static void link_nodes(const struct rule *r, struct medium_node *from, struct medium_node *to)
{
    medium_set_link(from, to, r->prr, r->dbm);
    if (!r->one_way) medium_set_link(to, from, r->prr, r->dbm);
}

void medium_layout_apply(const struct medium_layout *l, struct medium_node *n)
{
    const struct medium *m = medium_of(n);
    for (size_t i = 0; i < l->count; i++)
        if (l->rules[i].kind == PLACE && is_node(n, l->rules[i].from))
            medium_place_node(n, l->rules[i].x, l->rules[i].y);
    for (size_t i = 0; i < l->count; i++) {
        const struct rule *r = &l->rules[i];
        if (r->kind != LINK) continue;
        for (size_t k = 0; k < medium_node_room(m); k++) {
            struct medium_node *other = medium_node_at(m, k);
            if (!other || other == n) continue;
            if (is_node(n, r->from) && is_node(other, r->to)) link_nodes(r, n, other);
            if (is_node(other, r->from) && is_node(n, r->to)) link_nodes(r, other, n);
        }
    }
}
