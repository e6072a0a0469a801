/* Commands of `airlift cloud`; a file each. */
#ifndef CLI_CLOUD_H
#define CLI_CLOUD_H

#include "cli/server_link.h"
#include "server/api.h"

#define CLOUD_PATH API_PREFIX "cloud/"

/* Products and their versions. */
int cloud_product_create_run(const struct cli_args *a);
int cloud_product_list_run(const struct cli_args *a);
int cloud_product_show_run(const struct cli_args *a);
int cloud_product_remove_run(const struct cli_args *a);
int cloud_roms_run(const struct cli_args *a);
int cloud_roms_remove_run(const struct cli_args *a);
int cloud_current_run(const struct cli_args *a);
int cloud_deploy_run(const struct cli_args *a);

/* Devices and keys. */
int cloud_device_create_run(const struct cli_args *a);
int cloud_device_batch_run(const struct cli_args *a);
int cloud_device_list_run(const struct cli_args *a);
int cloud_device_show_run(const struct cli_args *a);
int cloud_device_remove_run(const struct cli_args *a);
int cloud_device_move_run(const struct cli_args *a);
int cloud_device_override_run(const struct cli_args *a);
int cloud_key_create_run(const struct cli_args *a);
int cloud_key_list_run(const struct cli_args *a);
int cloud_key_revoke_run(const struct cli_args *a);

/* What happened. */
int cloud_events_run(const struct cli_args *a);
int cloud_audit_run(const struct cli_args *a);

/* "collection/operand[/action]" below CLOUD_PATH; operand < 0: none. false after a message. */
bool cloud_path(const struct cli_args *a, const char *collection, int operand, const char *action,
                char *path, size_t size);
/* Adds "?name=value", or "&...", escaped; value NULL: nothing. */
bool cloud_path_add(char *path, size_t size, const char *name, const char *value);
/* Asks, and prints with --json; else *doc is the answer. done: nothing more to do. */
int cloud_ask(const struct cli_args *a, const char *method, const char *path, cJSON *body,
              cJSON **doc, bool *done);
/* The same for what collection has under the name of operand 0. */
int cloud_show(const struct cli_args *a, const char *collection, cJSON **doc, bool *done);
/* A change whose answer tells nothing: prints text. */
int cloud_order(const struct cli_args *a, const char *method, const char *path, cJSON *body,
                const char *text);
/* Prints each of doc's list with print, or none, and frees doc. */
int cloud_print_list(cJSON *doc, const char *list, void (*print)(const cJSON *item),
                     const char *none);
/* The same of what path answers; with --json the answer itself. */
int cloud_list(const struct cli_args *a, const char *path, const char *list,
               void (*print)(const cJSON *item), const char *none);
double cloud_number_of(const cJSON *doc, const char *key);

#endif
