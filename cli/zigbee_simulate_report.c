/* zigbee simulate: the result as a sentence, tables and JSON. */
#include <stdlib.h>
#include <string.h>

#include "cli/zigbee_simulate.h"
#include "host/zigbee_file.h"

#define HOPS    32 /* 0: not known */
#define SLOWEST 5

const char *zigbee_duration(double seconds, char out[32])
{
    if (seconds < 60)
        snprintf(out, 32, "%.1f s", seconds);
    else if (seconds < 3600)
        snprintf(out, 32, "%d min %d s", (int)seconds / 60, (int)seconds % 60);
    else
        snprintf(out, 32, "%d h %d min", (int)(seconds / 3600), (int)(seconds / 60) % 60);
    return out;
}

void zigbee_simulation_sentence(const struct zigbee_simulation *s, char *out, size_t size)
{
    const struct zb_rollout_result *r = &s->result;
    unsigned devices = r->clients;
    char time[32];
    if (r->finished == devices) {
        snprintf(out, size, "%u device%s the image after %s.", devices,
                 devices == 1 ? " has" : "s have", zigbee_duration((double)r->us / 1e6, time));
        return;
    }
    double limit = (double)s->config.limit_us / 1e6;
    int n = snprintf(out, size, "%u of %u devices have the image after %s", r->finished, devices,
                     zigbee_duration(limit, time));
    if (r->joined < s->config.devices && n > 0 && (size_t)n < size)
        n +=
            snprintf(out + n, size - (size_t)n, "; %u did not join", s->config.devices - r->joined);
    if (n > 0 && (size_t)n < size) snprintf(out + n, size - (size_t)n, ".");
}

/* ---- Classes of devices ---- */

struct class
{
    unsigned devices, finished;
    double first, last; /* s, of those that finished */
    double rate;        /* sum of theirs, bytes/s */
    uint64_t retries;
};

static double rate_of(const struct zigbee_simulation *s, const struct zb_rollout_device *d)
{
    return (double)s->config.size * 1e6 / (double)(d->finished - d->started);
}

static void classify(const struct zigbee_simulation *s, struct class class[HOPS])
{
    memset(class, 0, HOPS * sizeof *class);
    for (unsigned i = 0; i < s->config.devices; i++) {
        const struct zb_rollout_device *d = &s->result.device[i];
        struct class *c = &class[d->hops < HOPS ? d->hops : 0];
        if (!d->client) continue;
        double end = (double)d->finished / 1e6;
        c->devices++;
        c->retries += d->retries;
        if (!d->correct) continue;
        if (!c->finished || end < c->first) c->first = end;
        if (!c->finished || end > c->last) c->last = end;
        c->rate += rate_of(s, d);
        c->finished++;
    }
}

/* The one channel in use. */
static double air_share(const struct zigbee_simulation *s)
{
    uint64_t us = 0;
    for (unsigned i = 0; i < 16; i++) us += s->result.air.air_us[i];
    return s->result.us ? (double)us / (double)s->result.us : 0;
}

static const char *kind_of(const struct zb_rollout_device *d)
{
    if (d->router) return "router";
    return d->sleepy ? "sleepy" : "end device";
}

/* ---- Slowest ---- */

/* Later first; those without the image before all. */
static int by_end(const void *a, const void *b)
{
    const struct zb_rollout_device *x = a, *y = b;
    if (x->correct != y->correct) return x->correct ? 1 : -1;
    if (x->finished != y->finished) return x->finished < y->finished ? 1 : -1;
    return x->ext < y->ext ? -1 : 1;
}

static void print_slowest(const struct zigbee_simulation *s)
{
    unsigned n = s->config.devices;
    struct zb_rollout_device *order = malloc(n * sizeof *order);
    if (!order) return;
    n = 0;
    for (unsigned i = 0; i < s->config.devices; i++)
        if (s->result.device[i].client) order[n++] = s->result.device[i];
    qsort(order, n, sizeof *order, by_end);
    cli_print("\n%-24s %-10s %5s %13s %8s %8s\n", "last devices", "kind", "hops", "after",
              "bytes/s", "retries");
    for (unsigned i = 0; i < n && i < SLOWEST; i++) {
        const struct zb_rollout_device *d = &order[i];
        char time[32] = "-", rate[16] = "-", eui[ZIGBEE_EUI_TEXT];
        if (d->correct) {
            zigbee_duration((double)d->finished / 1e6, time);
            snprintf(rate, sizeof rate, "%.0f", rate_of(s, d));
        } else {
            snprintf(time, sizeof time, "%s",
                     !d->joined  ? "not joined"
                     : d->reason ? al_zota_reason_name(d->reason)
                                 : "under way");
        }
        zigbee_eui_text(d->ext, eui);
        cli_print("%-23s  %-10s %5u %13s %8s %8u\n", eui, kind_of(d), d->hops, time, rate,
                  d->retries);
    }
    free(order);
}

static void print_classes(const struct zigbee_simulation *s)
{
    struct class class[HOPS];
    classify(s, class);
    cli_print("%5s %8s %10s %13s %13s %20s %8s\n", "hops", "devices", "have it", "first after",
              "last after", "bytes/s of a device", "retries");
    for (unsigned hops = 1; hops <= HOPS; hops++) {
        const struct class *c = &class[hops % HOPS];
        char first[32] = "-", last[32] = "-", rate[32] = "-", name[8] = "?";
        if (!c->devices) continue;
        if (hops < HOPS) snprintf(name, sizeof name, "%u", hops);
        if (c->finished) {
            zigbee_duration(c->first, first);
            zigbee_duration(c->last, last);
            snprintf(rate, sizeof rate, "%.0f", c->rate / c->finished);
        }
        cli_print("%5s %8u %10u %13s %13s %20s %8llu\n", name, c->devices, c->finished, first, last,
                  rate, (unsigned long long)c->retries);
    }
}

