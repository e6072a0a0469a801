/* Bytes to integers and back, and the cursor through which everything is
 * parsed: it checks before it moves, and remembers that it failed, so that a
 * parser reads like the format it parses.
 *
 * Inline as C11 has it: where the compiler does not inline (-Os), all callers share
 * the one copy in bytes.c. */
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

inline uint16_t al_get_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

inline uint32_t al_get_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

inline void al_put_le16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

inline void al_put_le32(uint8_t *p, uint32_t v)
{
    al_put_le16(p, (uint16_t)v);
    al_put_le16(p + 2, (uint16_t)(v >> 16));
}

inline uint64_t al_get_le64(const uint8_t *p)
{
    return al_get_le32(p) | (uint64_t)al_get_le32(p + 4) << 32;
}

inline void al_put_le64(uint8_t *p, uint64_t v)
{
    al_put_le32(p, (uint32_t)v);
    al_put_le32(p + 4, (uint32_t)(v >> 32));
}

struct al_cur {
    const uint8_t *buf;
    size_t len;
    size_t pos;  /* after a failure: where the field began that did not fit */
    bool failed; /* stays set; every later read gives zeros */
};

inline struct al_cur al_cur(const void *buf, size_t len)
{
    return (struct al_cur){.buf = buf, .len = len};
}

/* The next n bytes, or NULL when fewer are left. */
inline const uint8_t *al_take(struct al_cur *c, size_t n)
{
    if (c->failed || n > c->len - c->pos) {
        c->failed = true;
        return NULL;
    }
    c->pos += n;
    return c->buf + c->pos - n;
}

inline void al_skip(struct al_cur *c, size_t n)
{
    (void)al_take(c, n);
}

inline uint8_t al_u8(struct al_cur *c)
{
    const uint8_t *p = al_take(c, 1);
    return p ? p[0] : 0;
}

inline uint16_t al_le16(struct al_cur *c)
{
    const uint8_t *p = al_take(c, 2);
    return p ? al_get_le16(p) : 0;
}

inline uint32_t al_le32(struct al_cur *c)
{
    const uint8_t *p = al_take(c, 4);
    return p ? al_get_le32(p) : 0;
}

inline uint64_t al_le64(struct al_cur *c)
{
    const uint8_t *p = al_take(c, 8);
    return p ? al_get_le64(p) : 0;
}

/* Copies n bytes to dst, zeros when they are not there. */
inline void al_bytes(struct al_cur *c, void *dst, size_t n)
{
    const uint8_t *p = al_take(c, n);
    if (p)
        memcpy(dst, p, n);
    else
        memset(dst, 0, n);
}

#endif
