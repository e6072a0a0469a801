/* Reporting: attributes are told to the targets of the binding table when they change,
 * and at the latest after a while. */
#include "core/crc32.h"
#include "zigbee/zcl_internal.h"

#define NO_REPORTS 0xffffu /* as maximum interval: switch it off */

static struct al_zcl_report *find(const struct al_zcl *z, uint8_t endpoint,
                                  const struct al_zcl_cluster *c, uint16_t attr,
                                  uint16_t manufacturer)
{
    for (unsigned i = 0; i < z->c.report_count; i++) {
        struct al_zcl_report *r = &z->c.reports[i];
        if (r->endpoint == endpoint && r->cluster == c->id && r->client == c->client &&
            r->attr == attr && r->manufacturer == manufacturer)
            return r;
    }
    return NULL;
}

static struct al_zcl_report *find_free(const struct al_zcl *z)
{
    for (unsigned i = 0; i < z->c.report_count; i++) {
        if (!z->c.reports[i].endpoint) return &z->c.reports[i];
    }
    return NULL;
}

static bool is_number(uint8_t type)
{
    return al_zcl_type_analog(type) && (type < AL_ZCL_SEMI || type > AL_ZCL_DOUBLE);
}

static bool is_signed(uint8_t type)
{
    return type >= AL_ZCL_INT8 && type <= AL_ZCL_INT64;
}

static uint64_t number_of(const struct al_zcl_value *v)
{
    return is_signed(v->type) ? (uint64_t)al_zcl_value_signed(v) : al_zcl_value_unsigned(v);
}

/* What is kept of a value to see whether it has changed. */
static uint64_t digest(const struct al_zcl_value *v)
{
    return is_number(v->type) ? number_of(v) : al_crc32(0, v->data, v->len);
}

/* The difference in the type's order; both of one type. */
static uint64_t distance(uint8_t type, uint64_t a, uint64_t b)
{
    bool less = is_signed(type) ? (int64_t)a < (int64_t)b : a < b;
    return less ? b - a : a - b;
}

/* ---- Configuration ---- */

/* The first report comes as soon as it may. */
static void begin(struct al_zcl_report *r, uint64_t now)
{
    r->started = true;
    r->last_at = now;
    r->due = now + r->min_interval * (uint64_t)AL_ZCL_SECOND_US;
}

void al_zcl_start_reports(struct al_zcl *z, uint64_t now)
{
    for (unsigned i = 0; i < z->c.report_count; i++) {
        struct al_zcl_report *r = &z->c.reports[i];
        if (r->endpoint && !r->started) begin(r, now);
    }
}

static uint8_t configure(const struct al_zcl_rx *rx, uint64_t now, const struct al_zcl_record *q)
{
    struct al_zcl *z = rx->zcl;
    uint16_t manufacturer = rx->frame->manufacturer_specific ? rx->frame->manufacturer : 0;
    const struct al_zcl_attribute *a = al_zcl_attribute(rx->cluster, q->attr, manufacturer);
    if (!a) return AL_ZCL_UNSUP_ATTRIBUTE;
    if (q->direction || !z->c.report_count || !(a->access & AL_ZCL_MAY_REPORT))
        return AL_ZCL_UNREPORTABLE;
    if (a->type != q->value.type) return AL_ZCL_INVALID_TYPE;
    struct al_zcl_report *r = find(z, rx->endpoint->id, rx->cluster, q->attr, manufacturer);
    if (q->max_interval == NO_REPORTS) {
        if (r) al_zcl_report_delete(z, r);
        return AL_ZCL_SUCCESS;
    }
    if (q->max_interval && q->max_interval < q->min_interval) return AL_ZCL_INVALID_VALUE;
    if (!r) r = find_free(z);
    if (!r) return AL_ZCL_INSUFFICIENT_SPACE;
    *r = (struct al_zcl_report){
        .endpoint = rx->endpoint->id,
        .client = rx->cluster->client,
        .cluster = rx->cluster->id,
        .manufacturer = manufacturer,
        .attr = q->attr,
        .min_interval = q->min_interval,
        .max_interval = q->max_interval,
        .change = number_of(&q->change), /* none: 0 */
    };
    begin(r, now);
    al_zcl_report_save(z, r);
    return AL_ZCL_SUCCESS;
}

