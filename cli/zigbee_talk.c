/* zigbee control: one command to a running `airlift zigbee serve` or `client`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/zigbee.h"

#define ANSWER_MAX (4u << 20)
#define PATIENCE_S 20

const struct cli_option zigbee_control_options[] = {
    {"--control", "SOCKET", "what the other was started with", false},
    {0},
};

static int connect_to(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    if (strlen(path) >= sizeof addr.sun_path) return -ENAMETOOLONG;
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0) return fd;
    int err = -errno;
    close(fd);
    return err;
}

/* The words behind the command: NAME=VALUE; numbers, true and false are such. */
static bool add_word(cJSON *o, const char *word)
{
    const char *equals = strchr(word, '=');
    char name[64], *end;
    if (!equals || (size_t)(equals - word) >= sizeof name) return false;
    snprintf(name, sizeof name, "%.*s", (int)(equals - word), word);
    const char *value = equals + 1;
    double number = strtod(value, &end);
    bool word_only = !strcmp(name, "device") || !strcmp(name, "code") || !strcmp(name, "file");
    if (word_only)
        cJSON_AddStringToObject(o, name, value); /* digits, but no number */
    else if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
        cJSON_AddBoolToObject(o, name, value[0] == 't');
    else if (end != value && !*end)
        cJSON_AddNumberToObject(o, name, number);
    else
        cJSON_AddStringToObject(o, name, value);
    return true;
}

static char *exchange(int fd, const char *line, size_t *len)
{
    char *answer = malloc(ANSWER_MAX);
    *len = 0;
    if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0 || send(fd, "\n", 1, MSG_NOSIGNAL) < 0) {
        free(answer);
        return NULL;
    }
    while (answer && *len < ANSWER_MAX - 1) {
        ssize_t n = recv(fd, answer + *len, ANSWER_MAX - 1 - *len, 0);
        if (n <= 0) break;
        *len += (size_t)n;
        if (answer[*len - 1] == '\n') break;
    }
    if (answer) answer[*len] = '\0';
    return answer;
}

int zigbee_control_run(const struct cli_args *a)
{
    const char *path = cli_value(a, "--control");
    size_t len;
    if (!path) return cli_usage(a, "--control SOCKET is needed");
    cJSON *command = cJSON_CreateObject();
    cJSON_AddStringToObject(command, "command", cli_operand(a, 0));
    for (size_t i = 1; i < cli_operand_count(a); i++)
        if (!add_word(command, cli_operand(a, i))) {
            cJSON_Delete(command);
            return cli_usage(a, "'%s': NAME=VALUE is needed", cli_operand(a, i));
        }
    char *line = cJSON_PrintUnformatted(command);
    cJSON_Delete(command);
    int fd = connect_to(path);
    if (fd < 0) {
        free(line);
        return cli_fail("%s: %s; nobody takes commands there: start 'airlift zigbee serve' or "
                        "'client' with --control %s",
                        path, strerror(-fd), path);
    }
    char *answer = line ? exchange(fd, line, &len) : NULL;
    cJSON *doc = answer ? cJSON_Parse(answer) : NULL;
    close(fd);
    free(line);
    free(answer);
    if (!doc) return cli_fail("%s: no answer came", path);
    bool ok = cJSON_IsTrue(cJSON_GetObjectItem(doc, "ok"));
    if (!ok) cli_warn("%s", cli_text_of(doc, "error"));
    int status = cli_print_json(doc);
    return ok ? status : CLI_FAILED;
}
