/* Messages of API 2.x: a server and a client on one device, whose engines get frames made by
 * hand, and what the application's answers lead to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/err.h"

#include "esp/esp-zigbee/ezb.h"
#include "tests/support/medium_process.h"
#include "tests/support/test_board.h"
#include "tests/support/zota_frames.h"
#include "zigbee/zcl_ota.h"

#define CLIENT_EP 10
#define SERVER_EP 1
#define FILE_PATH "tests/vectors/zigbee-ota/files/esp-v1-min.zigbee"

enum { SIZE_MAX_FILE = 1 << 16 };

/* The lists of 1.x are packed structs with pointers: a leak checker shall see them. */
const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
    return "use_unaligned=1";
}

static struct medium_process medium;
static uint8_t file[SIZE_MAX_FILE];
static uint32_t file_size;
static ezb_zcl_ota_file_header_t header;
static struct zota_wire wire;
static uint64_t now;
static uint8_t tsn;

/* ---- The application ---- */

static struct {
    uint8_t answer[EZB_ZCL_OTA_UPGRADE_PROGRESS_ABORT + 1]; /* by progress */
    uint8_t query_answer, query_status;
    unsigned count[EZB_ZCL_OTA_UPGRADE_PROGRESS_ABORT + 1], queries, default_responses;
    ezb_zcl_ota_upgrade_client_progress_message_t client; /* the last */
    ezb_zcl_ota_upgrade_server_progress_message_t server;
    ezb_zcl_cmd_hdr_t header;
    uint8_t first_byte;
    uint16_t current_time, upgrade_time;
} app;

static void on_client(ezb_zcl_ota_upgrade_client_progress_message_t *m)
{
    assert_int_equal(m->out.result, EZB_ZCL_STATUS_SUCCESS);
    app.count[m->in.progress]++;
    app.client = *m;
    app.header = *m->in.header;
    if (m->in.progress == EZB_ZCL_OTA_UPGRADE_PROGRESS_RECEIVING)
        app.first_byte = m->in.receiving.block[0];
    m->out.result = app.answer[m->in.progress];
}

static void on_server(ezb_zcl_ota_upgrade_server_progress_message_t *m)
{
    app.count[m->in.progress]++;
    app.server = *m;
    app.header = *m->in.header;
    m->out.result = app.answer[m->in.progress];
    m->out.finish.current_time = app.current_time;
    m->out.finish.upgrade_time = app.upgrade_time;
}

static void on_action(ezb_zcl_core_action_callback_id_t id, void *message)
{
    ezb_zcl_ota_upgrade_query_next_image_rsp_message_t *query = message;
    if (id == EZB_ZCL_CORE_OTA_UPGRADE_CLIENT_PROGRESS_CB_ID) on_client(message);
    if (id == EZB_ZCL_CORE_OTA_UPGRADE_SERVER_PROGRESS_CB_ID) on_server(message);
    if (id == EZB_ZCL_CORE_DEFAULT_RSP_CB_ID) app.default_responses++;
    if (id != EZB_ZCL_CORE_OTA_UPGRADE_QUERY_NEXT_IMAGE_RSP_CB_ID) return;
    app.queries++;
    app.query_status = query->in.image.status;
    query->out.result = app.query_answer;
}

/* ---- The device ---- */

static void read_file(void)
{
    FILE *f = fopen(FILE_PATH, "rb");
    assert_non_null(f);
    file_size = (uint32_t)fread(file, 1, sizeof file, f);
    fclose(f);
    memcpy(&header, file, sizeof header);
}

static ezb_af_ep_desc_t endpoint(uint8_t id, ezb_zcl_cluster_desc_t cluster)
{
    const ezb_af_ep_config_t config = {.ep_id = id, .app_profile_id = EZB_AF_HA_PROFILE_ID};
    ezb_af_ep_desc_t e = ezb_af_create_endpoint_desc(&config);
    ezb_af_endpoint_add_cluster_desc(e, cluster);
    return e;
}

