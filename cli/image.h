/* Commands of the image group: what each file has, for the table in image.c. */
#ifndef CLI_IMAGE_H
#define CLI_IMAGE_H

#include <time.h>

#include "cli/cli.h"
#include "core/secure_boot.h"

#define IMAGE_FILE_MAX (16u << 20)

int image_info_run(const struct cli_args *a);
int image_verify_run(const struct cli_args *a);
int image_verify_signature_run(const struct cli_args *a);

extern const struct cli_option image_make_options[], image_sign_options[];
int image_make_run(const struct cli_args *a);
int image_sign_run(const struct cli_args *a);
extern const struct cli_option image_encrypt_options[], image_decrypt_options[];
int image_encrypt_run(const struct cli_args *a);
int image_decrypt_run(const struct cli_args *a);

/* The build's time: SOURCE_DATE_EPOCH when set, so that builds can be repeated. */
void image_build_time(struct tm *tm);

/* A whole file into memory, malloc'ed; CLI_OK, or CLI_FAILED after a message. */
int image_read(const char *path, uint8_t **img, size_t *len);
/* "RSA-3072 PSS", "ECDSA P-256", ... */
const char *image_scheme_name(const struct al_sig_block *b);

#endif
