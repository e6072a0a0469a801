#include "zigbee/ota_wire.h"

#include "core/err.h"

enum { ZCL_HEADER = 3 };

int al_zota_wire_send(const struct al_zota_transport *t, struct al_zota_send *how, uint8_t seq,
                      const struct al_zota_frame *f)
{
    uint8_t zcl[ZCL_HEADER + AL_ZOTA_PAYLOAD_MAX];
    struct al_put p = al_put(zcl, sizeof zcl);
    bool to_client = al_zota_from_server(f->command);
    struct al_zcl_frame header = {
        .seq = seq,
        .command = f->command,
        .cluster_specific = true,
        .to_client = to_client,
        .no_default_response = to_client || f->command == AL_ZOTA_IMAGE_PAGE_REQ,
    };
    int err = al_zcl_build(&header, &p);
    if (err) return err;
    int n = al_zota_build(f, zcl + p.len, sizeof zcl - p.len);
    if (n < 0) return n;
    how->zcl = zcl;
    how->len = p.len + (size_t)n;
    return t->send(t->ctx, how);
}

void al_zota_wire_default(const struct al_zota_transport *t, const struct al_zota_received *rx,
                          const struct al_zcl_frame *f, uint8_t status)
{
    if (rx->broadcast || (!f->cluster_specific && f->command == AL_ZCL_DEFAULT_RSP)) return;
    if (f->no_default_response && status == AL_ZCL_SUCCESS) return;
    uint8_t zcl[ZCL_HEADER + 2 + 2]; /* with a manufacturer code */
    uint8_t payload[2] = {f->command, status};
    struct al_put p = al_put(zcl, sizeof zcl);
    struct al_zcl_frame answer = al_zcl_answer_to(f, false, AL_ZCL_DEFAULT_RSP);
    answer.payload = payload;
    answer.payload_len = sizeof payload;
    if (al_zcl_build(&answer, &p)) return;
    struct al_zota_send how = {
        .to = rx->from,
        .src_endpoint = rx->dst_endpoint,
        .zcl = zcl,
        .len = p.len,
        .aps_ack = true,
    };
    t->send(t->ctx, &how);
}

uint8_t al_zota_wire_status(int err)
{
    return err == AL_ERR_NOT_SUPPORTED ? AL_ZCL_UNSUP_CLUSTER_COMMAND : AL_ZCL_MALFORMED;
}
