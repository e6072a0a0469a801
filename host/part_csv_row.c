/* One line of a partition CSV to one row. */
#include "host/part_csv_row.h"

#include "core/err.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS 6

/* --- numbers and keywords --- */

/* Numbers beyond any range stay beyond it. */
static int64_t times(int64_t a, int64_t b)
{
    int64_t product;
    if (__builtin_mul_overflow(a, b, &product)) return (a < 0) == (b < 0) ? INT64_MAX : -INT64_MAX;
    return product;
}

static int digit(char c)
{
    if (isdigit((unsigned char)c)) return c - '0';
    return isalpha((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : 99;
}

/* Digits with single underscores between them, as Python's int() reads them. */
static bool parse_digits(const char *p, const char *end, int base, bool underscore_first,
                         int64_t *out)
{
    int64_t n = 0;
    bool after_digit = underscore_first;
    if (p == end) return false;
    for (; p < end; p++) {
        if (*p == '_') {
            if (!after_digit || p + 1 == end) return false;
            after_digit = false;
            continue;
        }
        if (digit(*p) >= base) return false;
        n = times(n, base);
        if (n <= INT64_MAX - base) n += digit(*p);
        after_digit = true;
    }
    *out = n;
    return true;
}

static bool parse_integer(const char *p, const char *end, int64_t *out)
{
    int base = 10, sign = 1;
    while (p < end && isspace((unsigned char)*p)) p++;
    while (p < end && isspace((unsigned char)end[-1])) end--;
    if (p < end && (*p == '-' || *p == '+')) sign = *p++ == '-' ? -1 : 1;
    if (end - p > 2 && *p == '0' && strchr("xXoObB", p[1])) {
        base = tolower((unsigned char)p[1]) == 'x'   ? 16
               : tolower((unsigned char)p[1]) == 'o' ? 8
                                                     : 2;
        p += 2;
    }
    if (!parse_digits(p, end, base, base != 10, out)) return false;
    /* 0100 could be meant as octal: refused; 00 cannot be mistaken. */
    if (base == 10 && *p == '0' && *out != 0) return false;
    *out *= sign;
    return true;
}

/* Keywords of a column in the original's order. index: 0, 1, ...; NULL behind the last. */
struct keywords {
    bool types;   /* column Type */
    int64_t type; /* column SubType: of this type; -1: no keywords at all */
};

static const char *keyword(const struct keywords *k, unsigned index, int64_t *value)
{
    static const uint8_t type_order[] = {AL_PART_BOOTLOADER, AL_PART_PARTITION_TABLE, AL_PART_APP,
                                         AL_PART_DATA};
    if (k->types) {
        if (index >= sizeof type_order) return NULL;
        *value = type_order[index];
        return al_part_type_name(type_order[index]);
    }
    if (k->type < 0 || k->type > AL_PART_PARTITION_TABLE) return NULL;
    for (unsigned i = 0; i < 256; i++) {
        uint8_t subtype = (uint8_t)i;
        /* "test" is listed before the OTA slots. */
        if (k->type == AL_PART_APP)
            subtype = i == 1 ? AL_PART_TEST : i == AL_PART_TEST ? 1 : subtype;
        const char *name = al_part_subtype_name((uint8_t)k->type, subtype);
        if (!name || index-- > 0) continue;
        *value = subtype;
        return name;
    }
    return NULL;
}

static int unknown_keyword(const struct keywords *k, const char *text, int len, unsigned line,
                           struct part_csv_fault *f)
{
    char list[300] = "";
    const char *name;
    int64_t value;
    for (unsigned i = 0; (name = keyword(k, i, &value)); i++) {
        if (i) strncat(list, ", ", sizeof list - strlen(list) - 1);
        strncat(list, name, sizeof list - strlen(list) - 1);
    }
    return csv_fail(f, "UNKNOWN_KEYWORD", line,
                    "Error at line %u: Value '%.*s' is not valid. Known keywords: %s", line, len,
                    text, list);
}

/* A number or keyword. The suffix is cut first, so no keyword can end in k or m. */
static int parse_value(const char *text, const struct keywords *k, unsigned line, int64_t *out,
                       struct part_csv_fault *f)
{
    static const struct keywords none = {.type = -1};
    const char *end = text + strlen(text), *name;
    int64_t factor = 1, value;
    while (end > text && strchr("kKmM", end[-1])) {
        factor = times(factor, tolower((unsigned char)end[-1]) == 'k' ? 1024 : 1024 * 1024);
        end--;
    }
    int len = (int)(end - text);
    if (parse_integer(text, end, out)) {
        *out = times(*out, factor);
        return AL_OK;
    }
    if (!k || !keyword(k, 0, &value)) k = &none;
    if (k == &none)
        return csv_fail(f, "BAD_NUMBER", line, "Error at line %u: Invalid field value %.*s", line,
                        len, text);
    for (unsigned i = 0; (name = keyword(k, i, &value)); i++) {
        if (strlen(name) != (size_t)len || strncasecmp(name, text, (size_t)len) != 0) continue;
        *out = times(value, factor);
        return AL_OK;
    }
    return unknown_keyword(k, text, len, line, f);
}

/* --- columns --- */

static char *strip(char *p)
{
    p += strspn(p, CSV_BLANKS);
    char *end = p + strlen(p);
    while (end > p && strchr(CSV_BLANKS, end[-1])) end--;
    *end = '\0';
    return p;
}

static void split(char *line, char *column[COLUMNS])
{
    static char empty[1];
    for (int i = 0; i < COLUMNS; i++) {
        char *comma = line ? strchr(line, ',') : NULL;
        if (comma) *comma = '\0';
        column[i] = line ? strip(line) : empty;
        line = comma ? comma + 1 : NULL;
    }
}

static int offset_unset(const char *which, const char *option, unsigned line,
                        struct part_csv_fault *f)
{
    return csv_fail(f, "BOOTLOADER_OFFSET_UNSET", line,
                    "Error at line %u: %s bootloader offset is not defined. Please use --%s", line,
                    which, option);
}

/* Some offsets follow from the type, whatever the column says. */
static int parse_offset(const char *text, const struct part_csv_options *o, struct csv_row *row,
                        struct part_csv_fault *f)
{
    row->has_offset = true;
    if (row->type == AL_PART_BOOTLOADER && row->subtype == AL_PART_PRIMARY) {
        row->offset = o->primary_offset;
        return o->primary_given
                   ? AL_OK
                   : offset_unset("Primary", "primary-bootloader-offset", row->line, f);
    }
    if (row->type == AL_PART_BOOTLOADER && row->subtype == AL_PART_RECOVERY) {
        row->offset = o->recovery_offset;
        return o->recovery_given
                   ? AL_OK
                   : offset_unset("Recovery", "recovery-bootloader-offset", row->line, f);
    }
    if (row->type == AL_PART_PARTITION_TABLE && row->subtype == AL_PART_PRIMARY) {
        row->offset = csv_table_offset(o);
        return AL_OK;
    }
    row->has_offset = *text != '\0';
    return row->has_offset ? parse_value(text, NULL, row->line, &row->offset, f) : AL_OK;
}

static int parse_size(const char *text, const struct part_csv_options *o, struct csv_row *row,
                      struct part_csv_fault *f)
{
    if (row->type == AL_PART_BOOTLOADER) {
        row->size = (int64_t)csv_table_offset(o) - o->primary_offset;
        return o->primary_given
                   ? AL_OK
                   : offset_unset("Primary", "primary-bootloader-offset", row->line, f);
    }
    if (row->type == AL_PART_PARTITION_TABLE) {
        row->size = AL_SECTOR;
        return AL_OK;
    }
    if (!*text)
        return csv_fail(f, "EMPTY_SIZE", row->line, "Error at line %u: Size field can't be empty",
                        row->line);
    return parse_value(text, NULL, row->line, &row->size, f);
}

static int parse_flags(char *text, struct csv_row *row, struct part_csv_fault *f)
{
    for (char *flag; (flag = strsep(&text, ":"));) {
        if (strcmp(flag, "encrypted") == 0)
            row->flags |= AL_PART_ENCRYPTED;
        else if (strcmp(flag, "readonly") == 0)
            row->flags |= AL_PART_READONLY;
        else if (*flag)
            return csv_fail(f, "UNKNOWN_FLAG", row->line,
                            "Error at line %u: CSV flag column contains unknown flag '%s'",
                            row->line, flag);
    }
    return AL_OK;
}

int csv_parse_row(char *line, unsigned number, const struct part_csv_options *o,
                  struct csv_row *row, struct part_csv_fault *f)
{
    char *column[COLUMNS];
    *row = (struct csv_row){.text = line, .line = number};
    split(line, column);
    row->name = column[0];
    if (!*column[1])
        return csv_fail(f, "EMPTY_TYPE", number,
                        "Error at line %u: Field 'type' can't be left empty.", number);
    int err = parse_value(column[1], &(struct keywords){.types = true}, number, &row->type, f);
    if (err) return err;
    if (*column[2]) {
        struct keywords of_type = {.type = row->type};
        err = parse_value(column[2], &of_type, number, &row->subtype, f);
    } else if (row->type == AL_PART_APP) {
        err = csv_fail(f, "EMPTY_SUBTYPE", number,
                       "Error at line %u: App partition cannot have an empty subtype", number);
    } else {
        row->subtype = 0x06; /* undefined */
    }
    if (!err) err = parse_offset(column[3], o, row, f);
    if (!err) err = parse_size(column[4], o, row, f);
    if (!err) err = parse_flags(column[5], row, f);
    return err;
}
