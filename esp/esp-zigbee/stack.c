/* The node, its radio, and the loop that all runs in. */
#include "esp/esp-zigbee/stack.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/err.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp_app_desc.h"
#include "esp_log.h"
#include "esp_mac.h"

enum { NETWORK_SIZE = 64, LONG_POLL_MIN_MS = 100 };

struct zb_stack zb_stack = {.network_size = NETWORK_SIZE, .sleep_threshold = 20};

static int wake_fd = -1;

struct al_node *zb_stack_node(void)
{
    return &zb_stack.zb.node;
}

uint64_t zb_stack_now(void)
{
    return zb_stack.radio ? radio_now(zb_stack.radio) : 0;
}

void zb_stack_wake(void)
{
    const uint64_t one = 1;
    if (wake_fd >= 0 && write(wake_fd, &one, sizeof one) < 0) return; /* it is awake already */
}

esp_err_t zb_stack_action(esp_zb_core_action_callback_id_t id, const void *message)
{
    return zb_stack.action ? zb_stack.action(id, message) : ESP_ERR_NOT_FOUND;
}

void esp_zb_core_action_handler_register(esp_zb_core_action_callback_t cb)
{
    zb_stack.action = cb;
}

/* ---- Setting up ---- */

esp_err_t esp_zb_platform_config(esp_zb_platform_config_t *config)
{
    bool known =
        config && (unsigned)config->radio_config.radio_mode <= ZB_RADIO_MODE_UART_RCP &&
        (unsigned)config->host_config.host_connection_mode <= ZB_HOST_CONNECTION_MODE_RCP_UART;
    return known ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_zb_overall_network_size_set(uint16_t size)
{
    if (zb_stack.initialised || !size) return ESP_FAIL;
    zb_stack.network_size = size;
    return ESP_OK;
}

void zb_stack_init(const esp_zb_cfg_t *cfg)
{
    uint8_t mac[8];
    if (!cfg || zb_stack.initialised) return;
    zb_stack.cfg = *cfg;
    zb_stack.primary = AL_BDB_ALL_CHANNELS;
    if (!zb_stack.ext && esp_read_mac(mac, ESP_MAC_IEEE802154) == ESP_OK)
        for (int i = 0; i < 8; i++) zb_stack.ext = zb_stack.ext << 8 | mac[i];
    if (wake_fd < 0) wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    zb_stack.initialised = true;
}

static bool is_end_device(void)
{
    return zb_stack.cfg.esp_zb_role == ESP_ZB_DEVICE_TYPE_ED;
}

static enum al_nwk_role role(void)
{
    return zb_stack.cfg.esp_zb_role == ESP_ZB_DEVICE_TYPE_COORDINATOR ? AL_NWK_ROLE_COORDINATOR
           : is_end_device()                                          ? AL_NWK_ROLE_END_DEVICE
                                                                      : AL_NWK_ROLE_ROUTER;
}

static struct al_node_sizes sizes(void)
{
    return role() == AL_NWK_ROLE_COORDINATOR ? al_node_sizes_coordinator(zb_stack.network_size)
           : is_end_device()                 ? al_node_sizes_end_device
                                             : al_node_sizes_router;
}

static struct al_node_config node_config(const struct al_zb_store *store)
{
    const esp_zb_zed_cfg_t *zed = &zb_stack.cfg.nwk_cfg.zed_cfg;
    bool sleepy = is_end_device() && (zb_stack.rx_off || zb_stack.sleep);
    struct al_node_config c = {
        .radio = radio_port(zb_stack.radio),
        .store = store,
        .ext = zb_stack.ext,
        .role = role(),
        .rx_off = sleepy,
        .mains = !sleepy,
        .manufacturer = zb_stack.manufacturer,
        .primary_channels = zb_stack.primary,
        .secondary_channels = zb_stack.secondary,
        .epid = zb_stack.epid,
        .pan_id = zb_stack.pan_id,
        .install_codes_only = zb_stack.cfg.install_code_policy,
        .require_exchange = zb_stack.require_exchange,
        .sizes = sizes(),
        .ctx = &zb_stack,
        .event = zb_commissioning_event,
        .zcl_up = &zb_registry_up,
    };
    if (is_end_device()) {
        c.timeout_index = zed->ed_timeout;
        c.long_poll_ms = zed->keep_alive < LONG_POLL_MIN_MS ? LONG_POLL_MIN_MS : zed->keep_alive;
    } else {
        c.max_children = zb_stack.cfg.nwk_cfg.zczr_cfg.max_children;
    }
    return c;
}

/* The radio hears things before the node is there. */
static void received(void *ctx, uint64_t now, const struct al_radio_rx *rx)
{
    if (zb_stack.started) al_node_received(&zb_stack.zb.node, now, rx);
}

static void transmitted(void *ctx, uint64_t now, enum al_radio_status status, bool pending)
{
    if (zb_stack.started) al_node_transmitted(&zb_stack.zb.node, now, status, pending);
}

static void scanned(void *ctx, uint64_t now, uint8_t channel, int8_t dbm)
{
    if (zb_stack.started) al_node_scanned(&zb_stack.zb.node, now, channel, dbm);
}

static esp_err_t open_radio(void)
{
    static const struct radio_events events = {received, transmitted, scanned, NULL};
    const char *where = getenv("AIRLIFT_RADIO");
    char why[300];
    if (!where) {
        ESP_LOGE(ZB_TAG, "no radio: start the device with --radio medium:SOCKET "
                         "(`airlift radio medium SOCKET`) or --radio spinel:DEVICE");
        return ESP_FAIL;
    }
    zb_stack.radio = radio_open(where, zb_stack.ext, esp_app_get_description()->project_name,
                                &events, NULL, why, sizeof why);
    if (zb_stack.radio) return ESP_OK;
    ESP_LOGE(ZB_TAG, "the radio %s cannot be used: %s", where, why);
    return ESP_FAIL;
}

static esp_err_t open_node(void)
{
    const struct al_zb_store *store = zb_store_open(zb_stack.erase);
    struct al_node_config c = node_config(store);
    int err = zb_node_open(&zb_stack.zb, &c, 0);
    if (err) {
        ESP_LOGE(ZB_TAG, "the node cannot be set up: %s",
                 err == AL_ERR_NO_MEM ? "no memory" : "its configuration contradicts itself");
        return ESP_FAIL;
    }
    if (zb_stack.scan_duration) zb_stack.zb.node.bdb.c.scan_duration = zb_stack.scan_duration;
    return zb_registry_build();
}

esp_err_t esp_zb_start(bool autostart)
{
    if (!zb_stack.initialised || zb_stack.started) return ESP_ERR_INVALID_STATE;
    esp_err_t err = open_radio();
    if (err) return err;
    err = open_node();
    if (err) return err;
    zb_stack.started = true;
    /* The partition zb_fct with settings of the factory is not read. */
    zb_signal_raise(ESP_ZB_ZDO_SIGNAL_PRODUCTION_CONFIG_READY, ESP_FAIL, NULL, 0);
    if (autostart)
        zb_commissioning_autostart();
    else
        zb_signal_raise(ESP_ZB_ZDO_SIGNAL_SKIP_STARTUP, ESP_OK, NULL, 0);
    return ESP_OK;
}

bool esp_zb_is_started(void)
{
    return zb_stack.started;
}

void esp_zb_factory_reset(void)
{
    if (zb_store_open(true)) ESP_LOGI(ZB_TAG, "the network is forgotten");
    esp_restart();
}

/* ---- The loop ---- */

/* Once for each time that the loop would wait that long. */
static void tell_sleep(uint64_t now, uint64_t until)
{
    uint64_t ms = until > now ? (until - now) / 1000 : 0;
    uint32_t duration = ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
    if (!zb_stack.sleep || !is_end_device() || ms < zb_stack.sleep_threshold) return;
    zb_signal_raise(ESP_ZB_COMMON_SIGNAL_CAN_SLEEP, ESP_OK, &duration, sizeof duration);
    zb_signal_dispatch();
}

static uint64_t next_due(void)
{
    uint64_t node = zb_node_next(&zb_stack.zb), alarm = zb_scheduler_next();
    return zb_signal_waiting() ? 0 : node < alarm ? node : alarm;
}

static void run_what_is_due(void)
{
    zb_node_run(&zb_stack.zb, zb_stack_now());
    zb_scheduler_run();
    zb_signal_dispatch();
}

static void iterate(void)
{
    uint64_t count;
    run_what_is_due();
    tell_sleep(zb_stack_now(), next_due());
    if (radio_wait(zb_stack.radio, next_due(), wake_fd)) {
        ESP_LOGE(ZB_TAG, "the radio is lost: %s", radio_error(zb_stack.radio));
        esp_system_abort("the radio is lost");
    }
    if (read(wake_fd, &count, sizeof count) > 0) zb_lock_step_aside();
    run_what_is_due();
}

void esp_zb_stack_main_loop_iteration(void)
{
    if (!zb_stack.started) return;
    zb_lock_enter_loop();
    iterate();
    esp_zb_lock_release();
}

void esp_zb_stack_main_loop(void)
{
    if (!zb_stack.started) {
        ESP_LOGE(ZB_TAG, "esp_zb_stack_main_loop() before esp_zb_start()");
        esp_system_abort("Zigbee is not started");
    }
    zb_lock_enter_loop();
    while (!zb_stack.stop) iterate();
    esp_zb_lock_release();
}

void esp_zb_main_loop_iteration(void)
{
    esp_zb_stack_main_loop();
}
