/* Real servers for tests: http_peer.py, and certificates for it. */
#ifndef TESTS_SUPPORT_HTTP_PEER_H
#define TESTS_SUPPORT_HTTP_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct http_peer {
    pid_t pid;
    int out; /* its stdout: one line a request */
    int port;
    bool tls;
    char url[256]; /* of http_peer_url */
};

/* Starts http_peer.py with further arguments (ended by NULL); fails the test if it
 * does not start. */
void http_peer_start(struct http_peer *p, const char *const *args);
/* Starts any server program; port: where it will listen. Waits until it does. */
void http_peer_run(struct http_peer *p, const char *const *argv, int port);
void http_peer_stop(struct http_peer *p);
/* A free port of 127.0.0.1. */
int http_peer_free_port(void);
/* "http[s]://127.0.0.1:port" + path; valid until the next call. */
const char *http_peer_url(struct http_peer *p, const char *path);
/* The next request's line, without line end; "" after 2 s of silence. */
void http_peer_line(struct http_peer *p, char *line, size_t size);

/* A certificate in PEM text files dir/name.pem and dir/name.key. */
struct test_cert {
    const char *name;   /* file name, and common name */
    const char *san;    /* "DNS:x,IP:127.0.0.1"; NULL: a CA */
    const char *issuer; /* name of the CA in dir; NULL: self-signed */
    long from_s, to_s;  /* validity, seconds from now; both 0: an hour ago to a day ahead */
};
void test_cert_make(const char *dir, const struct test_cert *want);

/* A directory for the test's files, removed by test_dir_remove. */
char *test_dir_new(void);
void test_dir_remove(char *dir);
/* The whole file as text, malloc'ed. */
char *test_file_text(const char *dir, const char *name);

#endif
