/* radio rcp. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/radio.h"
#include "cli/stop_signals.h"
#include "cli/zigbee_file.h"
#include "radio/rcp_server.h"

const struct cli_option radio_rcp_options[] = {
    {"--medium", "SOCKET", "the medium to attach to: SOCKET or udp:PORT", false},
    {"--listen", "tcp:PORT|pty:LINK", "where a host finds it; tcp:0: any free port", false},
    {"--eui64", "EUI", "factory address; default: a random one", false},
    {"--name", "NAME", "shown in the medium's messages; default: rcp", false},
    {0},
};

static void log_line(void *ctx, const char *text)
{
    cli_warn("%s", text);
}

static int announce(const struct cli_args *a, const struct rcp_server *s, const char *listen)
{
    char eui[ZIGBEE_EUI_TEXT];
    const char *device = rcp_server_device(s), *link = device ? listen + strlen("pty:") : NULL;
    zigbee_eui_text(rcp_server_eui64(s), eui);
    if (!cli_json_wanted(a)) {
        if (device)
            cli_print("%s -> %s: a radio co-processor, %s\n", link, device, eui);
        else
            cli_print("tcp://127.0.0.1:%u: a radio co-processor, %s\n", rcp_server_port(s), eui);
        fflush(stdout);
        return CLI_OK;
    }
    cJSON *doc = cJSON_CreateObject();
    if (device) {
        cJSON_AddStringToObject(doc, "link", link);
        cJSON_AddStringToObject(doc, "device", device);
    } else {
        cJSON_AddNumberToObject(doc, "port", rcp_server_port(s));
    }
    cJSON_AddStringToObject(doc, "eui64", eui);
    int status = cli_print_json(doc);
    fflush(stdout);
    return status;
}

int radio_rcp_run(const struct cli_args *a)
{
    bool ok = true;
    char error[400], radio[300];
    const char *medium = cli_value(a, "--medium"), *listen = cli_value(a, "--listen");
    uint64_t eui64 = zigbee_eui_option(a, "--eui64", &ok);
    if (!ok) return CLI_USAGE;
    if (!medium || !listen) return cli_usage(a, "--medium and --listen are needed");
    if (strncmp(listen, "tcp:", 4) != 0 && strncmp(listen, "pty:", 4) != 0)
        return cli_usage(a, "--listen '%s': expected tcp:PORT or pty:LINK", listen);
    snprintf(radio, sizeof radio, "medium:%s", medium);
    struct rcp_server_config config = {.radio = radio,
                                       .listen = listen,
                                       .name = cli_value(a, "--name"),
                                       .eui64 = eui64,
                                       .stop = cli_stop_signals(),
                                       .log = log_line};
    struct rcp_server *s = rcp_server_open(&config, error, sizeof error);
    int status = s ? announce(a, s, listen) : cli_fail("%s", error);
    if (s && status == CLI_OK && rcp_server_run(s)) status = cli_fail("%s", rcp_server_error(s));
    rcp_server_close(s);
    close(config.stop);
    return status;
}
