/* NWK commands that came in, other than those of routing and joining. */
#include "zigbee/nwk_internal.h"

void al_nwk_send_status(struct al_nwk *n, uint64_t now, uint16_t dst, uint8_t code, uint16_t addr)
{
    const struct al_nwk_command cmd = {.id = AL_NWK_STATUS, .status = {.code = code, .addr = addr}};
    const struct al_nwk_how how = {.tries = AL_NWK_REPEATS};
    bool broadcast = AL_NWK_BROADCAST(dst), known;
    uint8_t seq = n->seq;
    int err = al_nwk_command(n, now, &cmd, dst, broadcast ? 0 : al_nwk_ext_of(n, dst), 0, &how);
    if (!err && broadcast) al_nwk_broadcast_note(n, now, n->addr, seq, &known);
}

static void status_in(struct al_nwk *n, uint64_t now, const struct al_nwk_command *cmd)
{
    uint8_t code = cmd->status.code;
    uint16_t addr = cmd->status.has_addr ? cmd->status.addr : AL_NWK_NO_ADDR;
    switch (code) {
    case AL_NWK_STATUS_ADDRESS_CONFLICT:
        if (cmd->status.has_addr) al_nwk_conflict_in(n, now, addr);
        break;
    case AL_NWK_STATUS_MANY_TO_ONE_FAILURE:
    case AL_NWK_STATUS_SOURCE_ROUTE_FAILURE:
        al_nwk_many_to_one_soon(n, now);
        al_nwk_route_forget(n, addr);
        break;
    case AL_NWK_STATUS_NO_ROUTE:
    case AL_NWK_STATUS_TREE_LINK_FAILURE:
    case AL_NWK_STATUS_LINK_FAILURE:
        al_nwk_route_forget(n, addr);
        break;
    default:
        break;
    }
    AL_NWK_TELL(status, now, code, addr);
}

int al_nwk_change_pan(struct al_nwk *n, uint64_t now, uint16_t pan_id)
{
    const struct al_nwk_command cmd = {.id = AL_NWK_UPDATE,
                                       .update = {.extended_pan = n->epid,
                                                  .new_pan = pan_id,
                                                  .update_id = (uint8_t)(n->update_id + 1u)}};
    const struct al_nwk_how how = {.tries = AL_NWK_REPEATS};
    bool known;
    uint8_t seq = n->seq;
    if (n->c.role != AL_NWK_ROLE_COORDINATOR || !n->up) return AL_ERR_INVALID_STATE;
    int err = al_nwk_command(n, now, &cmd, AL_NWK_ALL_RX_ON, 0, 0, &how);
    if (err) return err;
    al_nwk_broadcast_note(n, now, n->addr, seq, &known);
    al_nwk_move(n, now, n->channel, pan_id, cmd.update.update_id);
    return 0;
}

/* ---- Leave ---- */

void al_nwk_gone(struct al_nwk *n, uint64_t now, bool rejoin)
{
    al_nwk_go_down(n);
    AL_NWK_TELL(left, now, rejoin);
}

static void announce_leave(struct al_nwk *n, uint64_t now, bool rejoin, bool remove_children)
{
    const struct al_nwk_command cmd = {
        .id = AL_NWK_LEAVE, .leave = {.rejoin = rejoin, .remove_children = remove_children}};
    /* To all by one frame; an end device's goes to its parent, who is to take it. */
    const struct al_nwk_how how = {.tries = al_nwk_is_parent_role(n) ? 0 : AL_NWK_RETRIES};
    if (al_nwk_command(n, now, &cmd, AL_NWK_ALL_RX_ON, 0, 1, &how)) al_nwk_gone(n, now, rejoin);
}

static int tell_to_leave(struct al_nwk *n, uint64_t now, const struct al_nwk_neighbour *who,
                         bool remove_children, bool rejoin)
{
    const struct al_nwk_command cmd = {
        .id = AL_NWK_LEAVE,
        .leave = {.request = true, .rejoin = rejoin, .remove_children = remove_children}};
    const struct al_nwk_how how = {
        .flags = AL_W_FIXED, .next_hop = who->addr, .tries = AL_NWK_RETRIES};
    return al_nwk_command(n, now, &cmd, who->addr, who->ext, 1, &how);
}

static void leave_self(struct al_nwk *n, uint64_t now, bool remove_children, bool rejoin)
{
    for (unsigned i = 0; remove_children && i < n->c.neighbour_count; i++) {
        const struct al_nwk_neighbour *who = &n->c.neighbours[i];
        if (al_nwk_is_child(who)) tell_to_leave(n, now, who, true, rejoin);
    }
    announce_leave(n, now, rejoin, remove_children);
}

int al_nwk_leave(struct al_nwk *n, uint64_t now, uint64_t ext, bool remove_children, bool rejoin)
{
    if (!n->up) return AL_ERR_INVALID_STATE;
    if (ext && ext != n->ext) {
        const struct al_nwk_neighbour *who = al_nwk_neighbour_ext(n, ext);
        return who ? tell_to_leave(n, now, who, remove_children, rejoin) : AL_ERR_NOT_FOUND;
    }
    leave_self(n, now, remove_children, rejoin);
    return 0;
}

