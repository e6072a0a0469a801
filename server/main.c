/* airliftd: puts store, certificates and HTTP server together and runs until told to end. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "host/file.h"
#include "host/std_fds.h"
#include "host/version.h"
#include "net/http_server.h"
#include "net/tls_material.h"
#include "server/api.h"
#include "server/auth.h"
#include "server/certificate.h"
#include "server/data_dir.h"
#include "server/log.h"
#include "server/options.h"

#define STOP_GRACE_S  5u
#define PATH_LEN      4096u
#define DRAIN_MORE    (4u << 20) /* read behind max_size, so that the client gets to know */
#define MODULE_MEMORY (8u << 10)
#define WHY_LEN       5120u

struct daemon {
    struct options options;
    char why[WHY_LEN];
    char url[300];
    int lock_fd;
    struct tls_material tls;
    struct api api;
    struct http_server *http, *modules;
    bool announced, token_made;
};

static int fault(const char *text)
{
    fprintf(stderr, "airliftd: %s\n", text);
    return EXIT_FAILURE;
}

static bool cannot_write(struct daemon *d, int err)
{
    snprintf(d->why, sizeof d->why, "the data directory %s cannot be written: %s", d->options.data,
             strerror(-err));
    return false;
}

static bool load_tls(struct daemon *d)
{
    return certificate_load(&d->options, &d->tls, d->why, sizeof d->why);
}

/* The CA in force. A running airliftd has made it, and holds the lock. */
static int print_ca(struct daemon *d)
{
    char path[PATH_LEN];
    uint8_t *data;
    size_t len;
    snprintf(path, sizeof path, "%s/tls/" TLS_CA_FILE, d->options.data);
    int err = file_read(path, 1u << 20, &data, &len);
    if (err == -ENOENT) {
        d->lock_fd = data_dir_lock(d->options.data, d->why, sizeof d->why);
        if (d->lock_fd < 0 || !load_tls(d)) return fault(d->why);
        data = (uint8_t *)strdup(d->tls.ca_pem);
        err = data ? 0 : -ENOMEM;
    }
    if (err != 0) {
        snprintf(d->why, sizeof d->why, "%s cannot be read: %s", path, strerror(-err));
        return fault(d->why);
    }
    bool written = fputs((char *)data, stdout) >= 0 && fflush(stdout) == 0;
    free(data);
    return written ? EXIT_SUCCESS : fault("cannot write to standard output");
}

/* Where programs on this machine reach the server. */
static void set_url(struct daemon *d, unsigned port)
{
    const char *listen = d->options.listen, *colon = strrchr(listen, ':');
    int len = colon ? (int)(colon - listen) : 0;
    bool any = len == 0 || strncmp(listen, "[::]", 4) == 0 || strncmp(listen, "0.0.0.0", 7) == 0;
    snprintf(d->url, sizeof d->url, "%s://%.*s:%u", d->options.http ? "http" : "https",
             any ? 9 : len, any ? "127.0.0.1" : listen, port);
}

/* Announces before it serves: whoever gets through finds the announcement. */
static bool start_http(struct daemon *d)
{
    unsigned port;
    int fd = http_listen(d->options.listen, &port, d->why, sizeof d->why);
    if (fd < 0) return false;
    set_url(d, port);
    int err = data_dir_announce(d->options.data, d->url);
    if (err != 0) {
        close(fd);
        return cannot_write(d, err);
    }
    d->announced = true;
    struct http_server_config cfg = {
        .cert_pem = d->tls.cert_pem,
        .key_pem = d->tls.key_pem,
        .connection_limit = d->options.connections,
        .address_limit = d->options.connections_per_address,
        .drain_limit = d->options.max_size + DRAIN_MORE,
        .handler = &api_handler,
        .ctx = &d->api,
    };
    d->http = http_server_start(&cfg, fd, d->why, sizeof d->why);
    return d->http != NULL;
}

static bool start_gateway(struct daemon *d)
{
    const struct options *o = &d->options;
    struct gateway_thread_config c = {.radio = o->zigbee_radio,
                                      .data = o->data,
                                      .store = d->api.store,
                                      .parallel = (uint16_t)o->zigbee_parallel,
                                      .channels = o->zigbee_channel ? 1u << o->zigbee_channel : 0,
                                      .quiet_from = o->quiet_from,
                                      .quiet_to = o->quiet_to,
                                      .manual = o->zigbee_manual};
    d->api.gateway = gateway_thread_start(&c, d->why, sizeof d->why);
    return d->api.gateway != NULL;
}

