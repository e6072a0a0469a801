/* OTA cluster frames. See ota_frame.h. */
#include "zigbee/ota_frame.h"

#include "core/err.h"
#include "zigbee/put.h"

#define HAS_HARDWARE_VERSION 1u /* field control of Query Next Image Request */
#define HAS_NODE_ADDR        1u /* of Image Block and Image Page Request */
#define HAS_MIN_BLOCK_PERIOD 2u /* of Image Block Request */

static const struct {
    const char *name;
    bool from_server;
} commands[AL_ZOTA_COMMANDS] = {
    {"Image Notify", true},
    {"Query Next Image Request", false},
    {"Query Next Image Response", true},
    {"Image Block Request", false},
    {"Image Page Request", false},
    {"Image Block Response", true},
    {"Upgrade End Request", false},
    {"Upgrade End Response", true},
    {"Query Device Specific File Request", false},
    {"Query Device Specific File Response", true},
};

bool al_zota_from_server(uint8_t command)
{
    return command < AL_ZOTA_COMMANDS && commands[command].from_server;
}

const char *al_zota_command_name(uint8_t command)
{
    return command < AL_ZOTA_COMMANDS ? commands[command].name : NULL;
}

static size_t left(const struct al_cur *c)
{
    return c->len - c->pos;
}

static struct al_zota_id read_id(struct al_cur *c)
{
    struct al_zota_id id;
    id.manufacturer = al_le16(c);
    id.image_type = al_le16(c);
    id.file_version = al_le32(c);
    return id;
}

static void write_id(struct al_put *p, const struct al_zota_id *id)
{
    al_put16(p, id->manufacturer);
    al_put16(p, id->image_type);
    al_put32(p, id->file_version);
}

/* A notification that stops early still says "there may be something": its ids are then
 * wild cards and it is the receiver who decides. */
static void read_image_notify(struct al_cur *c, struct al_zota_image_notify *n)
{
    n->payload_type = al_u8(c);
    n->query_jitter = al_u8(c);
    if (c->failed) return;
    struct al_cur ids = *c;
    n->id = (struct al_zota_id){AL_ZOTA_ANY_MANUFACTURER, AL_ZOTA_ANY_IMAGE_TYPE,
                                AL_ZOTA_ANY_FILE_VERSION};
    struct al_zota_id id = n->id;
    if (n->payload_type >= 1) id.manufacturer = al_le16(&ids);
    if (n->payload_type >= 2) id.image_type = al_le16(&ids);
    if (n->payload_type >= 3) id.file_version = al_le32(&ids);
    n->whole = n->payload_type <= 3 && !ids.failed;
    if (n->whole) n->id = id;
}

static void write_image_notify(struct al_put *p, const struct al_zota_image_notify *n)
{
    al_put8(p, n->payload_type);
    al_put8(p, n->query_jitter);
    if (n->payload_type >= 1) al_put16(p, n->id.manufacturer);
    if (n->payload_type >= 2) al_put16(p, n->id.image_type);
    if (n->payload_type >= 3) al_put32(p, n->id.file_version);
}

static void read_query_next_image_req(struct al_cur *c, struct al_zota_query_next_image_req *q)
{
    q->has_hardware_version = al_u8(c) & HAS_HARDWARE_VERSION;
    q->id = read_id(c);
    if (q->has_hardware_version) q->hardware_version = al_le16(c);
}

static void write_query_next_image_req(struct al_put *p,
                                       const struct al_zota_query_next_image_req *q)
{
    al_put8(p, q->has_hardware_version ? HAS_HARDWARE_VERSION : 0);
    write_id(p, &q->id);
    if (q->has_hardware_version) al_put16(p, q->hardware_version);
}

static void read_query_next_image_rsp(struct al_cur *c, struct al_zota_query_next_image_rsp *r)
{
    r->status = al_u8(c);
    if (r->status != AL_ZOTA_SUCCESS) return;
    r->id = read_id(c);
    r->image_size = al_le32(c);
}

static void write_query_next_image_rsp(struct al_put *p,
                                       const struct al_zota_query_next_image_rsp *r)
{
    al_put8(p, r->status);
    if (r->status != AL_ZOTA_SUCCESS) return;
    write_id(p, &r->id);
    al_put32(p, r->image_size);
}

