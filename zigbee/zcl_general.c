/* General commands on attributes: read, write, discover. */
#include "zigbee/zcl_internal.h"

static uint16_t manufacturer_of(const struct al_zcl_rx *rx)
{
    return rx->frame->manufacturer_specific ? rx->frame->manufacturer : 0;
}

static struct al_cur payload_of(const struct al_zcl_rx *rx)
{
    return al_cur(rx->frame->payload, rx->frame->payload_len);
}

static const struct al_zcl_attribute *find(const struct al_zcl_rx *rx, uint16_t id)
{
    return al_zcl_attribute(rx->cluster, id, manufacturer_of(rx));
}

/* A list that ends inside a record is refused as a whole, before anything is done. */
static bool well_formed(const struct al_zcl_rx *rx)
{
    struct al_cur c = payload_of(rx);
    struct al_zcl_record r;
    int more;
    while ((more = al_zcl_record_get(&r, rx->frame->command, &c)) > 0) continue;
    return more == 0;
}

/* ---- Read ---- */

static void read_one(const struct al_zcl_rx *rx, struct al_put *out, uint16_t id)
{
    uint8_t value[AL_ZCL_PAYLOAD_MAX];
    const struct al_zcl_attribute *a = find(rx, id);
    struct al_zcl_record r = {.attr = id, .status = AL_ZCL_UNSUP_ATTRIBUTE};
    int len = a && a->access & AL_ZCL_MAY_READ ? al_zcl_get(rx->cluster, a, value, sizeof value)
                                               : AL_ERR_NOT_FOUND;
    if (len >= 0) {
        r.status = AL_ZCL_SUCCESS;
        r.value = (struct al_zcl_value){value, (uint16_t)len, a->type};
    }
    /* Behind it others may follow: each needs at least its id and a status. */
    if (len == AL_ERR_INVALID_SIZE || (size_t)(len > 0 ? len : 0) + 4 > out->size - out->len)
        r.status = len == AL_ERR_NOT_FOUND ? r.status : AL_ZCL_INSUFFICIENT_SPACE;
    if (out->size - out->len >= 3) al_zcl_record_put(&r, AL_ZCL_READ_RSP, out);
}

static void read(const struct al_zcl_rx *rx, uint64_t now)
{
    uint8_t buf[AL_ZCL_PAYLOAD_MAX];
    struct al_put out = al_put(buf, al_zcl_answer_room(rx, sizeof buf));
    struct al_cur c = payload_of(rx);
    struct al_zcl_record r;
    while (al_zcl_record_get(&r, AL_ZCL_READ, &c) > 0) read_one(rx, &out, r.attr);
    al_zcl_answer(rx, now, AL_ZCL_READ_RSP, &out);
}

/* ---- Write ---- */

static uint8_t may_write(const struct al_zcl_rx *rx, const struct al_zcl_attribute *a,
                         const struct al_zcl_value *v)
{
    if (!a) return AL_ZCL_UNSUP_ATTRIBUTE;
    if (!(a->access & AL_ZCL_MAY_WRITE)) return AL_ZCL_READ_ONLY;
    if (a->type != v->type) return AL_ZCL_INVALID_TYPE;
    if (a->value && al_zcl_type_size(a->type) < 0 && v->len > a->size) return AL_ZCL_INVALID_VALUE;
    return AL_ZCL_SUCCESS;
}

static uint8_t write_one(const struct al_zcl_rx *rx, uint64_t now, uint16_t id,
                         const struct al_zcl_value *v)
{
    const struct al_zcl_cluster *cluster = rx->cluster;
    const struct al_zcl_up *up = rx->zcl->c.up;
    const struct al_zcl_attribute *a = find(rx, id);
    uint8_t status = may_write(rx, a, v);
    if (status == AL_ZCL_SUCCESS && cluster->write)
        status = cluster->write(cluster->ctx, now, rx, a, v);
    else if (status == AL_ZCL_SUCCESS && !a->value)
        status = AL_ZCL_READ_ONLY; /* there is nobody to keep it */
    if (status != AL_ZCL_SUCCESS) return status;
    if (a->value) memcpy(a->value, v->data, v->len);
    al_zcl_changed(rx->zcl, now, rx->endpoint->id, cluster->id, cluster->client, id);
    if (up && up->written) up->written(rx->zcl->c.up_ctx, now, rx, a, v);
    return AL_ZCL_SUCCESS;
}

