#include "tests/support/mem_flash.h"

#include "core/err.h"

#include <stdlib.h>
#include <string.h>

static int mem_read(void *ctx, uint32_t addr, void *dst, uint32_t len)
{
    struct mem_flash *m = ctx;
    if (m->fail_read_at && m->fail_read_at >= addr && m->fail_read_at - addr < len)
        return AL_ERR_FLASH_OP_FAIL;
    memcpy(dst, m->bytes + addr, len);
    m->reads += len;
    return AL_OK;
}

static int mem_program(void *ctx, uint32_t addr, const void *src, uint32_t len)
{
    struct mem_flash *m = ctx;
    const uint8_t *p = src;
    for (uint32_t i = 0; i < len; i++) {
        if (p[i] & ~m->bytes[addr + i]) return AL_ERR_NOT_NOR;
        m->bytes[addr + i] &= p[i];
    }
    return AL_OK;
}

static int mem_erase(void *ctx, uint32_t addr, uint32_t len)
{
    struct mem_flash *m = ctx;
    memset(m->bytes + addr, 0xff, len);
    return AL_OK;
}

static const uint8_t *mem_map(void *ctx, uint32_t addr, uint32_t len)
{
    struct mem_flash *m = ctx;
    return m->bytes + addr;
}

void mem_flash_init(struct mem_flash *m, uint32_t size, bool mapped)
{
    memset(m, 0, sizeof *m);
    m->bytes = malloc(size);
    if (!m->bytes) abort();
    memset(m->bytes, 0xff, size);
    m->flash = (struct al_flash){
        .ctx = m,
        .size = size,
        .read = mem_read,
        .program = mem_program,
        .erase = mem_erase,
        .map = mapped ? mem_map : NULL,
    };
}

void mem_flash_put(struct mem_flash *m, uint32_t offset, const void *data, size_t len)
{
    memcpy(m->bytes + offset, data, len);
}

void mem_flash_free(struct mem_flash *m)
{
    free(m->bytes);
    m->bytes = NULL;
}
