/* Memory by capability: malloc, counted against a heap of 8 MiB. */
#include "esp_heap_caps.h"

#include <malloc.h>
#include <stdarg.h>
#include <string.h>

#define HEAP_SIZE ((size_t)8 << 20)

void *heap_caps_malloc(size_t size, uint32_t caps)
{
    return malloc(size);
}

void *heap_caps_calloc(size_t n, size_t size, uint32_t caps)
{
    return calloc(n, size);
}

void *heap_caps_realloc(void *ptr, size_t size, uint32_t caps)
{
    return realloc(ptr, size);
}

void *heap_caps_malloc_prefer(size_t size, size_t num, ...)
{
    return malloc(size);
}

void *heap_caps_aligned_alloc(size_t alignment, size_t size, uint32_t caps)
{
    void *p = NULL;
    if (alignment < sizeof p) alignment = sizeof p;
    return posix_memalign(&p, alignment, size) ? NULL : p;
}

void *heap_caps_aligned_calloc(size_t alignment, size_t n, size_t size, uint32_t caps)
{
    size_t all;
    if (__builtin_mul_overflow(n, size, &all)) return NULL;
    void *p = heap_caps_aligned_alloc(alignment, all, caps);
    return p ? memset(p, 0, all) : NULL;
}

void heap_caps_free(void *ptr)
{
    free(ptr);
}

static size_t in_use(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

size_t heap_caps_get_total_size(uint32_t caps)
{
    return HEAP_SIZE;
}

/* Keeps the smallest value seen, which is what get_minimum_free_size gives: the
 * host does not tell of lows in between. */
static size_t smallest = HEAP_SIZE;

size_t heap_caps_get_free_size(uint32_t caps)
{
    size_t used = in_use(), left = used < HEAP_SIZE ? HEAP_SIZE - used : 0;
    size_t low = __atomic_load_n(&smallest, __ATOMIC_RELAXED);
    while (left < low && !__atomic_compare_exchange_n(&smallest, &low, left, true, __ATOMIC_RELAXED,
                                                      __ATOMIC_RELAXED))
        continue;
    return left;
}

size_t heap_caps_get_minimum_free_size(uint32_t caps)
{
    heap_caps_get_free_size(caps);
    return __atomic_load_n(&smallest, __ATOMIC_RELAXED);
}

size_t heap_caps_get_largest_free_block(uint32_t caps)
{
    return heap_caps_get_free_size(caps);
}

void heap_caps_get_info(multi_heap_info_t *info, uint32_t caps)
{
    struct mallinfo2 m = mallinfo2();
    *info = (multi_heap_info_t){
        .total_free_bytes = heap_caps_get_free_size(caps),
        .total_allocated_bytes = in_use(),
        .largest_free_block = heap_caps_get_largest_free_block(caps),
        .minimum_free_bytes = heap_caps_get_minimum_free_size(caps),
        .free_blocks = m.ordblks,
        .total_blocks = m.ordblks,
    };
}

bool heap_caps_check_integrity_all(bool print_errors)
{
    return true; /* the host's allocator checks itself and aborts */
}
