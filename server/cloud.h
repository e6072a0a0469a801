/* The module cloud's memory: products, their versions, devices, keys, and what became of them.
 * It lies in the database of the firmware store, and files are contents of that store.
 *
 *   product 1 ── n version (ROM) 1 ── n file ──> artifact of the store
 *           1 ── n device, may be held on a version of its own
 *   key "owner": deploys to a product; key "master": a device's token
 *
 * All functions may be called from any thread. Changes are whole or not at all, and each leaves
 * an entry in the audit log; who: who asked for it. Documents belong to the caller. */
#ifndef SERVER_CLOUD_H
#define SERVER_CLOUD_H

#include <cjson/cJSON.h>

#include "server/cloud_query.h"

struct cloud;

/* The store stays open as long as this. NULL: why. */
struct cloud *cloud_open(struct store *s, const char *data_dir, char *why, size_t why_size);
void cloud_close(struct cloud *c); /* NULL is allowed */

/* Products. create: *doc has "secret" and "owner_key", which are not to be had again. remove
 * is refused while devices belong to it; versions and keys go along. */
bool cloud_product_create(struct cloud *c, const char *who, const char *name,
                          const char *description, cJSON **doc, struct cloud_refusal *why);
bool cloud_product_remove(struct cloud *c, const char *who, const char *name,
                          struct cloud_refusal *why);
/* All, or the one of that name (then an object with "roms"). NULL: why. */
cJSON *cloud_product_list(struct cloud *c, struct cloud_refusal *why);
cJSON *cloud_product_show(struct cloud *c, const char *name, struct cloud_refusal *why);

/* Devices. count 1: one of that name; more: name1, name2... *list is an array of devices, each
 * with its "key", which is not to be had again. */
#define CLOUD_BATCH_MAX 1000u
struct cloud_new_devices {
    const char *name, *product;
    bool open; /* privacy "public" */
    unsigned count;
};
bool cloud_device_create(struct cloud *c, const char *who, const struct cloud_new_devices *n,
                         cJSON **list, struct cloud_refusal *why);
bool cloud_device_remove(struct cloud *c, const char *who, const char *name,
                         struct cloud_refusal *why);
/* To another product; its own version is forgotten. */
bool cloud_device_move(struct cloud *c, const char *who, const char *name, const char *product,
                       struct cloud_refusal *why);
/* version NULL: what the product recommends. */
bool cloud_device_override(struct cloud *c, const char *who, const char *name, const char *version,
                           struct cloud_refusal *why);
cJSON *cloud_device_list(struct cloud *c, const char *product, struct cloud_refusal *why);
cJSON *cloud_device_show(struct cloud *c, const char *name, struct cloud_refusal *why);

/* Keys: one more for a device, or for a product (the other NULL). *doc has "key". */
bool cloud_key_create(struct cloud *c, const char *who, const char *device, const char *product,
                      const char *label, cJSON **doc, struct cloud_refusal *why);
bool cloud_key_revoke(struct cloud *c, const char *who, int64_t id, struct cloud_refusal *why);
cJSON *cloud_key_list(struct cloud *c, const char *device, const char *product,
                      struct cloud_refusal *why);

/* Versions. Files are looked at before (cloud_rules.h). *doc: the version, with "warnings". */
bool cloud_deploy(struct cloud *c, const char *who, const char *product,
                  const struct cloud_deploy *d, cJSON **doc, struct cloud_refusal *why);
bool cloud_rom_current(struct cloud *c, const char *who, const char *product, const char *version,
                       struct cloud_refusal *why);
/* Refused for the current version, and for one that a device is held on. */
bool cloud_rom_remove(struct cloud *c, const char *who, const char *product, const char *version,
                      struct cloud_refusal *why);
cJSON *cloud_rom_list(struct cloud *c, const char *product, struct cloud_refusal *why);

/* Newest first, at most limit (CLOUD_LOG_MAX); before: only what is older than this id (0: all).
 * device: a name, or NULL. */
#define CLOUD_LOG_MAX 1000u
cJSON *cloud_event_list(struct cloud *c, const char *device, int64_t before, unsigned limit,
                        struct cloud_refusal *why);
cJSON *cloud_audit_list(struct cloud *c, int64_t before, unsigned limit, struct cloud_refusal *why);

/* What modules ask. These write nothing. */
struct cloud_device {
    int64_t id, product, held; /* held: id of its own version, 0: none */
    bool activated;
    char name[CLOUD_NAME_MAX + 1], product_name[CLOUD_NAME_MAX + 1];
};
/* 0, -ENOENT: no such key, or revoked; else -errno. */
int cloud_device_of_key(struct cloud *c, const char *key, struct cloud_device *out);
/* Product of an owner key. */
int cloud_product_of_key(struct cloud *c, const char *key, int64_t *id,
                         char name[CLOUD_NAME_MAX + 1], int64_t *key_id);

/* The versions as modules read them (cloud_list.h). -ENOENT: none is recommended. */
struct cloud_list;
int cloud_list_for(struct cloud *c, const struct cloud_device *d, bool with_files,
                   struct cloud_list *out);

struct cloud_file {
    char version[CLOUD_VERSION_MAX + 1], name[CLOUD_FILE_MAX + 1];
    char sha256[BLOB_HEX_LEN];
    char artifact[ARTIFACT_NAME_MAX + 1]; /* which had this content when it was deployed */
    int64_t deployed;
};
/* asked: a '+' may have come as a blank. 0, -ENOENT, or -errno. */
int cloud_file_find(struct cloud *c, const struct cloud_device *d, const char *version,
                    const char *file, struct cloud_file *out);

/* What happened to a device is written by a thread of its own, many at once: nobody waits for
 * the disk. Too many at a time are dropped, with a line in the log. */
struct cloud_event {
    int64_t at, device; /* at 0: now */
    uint64_t bytes;
    char device_name[CLOUD_NAME_MAX + 1], product[CLOUD_NAME_MAX + 1];
    char action[CLOUD_VERSION_MAX + 1]; /* "activate", "download", else what was reported */
    char version[CLOUD_VERSION_MAX + 1], file[CLOUD_FILE_MAX + 1];
    char address[64], status[16], detail[160];
};
void cloud_note_event(struct cloud *c, const struct cloud_event *e);
/* The device was there; kept in memory until something else about it is written. */
void cloud_note_active(struct cloud *c, int64_t device);
/* Waits until the events noted before are written. */
void cloud_flush(struct cloud *c);

#endif
