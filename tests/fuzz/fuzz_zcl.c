/* ZCL frames of any content: header, lists of attributes, typed values. What parses is built
 * again. */
#include "tests/fuzz/frame_again.h"
#include "zigbee/zcl_frame.h"

#define RESERVED 0xe0u

static void value(const struct al_zcl_value *v)
{
    size_t len;
    const uint8_t *s = al_zcl_value_string(v, &len);
    must(!s || (s >= v->data && s + len == v->data + v->len));
    uint64_t n = al_zcl_value_unsigned(v);
    (void)al_zcl_value_signed(v);
    int size = al_zcl_type_size(v->type);
    if (size <= 0 || size > 8) return;
    uint8_t out[8];
    struct al_put p = al_put(out, sizeof out);
    al_zcl_put_number(&p, v->type, n);
    must(p.len == v->len);
    begins_with(v->data, v->len, &p);
}

static void records(uint8_t command, struct al_cur c)
{
    struct al_zcl_record r;
    size_t begin = c.pos;
    while (al_zcl_record_get(&r, command, &c) == 1) {
        uint8_t out[1024];
        struct al_put p = al_put(out, sizeof out);
        must(c.pos > begin); /* or it would never end */
        if (r.value.data) value(&r.value);
        if (r.change.data) value(&r.change);
        al_zcl_record_put(&r, command, &p);
        /* A success in a list of failures may have an attribute that is not written. */
        bool good_status =
            r.status == AL_ZCL_SUCCESS &&
            (command == AL_ZCL_WRITE_RSP || command == AL_ZCL_CONFIGURE_REPORTING_RSP);
        if (c.pos - begin <= sizeof out) begins_with(c.buf + begin, c.pos - begin, &p);
        must(good_status || c.pos - begin > sizeof out || p.len == c.pos - begin);
        begin = c.pos;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t out[2048];
    struct al_put p = al_put(out, sizeof out);
    struct al_zcl_frame f;
    if (size > sizeof out || al_zcl_parse(&f, data, size)) return 0;
    must(f.payload + f.payload_len == data + size);
    must(al_zcl_build(&f, &p) == 0);
    must(p.len == size);
    if (!(data[0] & RESERVED)) begins_with(data, size, &p);
    if (!f.cluster_specific) records(f.command, al_cur(f.payload, f.payload_len));
    return 0;
}
