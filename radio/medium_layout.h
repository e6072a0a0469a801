/* Where nodes stand and which links they have, from a text; a line each:
 *
 *   place NODE X Y                metres
 *   link NODE NODE PRR [DBM]      both directions; PRR 0..1, 0: they do not hear each other
 *   link NODE > NODE PRR [DBM]    one direction
 *
 * NODE: the name with which it attaches, or its EUI-64 (16 digits, colons allowed).
 * Links win over places. '#' begins a comment. */
#ifndef RADIO_MEDIUM_LAYOUT_H
#define RADIO_MEDIUM_LAYOUT_H

#include "radio/medium.h"

struct medium_layout;

/* NULL: error names the line and what is wrong with it. */
struct medium_layout *medium_layout_parse(const char *text, char *error, size_t error_size);
void medium_layout_free(struct medium_layout *l); /* NULL allowed */

/* For a node that was just added: its place, and its links with the nodes that are there. */
void medium_layout_apply(const struct medium_layout *l, struct medium_node *n);

#endif
