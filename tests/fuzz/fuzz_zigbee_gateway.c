/* A gateway, its records of devices and its operator. The lines before the first empty one are
 * records that it finds when it starts; those behind come to its control socket, and each has
 * an answer. Then it starts again and finds all as it was. */
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/zigbee_control.h"
#include "server/gateway_impl.h"
#include "tests/fuzz/coordinator.h"
#include "tests/fuzz/json_mutate.h"

#define COMMANDS   16 /* so many answers lie in the socket's buffer */
#define ANSWER_MAX (256u << 10)

/* The network that it resumes. */
static const char backup[] =
    "{\"metadata\":{\"format\":\"zigpy/open-coordinator-backup\",\"version\":1},"
    "\"coordinator_ieee\":\"00124b0009d80ba7\",\"pan_id\":\"1a63\",\"extended_pan_id\":"
    "\"00124b0009d69f77\",\"nwk_update_id\":3,\"security_level\":5,\"channel\":20,"
    "\"network_key\":{\"key\":\"01030507090b0d0f00020406080a0c0d\",\"sequence_number\":2,"
    "\"frame_counter\":1},\"devices\":[{\"nwk_address\":\"9876\",\"ieee_address\":"
    "\"000b57fffe000002\",\"is_child\":true,\"capability\":142,\"timeout_index\":8,\"link_key\":"
    "null}]}";

static struct world {
    struct zb_sim *sim;
    struct zb_sim_node *node;
    struct zb_memory *records;
    struct gateway *gateway;
    struct gateway_config config;
} world;

static char dir[64], path[80];
static struct zigbee_control *control;

/* ---- The gateway ---- */

static void on_event(void *ctx, const struct gateway_event *e)
{
    char *line = cJSON_PrintUnformatted(e->json);
    must(line && e->text);
    free(line);
}

static unsigned minute(void *ctx)
{
    return 0;
}

static void let_pass(uint64_t us)
{
    zb_sim_touch(world.node);
    zb_sim_run(world.sim, us, NULL, NULL);
}

static void start(void)
{
    struct al_node_config c = {.ext = COORDINATOR_EXT};
    world.gateway = gateway_new(&world.config);
    must(world.gateway != NULL);
    gateway_node_config(world.gateway, &c);
    if (world.node) {
        world.node->config.ctx = c.ctx;
        must(zb_sim_power_on(world.node) == 0);
    } else {
        world.node = coordinator_on(world.sim, &c, zb_memory_store(world.records));
    }
    must(gateway_attach(world.gateway, &world.node->zb, zb_sim_now(world.sim)) == 0);
}

static void stop(void)
{
    zb_sim_power_off(world.node);
    gateway_free(world.gateway);
    world.gateway = NULL;
}

static void restore_network(void)
{
    char error[300];
    cJSON *doc = cJSON_Parse(backup);
    must(zb_backup_restore(doc, zb_memory_store(world.records), error, sizeof error) == 0);
    cJSON_Delete(doc);
}

/* ---- What it knows ---- */

static bool ends(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static void check_device(const struct gateway *g, const struct gateway_device *d)
{
    must(d->gateway == g && d->ext != g->zb->node.nwk.ext && gateway_device(g, d->ext) == d);
    must(d->upgrade <= GATEWAY_UPGRADE_ABORTED && gateway_upgrade_name(d->upgrade) != NULL);
    must(ends(d->model, sizeof d->model) && ends(d->maker, sizeof d->maker));
    must(ends(d->build, sizeof d->build) && ends(d->error, sizeof d->error));
    if (!d->away) must(d->addr && d->addr < AL_NWK_BROADCAST_MIN);
    for (const struct gateway_device *other = g->devices; other < d; other++)
        must(!other->ext || other->away || d->away || other->addr != d->addr);
}

static unsigned check_devices(void)
{
    const struct gateway *g = world.gateway;
    unsigned count = 0;
    for (unsigned i = 0; i < g->c.devices; i++) {
        if (!g->devices[i].ext) continue;
        check_device(g, &g->devices[i]);
        count++;
    }
    return count;
}

/* All are saved, and found again by the next start. */
static void start_again(void)
{
    struct gateway_device before[COORDINATOR_DEVICES];
    memcpy(before, world.gateway->devices, sizeof before);
    for (unsigned i = 0; i < COORDINATOR_DEVICES; i++)
        if (before[i].ext) gateway_device_save(&world.gateway->devices[i]);
    stop();
    start();
    check_devices();
    for (unsigned i = 0; i < COORDINATOR_DEVICES; i++) {
        const struct gateway_device *now = &world.gateway->devices[i];
        must(now->ext == before[i].ext && now->version == before[i].version);
        must(now->ref == before[i].ref && strcmp(now->model, before[i].model) == 0);
        must(now->ota_endpoint == before[i].ota_endpoint);
    }
}

/* ---- The operator ---- */

static cJSON *run_command(void *ctx, const cJSON *command)
{
    cJSON *out = gateway_command(world.gateway, zb_sim_now(world.sim), command);
    const cJSON *ok = cJSON_GetObjectItemCaseSensitive(out, "ok");
    must(cJSON_IsBool(ok));
    must(cJSON_IsTrue(ok) == !cJSON_HasObjectItem(out, "error"));
    return out;
}

static void remove_directory(void)
{
    zigbee_control_close(control);
    rmdir(dir);
}

static int connect_operator(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0);
    return fd;
}

