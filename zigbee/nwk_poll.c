/* An end device and its parent: polls of a sleeper, keep-alive, and when the parent counts
 * as lost. */
#include "zigbee/nwk_internal.h"

#define FAILURES_MAX  4u
#define ASK_AFTER     (200 * AL_NWK_MS) /* behind the announcement of a new member */
#define ANSWER_WITHIN AL_NWK_S
#define RETRY_POLL    AL_NWK_S
#define ASK_AGAIN     (5 * AL_NWK_S)
#define ASKS_MAX      3u

static bool polls(const struct al_nwk *n)
{
    return n->c.rx_off && (n->up || n->awaiting_key || n->state == AL_NWK_REJOIN_WAIT);
}

static uint64_t interval(const struct al_nwk *n, uint64_t now)
{
    bool fast = now < n->fast_until || n->awaiting_key || n->state == AL_NWK_REJOIN_WAIT;
    return (fast ? n->c.fast_poll_ms : n->c.long_poll_ms) * AL_NWK_MS;
}

void al_nwk_poll_start(struct al_nwk *n, uint64_t now)
{
    if (n->c.rx_off) n->next_poll = now + n->c.fast_poll_ms * AL_NWK_MS;
    n->asks = 0;
    if (n->up) n->next_keepalive = now + ASK_AFTER;
}

void al_nwk_fast_poll(struct al_nwk *n, uint64_t now, uint64_t until)
{
    if (al_nwk_is_parent_role(n) || !n->c.rx_off) return;
    if (until > n->fast_until) n->fast_until = until;
    if (polls(n)) n->next_poll = al_earlier(n->next_poll, now + interval(n, now));
}

int al_nwk_poll(struct al_nwk *n, uint64_t now)
{
    if (al_nwk_is_parent_role(n) || n->parent == AL_NWK_NO_ADDR) return AL_ERR_INVALID_STATE;
    int err = al_mac_poll(n->c.mac, now, n->parent);
    if (!err) n->polling = true;
    return err;
}

void al_nwk_parent_failed(struct al_nwk *n, uint64_t now)
{
    n->next_keepalive = al_earlier(n->next_keepalive, now + ASK_AGAIN);
    if (++n->failed_polls < FAILURES_MAX) return;
    n->failed_polls = 0;
    AL_NWK_TELL(parent_lost, now);
}

void al_nwk_poll_done(void *ctx, uint64_t now, enum al_zb_status status)
{
    struct al_nwk *n = ctx;
    bool more = n->poll_again && status == AL_ZB_OK;
    bool answered = status == AL_ZB_OK || status == AL_ZB_NO_DATA;
    uint64_t wait = interval(n, now);
    n->polling = false;
    n->poll_again = false;
    if (!answered && wait > RETRY_POLL) wait = RETRY_POLL;
    if (polls(n)) n->next_poll = more ? now : now + wait;
    if (answered)
        n->failed_polls = 0;
    else if (n->up)
        al_nwk_parent_failed(n, now);
}

uint64_t al_nwk_poll_next(const struct al_nwk *n)
{
    return n->polling ? AL_NWK_NEVER : n->next_poll;
}

void al_nwk_poll_run(struct al_nwk *n, uint64_t now)
{
    if (n->polling || now < n->next_poll) return;
    n->next_poll = now + interval(n, now);
    if (!polls(n))
        n->next_poll = AL_NWK_NEVER;
    else if (al_nwk_poll(n, now))
        n->next_poll = now + 10 * AL_NWK_MS; /* the MAC is at something else */
}

/* ---- Keep-alive ---- */

static void ask_timeout(struct al_nwk *n, uint64_t now)
{
    const struct al_nwk_command ask = {.id = AL_NWK_TIMEOUT_REQUEST,
                                       .timeout_request = {.index = n->c.timeout_index}};
    const struct al_nwk_how how = {.tries = AL_NWK_RETRIES};
    al_nwk_command(n, now, &ask, n->parent, al_nwk_ext_of(n, n->parent), 1, &how);
    al_nwk_fast_poll(n, now, now + ANSWER_WITHIN);
}

/* Tells the parent how long this node may be silent, then in time that it is there: a
 * quarter of the time-out leaves room for lost frames. */
void al_nwk_keepalive(struct al_nwk *n, uint64_t now)
{
    uint64_t quarter = al_nwk_timeout_seconds(n->c.timeout_index) * AL_NWK_S / 4;
    n->next_keepalive = AL_NWK_NEVER;
    if (!n->up) return;
    if (!n->parent_info && n->asks < ASKS_MAX) {
        n->asks++;
        n->next_keepalive = now + ASK_AGAIN;
        ask_timeout(n, now);
        return;
    }
    if (!n->parent_info) n->parent_info = AL_NWK_PARENT_POLL; /* an old parent: it does not say */
    if (n->c.rx_off && n->parent_info & AL_NWK_PARENT_POLL) return; /* its polls will do */
    n->next_keepalive = now + quarter;
    if (n->parent_info & AL_NWK_PARENT_REQUEST)
        ask_timeout(n, now);
    else
        al_nwk_poll(n, now);
}
