/* The process that a firmware is: started from bytes in flash, in memory only,
 * confined, and gone without a trace when the chip resets. */
#ifndef DEVICE_FIRMWARE_H
#define DEVICE_FIRMWARE_H

#include <sys/types.h>

#include "device/device.h"

#define FIRMWARE_UARTS 3u

struct firmware {
    pid_t pid; /* 0: none */
    /* A UART each; -1: not there. Non-blocking */
    int out[FIRMWARE_UARTS]; /* what it sends */
    int in[FIRMWARE_UARTS];  /* what it is given */
};

/* No process, no descriptors. */
#define FIRMWARE_NONE ((struct firmware){.out = {-1, -1, -1}, .in = {-1, -1, -1}})

struct firmware_start {
    const struct device *device;
    const uint8_t *program; /* ELF file; NULL: the built-in agent */
    uint32_t size;
    uint32_t agent; /* enum agent_conduct */
    bool sandbox;
    uint32_t wired; /* bit n: UART n is on a wire. UART 0 is there in any case */
};

/* The calling process becomes the reaper of whatever a firmware leaves behind, and
 * must have no other children while one runs. 0, or AL_FAIL with the reason in why. */
int firmware_start(struct firmware *f, const struct firmware_start *s, char *why, size_t why_size);
/* True once it has ended; status as from waitpid. */
bool firmware_ended(struct firmware *f, int *status);
/* Ends it with all its threads and children, at once. out can still be read. */
void firmware_kill(struct firmware *f);
void firmware_close(struct firmware *f); /* not before it has ended */

/* Can this ELF file run on this machine? NULL: yes. */
const char *firmware_program_fault(const uint8_t *program, uint32_t size);

#endif