static bool open_cloud(struct daemon *d)
{
    struct cloud_service *m = &d->api.modules;
    m->store = d->api.store;
    m->cloud = cloud_open(d->api.store, d->options.data, d->why, sizeof d->why);
    m->keys = cloud_limit_new(d->options.module_limit);
    m->addresses = cloud_limit_new(d->options.nat_limit);
    if (m->cloud && (!m->keys || !m->addresses)) snprintf(d->why, sizeof d->why, "out of memory");
    return m->cloud && m->keys && m->addresses;
}

/* Modules without usable TLS; nothing else is served there. They send short heads. */
static bool start_modules(struct daemon *d)
{
    unsigned port;
    if (!d->options.modules) return true;
    int fd = http_listen(d->options.modules, &port, d->why, sizeof d->why);
    if (fd < 0) return false;
    struct http_server_config cfg = {
        .connection_limit = d->options.connections,
        .address_limit = d->options.connections_per_address,
        .connection_memory = MODULE_MEMORY,
        .handler = &cloud_wire_handler,
        .ctx = &d->api.modules,
    };
    d->modules = http_server_start(&cfg, fd, d->why, sizeof d->why);
    if (d->modules) server_log("modules are served over plain HTTP on port %u", port);
    return d->modules != NULL;
}

static bool prepare(struct daemon *d)
{
    const struct options *o = &d->options;
    d->lock_fd = data_dir_lock(o->data, d->why, sizeof d->why);
    if (d->lock_fd < 0 || !load_tls(d)) return false;
    d->api.max_size = o->max_size;
    d->api.store = store_open(o->data, d->why, sizeof d->why);
    if (!d->api.store) return false;
    int err = auth_ready(d->api.store, o->data, o->new_token, &d->token_made);
    if (err != 0) return cannot_write(d, err);
    return open_cloud(d) && (!o->zigbee_radio || start_gateway(d)) && start_modules(d) &&
           start_http(d);
}

static void tell(const struct daemon *d)
{
    const char *data = d->options.data;
    if (d->tls.made_ca)
        server_log("made a CA; clients have to trust %s/tls/" TLS_CA_FILE
                   " ('airliftd --data %s --print-ca' prints it)",
                   data, data);
    if (d->tls.fingerprint[0])
        server_log("SHA-256 of the %s: %s", d->tls.ca_pem ? "CA" : "certificate",
                   d->tls.fingerprint);
    if (d->token_made) server_log("made a token for publishing, in %s/" AUTH_TOKEN_FILE, data);
    if (d->options.http) server_log("warning: plain HTTP; anybody on the way can change firmware");
    server_log("version " AIRLIFT_VERSION ", listening on %s, locally %s", d->options.listen,
               d->url);
}

/* Many connections are many descriptors; the soft limit is often 1024. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void clean_up(struct daemon *d)
{
    http_server_stop(d->http, STOP_GRACE_S);
    http_server_stop(d->modules, STOP_GRACE_S);
    if (d->announced) data_dir_announce(d->options.data, NULL);
    gateway_thread_stop(d->api.gateway);
    cloud_close(d->api.modules.cloud);
    cloud_limit_free(d->api.modules.keys);
    cloud_limit_free(d->api.modules.addresses);
    store_close(d->api.store);
    tls_material_free(&d->tls);
    if (d->lock_fd >= 0) close(d->lock_fd);
}

/* Serves until SIGINT or SIGTERM; looks after the certificate meanwhile. */
static int serve(struct daemon *d, const sigset_t *signals)
{
    for (;;) {
        struct timespec wait = {.tv_sec = (time_t)d->options.cert_check_s};
        int got = sigtimedwait(signals, NULL, &wait);
        if (got == SIGINT || got == SIGTERM) {
            server_log("ending on %s", got == SIGINT ? "SIGINT" : "SIGTERM");
            return EXIT_SUCCESS;
        }
        if (got == SIGHUP || errno == EAGAIN) certificate_renew(&d->options, d->http, &d->tls);
    }
}

int main(int argc, char **argv)
{
    static struct daemon d = {.lock_fd = -1};
    std_fds_guard();
    int status = options_parse(argc, argv, &d.options);
    if (status >= 0) return status;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before threads start, so that none gets them */
    signal(SIGPIPE, SIG_IGN);                   /* a client that left is an error of write() */
    signal(SIGXFSZ, SIG_IGN);                   /* so is a file size limit */
    raise_file_limit();
    if (d.options.print_ca) {
        status = print_ca(&d);
    } else if (!prepare(&d)) {
        status = fault(d.why);
    } else {
        tell(&d);
        status = serve(&d, &signals);
    }
    clean_up(&d);
    return status;
}