/* Sends up to COMMANDS lines; their answers are lines of JSON. */
static void operate(const uint8_t *data, size_t size)
{
    static char answers[ANSWER_MAX + 1];
    size_t len = 0, got = 0, lines = 0, wanted = 0, answered = 0;
    bool blank = true;
    for (; len < size && lines < COMMANDS; len++) {
        if (data[len] == '\n') {
            wanted += !blank;
            lines++;
            blank = true;
        } else {
            blank &= strchr(" \t\r", data[len]) != NULL;
        }
    }
    int fd = connect_operator();
    must(send(fd, data, len, 0) == (ssize_t)len && shutdown(fd, SHUT_WR) == 0);
    for (ssize_t n = -1; n; got += n > 0 ? (size_t)n : 0) {
        must(zigbee_control_serve(control, NULL) && got < ANSWER_MAX);
        n = recv(fd, answers + got, ANSWER_MAX - got, MSG_DONTWAIT);
    }
    close(fd);
    answers[got] = '\0';
    for (char *at = answers, *end; (end = strchr(at, '\n')); at = end + 1) {
        cJSON *answer = cJSON_ParseWithLength(at, (size_t)(end - at));
        must(cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(answer, "ok")));
        cJSON_Delete(answer);
        answered++;
    }
    must(answered == wanted || memchr(data, '\0', len) != NULL);
}

static void set_up(void)
{
    char error[300];
    own_directory(dir, sizeof dir);
    snprintf(path, sizeof path, "%s/control", dir);
    struct zigbee_control_config c = {.socket = path, .watch = -1, .run = run_command};
    control = zigbee_control_open(&c, error, sizeof error);
    must(control != NULL);
    atexit(remove_directory);
}

/* The length of the lines that are records, with the empty one behind. */
static size_t take_records(const uint8_t *data, size_t size)
{
    const struct al_zb_store *s = zb_memory_store(world.records);
    size_t at = 0;
    for (uint16_t i = 0; at < size; i++) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t len = end ? (size_t)(end - data) - at : size - at;
        if (len && i < COORDINATOR_DEVICES)
            must(s->save(s->ctx, (uint16_t)(GATEWAY_REC_DEVICES + i), data + at, len) == 0);
        at += len + (end != NULL);
        if (!len) break;
    }
    return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!control) set_up();
    world = (struct world){
        .sim = zb_sim_new(&(struct medium_config){.seed = 1}),
        .records = zb_memory_new(),
        .config = {.devices = COORDINATOR_DEVICES, .event = on_event, .minute = minute}};
    restore_network();
    size_t records = take_records(data, size);
    start();
    check_devices();
    let_pass(3 * GATEWAY_S);
    operate(data + records, size - records);
    let_pass(GATEWAY_S);
    check_devices();
    cJSON *status = gateway_status(world.gateway, zb_sim_now(world.sim));
    must(cJSON_IsObject(status));
    cJSON_Delete(status);
    start_again();
    stop();
    zb_sim_free(world.sim);
    zb_memory_free(world.records);
    return 0;
}
