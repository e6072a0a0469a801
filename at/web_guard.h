/* Who may ask the web server for what. The device stands in a home network, where a page of any
 * site that a browser there shows can send requests to it. No I/O, the time is an argument.
 *
 *   Host            an address, or a name that nobody outside can give an address to: else a
 *                   site could make its own name point here (DNS rebinding)
 *   Origin, Referer, Sec-Fetch-Site   a change is asked for by the device's own page, or by a
 *                   program (which sends none of them)
 *   content type or a header of ours  a change needs one that a plain form of another
 *                   site cannot send without asking first (CORS preflight, never answered)
 *   Authorization   HTTP Basic, when a password is set; guessing is slowed down */
#ifndef AT_WEB_GUARD_H
#define AT_WEB_GUARD_H

#include <stdbool.h>
#include <stdint.h>

/* Headers of a request, NULL when absent. */
struct web_head {
    const char *host, *origin, *referer, *fetch_site, *content_type, *object, *requested_with;
};

enum web_verdict { WEB_ALLOWED, WEB_FOREIGN_HOST, WEB_FOREIGN_ORIGIN, WEB_PLAIN_FORM };

/* names: further host names of this device, separated by blanks; may be "". */
bool web_host_is_ours(const char *host, const char *names);
enum web_verdict web_check_any(const struct web_head *h, const char *names);
/* Of a request that changes something. form: is a form's content type allowed? */
enum web_verdict web_check_change(const struct web_head *h, const char *names, bool form);
/* For people and the log. */
const char *web_verdict_text(enum web_verdict v);

/* Is this the header for that password, with any user name? Takes the same time for all
 * passwords that are wrong. authorization may be NULL. */
bool web_password_fits(const char *authorization, const char *password);

/* Wrong passwords of one address: after WEB_FAILURES_FREE in a row no more are looked at for
 * WEB_FAILURES_WAIT_S, right or wrong. Other addresses are not held up. */
#define WEB_FAILURES_FREE   5u
#define WEB_FAILURES_WAIT_S 30
#define WEB_FAILURES_PEERS  16u

struct web_failures {
    struct {
        char peer[64];
        unsigned count;
        int64_t last_s;
    } entry[WEB_FAILURES_PEERS];
};

/* Seconds to wait; 0: may try. */
int web_failures_wait(const struct web_failures *f, const char *peer, int64_t now_s);
void web_failures_note(struct web_failures *f, const char *peer, int64_t now_s, bool right);

#endif