static int start_device(void **state)
{
    const esp_zigbee_config_t config = {.device_config.device_type =
                                            EZB_NWK_DEVICE_TYPE_COORDINATOR};
    test_board_new();
    read_file();
    medium_process_start(&medium, (struct medium_server_config){0});
    setenv("AIRLIFT_RADIO", medium.where, 1);
    ezb_set_extended_address(&(ezb_extaddr_t){.u64 = 0x744dbdfffe60aa02});
    if (esp_zigbee_init(&config)) return -1;
    const ezb_zcl_ota_upgrade_cluster_client_config_t client = {
        .manufacturer_id = header.manufacturer_code, .image_type_id = header.image_type};
    ezb_af_device_desc_t device = ezb_af_create_device_desc();
    ezb_af_device_add_endpoint_desc(
        device,
        endpoint(SERVER_EP, ezb_zcl_ota_upgrade_create_cluster_desc(NULL, EZB_ZCL_CLUSTER_SERVER)));
    ezb_af_device_add_endpoint_desc(
        device, endpoint(CLIENT_EP,
                         ezb_zcl_ota_upgrade_create_cluster_desc(&client, EZB_ZCL_CLUSTER_CLIENT)));
    ezb_zcl_core_action_handler_register(on_action);
    return ezb_af_device_desc_register(device) || esp_zigbee_start(false);
}

static int end_device(void **state)
{
    medium_process_end(&medium);
    return 0;
}

static struct al_zcl_cluster *cluster(bool client)
{
    struct al_zcl_endpoint *e =
        al_zcl_endpoint(&zb_stack_node()->zcl, client ? CLIENT_EP : SERVER_EP);
    return al_zcl_cluster(e, AL_ZOTA_CLUSTER, client);
}

/* As if it had come from the air, from device 0x1234. */
static void receive(bool to_client, const struct al_zota_frame *f)
{
    uint8_t bytes[300];
    size_t len = zota_frame_bytes(bytes, sizeof bytes, ++tsn, true, f);
    struct al_zcl_cluster *c = cluster(to_client);
    const struct al_aps_data_ind ind = {.src = 0x1234,
                                        .src_ep = 33,
                                        .dst_ep = to_client ? CLIENT_EP : SERVER_EP,
                                        .profile = EZB_AF_HA_PROFILE_ID,
                                        .cluster = AL_ZOTA_CLUSTER,
                                        .asdu = bytes,
                                        .len = len};
    struct al_zcl_frame frame;
    assert_int_equal(al_zcl_parse(&frame, bytes, len), 0);
    struct al_zcl_rx rx = {.zcl = &zb_stack_node()->zcl,
                           .endpoint = al_zcl_endpoint(&zb_stack_node()->zcl, ind.dst_ep),
                           .cluster = c,
                           .aps = &ind,
                           .frame = &frame};
    c->command(c->ctx, now, &rx);
}

static struct al_zota_server *server_engine(void)
{
    return &((struct al_zcl_ota_server *)cluster(false)->ctx)->engine;
}

static struct al_zota_client *client_engine(void)
{
    return &((struct al_zcl_ota_client *)cluster(true)->ctx)->engine;
}

static ezb_zcl_ota_file_handle_t handle;

static int before(void **state)
{
    memset(&app, 0, sizeof app);
    now += 3600 * UINT64_C(1000000);
    zota_wire_init(&wire);
    server_engine()->transport = wire.transport;
    client_engine()->transport = wire.transport;
    if (!handle) handle = ezb_zcl_ota_upgrade_add_ota_file(SERVER_EP, file, file_size);
    return handle ? 0 : -1;
}

static int after(void **state)
{
    struct al_zota_server *s = server_engine();
    for (uint16_t i = 0; i < s->sessions; i++)
        if (s->session[i].record.state) al_zota_server_forget(s, &s->session[i]);
    al_zota_client_stop(client_engine(), now);
    return 0;
}

/* ---- The server ---- */

static struct al_zota_id file_id(void)
{
    return (struct al_zota_id){header.manufacturer_code, header.image_type, header.file_version};
}

static uint8_t query(uint32_t version)
{
    struct al_zota_id id = file_id();
    id.file_version = version;
    receive(false, &(struct al_zota_frame){.command = AL_ZOTA_QUERY_NEXT_IMAGE_REQ,
                                           .u.query_next_image_req = {id, true, 0x0102}});
    return zota_wire_only(&wire, AL_ZOTA_QUERY_NEXT_IMAGE_RSP)->frame.u.query_next_image_rsp.status;
}

static void the_server_tells_of_a_query_and_offers_the_file(void **state)
{
    assert_int_equal(query(0x01), EZB_ZCL_STATUS_SUCCESS);
    const ezb_zcl_ota_upgrade_server_progress_start_t *s = &app.server.in.start;
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_START], 1);
    assert_int_equal(s->query.short_address, 0x1234);
    assert_int_equal(s->query.ep_id, 33);
    assert_int_equal(s->query.file_version, 1);
    assert_int_equal(s->query.hw_version, 0x0102);
    assert_int_equal(s->policy.file_version, header.file_version);
    assert_int_equal(app.server.info.dst_ep, SERVER_EP);
    assert_int_equal(app.server.info.cluster_role, EZB_ZCL_CLUSTER_SERVER);
    assert_int_equal(app.header.src_addr.u.short_addr, 0x1234);
    assert_int_equal(app.header.tsn, tsn);
    assert_int_equal(app.header.cmd_id, EZB_ZCL_CMD_OTA_UPGRADE_QUERY_NEXT_IMAGE_REQUEST_ID);
}

