/* The server of zb_upgrade.h and its file. */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "host/aes_openssl.h"
#include "tests/support/zb_upgrade.h"
#include "zigbee/ota_build.h"

/* ---- The file ---- */

static int put_bytes(void *ctx, const void *data, size_t len)
{
    struct al_put *p = ctx;
    al_put_bytes(p, data, len);
    return p->failed ? AL_ERR_NO_MEM : 0;
}

static void build_file(struct zb_upgrade *u, struct zb_upgrade_file *f)
{
    struct aes_openssl *aes = aes_openssl_new();
    const uint32_t lengths[] = {u->image_len, 16};
    f->id =
        (struct al_zota_id){ZB_UPGRADE_MANUFACTURER, ZB_UPGRADE_IMAGE_TYPE, ZB_UPGRADE_NEW_VERSION};
    f->size = al_zbuild_size(0, lengths, 2);
    f->bytes = malloc(f->size);
    f->image_at = AL_ZFILE_HEADER_MIN + AL_ZFILE_ELEMENT_HEADER;
    f->image_len = u->image_len;
    assert_non_null(f->bytes);
    struct al_put p = al_put(f->bytes, f->size);
    struct al_zbuild b;
    const struct al_zbuild_sink sink = {&p, put_bytes};
    const struct al_zfile_header h = {.header_version = AL_ZFILE_HEADER_VERSION,
                                      .manufacturer = ZB_UPGRADE_MANUFACTURER,
                                      .image_type = ZB_UPGRADE_IMAGE_TYPE,
                                      .file_version = ZB_UPGRADE_NEW_VERSION,
                                      .stack_version = 2,
                                      .total_image_size = f->size};
    assert_int_equal(al_zbuild_begin(&b, &sink, aes_openssl_aes(aes), &h), 0);
    assert_int_equal(al_zbuild_element(&b, AL_ZFILE_UPGRADE_IMAGE, u->image_len), 0);
    assert_int_equal(al_zbuild_data(&b, u->image, u->image_len), 0);
    assert_int_equal(al_zbuild_integrity(&b, AL_ZFILE_UP_TO_VALUE), 0);
    assert_int_equal(al_zbuild_end(&b), 0);
    aes_openssl_free(aes);
}

/* ---- The server ---- */

static struct al_zota_image image_of(const struct zb_upgrade_server *s)
{
    return (struct al_zota_image){.id = s->file.id, .size = s->claimed ? s->claimed : s->file.size};
}

static int find(void *ctx, const struct al_zota_wanted *wanted, struct al_zota_image *image)
{
    struct zb_upgrade_server *s = ctx;
    const struct al_zota_image_limits limits = {0};
    s->queries++;
    if (!al_zota_image_fits(&s->file.id, &limits, wanted)) return AL_ERR_NOT_FOUND;
    *image = image_of(s);
    return 0;
}

static int get(void *ctx, struct al_zota_peer peer, const struct al_zota_id *id,
               struct al_zota_image *image)
{
    const struct zb_upgrade_server *s = ctx;
    if (memcmp(id, &s->file.id, sizeof *id) != 0) return AL_ERR_NOT_FOUND;
    *image = image_of(s);
    return 0;
}

static int read_file(void *ctx, struct al_zota_peer peer, const struct al_zota_image *image,
                     uint32_t offset, void *buf, size_t len)
{
    const struct zb_upgrade_server *s = ctx;
    assert_true(offset <= image->size && len <= image->size - offset);
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = s->file.bytes[(offset + i) % s->file.size];
    return (int)len;
}

static void describe(void *ctx, struct al_zota_peer peer, struct al_zota_device *d)
{
    const struct zb_upgrade_server *s = ctx;
    for (unsigned i = 0; i < s->u->client_count; i++) {
        const struct zb_sim_node *n = s->u->clients[i].sim;
        if (!n->on || n->zb.node.nwk.addr != peer.addr) continue;
        d->ext_addr = n->config.ext;
        d->sleepy = n->config.rx_off;
    }
}

static void save_session(void *ctx, const struct al_zota_session *session)
{
    struct zb_upgrade_server *s = ctx;
    s->records[session - s->sessions] = session->record;
}

static void note_server_event(void *ctx, const struct al_zota_server_event *e)
{
    struct zb_upgrade_server *s = ctx;
    s->refused += e->kind == AL_ZOTA_SERVER_REFUSED;
}

static uint64_t server_next(void *ctx)
{
    return al_zcl_ota_server_next(ctx);
}

static void server_run(void *ctx, uint64_t now)
{
    al_zcl_ota_server_run(ctx, now);
}

void zb_upgrade_start_server(struct zb_upgrade_server *s)
{
    struct zb_node *zb = &s->sim->zb;
    uint64_t now = zb_upgrade_now(s->u);
    s->endpoint = (struct al_zcl_endpoint){.id = ZB_UPGRADE_SERVER, .profile = AL_PROFILE_HA};
    memset(s->sessions, 0, sizeof s->sessions);
    assert_int_equal(
        al_zcl_ota_server_init(&s->ota, &zb->node.zcl, &s->endpoint,
                               (struct al_zb_random){zb, zb_node_random}, &s->config,
                               &(struct al_zota_server_app){.ctx = s,
                                                            .find = find,
                                                            .get = get,
                                                            .read = read_file,
                                                            .device = describe,
                                                            .save = save_session,
                                                            .event = note_server_event},
                               s->sessions, ZB_UPGRADE_CLIENTS),
        0);
    assert_int_equal(al_zcl_add_endpoint(&zb->node.zcl, &s->endpoint), 0);
    s->engine = (struct zb_engine){&s->ota, server_next, server_run, NULL};
    zb_node_add_engine(zb, &s->engine);
    for (unsigned i = 0; i < ZB_UPGRADE_CLIENTS; i++) {
        const struct al_zota_record record = s->records[i];
        if (record.magic == AL_ZOTA_RECORD_MAGIC)
            assert_int_equal(
                al_zota_server_restore(al_zcl_ota_server_at(&s->ota, now), now, &record), 0);
    }
    s->lives++;
    s->on_at = 0;
}

struct zb_upgrade_server *zb_upgrade_add_server(struct zb_upgrade *u, struct zb_sim_node *sim)
{
    struct zb_upgrade_server *s = &u->servers[u->server_count];
    assert_true(u->server_count < ZB_UPGRADE_SERVERS);
    u->server_count++;
    s->u = u;
    s->sim = sim;
    build_file(u, &s->file);
    zb_upgrade_start_server(s);
    return s;
}
