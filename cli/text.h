/* Text that comes from files, images and the command line: it may be no UTF-8, and
 * hold bytes that would steer the terminal it is shown on. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* All of it is well-formed UTF-8 (no overlong form, no surrogate). */
bool text_is_utf8(const uint8_t *s, size_t len);

/* As it is, but each byte that is no UTF-8 or part of a control character as \xNN.
 * Line feeds stay. */
void text_write_plain(FILE *out, const char *text);

/* A JSON document so that any reader takes it: a byte that is no UTF-8 becomes the
 * text \xNN, a control character behind U+007E its escape. */
void text_write_json(FILE *out, const char *json);

#endif
