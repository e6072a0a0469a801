/* Answers that several parts of the server give. */
#ifndef SERVER_ANSWERS_H
#define SERVER_ANSWERS_H

#include <cjson/cJSON.h>

#include "net/http_server.h"

/* {"error":{"code","message","hint"}}. hint may be NULL. */
void answer_error(struct http_request *r, unsigned status, const char *code, const char *message,
                  const char *hint);
/* The error of a store as 404, 409, 507 or 500. */
void answer_store_error(struct http_request *r, int err, const char *name);
/* Frees doc. */
void answer_json(struct http_request *r, unsigned status, cJSON *doc);
/* 405 with Allow: methods. */
void answer_method(struct http_request *r, const char *methods);

#endif
