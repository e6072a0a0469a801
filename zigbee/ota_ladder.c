#include "zigbee/ota_ladder.h"

static const uint8_t sizes[] = {223, 63, 49, 40};
enum { LAST = sizeof sizes - 1, FAILS = 2, GOOD_FIRST = 16, GOOD_MOST = 1024 };

uint8_t al_zota_ladder_size(const struct al_zota_ladder *l)
{
    return sizes[l->step > LAST ? LAST : l->step];
}

bool al_zota_ladder_good(struct al_zota_ladder *l)
{
    if (l->need == 0) l->need = GOOD_FIRST;
    l->fails = 0;
    if (l->step <= l->best) return false;
    if (++l->good < l->need) return false;
    l->step--;
    l->good = 0;
    /* Doubled now, so that a step that fails again is tried ever more rarely. */
    if (l->need < GOOD_MOST) l->need = (uint16_t)(l->need * 2);
    return true;
}

bool al_zota_ladder_bad(struct al_zota_ladder *l)
{
    l->good = 0;
    if (++l->fails < FAILS) return false;
    l->fails = 0;
    if (l->step >= LAST) return false;
    l->step++;
    return true;
}

void al_zota_ladder_refused(struct al_zota_ladder *l, uint8_t size)
{
    while (l->best < LAST && sizes[l->best] >= size) l->best++;
    if (l->step < l->best) l->step = l->best;
}
