/* Both sides of a fragmented message should have the same window. A partner that waits
 * earlier than this node would acknowledge shows its window by its pauses; it is remembered
 * for the next message. */
#include "zigbee/aps_internal.h"

#define WINDOWS (sizeof((struct al_aps *)NULL)->windows / sizeof((struct al_aps *)NULL)->windows[0])

uint8_t al_aps_window_of(const struct al_aps *a, uint16_t src)
{
    for (unsigned i = 0; i < WINDOWS; i++) {
        if (a->windows[i].window && a->windows[i].src == src) return a->windows[i].window;
    }
    return a->c.window;
}

void al_aps_forget_window(struct al_aps *a, uint16_t src)
{
    for (unsigned i = 0; i < WINDOWS; i++) {
        if (a->windows[i].src == src) a->windows[i].window = 0;
    }
}

void al_aps_learn_window(struct al_aps *a, uint16_t src, uint8_t window)
{
    al_aps_forget_window(a, src);
    a->windows[a->next_window].src = src;
    a->windows[a->next_window].window = window;
    a->next_window = (uint8_t)((a->next_window + 1u) % WINDOWS);
}
