/* See data_dir.h. */
#include "server/data_dir.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/file.h"
#include "net/tls_material.h"
#include "server/auth.h"

#define RUNNING_FILE "airliftd.json"

int data_dir_announce(const char *data_dir, const char *url)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/" RUNNING_FILE, data_dir);
    if (!url) return unlink(path) == 0 ? 0 : -errno;
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "url", url);
    cJSON_AddNumberToObject(doc, "pid", getpid());
    char *text = cJSON_Print(doc);
    cJSON_Delete(doc);
    int err = text ? file_write(path, text, strlen(text), 0644) : -ENOMEM;
    free(text);
    return err;
}

int data_dir_lock(const char *data_dir, char *why, size_t why_size)
{
    char path[PATH_MAX];
    struct stat st;
    if (mkdir(data_dir, 0750) != 0 && errno != EEXIST) {
        snprintf(why, why_size, "the data directory %s cannot be made: %s", data_dir,
                 strerror(errno));
        return -1;
    }
    if (stat(data_dir, &st) == 0 && !S_ISDIR(st.st_mode)) {
        snprintf(why, why_size, "%s is no directory", data_dir);
        return -1;
    }
    snprintf(path, sizeof path, "%s/lock", data_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        snprintf(why, why_size, "the data directory %s cannot be written: %s", data_dir,
                 strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        data_dir_announce(data_dir, NULL); /* of one that was killed */
        return fd;
    }
    snprintf(why, why_size,
             "another airliftd uses the data directory %s; stop it, or use another directory",
             data_dir);
    close(fd);
    return -1;
}

static bool read_url(const char *data_dir, char *url, size_t size)
{
    char path[PATH_MAX];
    uint8_t *data;
    size_t len;
    snprintf(path, sizeof path, "%s/" RUNNING_FILE, data_dir);
    if (file_read(path, 65536, &data, &len) != 0) return false;
    cJSON *doc = cJSON_ParseWithLength((const char *)data, len);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(doc, "url"));
    if (text) snprintf(url, size, "%s", text);
    cJSON_Delete(doc);
    free(data);
    return text != NULL;
}

bool data_dir_find(const char *data_dir, struct data_dir_server *out, char *why, size_t why_size)
{
    char path[PATH_MAX];
    uint8_t *data;
    size_t len;
    *out = (struct data_dir_server){0};
    if (!read_url(data_dir, out->url, sizeof out->url)) {
        snprintf(why, why_size, "no airliftd runs on %s; start it: airliftd --data %s", data_dir,
                 data_dir);
        return false;
    }
    snprintf(path, sizeof path, "%s/" AUTH_TOKEN_FILE, data_dir);
    int err = file_read(path, sizeof out->token - 1, &data, &len);
    if (err != 0) {
        snprintf(why, why_size, "the token %s cannot be read: %s", path, strerror(-err));
        return false;
    }
    snprintf(out->token, sizeof out->token, "%.*s", (int)strcspn((char *)data, "\r\n"),
             (char *)data);
    free(data);
    snprintf(path, sizeof path, "%s/tls/" TLS_CA_FILE, data_dir);
    if (access(path, R_OK) == 0) snprintf(out->ca_file, sizeof out->ca_file, "%s", path);
    return true;
}
