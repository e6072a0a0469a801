/* The module cloud in its database: what may change, what may not, what is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <unistd.h>

#include "server/cloud.h"
#include "server/cloud_list.h"

static char dir[128];
static struct store *store;
static struct cloud *cloud;
static struct cloud_refusal why;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static void open_all(void)
{
    char text[1024];
    store = store_open(dir, text, sizeof text);
    if (!store) fail_msg("%s", text);
    cloud = cloud_open(store, dir, text, sizeof text);
    if (!cloud) fail_msg("%s", text);
}

static void close_all(void)
{
    cloud_close(cloud);
    store_close(store);
}

static int set_up(void **state)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%s/cloud-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir)) return -1;
    open_all();
    return 0;
}

static int tear_down(void **state)
{
    close_all();
    return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void publish(const char *name, const char *content)
{
    int err;
    bool fresh;
    struct artifact a = {.kind = "other"};
    snprintf(a.name, sizeof a.name, "%s", name);
    struct blob_draft *d = blob_begin(store_blobs(store), &err);
    assert_non_null(d);
    assert_int_equal(blob_write(d, content, strlen(content)), 0);
    assert_int_equal(blob_seal(d), 0);
    assert_int_equal(store_publish(store, d, &a, &fresh), 0);
}

#define OK(expression)                                  \
    do {                                                \
        if (!(expression)) fail_msg("%s", why.message); \
    } while (0)
#define REFUSED(expression, expected)            \
    do {                                         \
        assert_false(expression);                \
        assert_string_equal(why.code, expected); \
    } while (0)

static void product(const char *name)
{
    cJSON *doc;
    OK(cloud_product_create(cloud, "test", name, "", &doc, &why));
    cJSON_Delete(doc);
}

/* Its key in key. */
static void device(const char *name, const char *of, char key[CLOUD_KEY_LEN + 1])
{
    cJSON *list;
    const struct cloud_new_devices n = {name, of, false, 1};
    OK(cloud_device_create(cloud, "test", &n, &list, &why));
    snprintf(key, CLOUD_KEY_LEN + 1, "%s",
             cJSON_GetStringValue(cJSON_GetObjectItem(list->child, "key")));
    cJSON_Delete(list);
}

static bool deploy(const char *to, const char *version, const char *artifact, bool current)
{
    cJSON *doc = NULL;
    struct cloud_deploy d = {.life_cycle = "beta", .current = current, .count = 1};
    snprintf(d.version, sizeof d.version, "%s", version);
    snprintf(d.files[0].name, sizeof d.files[0].name, "own.bin");
    snprintf(d.files[0].artifact, sizeof d.files[0].artifact, "%s", artifact);
    bool ok = cloud_deploy(cloud, "test", to, &d, &doc, &why);
    cJSON_Delete(doc);
    return ok;
}

static struct cloud_device found(const char *key)
{
    struct cloud_device d;
    assert_int_equal(cloud_device_of_key(cloud, key, &d), 0);
    return d;
}

static void expect_told(const char *key, const char *version)
{
    static struct cloud_list l;
    struct cloud_device d = found(key);
    char begins[128];
    assert_int_equal(cloud_list_for(cloud, &d, false, &l), 0);
    snprintf(begins, sizeof begins, "{\"recommended_rom_version\": \"%s\", ", version);
    assert_memory_equal(l.text, begins, strlen(begins));
}

/* The scene of most tests: a product with two versions, a device. */
static void scene(char key[CLOUD_KEY_LEN + 1])
{
    product("lamp");
    device("l1", "lamp", key);
    publish("one", "first");
    publish("two", "second");
    OK(deploy("lamp", "v1", "one", true));
    OK(deploy("lamp", "v2", "two", false));
}

static size_t bytes_in_files(const char *text)
{
    char path[256];
    static const char *const names[] = {"airlift.db", "airlift.db-wal"};
    size_t count = 0, len = strlen(text);
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        FILE *f = fopen(path, "rb");
        if (!f) continue;
        static char data[1 << 20];
        size_t n = fread(data, 1, sizeof data, f);
        fclose(f);
        for (size_t at = 0; at + len <= n; at++) count += memcmp(data + at, text, len) == 0;
    }
    return count;
}

