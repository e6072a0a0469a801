/* Data images with tones: making one from a folder, reading one in memory, and what is wrong with
 * one in words for people. The format is core/tone_image.h's. */
#ifndef HOST_TONE_IMAGE_H
#define HOST_TONE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "core/tone_image.h"

#define TONE_IMAGE_MAX (64u << 20) /* longest image, bytes */

/* The files of a folder that go into an image: names that end with ".mp3" or ".wav", in the order
 * of their bytes, as mk_audio_tone.py takes them. */
struct tone_folder {
    char *dir;
    char *name[AL_TONE_FILES];
    uint32_t count;
};
/* 0, or AL_FAIL with a sentence in why: no such folder, no such file in it, more than 256. */
int tone_folder_read(struct tone_folder *f, const char *dir, char *why, size_t why_size);
void tone_folder_free(struct tone_folder *f);

struct tone_image_options {
    uint32_t format; /* 0 or 1; what follows is of format 1 */
    const char *version;
    const char *time, *date; /* "HH:MM:SS", "YYYY-MM-DD" */
};

/* The bytes that mk_audio_tone.py would write. *out: malloc'ed. 0, or AL_FAIL with a sentence in
 * why: a file that cannot be read, too long a text or image. */
int tone_image_build(const struct tone_folder *f, const struct tone_image_options *o, uint8_t **out,
                     size_t *len, char *why, size_t why_size);

struct tone_bytes {
    const uint8_t *data;
    size_t len; /* TONE_IMAGE_MAX at most */
};
/* bytes must live as long as the source. */
struct al_tone_source tone_image_source(const struct tone_bytes *bytes);

/* What, where, expected and found, what to do. */
void tone_image_explain(const struct al_tone_fault *f, char *out, size_t size);
/* "mp3", "wav", "other" */
const char *tone_image_type_name(uint8_t type);

#endif
