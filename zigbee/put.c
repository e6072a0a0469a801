#include "zigbee/put.h"

extern inline struct al_put al_put(void *buf, size_t size);
extern inline uint8_t *al_put_room(struct al_put *p, size_t n);
extern inline void al_put8(struct al_put *p, uint8_t v);
extern inline void al_put16(struct al_put *p, uint16_t v);
extern inline void al_put24(struct al_put *p, uint32_t v);
extern inline void al_put32(struct al_put *p, uint32_t v);
extern inline void al_put64(struct al_put *p, uint64_t v);
extern inline void al_put_bytes(struct al_put *p, const void *data, size_t n);