static void keys_are_stored_as_hashes_only(void **state)
{
    char key[CLOUD_KEY_LEN + 1];
    cJSON *doc;
    OK(cloud_product_create(cloud, "test", "lamp", "", &doc, &why));
    device("l1", "lamp", key);
    assert_true(bytes_in_files("l1") > 0);
    assert_int_equal(bytes_in_files(key), 0);
    assert_int_equal(bytes_in_files(cJSON_GetStringValue(cJSON_GetObjectItem(doc, "secret"))), 0);
    assert_int_equal(bytes_in_files(cJSON_GetStringValue(cJSON_GetObjectItem(doc, "owner_key"))),
                     0);
    cJSON_Delete(doc);
}

static void a_key_finds_its_device_over_a_restart_until_it_is_revoked(void **state)
{
    char key[CLOUD_KEY_LEN + 1];
    struct cloud_device d;
    product("lamp");
    device("l1", "lamp", key);
    close_all();
    open_all();
    assert_string_equal(found(key).name, "l1");
    cJSON *keys = cloud_key_list(cloud, "l1", NULL, &why);
    assert_int_equal(cJSON_GetArraySize(keys), 1);
    int64_t id = (int64_t)cJSON_GetObjectItem(keys->child, "id")->valuedouble;
    cJSON_Delete(keys);
    OK(cloud_key_revoke(cloud, "test", id, &why));
    assert_int_equal(cloud_device_of_key(cloud, key, &d), -ENOENT);
    REFUSED(cloud_key_revoke(cloud, "test", id, &why), "not_found");
}

static void an_owner_key_is_no_token_and_a_token_no_owner_key(void **state)
{
    char key[CLOUD_KEY_LEN + 1], name[CLOUD_NAME_MAX + 1];
    cJSON *doc;
    struct cloud_device d;
    int64_t id, key_id;
    OK(cloud_product_create(cloud, "test", "lamp", "", &doc, &why));
    const char *owner = cJSON_GetStringValue(cJSON_GetObjectItem(doc, "owner_key"));
    device("l1", "lamp", key);
    assert_int_equal(cloud_device_of_key(cloud, owner, &d), -ENOENT);
    assert_int_equal(cloud_product_of_key(cloud, key, &id, name, &key_id), -ENOENT);
    assert_int_equal(cloud_product_of_key(cloud, owner, &id, name, &key_id), 0);
    assert_string_equal(name, "lamp");
    OK(cloud_key_revoke(cloud, "test", key_id, &why));
    assert_int_equal(cloud_product_of_key(cloud, owner, &id, name, &key_id), -ENOENT);
    cJSON_Delete(doc);
}

static void a_device_is_told_of_the_current_version_or_its_own(void **state)
{
    char key[CLOUD_KEY_LEN + 1];
    scene(key);
    expect_told(key, "v1");
    OK(cloud_rom_current(cloud, "test", "lamp", "v2", &why));
    expect_told(key, "v2");
    OK(cloud_rom_current(cloud, "test", "lamp", "v1", &why)); /* taken back */
    expect_told(key, "v1");
    OK(cloud_device_override(cloud, "test", "l1", "v2", &why));
    expect_told(key, "v2");
    OK(cloud_device_override(cloud, "test", "l1", NULL, &why));
    expect_told(key, "v1");
    REFUSED(cloud_device_override(cloud, "test", "l1", "v3", &why), "not_found");
}

static void files_are_found_by_version_and_name_within_the_product(void **state)
{
    char key[CLOUD_KEY_LEN + 1], other[CLOUD_KEY_LEN + 1];
    struct cloud_file f;
    scene(key);
    product("fan");
    device("f1", "fan", other);
    OK(deploy("lamp", "v3+a", "one", false));
    struct cloud_device d = found(key), stranger = found(other);
    assert_int_equal(cloud_file_find(cloud, &d, "v2", "own.bin", &f), 0);
    assert_int_equal(cloud_file_find(cloud, &d, "v3+a", "own.bin", &f), 0);
    assert_int_equal(cloud_file_find(cloud, &d, "v3 a", "own.bin", &f), 0);
    assert_string_equal(f.version, "v3+a");
    assert_int_equal(cloud_file_find(cloud, &d, "v9", "own.bin", &f), -ENOENT);
    assert_int_equal(cloud_file_find(cloud, &d, "", "own.bin", &f), -ENOENT);
    assert_int_equal(cloud_file_find(cloud, &d, "v2", "ota.bin", &f), -ENOENT);
    assert_int_equal(cloud_file_find(cloud, &stranger, "v2", "own.bin", &f), -ENOENT);
}