/* Walks over the records; act: writes, else only looks whether it may. Failures go to out. */
static bool write_all(const struct al_zcl_rx *rx, uint64_t now, bool act, struct al_put *out)
{
    struct al_cur c = payload_of(rx);
    struct al_zcl_record r;
    bool good = true;
    while (al_zcl_record_get(&r, AL_ZCL_WRITE, &c) > 0) {
        r.status =
            act ? write_one(rx, now, r.attr, &r.value) : may_write(rx, find(rx, r.attr), &r.value);
        if (r.status == AL_ZCL_SUCCESS) continue;
        good = false;
        if (out->size - out->len >= 3) al_zcl_record_put(&r, AL_ZCL_WRITE_RSP, out);
    }
    return good;
}

static void write(const struct al_zcl_rx *rx, uint64_t now)
{
    uint8_t buf[AL_ZCL_PAYLOAD_MAX];
    struct al_put out = al_put(buf, al_zcl_answer_room(rx, sizeof buf));
    bool undivided = rx->frame->command == AL_ZCL_WRITE_UNDIVIDED;
    bool good = !undivided || write_all(rx, now, false, &out);
    if (good) good = write_all(rx, now, true, &out);
    if (rx->frame->command == AL_ZCL_WRITE_NO_RSP) return;
    if (good) al_zcl_record_put(&(struct al_zcl_record){0}, AL_ZCL_WRITE_RSP, &out);
    al_zcl_answer(rx, now, AL_ZCL_WRITE_RSP, &out);
}

/* ---- Discover ---- */

static void discover(const struct al_zcl_rx *rx, uint64_t now)
{
    uint8_t buf[AL_ZCL_PAYLOAD_MAX];
    struct al_put out = al_put(buf, al_zcl_answer_room(rx, sizeof buf));
    struct al_zcl_discover d;
    if (al_zcl_discover_parse(&d, rx->frame->payload, rx->frame->payload_len)) {
        al_zcl_default_response(rx, now, AL_ZCL_MALFORMED);
        return;
    }
    uint16_t manufacturer = manufacturer_of(rx);
    const struct al_zcl_attribute *a = al_zcl_attribute_from(rx->cluster, d.start, manufacturer);
    al_put8(&out, 0);
    for (unsigned n = 0; a && n < d.max && out.size - out.len >= 3; n++) {
        struct al_zcl_record r = {.attr = a->id, .value = {.type = a->type}};
        al_zcl_record_put(&r, AL_ZCL_DISCOVER_RSP, &out);
        a = al_zcl_attribute_from(rx->cluster, a->id + 1u, manufacturer);
    }
    buf[0] = a == NULL; /* complete */
    al_zcl_answer(rx, now, AL_ZCL_DISCOVER_RSP, &out);
}

bool al_zcl_general(const struct al_zcl_rx *rx, uint64_t now)
{
    void (*act)(const struct al_zcl_rx *rx, uint64_t now) = NULL;
    bool only_asks = true;
    switch (rx->frame->command) {
    case AL_ZCL_READ:
        act = read;
        break;
    case AL_ZCL_WRITE:
    case AL_ZCL_WRITE_UNDIVIDED:
    case AL_ZCL_WRITE_NO_RSP:
        act = write;
        only_asks = false;
        break;
    case AL_ZCL_CONFIGURE_REPORTING:
        act = al_zcl_configure_reporting;
        only_asks = false;
        break;
    case AL_ZCL_READ_REPORTING:
        act = al_zcl_read_reporting;
        break;
    case AL_ZCL_DISCOVER: /* has no records */
        if (!rx->aps->broadcast) discover(rx, now);
        return true;
    default:
        return false;
    }
    if (rx->aps->broadcast && only_asks) return true; /* nobody may answer */
    if (well_formed(rx))
        act(rx, now);
    else
        al_zcl_default_response(rx, now, AL_ZCL_MALFORMED);
    return true;
}
