/* A co-processor on a line as struct radio: spinel_host.h on spinel_link.h. A line that
 * vanishes is opened again, after a quarter of a second at first and ten at last; the
 * co-processor then gets its configuration again. Opened by radio_open(); only a
 * co-processor that turns out to be no usable RCP is lost for good. */
#ifndef RADIO_SPINEL_RADIO_H
#define RADIO_SPINEL_RADIO_H

#include "radio/radio_impl.h"

#define SPINEL_REOPEN_FIRST_US 250000u
#define SPINEL_REOPEN_LAST_US  10000000u

/* The firmware's own words, "OPENTHREAD/...; ESP32H2; ...". r: of the kind spinel:. */
const char *spinel_radio_version(const struct radio *r);

/* Why the line is down at the moment; NULL: it is not. */
const char *spinel_radio_trouble(const struct radio *r);

#endif