static void leave_in(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                     const struct al_nwk_command *cmd, struct al_nwk_neighbour *who)
{
    if (!cmd->leave.request) {
        if (f->src == who->addr) al_nwk_child_left(n, now, who, cmd->leave.rejoin);
        return;
    }
    bool entitled = who->addr == n->parent || f->src == AL_NWK_COORDINATOR;
    if (f->dst != n->addr || !entitled || n->c.role == AL_NWK_ROLE_COORDINATOR) return;
    leave_self(n, now, cmd->leave.remove_children, cmd->leave.rejoin);
}

/* Of stacks older than the leave command. Nothing proves who sent it. Of the parent: back with
 * the key. Of a child: it would cost the counter that keeps its old frames out; who has really
 * gone ages. */
void al_nwk_disassociated(void *ctx, uint64_t now, const struct al_mac_addr *src, uint8_t reason)
{
    struct al_nwk *n = ctx;
    struct al_nwk_neighbour *who = src->mode == AL_MAC_EXT ? al_nwk_neighbour_ext(n, src->ext)
                                                           : al_nwk_neighbour(n, src->short_addr);
    if (!who || !n->up) return;
    if (who->relation == AL_NWK_PARENT && !al_nwk_is_parent_role(n)) al_nwk_gone(n, now, true);
}

/* ---- End device time-out ---- */

static void timeout_request_in(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                               const struct al_nwk_command *cmd, struct al_nwk_neighbour *who)
{
    struct al_nwk_command answer = {
        .id = AL_NWK_TIMEOUT_RESPONSE,
        .timeout_response = {.parent = AL_NWK_PARENT_POLL | AL_NWK_PARENT_REQUEST}};
    const struct al_nwk_how how = {
        .flags = AL_W_FIXED, .next_hop = who->addr, .tries = AL_NWK_RETRIES};
    uint8_t index = cmd->timeout_request.index;
    if (f->src != who->addr || !al_nwk_is_leaf(who)) return;
    if (!al_nwk_timeout_seconds(index)) {
        answer.timeout_response.status = AL_NWK_TIMEOUT_BAD_INDEX;
    } else if (who->timeout_index != index) {
        who->timeout_index = index;
        al_nwk_save_child(n, now, who);
    }
    al_nwk_command(n, now, &answer, who->addr, who->ext, 1, &how);
}

static void timeout_response_in(struct al_nwk *n, uint64_t now, const struct al_nwk_command *cmd)
{
    uint8_t info = cmd->timeout_response.status == AL_NWK_TIMEOUT_OK ? cmd->timeout_response.parent
                                                                     : AL_NWK_PARENT_POLL;
    bool changed = info != n->parent_info;
    n->parent_info = info;
    if (changed) al_nwk_save_network(n, now);
}

/* ---- All ---- */

/* Commands that need no entry: of devices that (re)join, or answer to that. */
static bool joining(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                    const struct al_nwk_command *cmd)
{
    if (cmd->id == AL_NWK_REJOIN_REQUEST)
        al_nwk_rejoin_request_in(n, now, f, cmd);
    else if (cmd->id == AL_NWK_REJOIN_RESPONSE)
        al_nwk_rejoin_response_in(n, now, f, cmd);
    else
        return false;
    return true;
}

void al_nwk_command_in(struct al_nwk *n, uint64_t now, const struct al_mac_data_ind *ind,
                       const struct al_nwk_frame *f, struct al_nwk_neighbour *who)
{
    struct al_nwk_command cmd;
    int err = al_nwk_command_parse(&cmd, f->payload, f->payload_len);
    if (err == AL_ERR_NOT_SUPPORTED && cmd.id > AL_NWK_LINK_POWER_DELTA && f->dst == n->addr && who)
        al_nwk_send_status(n, now, f->src, AL_NWK_STATUS_UNKNOWN_COMMAND, cmd.id);
    if (err || joining(n, now, f, &cmd) || !who || !n->up) return;
    switch (cmd.id) {
    case AL_NWK_ROUTE_REQUEST:
        al_nwk_route_request_in(n, now, f, &cmd, who);
        break;
    case AL_NWK_ROUTE_REPLY:
        al_nwk_route_reply_in(n, now, &cmd, who);
        break;
    case AL_NWK_STATUS:
        status_in(n, now, &cmd);
        break;
    case AL_NWK_LEAVE:
        leave_in(n, now, f, &cmd, who);
        break;
    case AL_NWK_ROUTE_RECORD:
        al_nwk_route_record_in(n, f->src, &cmd);
        break;
    case AL_NWK_LINK_STATUS:
        if (f->src == who->addr) al_nwk_link_status_in(n, &cmd, who);
        break;
    case AL_NWK_UPDATE:
        if (cmd.update.extended_pan == n->epid && f->src == AL_NWK_COORDINATOR)
            al_nwk_move(n, now, n->channel, cmd.update.new_pan, cmd.update.update_id);
        break;
    case AL_NWK_TIMEOUT_REQUEST:
        if (al_nwk_is_parent_role(n)) timeout_request_in(n, now, f, &cmd, who);
        break;
    case AL_NWK_TIMEOUT_RESPONSE:
        if (who->addr == n->parent) timeout_response_in(n, now, &cmd);
        break;
    default:
        break;
    }
}