static void a_version_keeps_its_content_when_the_artifact_changes(void **state)
{
    char key[CLOUD_KEY_LEN + 1];
    struct cloud_file before, after;
    scene(key);
    struct cloud_device d = found(key);
    assert_int_equal(cloud_file_find(cloud, &d, "v1", "own.bin", &before), 0);
    publish("one", "another");
    assert_int_equal(cloud_file_find(cloud, &d, "v1", "own.bin", &after), 0);
    assert_string_equal(before.sha256, after.sha256);
}

static void what_modules_get_cannot_be_deleted(void **state)
{
    char key[CLOUD_KEY_LEN + 1];
    scene(key);
    publish("one", "another"); /* the version's content is in its history */
    assert_int_equal(store_withdraw(store, "one"), -EBUSY);
    assert_int_equal(store_withdraw(store, "two"), -EBUSY);
    OK(cloud_rom_remove(cloud, "test", "lamp", "v2", &why));
    assert_int_equal(store_withdraw(store, "two"), 0);
}

static void versions_in_use_cannot_be_removed(void **state)
{
    char key[CLOUD_KEY_LEN + 1];
    scene(key);
    REFUSED(cloud_rom_remove(cloud, "test", "lamp", "v1", &why), "in_use");
    OK(cloud_device_override(cloud, "test", "l1", "v2", &why));
    REFUSED(cloud_rom_remove(cloud, "test", "lamp", "v2", &why), "in_use");
    product("fan");
    OK(cloud_device_move(cloud, "test", "l1", "fan", &why)); /* its own version is forgotten */
    OK(cloud_rom_remove(cloud, "test", "lamp", "v2", &why));
    REFUSED(cloud_product_remove(cloud, "test", "fan", &why), "in_use");
    OK(cloud_product_remove(cloud, "test", "lamp", &why));
    OK(cloud_device_remove(cloud, "test", "l1", &why));
    OK(cloud_product_remove(cloud, "test", "fan", &why));
}

static void a_deployment_that_is_refused_leaves_nothing(void **state)
{
    char key[CLOUD_KEY_LEN + 1];
    scene(key);
    REFUSED(deploy("lamp", "v1", "two", true), "exists");
    REFUSED(deploy("lamp", "v4", "nothing", true), "artifact");
    REFUSED(deploy("nothing", "v4", "one", true), "not_found");
    expect_told(key, "v1");
    cJSON *roms = cloud_rom_list(cloud, "lamp", &why);
    assert_int_equal(cJSON_GetArraySize(roms), 2);
    cJSON_Delete(roms);
}

/* Two who deploy at once publish under the same name. */
static void a_content_other_than_the_announced_is_not_deployed(void **state)
{
    char key[CLOUD_KEY_LEN + 1];
    cJSON *doc = NULL;
    struct cloud_deploy d = {.version = "v9", .count = 1, .files = {{"own.bin", "two", ""}}};
    scene(key);
    memset(d.files[0].sha256, '0', BLOB_HEX_LEN - 1);
    REFUSED(cloud_deploy(cloud, "test", "lamp", &d, &doc, &why), "artifact");
    assert_int_equal(why.status, 409);
}

static void lists_of_what_does_not_exist_are_refused(void **state)
{
    char key[CLOUD_KEY_LEN + 1];
    scene(key);
    REFUSED(cloud_device_list(cloud, "nothing", &why), "not_found");
    REFUSED(cloud_key_list(cloud, NULL, "nothing", &why), "not_found");
    REFUSED(cloud_key_list(cloud, "nothing", NULL, &why), "not_found");
    assert_non_null(strstr(why.message, "device"));
}

static void a_batch_is_made_whole_or_not_at_all(void **state)
{
    char key[CLOUD_KEY_LEN + 1];
    cJSON *list = NULL;
    product("lamp");
    device("x7", "lamp", key);
    struct cloud_new_devices n = {"x", "lamp", true, 10};
    REFUSED(cloud_device_create(cloud, "test", &n, &list, &why), "exists");
    cJSON *all = cloud_device_list(cloud, NULL, &why);
    assert_int_equal(cJSON_GetArraySize(all), 1);
    cJSON_Delete(all);
    n.name = "y";
    OK(cloud_device_create(cloud, "test", &n, &list, &why));
    assert_int_equal(cJSON_GetArraySize(list), 10);
    cJSON_Delete(list);
    n.count = CLOUD_BATCH_MAX + 1;
    REFUSED(cloud_device_create(cloud, "test", &n, &list, &why), "count");
}

