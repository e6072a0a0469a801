#include "core/flash.h"

#include "core/err.h"

struct al_window al_window_all(const struct al_flash *f)
{
    return (struct al_window){.flash = f, .size = f->size};
}

static int check_range(const struct al_window *w, uint32_t off, uint32_t len)
{
    if (off > w->size) return AL_ERR_INVALID_ARG;
    return len > w->size - off ? AL_ERR_INVALID_SIZE : AL_OK;
}

int al_window_sub(const struct al_window *w, uint32_t offset, uint32_t size, struct al_window *out)
{
    if (check_range(w, offset, size)) return AL_ERR_INVALID_SIZE;
    *out = *w;
    out->offset += offset;
    out->size = size;
    return AL_OK;
}

int al_window_read(const struct al_window *w, uint32_t off, void *dst, uint32_t len)
{
    int err = check_range(w, off, len);
    if (err || len == 0) return err;
    return w->flash->read(w->flash->ctx, w->offset + off, dst, len);
}

int al_window_program(const struct al_window *w, uint32_t off, const void *src, uint32_t len)
{
    if (w->readonly) return AL_ERR_NOT_ALLOWED;
    int err = check_range(w, off, len);
    if (err || len == 0) return err;
    return w->flash->program(w->flash->ctx, w->offset + off, src, len);
}

int al_window_erase(const struct al_window *w, uint32_t off, uint32_t len)
{
    if (w->readonly) return AL_ERR_NOT_ALLOWED;
    int err = check_range(w, off, len);
    if (err) return err;
    if (len % AL_SECTOR) return AL_ERR_INVALID_SIZE;
    /* A table may place a partition anywhere; the chip erases whole sectors only. */
    if (off % AL_SECTOR || w->offset % AL_SECTOR) return AL_ERR_INVALID_ARG;
    if (len == 0) return AL_OK;
    return w->flash->erase(w->flash->ctx, w->offset + off, len);
}

const uint8_t *al_window_map(const struct al_window *w, uint32_t off, uint32_t len)
{
    if (!w->flash->map || len == 0 || check_range(w, off, len)) return NULL;
    return w->flash->map(w->flash->ctx, w->offset + off, len);
}