static void read_image_block_req(struct al_cur *c, struct al_zota_image_block_req *q)
{
    uint8_t control = al_u8(c);
    q->id = read_id(c);
    q->file_offset = al_le32(c);
    q->max_data_size = al_u8(c);
    q->has_node_addr = control & HAS_NODE_ADDR;
    if (q->has_node_addr) q->node_addr = al_le64(c);
    q->has_min_block_period = control & HAS_MIN_BLOCK_PERIOD && left(c) >= 2;
    if (q->has_min_block_period) q->min_block_period = al_le16(c);
}

static void write_image_block_req(struct al_put *p, const struct al_zota_image_block_req *q)
{
    al_put8(p, (uint8_t)((q->has_node_addr ? HAS_NODE_ADDR : 0) |
                         (q->has_min_block_period ? HAS_MIN_BLOCK_PERIOD : 0)));
    write_id(p, &q->id);
    al_put32(p, q->file_offset);
    al_put8(p, q->max_data_size);
    if (q->has_node_addr) al_put64(p, q->node_addr);
    if (q->has_min_block_period) al_put16(p, q->min_block_period);
}

static void read_image_page_req(struct al_cur *c, struct al_zota_image_page_req *q)
{
    q->has_node_addr = al_u8(c) & HAS_NODE_ADDR;
    q->id = read_id(c);
    q->file_offset = al_le32(c);
    q->max_data_size = al_u8(c);
    q->page_size = al_le16(c);
    q->response_spacing = al_le16(c);
    if (q->has_node_addr) q->node_addr = al_le64(c);
}

static void write_image_page_req(struct al_put *p, const struct al_zota_image_page_req *q)
{
    al_put8(p, q->has_node_addr ? HAS_NODE_ADDR : 0);
    write_id(p, &q->id);
    al_put32(p, q->file_offset);
    al_put8(p, q->max_data_size);
    al_put16(p, q->page_size);
    al_put16(p, q->response_spacing);
    if (q->has_node_addr) al_put64(p, q->node_addr);
}

static void read_image_block_rsp(struct al_cur *c, struct al_zota_image_block_rsp *r)
{
    r->status = al_u8(c);
    if (r->status == AL_ZOTA_SUCCESS) {
        r->id = read_id(c);
        r->file_offset = al_le32(c);
        r->data_size = al_u8(c);
        r->data = al_take(c, r->data_size);
    } else if (r->status == AL_ZOTA_WAIT_FOR_DATA) {
        r->current_time = al_le32(c);
        r->request_time = al_le32(c);
        r->has_min_block_period = left(c) >= 2;
        if (r->has_min_block_period) r->min_block_period = al_le16(c);
    }
}

static void write_image_block_rsp(struct al_put *p, const struct al_zota_image_block_rsp *r)
{
    al_put8(p, r->status);
    if (r->status == AL_ZOTA_SUCCESS) {
        write_id(p, &r->id);
        al_put32(p, r->file_offset);
        al_put8(p, r->data_size);
        al_put_bytes(p, r->data, r->data_size);
    } else if (r->status == AL_ZOTA_WAIT_FOR_DATA) {
        al_put32(p, r->current_time);
        al_put32(p, r->request_time);
        if (r->has_min_block_period) al_put16(p, r->min_block_period);
    }
}

static void read_upgrade_end_req(struct al_cur *c, struct al_zota_upgrade_end_req *q)
{
    q->status = al_u8(c);
    q->has_id = q->status == AL_ZOTA_SUCCESS || left(c) > 0;
    if (q->has_id) q->id = read_id(c);
}

static void write_upgrade_end_req(struct al_put *p, const struct al_zota_upgrade_end_req *q)
{
    al_put8(p, q->status);
    if (q->has_id || q->status == AL_ZOTA_SUCCESS) write_id(p, &q->id);
}

static void read_upgrade_end_rsp(struct al_cur *c, struct al_zota_upgrade_end_rsp *r)
{
    r->id = read_id(c);
    r->current_time = al_le32(c);
    r->upgrade_time = al_le32(c);
}

