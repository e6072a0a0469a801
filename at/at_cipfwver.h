/* AT+CIPFWVER?, for the table of at_ciupdate.c. */
#ifndef AT_CIPFWVER_H
#define AT_CIPFWVER_H

#include "at/at.h"

enum at_result at_cipfwver_query(struct at_call *call);

#endif
