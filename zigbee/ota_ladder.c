#include "zigbee/ota_ladder.h"

static const uint8_t sizes[] = {223, 63, 49, 40};
enum {
    LAST = sizeof sizes - 1,
    FAILS = 2,
    FAILS_PROVEN = 4,
    WINS = 8, /* of a size: it works, and what fails is the air */
    GOOD_FIRST = 16,
    GOOD_MOST = 1024
};

uint8_t al_zota_ladder_size(const struct al_zota_ladder *l)
{
    return sizes[l->step > LAST ? LAST : l->step];
}

static bool proven(const struct al_zota_ladder *l, unsigned step)
{
    return l->proven >> step & 1;
}

static void go_to(struct al_zota_ladder *l, unsigned step)
{
    l->step = (uint8_t)step;
    l->good = 0;
    l->wins = 0;
    l->fails = 0;
}

bool al_zota_ladder_good(struct al_zota_ladder *l)
{
    if (l->need == 0) l->need = GOOD_FIRST;
    l->fails = 0;
    if (l->wins < WINS && ++l->wins == WINS) l->proven |= (uint8_t)(1u << l->step);
    if (l->step <= l->best) return false;
    unsigned up = l->step - 1u;
    if (++l->good < (proven(l, up) ? GOOD_FIRST : l->need)) return false;
    /* Doubled now, so that a step that fails again is tried ever more rarely. */
    if (!proven(l, up) && l->need < GOOD_MOST) l->need = (uint16_t)(l->need * 2);
    go_to(l, up);
    return true;
}

bool al_zota_ladder_bad(struct al_zota_ladder *l)
{
    bool up_works = l->step > l->best && proven(l, l->step - 1u);
    if (!up_works) l->good = 0;
    if (++l->fails < (proven(l, l->step) ? FAILS_PROVEN : FAILS)) return false;
    l->fails = 0;
    if (l->step >= LAST) return false;
    go_to(l, l->step + 1u);
    return true;
}

void al_zota_ladder_refused(struct al_zota_ladder *l, uint8_t size)
{
    while (l->best < LAST && sizes[l->best] >= size) l->best++;
    if (l->step < l->best) l->step = l->best;
}
