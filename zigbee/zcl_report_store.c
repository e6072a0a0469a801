/* Reporting configuration in the store: one record an entry. */
#include "zigbee/zcl_internal.h"

#define RECORD_VERSION 1u
#define RECORD_MAX     32u

static uint16_t record_of(const struct al_zcl *z, const struct al_zcl_report *r)
{
    return (uint16_t)(AL_ZB_REC_REPORTS + (r - z->c.reports));
}

void al_zcl_report_save(struct al_zcl *z, const struct al_zcl_report *r)
{
    const struct al_zb_store *s = z->c.store;
    uint8_t record[RECORD_MAX];
    struct al_put p = al_put(record, sizeof record);
    if (!s) return;
    al_put8(&p, RECORD_VERSION);
    al_put8(&p, r->endpoint);
    al_put8(&p, r->client);
    al_put16(&p, r->cluster);
    al_put16(&p, r->manufacturer);
    al_put16(&p, r->attr);
    al_put16(&p, r->min_interval);
    al_put16(&p, r->max_interval);
    al_put64(&p, r->change);
    s->save(s->ctx, record_of(z, r), record, p.len);
}

void al_zcl_report_delete(struct al_zcl *z, struct al_zcl_report *r)
{
    const struct al_zb_store *s = z->c.store;
    r->endpoint = 0;
    if (s) s->save(s->ctx, record_of(z, r), NULL, 0);
}

void al_zcl_restore(struct al_zcl *z)
{
    const struct al_zb_store *s = z->c.store;
    for (unsigned i = 0; s && i < z->c.report_count; i++) {
        uint8_t record[RECORD_MAX];
        struct al_zcl_report *r = &z->c.reports[i];
        int n = s->load(s->ctx, record_of(z, r), record, sizeof record);
        struct al_cur c = al_cur(record, n > 0 ? (size_t)n : 0);
        if (al_u8(&c) != RECORD_VERSION) continue;
        struct al_zcl_report read = {.endpoint = al_u8(&c), .client = al_u8(&c) != 0};
        read.cluster = al_le16(&c);
        read.manufacturer = al_le16(&c);
        read.attr = al_le16(&c);
        read.min_interval = al_le16(&c);
        read.max_interval = al_le16(&c);
        read.change = al_le64(&c);
        if (!c.failed && read.endpoint) *r = read;
    }
}

void al_zcl_forget(struct al_zcl *z)
{
    for (unsigned i = 0; i < z->c.report_count; i++) {
        if (z->c.reports[i].endpoint) al_zcl_report_delete(z, &z->c.reports[i]);
    }
}
