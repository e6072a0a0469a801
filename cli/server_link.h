/* A command's way to airliftd: address, trust and token from its options, requests to the
 * JSON API. */
#ifndef CLI_SERVER_LINK_H
#define CLI_SERVER_LINK_H

#include "cli/cli.h"
#include "net/http_client.h"

/* The options that server_link_open looks at, for a command's list. */
#define SERVER_LINK_OPTIONS                                                                      \
    {"--data", "DIR", "data directory of an airliftd on this machine: address, CA and token",    \
     false},                                                                                     \
        {"--server", "URL", "address of the server, like https://updates.example.com:8070",      \
         false},                                                                                 \
        {"--token", "TOKEN", "token for publishing (others see it in the process list)", false}, \
        {"--token-file", "FILE", "file with the token", false},                                  \
    {                                                                                            \
        "--ca", "FILE", "CA to trust, in PEM form; else the system's", false                     \
    }
#define SERVER_LINK_DETAILS                                                                    \
    "The server is named by --data or --server, or by AIRLIFT_SERVER in the environment; the " \
    "token by --data, --token-file or --token, or by AIRLIFT_TOKEN."

struct server_link {
    struct http_client *http;
    char url[512]; /* without slash at the end */
};

/* CLI_OK, or the exit status after a message. */
int server_link_open(const struct cli_args *a, struct server_link *l);
/* The same with the address given (NULL: by the options). */
int server_link_open_at(const struct cli_args *a, const char *url, struct server_link *l);
void server_link_close(struct server_link *l);

/* Begins a request; path begins with '/'. Body bytes follow by http_client_write. CLI_OK, or
 * CLI_FAILED after a message. */
int server_link_begin(struct server_link *l, const char *method, const char *path,
                      int64_t body_len);
/* The answer. A status of 400 and above, or no JSON, is told as an error. doc may come back
 * NULL with CLI_OK when the answer has no body; the caller frees it. */
int server_link_finish(struct server_link *l, cJSON **doc);

/* A whole exchange on a link of its own. body: sent as JSON and freed; NULL: none. */
int server_link_ask(const struct cli_args *a, const char *method, const char *path, cJSON *body,
                    cJSON **doc);

/* Publishes data under name; kind NULL: the server finds it out. With a progress bar. */
int server_link_push(struct server_link *l, const char *name, const char *kind, const uint8_t *data,
                     size_t len, cJSON **doc);

/* text with everything but letters, digits and -._~ percent-encoded. false: does not fit. */
bool server_link_escape(const char *text, char *out, size_t size);

#endif