static void the_version_that_runs_is_not_offered(void **state)
{
    assert_int_equal(query(header.file_version), EZB_ZCL_STATUS_NO_IMAGE_AVAILABLE);
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_START], 0);
}

static void the_application_may_refuse_a_client(void **state)
{
    app.answer[EZB_ZCL_OTA_UPGRADE_PROGRESS_START] = EZB_ZCL_STATUS_ABORT;
    assert_int_equal(query(1), EZB_ZCL_STATUS_NO_IMAGE_AVAILABLE);
    app.answer[EZB_ZCL_OTA_UPGRADE_PROGRESS_START] = EZB_ZCL_STATUS_NOT_AUTHORIZED;
    assert_int_equal(query(1), EZB_ZCL_STATUS_NOT_AUTHORIZED);
}

static const struct al_zota_image_block_rsp *ask_block(uint32_t offset)
{
    receive(false, &(struct al_zota_frame){.command = AL_ZOTA_IMAGE_BLOCK_REQ,
                                           .u.image_block_req = {.id = file_id(),
                                                                 .file_offset = offset,
                                                                 .max_data_size = 50}});
    return &zota_wire_only(&wire, AL_ZOTA_IMAGE_BLOCK_RSP)->frame.u.image_block_rsp;
}

static void each_block_is_told_and_may_be_stopped(void **state)
{
    query(1);
    const struct al_zota_image_block_rsp *r = ask_block(0);
    assert_int_equal(r->status, EZB_ZCL_STATUS_SUCCESS);
    assert_memory_equal(r->data, file, r->data_size);
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_SENDING], 1);
    assert_int_equal(app.server.in.sending.file_offset, 0);
    app.answer[EZB_ZCL_OTA_UPGRADE_PROGRESS_SENDING] = EZB_ZCL_STATUS_ABORT;
    assert_int_equal(ask_block(50)->status, EZB_ZCL_STATUS_ABORT);
    assert_int_equal(app.server.in.sending.file_offset, 50);
}

static void a_full_queue_tells_a_block_once(void **state)
{
    query(1);
    wire.refuse = AL_ERR_NO_MEM;
    receive(false,
            &(struct al_zota_frame){.command = AL_ZOTA_IMAGE_BLOCK_REQ,
                                    .u.image_block_req = {file_id(), 0, 50, false, false, 0, 0}});
    for (int i = 0; i < 3; i++) al_zota_server_run(server_engine(), now += 100000);
    wire.refuse = 0;
    al_zota_server_run(server_engine(), now += 100000);
    zota_wire_only(&wire, AL_ZOTA_IMAGE_BLOCK_RSP);
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_SENDING], 1);
}

static struct al_zota_upgrade_end_rsp end(uint8_t status)
{
    receive(false, &(struct al_zota_frame){.command = AL_ZOTA_UPGRADE_END_REQ,
                                           .u.upgrade_end_req = {status, true, file_id()}});
    return zota_wire_only(&wire, AL_ZOTA_UPGRADE_END_RSP)->frame.u.upgrade_end_rsp;
}

static void times_of_16_bits_become_32_on_the_air(void **state)
{
    app.current_time = 0x1234;
    app.upgrade_time = 0x1239;
    query(1);
    struct al_zota_upgrade_end_rsp r = end(EZB_ZCL_STATUS_SUCCESS);
    assert_int_equal(r.current_time, 0x1234);
    assert_int_equal(r.upgrade_time, 0x1239);
    assert_int_equal(app.server.in.finish.status, EZB_ZCL_STATUS_SUCCESS);
    assert_int_equal(app.server.in.finish.file_version, header.file_version);
}

static void the_default_upgrade_time_is_wait(void **state)
{
    app.upgrade_time = (uint16_t)EZB_ZCL_OTA_UPGRADE_DEFAULT_UPGRADE_TIME;
    query(1);
    assert_int_equal(end(EZB_ZCL_STATUS_SUCCESS).upgrade_time, 0xffffffff);
}

