#include "radio/zb_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "core/err.h"
#include "host/aes_openssl.h"

/* xorshift64*: for simulations only. */
static uint32_t pseudo_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * 0x2545f4914f6cdd1dull) >> 32);
}

uint32_t zb_node_random(void *ctx)
{
    struct zb_node *n = ctx;
    uint32_t value;
    if (n->prng) return pseudo_random(&n->prng);
    if (getrandom(&value, sizeof value, 0) != sizeof value) {
        /* Keys are made of these: there is no going on without. */
        fprintf(stderr, "airlift: the kernel gives no random numbers\n");
        abort();
    }
    return value;
}

int zb_node_open(struct zb_node *n, const struct al_node_config *c, uint64_t seed)
{
    struct al_node_config config = *c;
    memset(n, 0, sizeof *n);
    n->prng = seed;
    n->aes = aes_openssl_new();
    n->memory = malloc(al_node_memory(&c->sizes));
    if (!n->aes || !n->memory) {
        zb_node_close(n);
        return AL_ERR_NO_MEM;
    }
    config.aes = aes_openssl_aes(n->aes);
    config.random = (struct al_zb_random){n, zb_node_random};
    config.memory = n->memory;
    int err = al_node_init(&n->node, &config);
    if (err) zb_node_close(n);
    return err;
}

void zb_node_close(struct zb_node *n)
{
    aes_openssl_free(n->aes);
    free(n->memory);
    n->aes = NULL;
    n->memory = NULL;
}

void zb_node_add_engine(struct zb_node *n, struct zb_engine *e)
{
    e->following = n->engines;
    n->engines = e;
}

uint64_t zb_node_next(const struct zb_node *n)
{
    uint64_t next = al_node_next(&n->node);
    for (const struct zb_engine *e = n->engines; e; e = e->following) {
        uint64_t at = e->next(e->ctx);
        if (at < next) next = at;
    }
    return next;
}

void zb_node_run(struct zb_node *n, uint64_t now)
{
    al_node_run(&n->node, now);
    for (const struct zb_engine *e = n->engines; e; e = e->following)
        if (e->next(e->ctx) <= now) e->run(e->ctx, now);
}
