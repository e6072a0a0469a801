/* Who may ask the device's web server for what. */
#include "at/web_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void addresses_and_local_names_are_the_device(void **state)
{
    static const char *const ours[] = {
        "192.168.4.1", "192.168.4.1:80", "[::1]",       "[fe80::1]:8080", "device",
        "DEVICE:80",   "x.local",        "a.home.arpa", "localhost",      "my.device.example:80"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_true(web_host_is_ours(ours[i], "other.example my.device.example"));
}

static void names_of_others_are_not_even_when_they_point_here(void **state)
{
    static const char *const foreign[] = {"evil.example",
                                          "192.168.4.1.evil.example",
                                          "local.evil.example",
                                          "x.local.",
                                          "evil.example:80",
                                          "[::1",
                                          "[evil.example]",
                                          "",
                                          ":80",
                                          "1.2.3",
                                          "[::1]evil.example",
                                          "device.example.com",
                                          "y.device.example"};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (web_host_is_ours(foreign[i], "device.example")) fail_msg("%s", foreign[i]);
}

#define JSON .host = "192.168.4.1:80", .content_type = "application/json"

static enum web_verdict change(struct web_head h)
{
    return web_check_change(&h, "", false);
}

static void the_own_page_may_change_things(void **state)
{
    assert_int_equal(change((struct web_head){JSON}), WEB_ALLOWED);
    assert_int_equal(change((struct web_head){JSON, .origin = "http://192.168.4.1:80"}),
                     WEB_ALLOWED);
    assert_int_equal(change((struct web_head){JSON, .origin = "https://192.168.4.1:80"}),
                     WEB_ALLOWED);
    assert_int_equal(change((struct web_head){JSON, .referer = "http://192.168.4.1:80/?x"}),
                     WEB_ALLOWED);
    assert_int_equal(change((struct web_head){JSON, .fetch_site = "same-origin"}), WEB_ALLOWED);
    assert_int_equal(change((struct web_head){JSON, .fetch_site = "none"}), WEB_ALLOWED);
}

static void other_sites_may_not(void **state)
{
    static const char *const origins[] = {"null",
                                          "",
                                          "http://evil.example",
                                          "http://192.168.4.1",
                                          "http://192.168.4.1:81",
                                          "http://192.168.4.1:80.evil.example",
                                          "httpx://192.168.4.1:80",
                                          "ftp://192.168.4.1:80"};
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
        assert_int_equal(change((struct web_head){JSON, .origin = origins[i]}), WEB_FOREIGN_ORIGIN);
    assert_int_equal(change((struct web_head){JSON, .referer = "http://evil.example/192.168.4.1"}),
                     WEB_FOREIGN_ORIGIN);
    assert_int_equal(change((struct web_head){JSON, .fetch_site = "cross-site"}),
                     WEB_FOREIGN_ORIGIN);
    assert_int_equal(change((struct web_head){JSON, .fetch_site = "same-site"}),
                     WEB_FOREIGN_ORIGIN);
    assert_int_equal(change((struct web_head){.host = "evil.example"}), WEB_FOREIGN_HOST);
}

static void a_plain_form_needs_a_header_that_it_cannot_send(void **state)
{
    static const char *const forms[] = {NULL, "text/plain", "text/plain; charset=utf-8",
                                        "Application/X-WWW-Form-Urlencoded",
                                        "multipart/form-data; boundary=x"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct web_head h = {.host = "device", .content_type = forms[i]};
        assert_int_equal(web_check_change(&h, "", false), WEB_PLAIN_FORM);
        assert_int_equal(web_check_change(&h, "", true), WEB_ALLOWED);
        h.requested_with = "page";
        assert_int_equal(web_check_change(&h, "", false), WEB_ALLOWED);
        h.requested_with = NULL;
        h.object = "ota";
        assert_int_equal(web_check_change(&h, "", false), WEB_ALLOWED);
    }
}

static void the_password_fits_with_any_user(void **state)
{
    assert_true(web_password_fits("Basic dTpzZWNyZXQ=", "secret")); /* u:secret */
    assert_true(web_password_fits("basic OnNlY3JldA==", "secret")); /* :secret */
    assert_true(web_password_fits("Basic dTphOmI=", "a:b"));        /* u:a:b */
    assert_false(web_password_fits("Basic dTpzZWNyZXQ=", "secretx"));
    assert_false(web_password_fits("Basic dTpzZWNyZXR4", "secret")); /* u:secretx */
    assert_false(web_password_fits("Basic dTo=", "secret"));         /* u: */
    assert_false(web_password_fits("Basic c2VjcmV0", "secret"));     /* no colon */
    assert_false(web_password_fits("Bearer dTpzZWNyZXQ=", "secret"));
    assert_false(web_password_fits("Basic ", "secret"));
    assert_false(web_password_fits("Basic !!!!", "secret"));
    assert_false(web_password_fits(NULL, "secret"));
    char lots[4096] = "Basic ";
    memset(lots + 6, 'A', 4000);
    assert_false(web_password_fits(lots, "secret"));
}

static void guessing_is_slowed_down_for_its_address_only(void **state)
{
    struct web_failures f = {0};
    for (unsigned i = 0; i < WEB_FAILURES_FREE; i++) {
        assert_int_equal(web_failures_wait(&f, "1.1.1.1", 100), 0);
        web_failures_note(&f, "1.1.1.1", 100, false);
    }
    assert_int_equal(web_failures_wait(&f, "1.1.1.1", 101), WEB_FAILURES_WAIT_S - 1);
    assert_int_equal(web_failures_wait(&f, "2.2.2.2", 101), 0);
    assert_int_equal(web_failures_wait(&f, "1.1.1.1", 100 + WEB_FAILURES_WAIT_S), 0);
    web_failures_note(&f, "1.1.1.1", 130, false); /* one more is enough now */
    assert_int_equal(web_failures_wait(&f, "1.1.1.1", 131), WEB_FAILURES_WAIT_S - 1);
    web_failures_note(&f, "1.1.1.1", 160, true);
    assert_int_equal(web_failures_wait(&f, "1.1.1.1", 161), 0);
}

static void the_oldest_address_is_forgotten_for_a_new_one(void **state)
{
    struct web_failures f = {0};
    char peer[16];
    for (unsigned i = 0; i < WEB_FAILURES_PEERS; i++) {
        snprintf(peer, sizeof peer, "peer %u", i);
        for (unsigned n = 0; n < WEB_FAILURES_FREE; n++) web_failures_note(&f, peer, i, false);
    }
    web_failures_note(&f, "new", 20, false);
    assert_int_equal(web_failures_wait(&f, "peer 0", 20), 0);
    assert_true(web_failures_wait(&f, "peer 1", 20) > 0);
    assert_int_equal(web_failures_wait(&f, "new", 20), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_and_local_names_are_the_device),
        cmocka_unit_test(names_of_others_are_not_even_when_they_point_here),
        cmocka_unit_test(the_own_page_may_change_things),
        cmocka_unit_test(other_sites_may_not),
        cmocka_unit_test(a_plain_form_needs_a_header_that_it_cannot_send),
        cmocka_unit_test(the_password_fits_with_any_user),
        cmocka_unit_test(guessing_is_slowed_down_for_its_address_only),
        cmocka_unit_test(the_oldest_address_is_forgotten_for_a_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
