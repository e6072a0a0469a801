/* Joins and upgrades of all kinds, each with its capture: AIRLIFT_SCENES names the directory
 * for NAME.pcap and NAME.txt (what the devices themselves have counted), for
 * tests/e2e/test_zigbee_tshark.py. Without it they are only played. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radio/capture.h"
#include "tests/support/zb_upgrade.h"

#define MINUTE    (60 * ZB_UPGRADE_SECOND)
#define PAGE_SIZE 1024

struct scene {
    struct zb_upgrade *u;
    struct capture *capture;
    unsigned frames, pages;
    char facts[256];
    uint8_t key[16]; /* of the network, at first */
};

static void note_frame(void *ctx, const struct medium_frame *f)
{
    struct scene *s = ctx;
    s->frames++;
    if (s->capture) capture_frame(s->capture, f);
}

static void scene_open(struct scene *s, const char *name, double at)
{
    const char *dir = getenv("AIRLIFT_SCENES");
    char pcap[256], error[200] = "";
    *s = (struct scene){0};
    if (dir) {
        snprintf(s->facts, sizeof s->facts, "%s/%s.txt", dir, name);
        snprintf(pcap, sizeof pcap, "%s/%s.pcap", dir, name);
        s->capture = capture_open(&(struct capture_config){.pcap = pcap}, error, sizeof error);
        if (!s->capture) fail_msg("%s", error);
    }
    s->u = zb_upgrade_new(&(struct medium_config){.seed = 11, .frame = note_frame, .frame_ctx = s},
                          ZB_UPGRADE_SMALL, at);
    const struct al_nwk_key *key = al_nwk_active_key(&s->u->servers[0].sim->zb.node.nwk);
    memcpy(s->key, key->key, sizeof s->key);
}

static void write_facts(const struct scene *s)
{
    FILE *f = fopen(s->facts, "w");
    unsigned sum[5] = {0};
    assert_non_null(f);
    for (unsigned i = 0; i < s->u->client_count; i++) {
        const struct zb_upgrade_client *c = &s->u->clients[i];
        sum[0] += c->queries;
        sum[1] += c->blocks;
        sum[2] += c->retries;
        sum[3] += c->ends;
        sum[4] += c->gave_up;
    }
    fprintf(f, "frames %u\nqueries %u\nblocks %u\nretries %u\nends %u\nno_image %u\nsize %u\n",
            s->frames, sum[0], sum[1], sum[2], sum[3], sum[4], s->u->servers[0].file.size);
    fputs("key ", f);
    for (unsigned i = 0; i < sizeof s->key; i++) fprintf(f, "%02x", s->key[i]);
    assert_int_equal(fclose(f), 0);
}

/* Upgrades whoever is there, and 20 s more, in which they restart and ask again. */
static void scene_end(struct scene *s)
{
    zb_upgrade_finish(s->u, 30 * MINUTE);
    zb_upgrade_run(s->u, 20 * ZB_UPGRADE_SECOND, NULL, NULL);
    if (s->capture) write_facts(s);
    assert_int_equal(capture_close(s->capture), 0);
    zb_upgrade_free(s->u);
}

static void fragments(void **state)
{
    struct scene s;
    scene_open(&s, "fragments", -1);
    zb_upgrade_add_client(s.u, AL_NWK_ROLE_ROUTER, false, -1, NULL);
    scene_end(&s);
}

static void whole_frames(void **state)
{
    struct scene s;
    scene_open(&s, "whole_frames", -1);
    zb_upgrade_add_client(s.u, AL_NWK_ROLE_END_DEVICE, false, -1,
                          &(struct al_zota_client_config){.max_data_size = 48});
    scene_end(&s);
}

