/* Confines the process of a firmware: it is a program that came over a network.
 * docs/device.md says what this protects from and what not. */
#ifndef DEVICE_SANDBOX_H
#define DEVICE_SANDBOX_H

struct sandbox {
    const char *dir; /* the only directory that can be written */
    int program;     /* file descriptor that may be executed; -1: none */
};

/* For the calling process, which must have one thread, and all it becomes: no
 * privileges, new or old; files through Landlock, as far as the kernel has it; system calls by
 * a list. Limits on core dumps and file sizes. NULL, or what failed, in words; then
 * the process must not go on. */
const char *sandbox_enter(const struct sandbox *s);

/* Landlock's version in this kernel; 0: it has none, files are not confined. */
int sandbox_landlock_version(void);

#endif
