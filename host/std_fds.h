/* Standard input, output and error of a program whose caller closed them. */
#ifndef HOST_STD_FDS_H
#define HOST_STD_FDS_H

/* A closed standard descriptor is given out to the next open(), and messages would land in
 * a data file. Fills each gap with one on which reading or writing still fails. To be called
 * before anything is opened. */
void std_fds_guard(void);

#endif
