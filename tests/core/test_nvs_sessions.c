/* Sessions with the vendor's library, step by step: result, number of flash
 * operations, and the partition's bytes at the end. What the vendor's handles add
 * (modes, names) is little, and done here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "host/vendor_log.h"
#include "tests/support/nvs_case.h"

enum mode { READONLY, READWRITE, PURGE };

struct handle {
    char name[8];
    uint8_t ns;
    enum mode mode;
    bool open;
};

struct session {
    struct nvs_case *c;
    struct handle handle[8];
    const cJSON *step;
    char *arg[6]; /* words of the step */
    int count;
    bool ready;
};

static struct handle *handle_of(struct session *s, const char *name)
{
    struct handle *unused = NULL;

    for (size_t i = 0; i < 8; i++) {
        if (strcmp(s->handle[i].name, name) == 0) return &s->handle[i];
        if (!s->handle[i].name[0] && !unused) unused = &s->handle[i];
    }
    assert_non_null(unused);
    snprintf(unused->name, sizeof unused->name, "%s", name);
    return unused;
}

static int step_init(struct session *s)
{
    if (s->ready) return 0;
    int err = nvs_case_init(s->c);
    s->ready = err == 0;
    return err;
}

static int step_deinit(struct session *s)
{
    if (!s->ready) return AL_ERR_NVS_NOT_INITIALIZED;
    for (size_t i = 0; i < 8; i++) s->handle[i].open = false;
    s->ready = false;
    return 0;
}

static int step_erase(struct session *s)
{
    (void)step_deinit(s);
    return al_window_erase(&s->c->part, 0, s->c->part.size);
}

static int step_open(struct session *s)
{
    struct handle *h = handle_of(s, s->arg[1]);
    enum mode mode = (enum mode)atoi(s->arg[3]);

    if (!s->ready) return AL_ERR_NVS_NOT_INITIALIZED;
    int err = al_nvs_namespace(&s->c->nvs, s->arg[2], mode != READONLY, &h->ns);
    h->mode = mode;
    h->open = err == 0;
    return err;
}

static int step_close(struct session *s)
{
    handle_of(s, s->arg[1])->open = false;
    return 0;
}

static int step_commit(struct session *s)
{
    return 0;
}

static int step_set(struct session *s)
{
    struct handle *h = handle_of(s, s->arg[1]);
    enum al_nvs_type type = nvs_type(s->arg[2]);
    size_t len;
    uint8_t *value = nvs_value_bytes(type, s->arg[4], &len);
    int err = al_nvs_set(&s->c->nvs, h->ns, type, s->arg[3], value, len, h->mode == PURGE);

    free(value);
    return err;
}

static int step_get(struct session *s)
{
    struct handle *h = handle_of(s, s->arg[1]);
    enum al_nvs_type type = nvs_type(s->arg[2]);
    static uint8_t data[70000];
    size_t len;
    int err = al_nvs_get(&s->c->nvs, h->ns, type, s->arg[3], NULL, 0, &len);

    if (!err) err = al_nvs_get(&s->c->nvs, h->ns, type, s->arg[3], data, len, &len);
    if (!err)
        nvs_assert_bytes(type, data, len, cJSON_GetObjectItem(s->step, "value"),
                         cJSON_GetObjectItem(s->step, "value_sha256"));
    return err;
}

static int step_getlen(struct session *s)
{
    struct handle *h = handle_of(s, s->arg[1]);
    static uint8_t data[70000];
    size_t len = 0;
    int err = al_nvs_get(&s->c->nvs, h->ns, nvs_type(s->arg[2]), s->arg[3], data,
                         (size_t)atoi(s->arg[4]), &len);

    assert_int_equal(len, vector_number(s->step, "length"));
    return err;
}

static int step_find(struct session *s)
{
    enum al_nvs_type type;
    int err = al_nvs_find_key(&s->c->nvs, handle_of(s, s->arg[1])->ns, s->arg[2], &type);

    if (!err) assert_string_equal(nvs_type_word(type), vector_string(s->step, "type"));
    return err;
}

static int step_erase_key(struct session *s)
{
    struct handle *h = handle_of(s, s->arg[1]);
    return al_nvs_erase_key(&s->c->nvs, h->ns, s->arg[2], h->mode == PURGE);
}

static int step_erase_all(struct session *s)
{
    struct handle *h = handle_of(s, s->arg[1]);
    return al_nvs_erase_all(&s->c->nvs, h->ns, h->mode == PURGE);
}

static int step_purge_all(struct session *s)
{
    return al_nvs_purge_all(&s->c->nvs, handle_of(s, s->arg[1])->ns);
}

static int step_stats(struct session *s)
{
    struct al_nvs_stats stats;

    if (!s->ready) return AL_ERR_NVS_NOT_INITIALIZED;
    int err = al_nvs_stats(&s->c->nvs, &stats);
    assert_int_equal(stats.used, vector_number(s->step, "used"));
    assert_int_equal(stats.free, vector_number(s->step, "free"));
    assert_int_equal(stats.available, vector_number(s->step, "available"));
    assert_int_equal(stats.total, vector_number(s->step, "total"));
    assert_int_equal(stats.namespaces, vector_number(s->step, "namespaces"));
    return err;
}

