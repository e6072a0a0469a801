/* Parts of part_csv: lines to rows, and the rules that rows have to obey. Numbers
 * are wide, as the original checks their range last. */
#ifndef HOST_PART_CSV_ROW_H
#define HOST_PART_CSV_ROW_H

#include "host/part_csv.h"

/* What is blank inside a line. */
#define CSV_BLANKS " \t\x1f"

struct csv_row {
    char *text;       /* the line, taken apart; owned */
    const char *name; /* inside text */
    int64_t type, subtype, offset, size;
    bool has_offset;
    uint32_t flags;
    unsigned line;
};

/* Fills fault, gives AL_ERR_INVALID_ARG. */
int csv_fail(struct part_csv_fault *f, const char *error_class, unsigned line, const char *format,
             ...) __attribute__((format(printf, 4, 5)));

/* "0x9000", "-0x10": as Python's '0x%x' prints it. */
struct csv_hex {
    char text[24];
};
struct csv_hex csv_hex(int64_t n);

/* A copy of text as UTF-8 with a NUL behind, without BOM; malloc'ed. */
int csv_decode(const void *text, size_t len, char **out, struct part_csv_fault *f);
/* The next line from *pos with variables expanded; malloc'ed. NULL with *err 0: no more lines. */
char *csv_next_line(const char **pos, const struct part_csv_options *o, unsigned line, int *err,
                    struct part_csv_fault *f);
/* One row from a line, which row then owns, whatever the result. */
int csv_parse_row(char *line, unsigned number, const struct part_csv_options *o,
                  struct csv_row *row, struct part_csv_fault *f);

/* Chooses the offsets that were left blank, and sizes from end addresses. */
int csv_place(struct csv_row *rows, size_t count, uint32_t table_offset, struct part_csv_fault *f);
/* What the original calls verify. */
int csv_verify(const struct csv_row *rows, size_t count, const struct part_csv_options *o,
               struct part_csv_fault *f);
int csv_verify_fits(const struct csv_row *rows, size_t count, uint32_t flash_size,
                    struct part_csv_fault *f);

/* What user partitions have to obey besides: inside o->area, names of at most 16 bytes. */
int csv_verify_user(const struct csv_row *rows, size_t count, const struct part_csv_options *o,
                    struct part_csv_fault *f);

static inline uint32_t csv_table_offset(const struct part_csv_options *o)
{
    if (o->area) return o->area->offset;
    return o->table_offset ? o->table_offset : AL_PART_TABLE_OFFSET;
}

#endif