void zigbee_simulation_print(const struct zigbee_simulation *s)
{
    const struct zb_rollout_result *r = &s->result;
    char text[200], time[32];
    print_classes(s);
    print_slowest(s);
    cli_print("\n%u of %u joined in %s. All together %.0f bytes/s; the slowest had %.0f %% of the "
              "mean rate.\n",
              r->joined, s->config.devices, zigbee_duration((double)r->join_us / 1e6, time),
              r->rate, 100 * r->fair);
    cli_print("On the air: %llu frames (%llu acknowledgements, %llu repetitions), %llu collisions, "
              "%llu losses; in use %.0f %% of the time.\n",
              (unsigned long long)r->air.frames, (unsigned long long)r->air.acks,
              (unsigned long long)r->air.repetitions, (unsigned long long)r->air.collisions,
              (unsigned long long)r->air.losses, 100 * air_share(s));
    zigbee_simulation_sentence(s, text, sizeof text);
    cli_print("%s\n", text);
}

/* ---- JSON ---- */

static void add(cJSON *o, const char *key, double value)
{
    cJSON_AddNumberToObject(o, key, value);
}

static void add_seconds(cJSON *o, const char *key, uint64_t us, bool known)
{
    if (known)
        add(o, key, (double)us / 1e6);
    else
        cJSON_AddNullToObject(o, key);
}

static cJSON *device_json(const struct zigbee_simulation *s, const struct zb_rollout_device *d)
{
    cJSON *o = cJSON_CreateObject();
    char eui[ZIGBEE_EUI_TEXT];
    zigbee_eui_text(d->ext, eui);
    cJSON_AddStringToObject(o, "eui64", eui);
    cJSON_AddStringToObject(o, "kind", kind_of(d));
    cJSON_AddBoolToObject(o, "client", d->client);
    cJSON_AddBoolToObject(o, "joined", d->joined);
    add(o, "addr", d->addr);
    add(o, "parent", d->parent);
    add(o, "hops", d->hops);
    cJSON_AddBoolToObject(o, "correct", d->correct);
    add_seconds(o, "started_s", d->started, d->started != 0);
    add_seconds(o, "finished_s", d->finished, d->finished != 0);
    add(o, "bytes", d->bytes);
    add(o, "retries", d->retries);
    if (d->correct) add(o, "rate", rate_of(s, d));
    if (d->reason) cJSON_AddStringToObject(o, "gave_up", al_zota_reason_name(d->reason));
    return o;
}

static cJSON *air_json(const struct zigbee_simulation *s)
{
    const struct medium_stats *m = &s->result.air;
    cJSON *o = cJSON_CreateObject();
    add(o, "frames", (double)m->frames);
    add(o, "acks", (double)m->acks);
    add(o, "repetitions", (double)m->repetitions);
    add(o, "collisions", (double)m->collisions);
    add(o, "losses", (double)m->losses);
    add(o, "no_ack", (double)m->no_ack);
    add(o, "channel_busy", (double)m->channel_busy);
    add(o, "airtime_us", (double)m->airtime_us);
    add(o, "share", air_share(s));
    return o;
}

static cJSON *classes_json(const struct zigbee_simulation *s)
{
    struct class class[HOPS];
    cJSON *list = cJSON_CreateArray();
    classify(s, class);
    for (unsigned hops = 0; hops < HOPS; hops++) {
        const struct class *c = &class[hops];
        if (!c->devices) continue;
        cJSON *o = cJSON_CreateObject();
        add(o, "hops", hops);
        add(o, "devices", c->devices);
        add(o, "finished", c->finished);
        if (c->finished) {
            add(o, "first_s", c->first);
            add(o, "last_s", c->last);
            add(o, "rate", c->rate / c->finished);
        }
        add(o, "retries", (double)c->retries);
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

cJSON *zigbee_simulation_json(const struct zigbee_simulation *s)
{
    const struct zb_rollout_result *r = &s->result;
    cJSON *doc = cJSON_CreateObject();
    char text[200];
    zigbee_simulation_sentence(s, text, sizeof text);
    cJSON_AddStringToObject(doc, "answer", text);
    add(doc, "devices", s->config.devices);
    add(doc, "joined", r->joined);
    add(doc, "clients", r->clients);
    add(doc, "finished", r->finished);
    add(doc, "image_bytes", (double)s->config.size);
    add(doc, "seed", (double)s->config.seed);
    add(doc, "join_s", (double)r->join_us / 1e6);
    add(doc, "seconds", (double)r->us / 1e6);
    add(doc, "rate", r->rate);
    add(doc, "fair", r->fair);
    cJSON_AddItemToObject(doc, "air", air_json(s));
    cJSON_AddItemToObject(doc, "classes", classes_json(s));
    cJSON *list = cJSON_AddArrayToObject(doc, "device");
    for (unsigned i = 0; i < s->config.devices; i++)
        cJSON_AddItemToArray(list, device_json(s, &r->device[i]));
    return doc;
}