static void a_finish_that_is_refused_leaves_the_client_waiting(void **state)
{
    app.answer[EZB_ZCL_OTA_UPGRADE_PROGRESS_FINISH] = EZB_ZCL_STATUS_FAIL;
    query(1);
    assert_int_equal(end(EZB_ZCL_STATUS_SUCCESS).upgrade_time, 0xffffffff);
}

static void a_client_that_failed_is_told_with_its_status(void **state)
{
    query(1);
    ask_block(0);
    receive(false, &(struct al_zota_frame){
                       .command = AL_ZOTA_UPGRADE_END_REQ,
                       .u.upgrade_end_req = {EZB_ZCL_STATUS_INVALID_IMAGE, true, file_id()}});
    zota_wire_only_default(&wire, AL_ZOTA_UPGRADE_END_REQ, EZB_ZCL_STATUS_SUCCESS);
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_FINISH], 1);
    assert_int_equal(app.server.in.finish.status, EZB_ZCL_STATUS_INVALID_IMAGE);
}

static void a_file_that_was_removed_ends_its_downloads(void **state)
{
    query(1);
    ask_block(0);
    ezb_zcl_ota_upgrade_remove_ota_file(SERVER_EP, handle);
    handle = NULL;
    assert_int_equal(ask_block(50)->status, EZB_ZCL_STATUS_ABORT);
    assert_int_equal(query(1), EZB_ZCL_STATUS_NO_IMAGE_AVAILABLE);
}

/* ---- The client ---- */

static void notify(void)
{
    receive(true, &(struct al_zota_frame){.command = AL_ZOTA_IMAGE_NOTIFY,
                                          .u.image_notify = {.query_jitter = 100}});
}

static void offer(uint8_t status)
{
    notify();
    const struct al_zota_query_next_image_req *q =
        &zota_wire_only(&wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ)->frame.u.query_next_image_req;
    assert_int_equal(q->id.file_version, 0xffffffff);
    receive(true,
            &(struct al_zota_frame){.command = AL_ZOTA_QUERY_NEXT_IMAGE_RSP,
                                    .u.query_next_image_rsp = {status, file_id(), file_size}});
}

/* Answers block requests until the client asks for something else. */
static void transfer(void)
{
    while (client_engine()->state == AL_ZOTA_CLIENT_DOWNLOADING) {
        struct al_zota_image_block_req q =
            zota_wire_only(&wire, AL_ZOTA_IMAGE_BLOCK_REQ)->frame.u.image_block_req;
        uint32_t left = file_size - q.file_offset;
        uint8_t n = left < q.max_data_size ? (uint8_t)left : q.max_data_size;
        now += 1000;
        receive(true, &(struct al_zota_frame){.command = AL_ZOTA_IMAGE_BLOCK_RSP,
                                              .u.image_block_rsp = {.id = file_id(),
                                                                    .file_offset = q.file_offset,
                                                                    .data_size = n,
                                                                    .data = file + q.file_offset}});
    }
}

static void order(uint32_t seconds)
{
    receive(true, &(struct al_zota_frame){.command = AL_ZOTA_UPGRADE_END_RSP,
                                          .u.upgrade_end_rsp = {file_id(), 0, seconds}});
}

static void an_answer_without_image_is_told(void **state)
{
    offer(EZB_ZCL_STATUS_NO_IMAGE_AVAILABLE);
    assert_int_equal(app.queries, 1);
    assert_int_equal(app.query_status, EZB_ZCL_STATUS_NO_IMAGE_AVAILABLE);
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_START], 0);
}

static void the_application_may_refuse_an_offer(void **state)
{
    app.query_answer = EZB_ZCL_STATUS_ABORT;
    offer(EZB_ZCL_STATUS_SUCCESS);
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_START], 0);
    zota_wire_silent(&wire);
}

static void no_start_no_blocks(void **state)
{
    app.answer[EZB_ZCL_OTA_UPGRADE_PROGRESS_START] = EZB_ZCL_STATUS_ABORT;
    offer(EZB_ZCL_STATUS_SUCCESS);
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_START], 1);
    assert_int_equal(app.client.in.start.image_size, file_size);
    zota_wire_silent(&wire);
}

