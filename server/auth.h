/* The token that lets one publish. It is made on the first start and written to
 * DATA/token (0600) for the administrator; the server keeps its SHA-256 only. */
#ifndef SERVER_AUTH_H
#define SERVER_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "server/store.h"

#define AUTH_TOKEN_FILE "token"

/* Makes the token when there is none, or anew when renew. *made says so. 0, or -errno of the
 * file or the store. */
int auth_ready(struct store *s, const char *data_dir, bool renew, bool *made);

/* header: value of Authorization, may be NULL. The time this takes does not tell how much of
 * the token was right. */
bool auth_allows(struct store *s, const char *header);

#endif
