/* Kinds of audio elements. There is no audio here: peripherals take their numbers from it. */
#pragma once

#define ELEMENT_SUB_TYPE_OFFSET 16

typedef enum {
    AUDIO_ELEMENT_TYPE_UNKNOW = 1 << ELEMENT_SUB_TYPE_OFFSET,
    AUDIO_ELEMENT_TYPE_ELEMENT = 1 << (ELEMENT_SUB_TYPE_OFFSET + 1),
    AUDIO_ELEMENT_TYPE_PLAYER = 1 << (ELEMENT_SUB_TYPE_OFFSET + 2),
    AUDIO_ELEMENT_TYPE_SERVICE = 1 << (ELEMENT_SUB_TYPE_OFFSET + 3),
    AUDIO_ELEMENT_TYPE_PERIPH = 1 << (ELEMENT_SUB_TYPE_OFFSET + 4)
} audio_element_type_t;

typedef enum { AUDIO_STREAM_NONE, AUDIO_STREAM_READER, AUDIO_STREAM_WRITER } audio_stream_type_t;

#define mem_assert(x)
