#include "cli/zigbee_mirror.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/server_link.h"
#include "host/crypto_openssl.h"
#include "host/file.h"
#include "server/api.h"

#define FILE_MAX    (64u << 20)
#define INTERVAL_S  15u
#define INTERVAL_HI 600u /* while the server cannot be reached */

bool zigbee_is_url(const char *images)
{
    return images && (strncmp(images, "http://", 7) == 0 || strncmp(images, "https://", 8) == 0);
}

static void sha256_of(const uint8_t *data, size_t len, char hex[65])
{
    uint8_t digest[32];
    crypto_digest(AL_SHA256, data, len, digest);
    crypto_hex(digest, sizeof digest, hex);
}

static bool have(const char *path, const char *sha256)
{
    uint8_t *data;
    size_t len;
    char hex[65];
    if (file_read(path, FILE_MAX, &data, &len)) return false;
    sha256_of(data, len, hex);
    free(data);
    return strcmp(hex, sha256) == 0;
}

/* The body of an answer that has size bytes. NULL after a message. */
static uint8_t *read_file(struct server_link *l, const char *name, size_t size)
{
    uint8_t *data = malloc(size + 1);
    size_t had = 0;
    int n = 1;
    if (!data || http_client_headers(l->http) != 0 || http_client_status(l->http) != 200) n = -1;
    while (n > 0 && had <= size) {
        n = http_client_read(l->http, data + had, size + 1 - had);
        if (n > 0) had += (size_t)n;
    }
    http_client_close(l->http);
    if (n == 0 && had == size) return data;
    cli_warn("%s: '%s' could not be fetched whole", l->url, name);
    free(data);
    return NULL;
}

static int fetch(struct server_link *l, const cJSON *a, const char *dir)
{
    char path[4200], hex[65];
    const char *name = cli_text_of(a, "name"), *sha256 = cli_text_of(a, "sha256");
    double size = cJSON_GetNumberValue(cJSON_GetObjectItem(a, "size"));
    if (!artifact_name_ok(name) || !(size > 0 && size <= FILE_MAX)) return CLI_OK;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (have(path, sha256)) return CLI_OK;
    if (server_link_begin(l, "GET", cli_text_of(a, "url"), 0) != CLI_OK) return CLI_FAILED;
    uint8_t *data = read_file(l, name, (size_t)size);
    if (!data) return CLI_FAILED;
    sha256_of(data, (size_t)size, hex);
    int status = strcmp(hex, sha256) == 0
                     ? cli_write_file(path, data, (size_t)size)
                     : cli_fail("%s: '%s' arrived with another SHA-256", l->url, name);
    free(data);
    return status;
}

static const cJSON *listed(const cJSON *list, const char *name)
{
    for (const cJSON *a = list ? list->child : NULL; a; a = a->next)
        if (strcmp(cli_text_of(a, "name"), name) == 0 &&
            strcmp(cli_text_of(a, "kind"), "zigbee") == 0)
            return a;
    return NULL;
}

static void drop_others(const cJSON *list, const char *dir)
{
    char path[4200];
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!artifact_name_ok(e->d_name) || listed(list, e->d_name)) continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        unlink(path);
    }
    if (d) closedir(d);
}

static int sync_once(const struct cli_args *a, const char *url, const char *dir)
{
    struct server_link l;
    cJSON *doc = NULL;
    int status = server_link_open_at(a, url, &l);
    if (status == CLI_OK) status = server_link_begin(&l, "GET", API_PREFIX "artifacts", 0);
    if (status == CLI_OK) status = server_link_finish(&l, &doc);
    const cJSON *list = cJSON_GetObjectItem(doc, "artifacts");
    for (const cJSON *item = list ? list->child : NULL; item; item = item->next)
        if (listed(list, cli_text_of(item, "name")) == item && fetch(&l, item, dir) != CLI_OK)
            status = CLI_FAILED;
    if (list) drop_others(list, dir);
    cJSON_Delete(doc);
    server_link_close(&l);
    return status;
}

static void keep_up(const struct cli_args *a, const char *url, const char *dir)
{
    unsigned pause = INTERVAL_S;
    for (;;) {
        sleep(pause);
        if (sync_once(a, url, dir) == CLI_OK)
            pause = INTERVAL_S;
        else
            pause = pause * 2 < INTERVAL_HI ? pause * 2 : INTERVAL_HI;
    }
}

int zigbee_mirror_start(const struct cli_args *a, const char *url, const char *dir, pid_t *child)
{
    int err = file_make_dirs(dir, 0755);
    if (err) return cli_fail("%s: %s", dir, strerror(-err));
    if (sync_once(a, url, dir) == CLI_USAGE) return CLI_USAGE;
    pid_t parent = getpid();
    *child = fork();
    if (*child < 0) return cli_fail("a process cannot be started: %m");
    if (*child > 0) return CLI_OK;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent) keep_up(a, url, dir);
    _exit(0);
}

void zigbee_mirror_stop(pid_t child)
{
    if (child <= 0) return;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}
