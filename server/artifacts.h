/* /api/v1/artifacts: listing, publishing, deleting. The caller has checked the token. */
#ifndef SERVER_ARTIFACTS_H
#define SERVER_ARTIFACTS_H

#include "net/http_server.h"
#include "server/api.h"

void artifacts_list(struct api *api, struct http_request *r);
void artifacts_show(struct api *api, struct http_request *r, const char *name);
void artifacts_delete(struct api *api, struct http_request *r, const char *name);

/* A publication, piece by piece: struct http_handler's callbacks, ctx is a struct api. */
void artifacts_upload_begin(struct api *api, struct http_request *r);
void artifacts_upload_body(void *ctx, struct http_request *r, const void *data, size_t len);
void artifacts_upload_end(void *ctx, struct http_request *r);
void artifacts_upload_gone(void *ctx, struct http_request *r);

#endif