void al_zcl_configure_reporting(const struct al_zcl_rx *rx, uint64_t now)
{
    uint8_t buf[AL_ZCL_PAYLOAD_MAX];
    struct al_put out = al_put(buf, al_zcl_answer_room(rx, sizeof buf));
    struct al_cur c = al_cur(rx->frame->payload, rx->frame->payload_len);
    struct al_zcl_record r;
    bool good = true;
    while (al_zcl_record_get(&r, AL_ZCL_CONFIGURE_REPORTING, &c) > 0) {
        r.status = configure(rx, now, &r);
        if (r.status == AL_ZCL_SUCCESS) continue;
        good = false;
        if (out.size - out.len >= 4) al_zcl_record_put(&r, AL_ZCL_CONFIGURE_REPORTING_RSP, &out);
    }
    if (good) al_zcl_record_put(&(struct al_zcl_record){0}, AL_ZCL_CONFIGURE_REPORTING_RSP, &out);
    al_zcl_answer(rx, now, AL_ZCL_CONFIGURE_REPORTING_RSP, &out);
}

static uint8_t read_config(const struct al_zcl_rx *rx, struct al_zcl_record *r,
                           struct al_put *change)
{
    uint16_t manufacturer = rx->frame->manufacturer_specific ? rx->frame->manufacturer : 0;
    const struct al_zcl_attribute *a = al_zcl_attribute(rx->cluster, r->attr, manufacturer);
    const struct al_zcl_report *known =
        find(rx->zcl, rx->endpoint->id, rx->cluster, r->attr, manufacturer);
    if (!a) return AL_ZCL_UNSUP_ATTRIBUTE;
    if (!known || r->direction) return AL_ZCL_NOT_FOUND;
    if (al_zcl_type_analog(a->type)) al_zcl_put_number(change, a->type, known->change);
    r->value.type = a->type;
    r->min_interval = known->min_interval;
    r->max_interval = known->max_interval;
    r->change = (struct al_zcl_value){change->buf, (uint16_t)change->len, a->type};
    return AL_ZCL_SUCCESS;
}

void al_zcl_read_reporting(const struct al_zcl_rx *rx, uint64_t now)
{
    uint8_t buf[AL_ZCL_PAYLOAD_MAX], change_buf[8];
    struct al_put out = al_put(buf, al_zcl_answer_room(rx, sizeof buf));
    struct al_cur c = al_cur(rx->frame->payload, rx->frame->payload_len);
    struct al_zcl_record r;
    while (al_zcl_record_get(&r, AL_ZCL_READ_REPORTING, &c) > 0) {
        struct al_put change = al_put(change_buf, sizeof change_buf);
        size_t len = out.len;
        r.status = read_config(rx, &r, &change);
        al_zcl_record_put(&r, AL_ZCL_READ_REPORTING_RSP, &out);
        if (!out.failed) continue;
        out.len = len; /* what does not fit into one frame is not told */
        break;
    }
    al_zcl_answer(rx, now, AL_ZCL_READ_REPORTING_RSP, &out);
}

/* ---- Reports ---- */

/* The value now, and its attribute; false: it is gone. */
static bool value_of(const struct al_zcl *z, const struct al_zcl_report *r, uint8_t *buf,
                     size_t size, struct al_zcl_value *v)
{
    const struct al_zcl_endpoint *e = al_zcl_endpoint(z, r->endpoint);
    const struct al_zcl_cluster *c = e ? al_zcl_cluster(e, r->cluster, r->client) : NULL;
    const struct al_zcl_attribute *a = c ? al_zcl_attribute(c, r->attr, r->manufacturer) : NULL;
    int len = a ? al_zcl_get(c, a, buf, size) : AL_ERR_NOT_FOUND;
    if (len < 0) return false;
    *v = (struct al_zcl_value){buf, (uint16_t)len, a->type};
    return true;
}

