#include "host/part_csv.h"

#include "core/err.h"
#include "host/part_csv_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROWS 4096u /* far above what fits; a limit for hostile files */

/* Room for one more row, also for the first of none. */
static int reserve(struct csv_row **rows, size_t count)
{
    if (count % 64) return AL_OK;
    struct csv_row *more = realloc(*rows, (count + 64) * sizeof **rows);
    if (!more) return AL_ERR_NO_MEM;
    *rows = more;
    return AL_OK;
}

static int read_rows(const char *text, const struct part_csv_options *o, struct csv_row **rows,
                     size_t *count, struct part_csv_fault *f)
{
    int err = reserve(rows, 0);
    char *line;
    for (unsigned number = 1; !err && (line = csv_next_line(&text, o, number, &err, f)); number++) {
        char first = line[strspn(line, CSV_BLANKS)];
        if (first == '#' || first == '\0') {
            free(line);
            continue;
        }
        err = csv_parse_row(line, number, o, &(*rows)[*count], f);
        ++*count;
        if (!err) err = reserve(rows, *count);
        if (!err && *count > MAX_ROWS)
            err =
                csv_fail(f, "TOO_MANY", number, "more than %u rows; 95 fit into a table", MAX_ROWS);
    }
    return err;
}

static int check_ranges(const struct csv_row *r, struct part_csv_fault *f)
{
    if ((r->type | r->subtype) & ~0xffLL)
        return csv_fail(f, "VALUE_RANGE", r->line,
                        "Error at line %u: type %lld and subtype %lld have to be 0..255", r->line,
                        (long long)r->type, (long long)r->subtype);
    if ((r->offset | r->size) & ~0xffffffffLL)
        return csv_fail(f, "VALUE_RANGE", r->line,
                        "Error at line %u: offset %s and size %s have to be 0..0xffffffff", r->line,
                        csv_hex(r->offset).text, csv_hex(r->size).text);
    return AL_OK;
}

/* Rows to entries. The ranges come last, as in the original. */
static int encode(const struct csv_row *rows, size_t count, const struct part_csv_options *o,
                  uint8_t raw[AL_PART_TABLE_LEN], struct part_csv_fault *f)
{
    struct al_part_table t = {.count = 0};
    size_t most = AL_PART_MAX - !o->no_md5;
    for (size_t i = 0; i < count; i++) {
        int err = check_ranges(&rows[i], f);
        if (err) return err;
    }
    if (count > most)
        return csv_fail(f, "TOO_MANY", rows[most].line,
                        "Binary partition table length (%zu) longer than max",
                        (count + !o->no_md5) * AL_PART_ENTRY);
    for (const struct csv_row *r = rows; r < rows + count; r++) {
        struct al_part *p = &t.part[t.count++];
        p->type = (uint8_t)r->type;
        p->subtype = (uint8_t)r->subtype;
        p->offset = (uint32_t)r->offset;
        p->size = (uint32_t)r->size;
        p->flags = r->flags;
        memcpy(p->label, r->name, strnlen(r->name, 16));
    }
    return al_part_table_build(&t, !o->no_md5, o->crypto, raw);
}

static int compile(const char *text, const struct part_csv_options *o, struct csv_row **rows,
                   size_t *count, uint8_t *raw, struct part_csv_fault *f)
{
    int err = read_rows(text, o, rows, count, f);
    if (!err) err = csv_place(*rows, *count, csv_table_offset(o), f);
    if (!err && o->area) err = csv_verify_user(*rows, *count, o, f);
    if (!err && !o->no_verify) err = csv_verify(*rows, *count, o, f);
    if (!err) err = csv_verify_fits(*rows, *count, o->flash_size, f);
    return err ? err : encode(*rows, *count, o, raw, f);
}

int part_csv_compile(const void *text, size_t len, const struct part_csv_options *opts,
                     uint8_t raw[AL_PART_TABLE_LEN], struct part_csv_fault *fault)
{
    struct csv_row *rows = NULL;
    size_t count = 0;
    char *utf8 = NULL;
    memset(fault, 0, sizeof *fault);
    if (opts->primary_given && opts->primary_offset >= csv_table_offset(opts))
        return csv_fail(fault, "PRIMARY_ABOVE_TABLE", 0,
                        "Unsupported configuration. Primary bootloader must be below partition "
                        "table. Check --primary-bootloader-offset=%s and --offset=%s options",
                        csv_hex(opts->primary_offset).text, csv_hex(csv_table_offset(opts)).text);
    int err = csv_decode(text, len, &utf8, fault);
    if (!err) err = compile(utf8, opts, &rows, &count, raw, fault);
    for (size_t i = 0; i < count; i++) free(rows[i].text);
    free(rows);
    free(utf8);
    return err;
}

/* --- back to text --- */

static void write_size(FILE *out, uint32_t n)
{
    if (n % 0x100000 == 0)
        fprintf(out, "%uM", n / 0x100000);
    else if (n % 0x400 == 0)
        fprintf(out, "%uK", n / 0x400);
    else
        fprintf(out, "0x%x", n);
}

static void write_word(FILE *out, const char *name, unsigned number)
{
    if (name)
        fprintf(out, "%s,", name);
    else
        fprintf(out, "%u,", number);
}

char *part_csv_write(const struct al_part_table *t)
{
    static const char *const flags[] = {"", "encrypted", "readonly", "encrypted:readonly"};
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (!out) return NULL;
    fputs("# ESP-IDF Partition Table\n# Name, Type, SubType, Offset, Size, Flags\n", out);
    for (uint32_t i = 0; i < t->count; i++) {
        const struct al_part *p = &t->part[i];
        fprintf(out, "%s,", p->label);
        write_word(out, al_part_type_name(p->type), p->type);
        write_word(out, al_part_subtype_name(p->type, p->subtype), p->subtype);
        fprintf(out, "0x%x,", p->offset);
        write_size(out, p->size);
        fprintf(out, ",%s\n", flags[p->flags & 3]);
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
