/* Parameters as a handler sees them, and the error codes that they leave. */
#include <string.h>

#include "at/at_engine.h"

void at_note(struct at_call *call, enum at_sub sub, uint32_t extension)
{
    call->code = AT_ERROR_CODE(sub, extension);
    call->guess = false;
}

size_t at_param_count(const struct at_call *call)
{
    return call->request.count;
}

bool at_param_count_is(struct at_call *call, size_t least, size_t most)
{
    size_t given = call->request.count;
    if (given >= least && given <= most) return true;
    size_t needed = given < least ? least : most;
    at_note(call, AT_SUB_PARA_NUM_MISMATCH, (uint32_t)(needed << 8 | given));
    return false;
}

static struct at_slice slice(const struct at_call *call, size_t index)
{
    bool there = index < call->request.count && index < AT_PARAMS_MAX;
    return there ? call->request.param[index] : (struct at_slice){0};
}

/* An omitted parameter may be right: then what comes next forgets the guess. */
static enum at_param outcome(struct at_call *call, size_t index, enum at_param p, enum at_sub sub)
{
    if (call->guess) call->code = 0;
    call->guess = false;
    if (p == AT_PARAM_OK) return p;
    at_note(call, p == AT_PARAM_OMITTED ? AT_SUB_PARA_INVALID : sub, (uint32_t)index);
    call->guess = p == AT_PARAM_OMITTED;
    return p;
}

enum at_param at_param_int(struct at_call *call, size_t index, int64_t *out)
{
    enum at_sub sub = AT_SUB_OK;
    enum at_param p = at_slice_int(slice(call, index), out, &sub);
    return outcome(call, index, p, sub);
}

enum at_param at_param_text(struct at_call *call, size_t index, const char **out)
{
    enum at_sub sub = AT_SUB_OK;
    size_t len;
    struct at_slice s = slice(call, index);
    char *room = s.len ? call->texts + (s.at - call->line) : call->texts;
    enum at_param p = at_slice_text(s, room, &len, &sub);
    if (p == AT_PARAM_OK) *out = room;
    return outcome(call, index, p, sub);
}

bool at_param_length_is(struct at_call *call, size_t index, const char *text, size_t least,
                        size_t most)
{
    size_t len = strlen(text);
    if (len >= least && len <= most) return true;
    at_note(call, AT_SUB_PARA_LENGTH_MISMATCH, (uint32_t)index);
    return false;
}

enum at_result at_param_invalid(struct at_call *call, size_t index)
{
    at_note(call, AT_SUB_PARA_INVALID, (uint32_t)index);
    return AT_ERROR;
}
