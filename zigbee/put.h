/* Building of frames: the writing counterpart of struct al_cur. It checks before it
 * writes and remembers that something did not fit; len is then what fitted. */
#ifndef ZIGBEE_PUT_H
#define ZIGBEE_PUT_H

#include "core/bytes.h"

struct al_put {
    uint8_t *buf;
    size_t size;
    size_t len; /* bytes written */
    bool failed;
};

inline struct al_put al_put(void *buf, size_t size)
{
    return (struct al_put){.buf = buf, .size = size};
}

/* Room for n bytes, to be filled by the caller; NULL: no room. */
inline uint8_t *al_put_room(struct al_put *p, size_t n)
{
    if (p->failed || n > p->size - p->len) {
        p->failed = true;
        return NULL;
    }
    p->len += n;
    return p->buf + p->len - n;
}

inline void al_put8(struct al_put *p, uint8_t v)
{
    uint8_t *room = al_put_room(p, 1);
    if (room) room[0] = v;
}

inline void al_put16(struct al_put *p, uint16_t v)
{
    uint8_t *room = al_put_room(p, 2);
    if (room) al_put_le16(room, v);
}

inline void al_put24(struct al_put *p, uint32_t v)
{
    al_put16(p, (uint16_t)v);
    al_put8(p, (uint8_t)(v >> 16));
}

inline void al_put32(struct al_put *p, uint32_t v)
{
    uint8_t *room = al_put_room(p, 4);
    if (room) al_put_le32(room, v);
}

inline void al_put64(struct al_put *p, uint64_t v)
{
    uint8_t *room = al_put_room(p, 8);
    if (room) al_put_le64(room, v);
}

inline void al_put_bytes(struct al_put *p, const void *data, size_t n)
{
    uint8_t *room = al_put_room(p, n);
    if (room && n) memcpy(room, data, n);
}

#endif
