/* Who hears whom, and how well. */
#include <math.h>

#include "radio/medium_impl.h"

#define NEAREST_M 0.1

/* The same for both directions of a pair, whatever else is on the medium. */
static double shadowing(const struct medium *m, const struct medium_node *a,
                        const struct medium_node *b)
{
    if (m->config.shadowing_db <= 0) return 0;
    uint64_t state = m->config.seed ^ medium_mix(a->config.eui64) ^ medium_mix(b->config.eui64);
    double u = 1 - medium_random_unit(&state), v = medium_random_unit(&state);
    return m->config.shadowing_db * sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

static struct link link_between(const struct medium *m, const struct medium_node *a,
                                const struct medium_node *b)
{
    const struct medium_node_config *p = &a->config, *q = &b->config;
    if (!p->placed || !q->placed) return (struct link){MEDIUM_LEVEL_DBM, PRR_BY_LEVEL};
    double range = m->config.range_m > 0 ? m->config.range_m : MEDIUM_RANGE_M;
    double exponent = m->config.exponent > 0 ? m->config.exponent : MEDIUM_EXPONENT;
    double distance = fmax(hypot(p->x - q->x, p->y - q->y), NEAREST_M);
    double dbm = MEDIUM_SENSITIVITY_DBM + 10 * exponent * log10(range / distance);
    return (struct link){(float)(dbm + shadowing(m, a, b)), PRR_BY_LEVEL};
}

void medium_link_up(struct medium *m, struct medium_node *n)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (!m->nodes[i] || m->nodes[i] == n) continue;
        struct link both = link_between(m, n, m->nodes[i]);
        *medium_link(m, n->index, i) = *medium_link(m, i, n->index) = both;
    }
    *medium_link(m, n->index, n->index) = (struct link){LEVEL_NEVER, 0};
}

void medium_set_link(struct medium_node *from, struct medium_node *to, double prr, int8_t dbm)
{
    if (from == to) return;
    *medium_link(from->medium, from->index, to->index) =
        prr > 0 ? (struct link){dbm, (float)fmin(prr, 1)} : (struct link){LEVEL_NEVER, 0};
}

void medium_place_node(struct medium_node *n, double x, double y)
{
    n->config.placed = true;
    n->config.x = x;
    n->config.y = y;
    medium_link_up(n->medium, n);
}

float medium_level(const struct medium *m, const struct transmission *x, uint32_t to)
{
    float level = medium_link(m, x->from, to)->dbm + x->power;
    return level >= MEDIUM_SENSITIVITY_DBM ? level : LEVEL_NEVER;
}

double medium_reception(const struct medium *m, const struct transmission *x, uint32_t to,
                        float level)
{
    double p = medium_link(m, x->from, to)->prr;
    if (p == (double)PRR_BY_LEVEL)
        p = fmin((level - MEDIUM_SENSITIVITY_DBM) / (double)MEDIUM_FRINGE_DB, 1);
    return p * (1 - m->config.loss);
}