static void write_upgrade_end_rsp(struct al_put *p, const struct al_zota_upgrade_end_rsp *r)
{
    write_id(p, &r->id);
    al_put32(p, r->current_time);
    al_put32(p, r->upgrade_time);
}

static void read_specific_file_req(struct al_cur *c, struct al_zota_specific_file_req *q)
{
    q->node_addr = al_le64(c);
    q->id = read_id(c);
    q->stack_version = al_le16(c);
}

static void write_specific_file_req(struct al_put *p, const struct al_zota_specific_file_req *q)
{
    al_put64(p, q->node_addr);
    write_id(p, &q->id);
    al_put16(p, q->stack_version);
}

int al_zota_parse(uint8_t command, const uint8_t *payload, size_t len, struct al_zota_frame *f)
{
    struct al_cur c = al_cur(payload, len);
    memset(f, 0, sizeof *f);
    f->command = command;
    switch (command) {
    case AL_ZOTA_IMAGE_NOTIFY:
        read_image_notify(&c, &f->u.image_notify);
        break;
    case AL_ZOTA_QUERY_NEXT_IMAGE_REQ:
        read_query_next_image_req(&c, &f->u.query_next_image_req);
        break;
    case AL_ZOTA_QUERY_NEXT_IMAGE_RSP:
    case AL_ZOTA_SPECIFIC_FILE_RSP:
        read_query_next_image_rsp(&c, &f->u.query_next_image_rsp);
        break;
    case AL_ZOTA_IMAGE_BLOCK_REQ:
        read_image_block_req(&c, &f->u.image_block_req);
        break;
    case AL_ZOTA_IMAGE_PAGE_REQ:
        read_image_page_req(&c, &f->u.image_page_req);
        break;
    case AL_ZOTA_IMAGE_BLOCK_RSP:
        read_image_block_rsp(&c, &f->u.image_block_rsp);
        break;
    case AL_ZOTA_UPGRADE_END_REQ:
        read_upgrade_end_req(&c, &f->u.upgrade_end_req);
        break;
    case AL_ZOTA_UPGRADE_END_RSP:
        read_upgrade_end_rsp(&c, &f->u.upgrade_end_rsp);
        break;
    case AL_ZOTA_SPECIFIC_FILE_REQ:
        read_specific_file_req(&c, &f->u.specific_file_req);
        break;
    default:
        return AL_ERR_NOT_SUPPORTED;
    }
    return c.failed ? AL_ERR_SHORT : 0;
}

int al_zota_build(const struct al_zota_frame *f, uint8_t *payload, size_t size)
{
    struct al_put p = al_put(payload, size);
    switch (f->command) {
    case AL_ZOTA_IMAGE_NOTIFY:
        write_image_notify(&p, &f->u.image_notify);
        break;
    case AL_ZOTA_QUERY_NEXT_IMAGE_REQ:
        write_query_next_image_req(&p, &f->u.query_next_image_req);
        break;
    case AL_ZOTA_QUERY_NEXT_IMAGE_RSP:
    case AL_ZOTA_SPECIFIC_FILE_RSP:
        write_query_next_image_rsp(&p, &f->u.query_next_image_rsp);
        break;
    case AL_ZOTA_IMAGE_BLOCK_REQ:
        write_image_block_req(&p, &f->u.image_block_req);
        break;
    case AL_ZOTA_IMAGE_PAGE_REQ:
        write_image_page_req(&p, &f->u.image_page_req);
        break;
    case AL_ZOTA_IMAGE_BLOCK_RSP:
        write_image_block_rsp(&p, &f->u.image_block_rsp);
        break;
    case AL_ZOTA_UPGRADE_END_REQ:
        write_upgrade_end_req(&p, &f->u.upgrade_end_req);
        break;
    case AL_ZOTA_UPGRADE_END_RSP:
        write_upgrade_end_rsp(&p, &f->u.upgrade_end_rsp);
        break;
    case AL_ZOTA_SPECIFIC_FILE_REQ:
        write_specific_file_req(&p, &f->u.specific_file_req);
        break;
    default:
        return AL_ERR_NOT_SUPPORTED;
    }
    return p.failed ? AL_ERR_NO_MEM : (int)p.len;
}
