/* The system calls that a firmware may use. */
#ifndef DEVICE_SANDBOX_CALLS_H
#define DEVICE_SANDBOX_CALLS_H

/* Puts the list in force for the calling process. program: the descriptor that
 * fexecve may start, -1: none. 0 or -errno. */
int sandbox_calls(int program);

#endif