void al_zcl_changed(struct al_zcl *z, uint64_t now, uint8_t endpoint, uint16_t cluster, bool client,
                    uint16_t attr)
{
    uint8_t buf[AL_ZCL_PAYLOAD_MAX];
    struct al_zcl_value v;
    for (unsigned i = 0; i < z->c.report_count; i++) {
        struct al_zcl_report *r = &z->c.reports[i];
        if (r->endpoint != endpoint || r->cluster != cluster || r->client != client ||
            r->attr != attr || !r->started || !value_of(z, r, buf, sizeof buf, &v))
            continue;
        uint64_t value = digest(&v);
        bool enough =
            is_number(v.type) ? distance(v.type, value, r->last) >= r->change : value != r->last;
        if (r->told && (value == r->last || !enough)) continue;
        uint64_t at = r->last_at + r->min_interval * (uint64_t)AL_ZCL_SECOND_US;
        if (at < now) at = now;
        if (at < r->due) r->due = at;
    }
}

static int tell(struct al_zcl *z, uint64_t now, const struct al_zcl_report *r,
                const struct al_zdp_binding *to, const struct al_zcl_value *v)
{
    uint8_t payload[AL_ZCL_PAYLOAD_MAX];
    struct al_put p = al_put(payload, sizeof payload);
    bool group = to->mode == AL_ZDP_BIND_GROUP;
    uint16_t dst = group ? AL_NWK_ALL_RX_ON : al_nwk_addr_of(z->c.aps->c.nwk, to->dst);
    if (dst == AL_NWK_NO_ADDR) return 0; /* nobody knows where it is */
    al_zcl_record_put(&(struct al_zcl_record){.attr = r->attr, .value = *v}, AL_ZCL_REPORT, &p);
    if (p.failed) return 0;
    int seq = al_zcl_send(z, now,
                          &(struct al_zcl_send){
                              .dst = dst,
                              .dst_ep = group ? 0 : to->dst_endpoint,
                              .group = group ? to->group : 0,
                              .src_ep = r->endpoint,
                              .cluster = r->cluster,
                              .manufacturer = r->manufacturer,
                              .command = AL_ZCL_REPORT,
                              .to_client = !r->client,
                              .no_default_response = true,
                              .payload = payload,
                              .len = p.len,
                          });
    return seq < 0 ? seq : 0;
}

static void report(struct al_zcl *z, uint64_t now, struct al_zcl_report *r)
{
    uint8_t buf[AL_ZCL_PAYLOAD_MAX];
    struct al_zcl_value v;
    if (!value_of(z, r, buf, sizeof buf, &v)) {
        r->due = AL_ZCL_NEVER;
        return;
    }
    for (unsigned i = 0; i < z->c.binding_count; i++) {
        const struct al_zdp_binding *b = &z->c.bindings[i];
        if (!b->mode || b->src_endpoint != r->endpoint || b->cluster != r->cluster) continue;
        if (tell(z, now, r, b, &v) == AL_ERR_NO_MEM) { /* all of them again, soon */
            r->due = now + AL_ZCL_SECOND_US;
            return;
        }
    }
    r->told = true;
    r->last = digest(&v);
    r->last_at = now;
    r->due = r->max_interval ? now + r->max_interval * (uint64_t)AL_ZCL_SECOND_US : AL_ZCL_NEVER;
}

void al_zcl_report_run(struct al_zcl *z, uint64_t now)
{
    for (unsigned i = 0; i < z->c.report_count; i++) {
        struct al_zcl_report *r = &z->c.reports[i];
        if (r->endpoint && r->started && now >= r->due) report(z, now, r);
    }
}
