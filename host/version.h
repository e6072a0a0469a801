/* The version of the whole project; the pkg-config file takes it from here too. */
#ifndef HOST_VERSION_H
#define HOST_VERSION_H

#define AIRLIFT_VERSION "0.1.0"

#endif
