/* Between the files of API 2.x (ezb_*.c), which stands on that of 1.x and on stack.h. With the
 * stack's lock held unless said otherwise. */
#ifndef ESP_ZIGBEE_EZB_H
#define ESP_ZIGBEE_EZB_H

#include "esp/esp-zigbee/stack.h"
#include "esp_zigbee.h"
#include "zigbee/ota_client.h"

/* ---- ezb_core.c ---- */

ezb_err_t ezb_err_of(esp_err_t err);

/* ---- ezb_signals.c ---- */

/* A signal of 1.x becomes one of 2.x. */
void ezb_signal_forward(esp_zb_app_signal_t *s);

/* ---- ezb_desc.c ---- */

/* Of the cluster OTA Upgrade: nothing of it goes into 1.x' lists. */
struct ezb_ota_config {
    uint8_t files; /* server: places in its table */
    struct al_zota_client_config client;
};

struct ezb_cluster {
    uint16_t id;
    uint8_t role; /* EZB_ZCL_CLUSTER_* */
    bool owned;   /* by an endpoint */
    esp_zb_attribute_list_t *attributes;
    struct ezb_ota_config ota;
    struct ezb_cluster *next;
};

struct ezb_endpoint {
    ezb_af_ep_config_t config;
    bool owned; /* by a device */
    struct ezb_cluster *clusters;
    struct ezb_endpoint *next;
};

/* The node is there: gives it the OTA clusters of the device. */
esp_err_t ezb_desc_attach(void);
/* An attribute that tells the OTA client something. AL_ZCL_SUCCESS, UNSUP_ATTRIBUTE. */
uint8_t ezb_ota_config_set(struct al_zota_client_config *c, uint16_t attr, const void *value);

/* ---- ezb_zcl.c ---- */

/* false: the application has no handler. */
bool ezb_zcl_tell(ezb_zcl_core_action_callback_id_t id, void *message);
/* Attributes written from the air go to that handler, too. */
void ezb_zcl_init(void);

/* One side of the cluster OTA Upgrade: passes its commands on to the engine, and keeps the
 * header of the frame under way for messages. */
struct ezb_ota_side {
    struct al_zcl_cluster *cluster; /* NULL: not attached */
    const struct al_zcl_endpoint *endpoint;
    ezb_zcl_cmd_hdr_t header;
    int (*command)(void *ctx, uint64_t now, const struct al_zcl_rx *rx);
    void (*default_response)(void *ctx, uint64_t now, const struct al_zcl_rx *rx,
                             const struct al_zcl_default_rsp *d);
};
/* Between engine and cluster. One of each side a device. */
void ezb_zcl_watch(struct ezb_ota_side *side, struct al_zcl_cluster *cluster,
                   const struct al_zcl_endpoint *endpoint);
ezb_zcl_message_info_t ezb_zcl_info(const struct ezb_ota_side *side);
/* Short address behind dst; EZB_ERR_NOT_SUPPORTED, EZB_ERR_NOT_FOUND. */
ezb_err_t ezb_zcl_resolve(const ezb_address_t *dst, uint16_t *addr);

/* Who wants to know what became of a command. */
struct ezb_confirm {
    ezb_zcl_cluster_cmd_ctrl_t ctrl; /* cnf_ctx.cb NULL: nobody */
    uint8_t tsn;
};
void ezb_zcl_confirm(struct ezb_confirm *c, uint8_t status);

/* ---- ezb_ota_client.c, ezb_ota_server.c ---- */

/* At registration: keeps what the application sets before the start.
 * EZB_ERR_INV_ARG: there is one already; EZB_ERR_NO_MEM. */
ezb_err_t ezb_ota_client_register(uint8_t ep_id, const struct ezb_ota_config *c);
ezb_err_t ezb_ota_server_register(uint8_t ep_id, const struct ezb_ota_config *c);
/* At the start. */
esp_err_t ezb_ota_client_attach(struct al_zcl_endpoint *e);
esp_err_t ezb_ota_server_attach(struct al_zcl_endpoint *e);
/* The network is there. */
void ezb_ota_client_start(void);
/* What the client on ep_id goes by; NULL: there is none. */
struct al_zota_client_config *ezb_ota_client_config(uint8_t ep_id);

#endif
