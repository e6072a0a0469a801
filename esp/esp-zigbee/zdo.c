/* Questions to other devices. Answers reach the application from the loop. */
#include <stdlib.h>

#include "core/err.h"
#include "esp/esp-zigbee/stack.h"

enum { MATCH_CLUSTERS_MAX = 16 };

/* One question, until its callback has been called. */
struct question {
    esp_zb_zdo_match_desc_callback_t matched;
    esp_zb_zdo_ieee_addr_callback_t ieee;
    esp_zb_zdo_leave_callback_t left;
    void *user;
    bool answered;
    esp_zb_zdp_status_t status;
    uint16_t addr;
    uint8_t endpoint;
    uint64_t ext;
};

static void tell(void *ctx)
{
    struct question *q = ctx;
    esp_zb_zdo_ieee_addr_rsp_t ieee = {.nwk_addr = q->addr};
    al_put_le64(ieee.ieee_addr, q->ext);
    if (q->matched) q->matched(q->status, q->addr, q->endpoint, q->user);
    if (q->ieee) q->ieee(q->status, q->status ? NULL : &ieee, q->user);
    if (q->left) q->left(q->status, q->user);
    free(q);
}

static void answered(struct question *q, esp_zb_zdp_status_t status)
{
    if (q->answered) return;
    q->answered = true;
    q->status = status;
    zb_scheduler_post(tell, q, 0);
}

static struct question *ask(void *user)
{
    struct question *q = calloc(1, sizeof *q);
    if (!q) return NULL;
    q->user = user;
    q->addr = AL_NWK_NO_ADDR;
    q->endpoint = 0xff;
    return q;
}

/* The first that has them counts; to the others, who answer later, nobody listens. */
static void match_came(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    struct question *q = ctx;
    bool match = a->status == AL_ZB_OK && a->response->status == AL_ZDP_SUCCESS &&
                 a->response->endpoints_rsp.count;
    if (a->status == AL_ZB_OK && !match) return;
    if (match) {
        q->addr = a->src;
        q->endpoint = a->response->endpoints_rsp.endpoints[0];
        al_zdo_cancel(&zb_stack_node()->zdo, q);
    }
    answered(q, match ? ESP_ZB_ZDP_STATUS_SUCCESS : ESP_ZB_ZDP_STATUS_TIMEOUT);
}

esp_err_t esp_zb_zdo_match_cluster(esp_zb_zdo_match_desc_req_param_t *param,
                                   esp_zb_zdo_match_desc_callback_t user_cb, void *user_ctx)
{
    if (!param || !param->cluster_list || !zb_stack.started) return ESP_ERR_INVALID_ARG;
    unsigned in = param->num_in_clusters, out = param->num_out_clusters;
    uint16_t clusters[MATCH_CLUSTERS_MAX];
    if (in + out == 0 || in + out > MATCH_CLUSTERS_MAX) return ESP_ERR_INVALID_SIZE;
    memcpy(clusters, param->cluster_list, (in + out) * sizeof *clusters);
    struct question *q = ask(user_ctx);
    if (!q) return ESP_ERR_NO_MEM;
    q->matched = user_cb;
    int err = al_zdo_match_desc(&zb_stack_node()->zdo, zb_stack_now(), param->dst_nwk_addr,
                                param->profile_id, clusters, (uint8_t)in, clusters + in,
                                (uint8_t)out, match_came, q);
    if (!err) return ESP_OK;
    free(q);
    return err == AL_ERR_INVALID_SIZE ? ESP_ERR_INVALID_SIZE : ESP_ERR_NO_MEM;
}

static esp_zb_zdp_status_t status_of(const struct al_zdo_answer *a)
{
    return a->status == AL_ZB_OK ? (esp_zb_zdp_status_t)a->response->status
                                 : ESP_ZB_ZDP_STATUS_TIMEOUT;
}

static void address_came(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    struct question *q = ctx;
    if (a->status == AL_ZB_OK) {
        q->ext = a->response->addr_rsp.ext;
        q->addr = a->response->addr_rsp.addr;
    }
    answered(q, status_of(a));
}

void esp_zb_zdo_ieee_addr_req(esp_zb_zdo_ieee_addr_req_param_t *cmd_req,
                              esp_zb_zdo_ieee_addr_callback_t user_cb, void *user_ctx)
{
    struct question *q = cmd_req && zb_stack.started ? ask(user_ctx) : NULL;
    if (!q) return;
    q->ieee = user_cb;
    if (al_zdo_ieee_addr(&zb_stack_node()->zdo, zb_stack_now(), cmd_req->addr_of_interest,
                         address_came, q))
        answered(q, ESP_ZB_ZDP_STATUS_INSUFFICIENT_SPACE);
}

static void left(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    answered(ctx, status_of(a));
}

void esp_zb_zdo_device_leave_req(esp_zb_zdo_mgmt_leave_req_param_t *cmd_req,
                                 esp_zb_zdo_leave_callback_t user_cb, void *user_ctx)
{
    struct question *q = cmd_req && zb_stack.started ? ask(user_ctx) : NULL;
    if (!q) return;
    q->left = user_cb;
    if (al_zdo_leave(&zb_stack_node()->zdo, zb_stack_now(), cmd_req->dst_nwk_addr,
                     zb_ext(cmd_req->device_address), cmd_req->remove_children, cmd_req->rejoin,
                     left, q))
        answered(q, ESP_ZB_ZDP_STATUS_INSUFFICIENT_SPACE);
}