static int64_t data_version(sqlite3 *db)
{
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA data_version", -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t version = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return version;
}

static sqlite3 *look_inside(void)
{
    char path[256];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/airlift.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

static void a_query_writes_nothing(void **state)
{
    static struct cloud_list l;
    char key[CLOUD_KEY_LEN + 1];
    struct cloud_file f;
    scene(key);
    sqlite3 *db = look_inside();
    int64_t before = data_version(db);
    for (int i = 0; i < 1000; i++) {
        struct cloud_device d = found(key);
        cloud_note_active(cloud, d.id);
        assert_int_equal(cloud_list_for(cloud, &d, i & 1, &l), 0);
        assert_int_equal(cloud_file_find(cloud, &d, "v1", "own.bin", &f), 0);
    }
    cloud_flush(cloud);
    assert_int_equal(data_version(db), before);
    struct cloud_event e = {.device = found(key).id, .action = "download", .status = "done"};
    cloud_note_event(cloud, &e);
    cloud_flush(cloud);
    assert_int_not_equal(data_version(db), before);
    sqlite3_close(db);
}

static void a_device_is_activated_once(void **state)
{
    char key[CLOUD_KEY_LEN + 1];
    scene(key);
    struct cloud_event e = {.device = found(key).id, .action = "activate", .status = "done"};
    assert_false(found(key).activated);
    for (int i = 0; i < 3; i++) cloud_note_event(cloud, &e);
    cloud_flush(cloud);
    assert_true(found(key).activated);
    cJSON *events = cloud_event_list(cloud, NULL, 0, 10, &why);
    assert_int_equal(cJSON_GetArraySize(events), 1);
    cJSON_Delete(events);
}

static atomic_bool enough, begun;

static void *keep_noting(void *arg)
{
    const struct cloud_event e = {.device = 1, .action = "download", .status = "done"};
    for (; !enough; begun = true) {
        cloud_note_event(cloud, &e);
        usleep(10);
    }
    return NULL;
}

static void a_list_of_events_does_not_wait_for_those_to_come(void **state)
{
    pthread_t thread;
    char key[CLOUD_KEY_LEN + 1];
    scene(key);
    enough = begun = false;
    alarm(20); /* ends a test that waits for ever */
    assert_int_equal(pthread_create(&thread, NULL, keep_noting, NULL), 0);
    while (!begun) usleep(1000);
    cJSON_Delete(cloud_event_list(cloud, NULL, 0, 10, &why));
    enough = true;
    pthread_join(thread, NULL);
    alarm(0);
}

static void last_active_outlives_a_stop(void **state)
{
    char key[CLOUD_KEY_LEN + 1];
    scene(key);
    cloud_note_active(cloud, found(key).id);
    close_all();
    open_all();
    cJSON *doc = cloud_device_show(cloud, "l1", &why);
    assert_true(cJSON_IsString(cJSON_GetObjectItem(doc, "last_active")));
    cJSON_Delete(doc);
}

/* Each change of the cloud, once; and changes that are refused. */
static void change_everything(void)
{
    char key[CLOUD_KEY_LEN + 1];
    cJSON *doc, *list;
    scene(key);
    OK(cloud_rom_current(cloud, "somebody", "lamp", "v2", &why));
    OK(cloud_device_override(cloud, "test", "l1", NULL, &why));
    OK(cloud_rom_remove(cloud, "test", "lamp", "v1", &why));
    product("fan");
    OK(cloud_device_move(cloud, "test", "l1", "fan", &why));
    OK(cloud_key_create(cloud, "test", NULL, "fan", "spare", &doc, &why));
    int64_t id = (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItem(doc, "id"));
    cJSON_Delete(doc);
    OK(cloud_key_revoke(cloud, "test", id, &why));
    REFUSED(cloud_key_revoke(cloud, "test", id, &why), "not_found");
    const struct cloud_new_devices two = {"b", "fan", false, 2};
    OK(cloud_device_create(cloud, "test", &two, &list, &why));
    cJSON_Delete(list);
    OK(cloud_device_remove(cloud, "test", "l1", &why));
    REFUSED(cloud_rom_current(cloud, "test", "lamp", "v7", &why), "not_found");
    OK(cloud_product_remove(cloud, "test", "lamp", &why));
}

static void every_change_is_in_the_audit_log(void **state)
{
    static const char *const expected[][2] = {
        {"product remove", "lamp"}, {"device remove", "l1"},   {"device create", "b2"},
        {"device create", "b1"},    {"key revoke", "4"},       {"key create", "fan"},
        {"device move", "l1"},      {"product create", "fan"}, {"rom remove", "lamp"},
        {"device override", "l1"},  {"current", "lamp"},       {"deploy", "lamp"},
        {"deploy", "lamp"},         {"device create", "l1"},   {"product create", "lamp"},
    };
    const int count = sizeof expected / sizeof *expected;
    change_everything();
    cJSON *log = cloud_audit_list(cloud, 0, 100, &why);
    for (int i = 0; i < count; i++) {
        const cJSON *e = cJSON_GetArrayItem(log, i);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(e, "what")), expected[i][0]);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(e, "object")), expected[i][1]);
    }
    assert_int_equal(cJSON_GetArraySize(log), count);
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetArrayItem(log, 10), "who")), "somebody");
    cJSON_Delete(log);
}

