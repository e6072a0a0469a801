/* A server that says what a script tells it, byte for byte: one answer a connection, with
 * breaks, silence and cuts where the test wants them. In a thread of the test's process. */
#ifndef TESTS_SUPPORT_SCRIPT_SERVER_H
#define TESTS_SUPPORT_SCRIPT_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#define SCRIPT_ANSWERS 8
#define SCRIPT_REQUEST 2048

enum script_end {
    SCRIPT_CLOSE, /* the connection ends behind the answer */
    SCRIPT_HOLD,  /* it stays open, silent, until the client ends it */
    SCRIPT_RESET  /* RST */
};

struct script_answer {
    const void *data;
    size_t len;
    size_t split;      /* so many bytes, a pause, then the rest; 0: in one piece */
    size_t piece;      /* pieces of so many bytes, each sent alone; 0: as large as they are */
    unsigned pause_ms; /* between pieces; 0: 10 */
    enum script_end end;
};

struct script_server;

/* cert: PEM files dir/cert.pem and .key for TLS; NULL: plain. */
struct script_server *script_server_start(const char *dir, const char *cert);
void script_server_stop(struct script_server *s);
int script_server_port(const struct script_server *s);

/* Begins a new script: answers to the next connections, count of them; later ones are closed
 * without an answer. data must stay. */
void script_server_play(struct script_server *s, const struct script_answer *answers, size_t count);
/* Requests since then, and the nth of them (from 0) as text: "" when it did not come. */
unsigned script_server_requests(struct script_server *s);
const char *script_server_request(struct script_server *s, unsigned nth);

#endif