static int step_used(struct session *s)
{
    uint32_t used;
    int err = al_nvs_used_entries(&s->c->nvs, handle_of(s, s->arg[1])->ns, &used);

    assert_int_equal(used, vector_number(s->step, "used"));
    return err;
}

static int step_iter(struct session *s)
{
    struct al_nvs_iter it = {.type = (uint8_t)nvs_type(s->arg[2])};
    const cJSON *entry;
    int err = s->ready ? 0 : AL_ERR_NVS_NOT_FOUND;

    if (!err && strcmp(s->arg[1], "*") != 0)
        err = al_nvs_namespace(&s->c->nvs, s->arg[1], false, &it.ns);
    bool any = false;
    cJSON_ArrayForEach(entry, vector_get(s->step, "entries"))
    {
        assert_int_equal(err, 0);
        assert_int_equal(al_nvs_next(&s->c->nvs, &it), 0);
        assert_string_equal(it.namespace_name, cJSON_GetArrayItem(entry, 0)->valuestring);
        assert_string_equal(it.key, cJSON_GetArrayItem(entry, 1)->valuestring);
        assert_string_equal(nvs_type_word(it.found_type),
                            cJSON_GetArrayItem(entry, 2)->valuestring);
        any = true;
    }
    if (!err && al_nvs_next(&s->c->nvs, &it) == 0) fail_msg("%s is one too many", it.key);
    return any ? 0 : AL_ERR_NVS_NOT_FOUND;
}

static const struct {
    const char *name;
    int (*run)(struct session *s);
    bool handle, writes;
} steps[] = {
    {"init", step_init, false, false},
    {"deinit", step_deinit, false, false},
    {"erase", step_erase, false, false},
    {"open", step_open, false, false},
    {"close", step_close, false, false},
    {"commit", step_commit, true, false},
    {"set", step_set, true, true},
    {"get", step_get, true, false},
    {"getlen", step_getlen, true, false},
    {"find", step_find, true, false},
    {"erase_key", step_erase_key, true, true},
    {"erase_all", step_erase_all, true, true},
    {"purge_all", step_purge_all, true, true},
    {"stats", step_stats, false, false},
    {"used", step_used, true, false},
    {"iter", step_iter, false, false},
};

static int run_step(struct session *s)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (strcmp(steps[i].name, s->arg[0]) != 0) continue;
        if (steps[i].handle) {
            struct handle *h = handle_of(s, s->arg[1]);
            if (!h->open) return AL_ERR_NVS_INVALID_HANDLE;
            if (steps[i].writes && h->mode == READONLY) return AL_ERR_NVS_READ_ONLY;
        }
        return steps[i].run(s);
    }
    fail_msg("step %s of a vector is unknown", s->arg[0]);
    return 0;
}

static void assert_operations(const struct nvs_case *c, const cJSON *wanted)
{
    const cJSON *op;
    uint32_t i = 0;

    cJSON_ArrayForEach(op, wanted)
    {
        assert_string_equal(c->op[i].erase ? "e" : "w", cJSON_GetArrayItem(op, 0)->valuestring);
        assert_int_equal(c->op[i].offset, cJSON_GetArrayItem(op, 1)->valuedouble);
        assert_int_equal(c->op[i].len, cJSON_GetArrayItem(op, 2)->valuedouble);
        i++;
    }
    assert_int_equal(c->ops, i);
}

static char current[160];

static int name_current(void **state)
{
    print_message("  last: %s\n", current);
    return 0;
}

static void play(const cJSON *session)
{
    struct session s = {.c = nvs_case_new(vector_string(session, "start"), true)};
    char sha[65];

    cJSON_ArrayForEach(s.step, vector_get(session, "steps"))
    {
        const cJSON *ops = cJSON_GetObjectItem(s.step, "flash");
        char *text = strdup(vector_string(s.step, "op")), *save = NULL;
        snprintf(current, sizeof current, "%s: %s", session->string, text);
        s.count = 0;
        for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
            s.arg[s.count++] = w;
        s.c->ops = 0;
        int err = run_step(&s);
        assert_string_equal(vendor_err_name(al_err_vendor(err)), vector_string(s.step, "rc"));
        assert_int_equal(s.c->ops, vector_number(s.step, "flash_ops"));
        if (ops) assert_operations(s.c, ops);
        free(text);
    }
    nvs_case_sha256(s.c, sha);
    assert_string_equal(sha, vector_string(session, "final_sha256"));
    nvs_case_free(s.c);
}

static void play_file(const char *path, int at_least)
{
    cJSON *all = vector_json(path);
    const cJSON *session;
    int count = 0;

    cJSON_ArrayForEach(session, vector_get(all, "sessions"))
    {
        play(session);
        count++;
    }
    assert_true(count >= at_least);
    cJSON_Delete(all);
}

static void every_call_gives_the_originals_result_and_writes(void **state)
{
    play_file("nvs/sessions.json", 12);
}

static void full_pages_and_collection_write_what_the_original_writes(void **state)
{
    play_file("nvs/sessions-fill.json", 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_call_gives_the_originals_result_and_writes, name_current),
        cmocka_unit_test_teardown(full_pages_and_collection_write_what_the_original_writes,
                                  name_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