static void blocks_begin_with_the_header(void **state)
{
    offer(EZB_ZCL_STATUS_SUCCESS);
    struct al_zota_image_block_req q =
        zota_wire_only(&wire, AL_ZOTA_IMAGE_BLOCK_REQ)->frame.u.image_block_req;
    assert_int_equal(q.max_data_size, EZB_ZCL_OTA_UPGRADE_DEFAULT_BLOCK_SIZE_DEFAULT);
    app.answer[EZB_ZCL_OTA_UPGRADE_PROGRESS_RECEIVING] = EZB_ZCL_STATUS_ABORT;
    receive(true, &(struct al_zota_frame){
                      .command = AL_ZOTA_IMAGE_BLOCK_RSP,
                      .u.image_block_rsp = {.id = file_id(), .data_size = 48, .data = file}});
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_RECEIVING], 1);
    assert_int_equal(app.first_byte, 0x1e);
    assert_int_equal(zota_wire_only(&wire, AL_ZOTA_UPGRADE_END_REQ)->frame.u.upgrade_end_req.status,
                     EZB_ZCL_STATUS_ABORT);
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_ABORT], 1);
}

static void a_failed_check_is_an_invalid_image(void **state)
{
    app.answer[EZB_ZCL_OTA_UPGRADE_PROGRESS_CHECK] = EZB_ZCL_STATUS_ABORT;
    offer(EZB_ZCL_STATUS_SUCCESS);
    transfer();
    assert_int_equal(zota_wire_only(&wire, AL_ZOTA_UPGRADE_END_REQ)->frame.u.upgrade_end_req.status,
                     EZB_ZCL_STATUS_INVALID_IMAGE);
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_ABORT], 1);
}

static void finish_comes_after_the_count_down_with_its_length(void **state)
{
    offer(EZB_ZCL_STATUS_SUCCESS);
    transfer();
    zota_wire_only(&wire, AL_ZOTA_UPGRADE_END_REQ);
    order(60);
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_APPLY], 1);
    al_zota_client_run(client_engine(), now += 59 * UINT64_C(1000000));
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_FINISH], 0);
    al_zota_client_run(client_engine(), now += 2 * UINT64_C(1000000));
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_FINISH], 1);
    assert_int_equal(app.client.in.finish.count_down_delay, 60);
    assert_int_equal(app.header.src_addr.addr_mode, EZB_ADDR_MODE_NONE); /* no frame behind it */
}

static void what_is_not_applied_is_not_finished(void **state)
{
    app.answer[EZB_ZCL_OTA_UPGRADE_PROGRESS_APPLY] = EZB_ZCL_STATUS_ABORT;
    offer(EZB_ZCL_STATUS_SUCCESS);
    transfer();
    zota_wire_clear(&wire);
    order(0);
    zb_scheduler_run();
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_ABORT], 1);
    al_zota_client_run(client_engine(), now += 10 * UINT64_C(1000000));
    assert_int_equal(app.count[EZB_ZCL_OTA_UPGRADE_PROGRESS_FINISH], 0);
}

static void commands_need_a_network(void **state)
{
    ezb_zcl_ota_upgrade_image_notify_cmd_t n = {
        .cmd_ctrl = {.dst_addr = EZB_ADDRESS_SHORT(0xfffd), .src_ep = SERVER_EP},
        .payload = {.query_jitter = 100}};
    assert_int_equal(ezb_zcl_ota_upgrade_image_notify_cmd_req(&n), EZB_ERR_INV_STATE);
    n.payload.query_jitter = 0;
    assert_int_equal(ezb_zcl_ota_upgrade_image_notify_cmd_req(&n), EZB_ERR_INV_ARG);
    n.payload = (ezb_zcl_ota_upgrade_image_notify_payload_t){.type = 4, .query_jitter = 1};
    assert_int_equal(ezb_zcl_ota_upgrade_image_notify_cmd_req(&n), EZB_ERR_INV_ARG);
}

#define T(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_server_tells_of_a_query_and_offers_the_file),
        T(the_version_that_runs_is_not_offered),
        T(the_application_may_refuse_a_client),
        T(each_block_is_told_and_may_be_stopped),
        T(a_full_queue_tells_a_block_once),
        T(times_of_16_bits_become_32_on_the_air),
        T(the_default_upgrade_time_is_wait),
        T(a_finish_that_is_refused_leaves_the_client_waiting),
        T(a_client_that_failed_is_told_with_its_status),
        T(a_file_that_was_removed_ends_its_downloads),
        T(an_answer_without_image_is_told),
        T(the_application_may_refuse_an_offer),
        T(no_start_no_blocks),
        T(blocks_begin_with_the_header),
        T(a_failed_check_is_an_invalid_image),
        T(finish_comes_after_the_count_down_with_its_length),
        T(what_is_not_applied_is_not_finished),
        T(commands_need_a_network),
    };
    return cmocka_run_group_tests(tests, start_device, end_device);
}
