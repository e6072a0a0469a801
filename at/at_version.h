/* Version of the AT interpreter, as AT+GMR and the web page say it. */
#ifndef AT_AT_VERSION_H
#define AT_AT_VERSION_H

#define AT_CORE_VERSION "4.2.0.0"

#endif
