/* Memory by ESP-ADF's names: the host's heap. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void *audio_malloc(size_t size);
void *audio_malloc_align(size_t alignment, size_t size); /* alignment: a power of two */
void *audio_calloc(size_t nmemb, size_t size);
void *audio_calloc_inner(size_t nmemb, size_t size);
void *audio_realloc(void *ptr, size_t size);
char *audio_strdup(const char *str);
void audio_free(void *ptr);

bool audio_mem_spiram_is_enabled(void);
bool audio_mem_spiram_stack_is_enabled(void);

/* Logs how much heap the chip would have left. */
void audio_mem_print(const char *tag, int line, const char *func);
#define AUDIO_MEM_SHOW(x) audio_mem_print(x, __LINE__, __func__)

#define AUDIO_SAFE_FREE(ptr, free_fn)     \
    do {                                  \
        if ((ptr) && (free_fn) != NULL) { \
            free_fn(ptr);                 \
            (ptr) = NULL;                 \
        }                                 \
    } while (0)

#ifdef __cplusplus
}
#endif
