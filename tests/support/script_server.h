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

/* Answers of a file below tests/vectors/; of "HTTP/1.1 200 OK", fields (each with CR LF) and a
 * body; of a body with its length. They stay until script_answers_free. */
struct script_answer script_vector(const char *path);
struct script_answer script_text(const char *text); /* all of the answer */
struct script_answer script_made(const char *fields, const void *body, size_t len);
struct script_answer script_file(const void *body, size_t len);
void script_answers_free(void);

#define SCRIPT_PLAY(server, ...)                                              \
    script_server_play((server), (const struct script_answer[]){__VA_ARGS__}, \
                       sizeof((const struct script_answer[]){__VA_ARGS__}) /  \
                           sizeof(struct script_answer))

#endif
