/* A firmware or the content of a user partition, as it comes over HTTP: into the passive slot, or
 * by at_ota_target.h. Nothing is erased before the head of the file fits; nothing is chosen to boot
 * before the whole image is verified. One at a time.
 *
 *   begin ──> HEAD ──first bytes fit──> BODY ──> end: verified, chosen
 *               └──────── wrong ─────────┴─────> FAILED (why stays)
 *
 * A connection that sends next to nothing does not keep others out: an upload that is silent for
 * WEB_UPLOAD_SILENT_MS gives way to the next one; one slower than WEB_UPLOAD_LEAST_RATE fails.
 * All calls come from one thread; the time is an argument. */
#ifndef AT_WEB_UPLOAD_H
#define AT_WEB_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEB_UPLOAD_SILENT_MS  8000
#define WEB_UPLOAD_WINDOW_MS  15000
#define WEB_UPLOAD_LEAST_RATE 512u /* bytes a second, over the window */
#define WEB_WHY               200u

struct web_upload;

enum web_upload_result { WEB_UPLOAD_OK, WEB_UPLOAD_BUSY, WEB_UPLOAD_FAILED };

/* object: "ota" or the name of a user partition; len: bytes that will come. why: a sentence
 * for people when it is not OK. tell: +WEBSERVERRSP:n; 3 at the begin, 5 when it fails, now or
 * later on. */
enum web_upload_result web_upload_begin(const char *object, int64_t len, int64_t now_ms,
                                        void (*tell)(int n), struct web_upload **out,
                                        char why[WEB_WHY]);
/* false: it has failed; web_upload_why says why. */
bool web_upload_write(struct web_upload *u, const void *data, size_t len, int64_t now_ms);
bool web_upload_end(struct web_upload *u);
const char *web_upload_why(const struct web_upload *u);
/* Frees it; one that has not ended is given up: slot and partition are free for the next. */
void web_upload_free(struct web_upload *u);

/* Is one under way? */
bool web_upload_busy(void);
/* Is one under way into this partition (by its flash address)? */
bool web_upload_writes(uint32_t address);

#endif
