#include "core/bytes.h"

extern inline uint16_t al_get_le16(const uint8_t *p);
extern inline uint32_t al_get_le32(const uint8_t *p);
extern inline void al_put_le16(uint8_t *p, uint16_t v);
extern inline void al_put_le32(uint8_t *p, uint32_t v);
extern inline struct al_cur al_cur(const void *buf, size_t len);
extern inline const uint8_t *al_take(struct al_cur *c, size_t n);
extern inline void al_skip(struct al_cur *c, size_t n);
extern inline uint8_t al_u8(struct al_cur *c);
extern inline uint16_t al_le16(struct al_cur *c);
extern inline uint32_t al_le32(struct al_cur *c);
extern inline void al_bytes(struct al_cur *c, void *dst, size_t n);
extern inline uint64_t al_get_le64(const uint8_t *p);
extern inline void al_put_le64(uint8_t *p, uint64_t v);
extern inline uint64_t al_le64(struct al_cur *c);
