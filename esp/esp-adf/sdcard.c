#include "esp/esp-adf/sdcard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device/board.h"
#include "esp_log.h"

static const char TAG[] = "PERIPH_SDCARD";
static bool mounted;

esp_err_t adf_sdcard_mount(void)
{
    if (mounted) return ESP_OK;
    char folder[sizeof board()->dir + sizeof ADF_SDCARD_ROOT];
    struct stat st;
    snprintf(folder, sizeof folder, "%s" ADF_SDCARD_ROOT, board()->dir);
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        ESP_LOGE(TAG, "no SD card: make the folder %s and put its files there", folder);
        return ESP_ERR_NOT_FOUND;
    }
    mounted = true;
    return ESP_OK;
}

void adf_sdcard_unmount(void)
{
    mounted = false;
}

bool adf_sdcard_mounted(void)
{
    return mounted;
}

/* The part of a path behind "/sdcard", NULL when the path is elsewhere. */
static const char *below_root(const char *path)
{
    const size_t name = strlen(ADF_SDCARD_ROOT) - 1;
    if (*path != '/') return NULL;
    path += strspn(path, "/");
    if (strncmp(path, &ADF_SDCARD_ROOT[1], name) != 0) return NULL;
    path += name;
    return *path == '/' || *path == 0 ? path : NULL;
}

static bool leads_up(const char *path)
{
    while (*path) {
        path += strspn(path, "/");
        size_t len = strcspn(path, "/");
        if (len == 2 && memcmp(path, "..", 2) == 0) return true;
        path += len;
    }
    return false;
}

bool adf_host_path(const char *vfs_path, char *out, size_t size)
{
    const char *rest = mounted && vfs_path ? below_root(vfs_path) : NULL;
    if (rest && !leads_up(rest)) {
        int len = snprintf(out, size, "%s" ADF_SDCARD_ROOT "%s", board()->dir, rest);
        if (len >= 0 && (size_t)len < size) return true;
    }
    if (size) out[0] = 0;
    return false;
}

FILE *adf_sdcard_open(const char *vfs_path, int64_t *size)
{
    char host[PATH_MAX];
    struct stat st;
    errno = ENOENT;
    /* A FIFO must not make the service wait for a writer. */
    int fd = adf_host_path(vfs_path, host, sizeof host)
                 ? open(host, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
                 : -1;
    if (fd < 0) return NULL;
    if (fstat(fd, &st) == 0) {
        *size = st.st_size;
        FILE *file = S_ISREG(st.st_mode) ? fdopen(fd, "rb") : NULL;
        if (file) return file;
        if (!S_ISREG(st.st_mode)) errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    }
    int why = errno;
    close(fd);
    errno = why;
    return NULL;
}