static void a_database_from_before_the_cloud_gets_its_tables(void **state)
{
    char key[CLOUD_KEY_LEN + 1];
    static const char undo[] =
        "DROP TABLE cloud_event; DROP TABLE cloud_audit; DROP TABLE cloud_key;"
        "DROP TABLE cloud_device; DROP TABLE cloud_rom_file; DROP TABLE cloud_rom;"
        "DROP TABLE cloud_product; PRAGMA user_version = 1";
    publish("kept", "content");
    close_all();
    sqlite3 *db = look_inside();
    assert_int_equal(sqlite3_exec(db, undo, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    open_all();
    scene(key);
    expect_told(key, "v1");
    struct artifact a;
    assert_int_equal(store_find(store, "kept", &a, NULL), 0);
}

static void another_program_that_holds_the_database_is_told_of(void **state)
{
    char key[CLOUD_KEY_LEN + 1];
    scene(key);
    sqlite3 *db = look_inside();
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    const struct cloud_event e = {.device = 1, .action = "download", .status = "done"};
    REFUSED(cloud_rom_current(cloud, "test", "lamp", "v2", &why), "busy");
    assert_int_equal(why.status, 503);
    expect_told(key, "v1"); /* modules do not mind */
    cloud_note_event(cloud, &e);
    usleep(2500000); /* more than one try */
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    cJSON *events = cloud_event_list(cloud, NULL, 0, 10, &why);
    assert_int_equal(cJSON_GetArraySize(events), 1);
    cJSON_Delete(events);
    OK(cloud_rom_current(cloud, "test", "lamp", "v2", &why));
    sqlite3_close(db);
}

static void the_audit_log_only_grows(void **state)
{
    product("lamp");
    sqlite3 *db = look_inside();
    assert_int_equal(sqlite3_exec(db, "DELETE FROM cloud_audit", NULL, NULL, NULL),
                     SQLITE_CONSTRAINT);
    assert_int_equal(sqlite3_exec(db, "UPDATE cloud_audit SET who = 'x'", NULL, NULL, NULL),
                     SQLITE_CONSTRAINT);
    sqlite3_close(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_are_stored_as_hashes_only),
        TEST(a_key_finds_its_device_over_a_restart_until_it_is_revoked),
        TEST(an_owner_key_is_no_token_and_a_token_no_owner_key),
        TEST(a_device_is_told_of_the_current_version_or_its_own),
        TEST(files_are_found_by_version_and_name_within_the_product),
        TEST(a_version_keeps_its_content_when_the_artifact_changes),
        TEST(what_modules_get_cannot_be_deleted),
        TEST(versions_in_use_cannot_be_removed),
        TEST(a_deployment_that_is_refused_leaves_nothing),
        TEST(a_content_other_than_the_announced_is_not_deployed),
        TEST(lists_of_what_does_not_exist_are_refused),
        TEST(a_batch_is_made_whole_or_not_at_all),
        TEST(a_query_writes_nothing),
        TEST(a_device_is_activated_once),
        TEST(a_list_of_events_does_not_wait_for_those_to_come),
        TEST(last_active_outlives_a_stop),
        TEST(every_change_is_in_the_audit_log),
        TEST(a_database_from_before_the_cloud_gets_its_tables),
        TEST(another_program_that_holds_the_database_is_told_of),
        TEST(the_audit_log_only_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
