#include "tests/support/zcl_pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HALF_A_MINUTE 30000000u

void zcl_pair_new(struct zcl_pair *p)
{
    memset(p, 0, sizeof *p);
    p->world = zb_world_new(&(struct medium_config){.seed = 3});
    p->c = zb_world_coordinator(p->world);
    p->d = zcl_pair_add(p, AL_NWK_ROLE_ROUTER, false);
    p->endpoint = 10;
}

void zcl_pair_free(struct zcl_pair *p)
{
    zb_world_free(p->world);
}

struct zb_sim_node *zcl_pair_add(struct zcl_pair *p, enum al_nwk_role role, bool sleepy)
{
    struct zb_sim_node *n = zb_world_add(p->world, role, sleepy);
    zb_world_join(p->world, n);
    return n;
}

uint64_t zcl_pair_now(const struct zcl_pair *p)
{
    return zb_sim_now(p->world->sim);
}

void zcl_pair_wait(struct zcl_pair *p, uint64_t us)
{
    for (unsigned i = 0; i < p->world->count; i++) zb_sim_touch(p->world->nodes[i].sim);
    zb_sim_run(p->world->sim, us, NULL, NULL);
}

struct al_zcl *zcl_pair_zcl(struct zb_sim_node *n)
{
    return &n->zb.node.zcl;
}

struct al_zdo *zcl_pair_zdo(struct zb_sim_node *n)
{
    return &n->zb.node.zdo;
}

/* ---- ZCL ---- */

struct question {
    bool answered;
    char *text;
};

static bool is_answered(void *ctx)
{
    return ((struct question *)ctx)->answered;
}

static void put_answer(void *ctx, uint64_t now, const struct al_zcl_answer *a)
{
    struct question *q = ctx;
    uint8_t header[8];
    struct al_put p = al_put(header, sizeof header);
    q->answered = true;
    if (a->status != AL_ZB_OK) {
        snprintf(q->text, ZCL_PAIR_TEXT, "%s", al_zb_status_name(a->status));
        return;
    }
    struct al_zcl_frame f = *a->frame;
    f.payload_len = 0;
    assert_int_equal(al_zcl_build(&f, &p), 0);
    int len = snprintf(q->text, ZCL_PAIR_TEXT, "%02x %02x ", header[0], f.command);
    for (size_t i = 0; i < a->frame->payload_len; i++)
        len += snprintf(q->text + len, ZCL_PAIR_TEXT - (size_t)len, "%02x", a->frame->payload[i]);
}

static size_t from_hex(const char *hex, uint8_t *out, size_t size)
{
    size_t len = 0;
    for (unsigned byte; *hex; hex += 2) {
        while (*hex == ' ') hex++;
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        assert_true(len < size);
        out[len++] = (uint8_t)byte;
    }
    return len;
}

void zcl_pair_ask(struct zcl_pair *p, struct al_zcl_send s, const char *payload,
                  char text[ZCL_PAIR_TEXT])
{
    uint8_t bytes[AL_ZCL_PAYLOAD_MAX];
    struct question q = {.text = text};
    s.len = from_hex(payload, bytes, sizeof bytes);
    s.payload = bytes;
    s.dst = s.dst ? s.dst : p->d->zb.node.nwk.addr;
    s.dst_ep = s.dst_ep ? s.dst_ep : p->endpoint;
    s.src_ep = 1;
    s.cluster = p->cluster;
    assert_true(al_zcl_request(zcl_pair_zcl(p->c), zcl_pair_now(p), &s, put_answer, &q) >= 0);
    zb_sim_touch(p->c);
    assert_true(zb_sim_run(p->world->sim, HALF_A_MINUTE, is_answered, &q));
}

void zcl_pair_expect(struct zcl_pair *p, uint8_t command, const char *payload, const char *answer)
{
    char text[ZCL_PAIR_TEXT];
    zcl_pair_ask(p, (struct al_zcl_send){.command = command}, payload, text);
    assert_string_equal(text, answer);
}

void zcl_pair_expect_command(struct zcl_pair *p, uint8_t command, const char *payload,
                             const char *answer)
{
    char text[ZCL_PAIR_TEXT];
    zcl_pair_ask(p, (struct al_zcl_send){.command = command, .cluster_specific = true}, payload,
                 text);
    assert_string_equal(text, answer);
}

/* ---- ZDP ---- */

struct zdp_question {
    bool answered;
    enum al_zb_status status;
    struct al_zdp *response;
    uint8_t asdu[AL_ZCL_PAYLOAD_MAX];
};

static bool is_answered_zdp(void *ctx)
{
    return ((struct zdp_question *)ctx)->answered;
}

/* The response points into the frame: a copy of the bytes is parsed again. */
static void keep_answer(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    struct zdp_question *q = ctx;
    if (q->answered) return; /* of a broadcast: the first one */
    q->answered = true;
    q->status = a->status;
    if (a->status != AL_ZB_OK) return;
    struct al_put p = al_put(q->asdu, sizeof q->asdu);
    assert_int_equal(al_zdp_build(a->response, &p), 0);
    assert_int_equal(al_zdp_parse(q->response, a->response->cluster, q->asdu, p.len), 0);
}

enum al_zb_status zcl_pair_zdp(struct zcl_pair *p, uint16_t dst, const struct al_zdp *q,
                               struct al_zdp *response)
{
    static struct zdp_question question;
    question = (struct zdp_question){.response = response};
    assert_int_equal(
        al_zdo_request(zcl_pair_zdo(p->c), zcl_pair_now(p), dst, q, keep_answer, &question), 0);
    zb_sim_touch(p->c);
    assert_true(zb_sim_run(p->world->sim, HALF_A_MINUTE, is_answered_zdp, &question));
    al_zdo_cancel(zcl_pair_zdo(p->c), &question);
    return question.status;
}