static void pages(void **state)
{
    static uint8_t page[AL_ZOTA_PAGE_BUFFER(PAGE_SIZE)];
    struct scene s;
    scene_open(&s, "pages", -1);
    zb_upgrade_add_client(
        s.u, AL_NWK_ROLE_ROUTER, false, -1,
        &(struct al_zota_client_config){.page_buffer = page, .page_size = PAGE_SIZE});
    scene_end(&s);
}

static void sleepy(void **state)
{
    struct scene s;
    scene_open(&s, "sleepy", -1);
    zb_upgrade_add_client(s.u, AL_NWK_ROLE_END_DEVICE, true, -1, NULL);
    scene_end(&s);
}

static void two_hops(void **state)
{
    struct scene s;
    scene_open(&s, "two_hops", 0);
    s.u->hold = true;
    zb_upgrade_add_client(s.u, AL_NWK_ROLE_ROUTER, false, 20, NULL);
    const struct zb_upgrade_client *far =
        zb_upgrade_add_client(s.u, AL_NWK_ROLE_END_DEVICE, true, 40, NULL);
    assert_int_equal(far->sim->zb.node.nwk.parent, s.u->clients[0].sim->zb.node.nwk.addr);
    s.u->hold = false;
    scene_end(&s);
}

/* The key is that of the code 83fed3407a939723a5c639b26916d505c3b5. */
static void install_code(void **state)
{
    static const uint8_t code_key[16] = {0x66, 0xb6, 0x90, 0x09, 0x81, 0xe1, 0xee, 0x3c,
                                         0xa4, 0x20, 0x6b, 0x6b, 0x86, 0x1c, 0x02, 0xbb};
    struct scene s;
    scene_open(&s, "install_code", -1);
    s.u->code_key = code_key;
    zb_upgrade_add_client(s.u, AL_NWK_ROLE_ROUTER, false, -1, NULL);
    scene_end(&s);
}

static void key_change(void **state)
{
    struct scene s;
    scene_open(&s, "key_change", -1);
    struct zb_sim_node *c = s.u->servers[0].sim;
    s.u->hold = true;
    zb_upgrade_add_client(s.u, AL_NWK_ROLE_ROUTER, false, -1, NULL);
    zb_upgrade_add_client(s.u, AL_NWK_ROLE_END_DEVICE, true, -1, NULL);
    const uint8_t before = al_nwk_active_key(&c->zb.node.nwk)->seq;
    assert_int_equal(al_trust_change_key(&c->zb.node.trust, zb_upgrade_now(s.u)), 0);
    zb_sim_touch(c);
    zb_upgrade_run(s.u, 2 * MINUTE, NULL, NULL);
    for (unsigned i = 0; i < s.u->client_count; i++) {
        const struct al_nwk *n = &s.u->clients[i].sim->zb.node.nwk;
        assert_int_equal(al_nwk_active_key(n)->seq, before + 1);
    }
    s.u->hold = false;
    scene_end(&s);
}

static void rejoin(void **state)
{
    struct scene s;
    scene_open(&s, "rejoin", -1);
    s.u->hold = true;
    struct zb_upgrade_client *a = zb_upgrade_add_client(s.u, AL_NWK_ROLE_ROUTER, false, -1, NULL);
    struct zb_upgrade_client *b =
        zb_upgrade_add_client(s.u, AL_NWK_ROLE_END_DEVICE, true, -1, NULL);
    s.u->hold = false;
    zb_upgrade_run(s.u, ZB_UPGRADE_SECOND, NULL, NULL);
    zb_upgrade_cut(a, ZB_UPGRADE_SECOND);
    zb_upgrade_cut(b, 2 * ZB_UPGRADE_SECOND);
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments),  cmocka_unit_test(whole_frames),
        cmocka_unit_test(pages),      cmocka_unit_test(sleepy),
        cmocka_unit_test(two_hops),   cmocka_unit_test(install_code),
        cmocka_unit_test(key_change), cmocka_unit_test(rejoin),
    };
    return cmocka_run_group_tests_name("scenes", tests, NULL, NULL);
}
