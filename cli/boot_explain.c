#include "cli/boot_explain.h"

#include <stdio.h>

void boot_explain_entry(unsigned index, const struct al_ota_entry *e, char *text, size_t size)
{
    if (e->seq == AL_OTA_SEQ_EMPTY) {
        snprintf(text, size, "otadata entry %u: empty", index);
        return;
    }
    const char *verdict = "usable";
    if (!al_ota_entry_crc_ok(e))
        verdict = "not usable, its CRC is wrong (a write was cut short, or it is damaged)";
    else if (e->state == AL_OTA_INVALID)
        verdict = "not usable, the app declared itself bad";
    else if (e->state == AL_OTA_ABORTED)
        verdict = "not usable, the app was started and never confirmed";
    snprintf(text, size, "otadata entry %u: sequence %u, %s: %s", index, e->seq,
             ota_state_name(e->state), verdict);
}

bool boot_explain_refusal(const struct al_boot_event_args *a, char *text, size_t size)
{
    char why[400];
    switch (a->event) {
    case AL_BOOT_EV_IMAGE_FAULT:
        image_fault_explain(a->image, why, sizeof why);
        snprintf(text, size, "%s", why);
        return true;
    case AL_BOOT_EV_TOO_OLD:
        snprintf(text, size,
                 "its secure version %u is below the device's %u: anti-rollback never starts it "
                 "again",
                 a->value, a->value2);
        return true;
    case AL_BOOT_EV_DESC_FAILED:
        snprintf(text, size, "it has no app description that anti-rollback could read (%s)",
                 vendor_err_name((int)a->value));
        return a->part != NULL;
    default:
        return false;
    }
}

static void explain_state(const struct al_boot_event_args *a, char *text, size_t size)
{
    if (a->value2 == AL_OTA_ABORTED)
        snprintf(text, size,
                 "entry %d was PENDING_VERIFY: its app was started once and not confirmed before "
                 "this reset, so it becomes ABORTED (rollback)",
                 a->index);
    else
        snprintf(text, size,
                 "entry %d was NEW: it becomes PENDING_VERIFY before its image is looked at; "
                 "unless the app confirms itself, the next reset rolls back",
                 a->index);
}

static void explain_slot(const struct al_boot_event_args *a, uint32_t slots,
                         const struct al_ota_entry e[2], char *text, size_t size)
{
    const struct al_ota_entry *in_force = &e[a->index];
    const char *why = "the only usable one";
    if (al_ota_entry_good(&e[0]) && al_ota_entry_good(&e[1]))
        why = e[0].seq == e[1].seq ? "both have the same sequence, then the first counts"
                                   : "the usable one with the larger sequence";
    snprintf(text, size, "entry %d is in force (%s): slot (%u - 1) mod %u = %u", a->index, why,
             in_force->seq, slots, a->value);
}

/* Events whose sentence has no figures. */
static const char *fixed_words(enum al_boot_event event)
{
    switch (event) {
    case AL_BOOT_EV_INITIAL:
        return "no entry was ever written: the factory app is tried first, then the slots, and "
               "what "
               "starts becomes the choice";
    case AL_BOOT_EV_DEFAULT_FACTORY:
        return "no entry can be used: the factory app is the default";
    case AL_BOOT_EV_NO_FACTORY:
        return "no entry can be used and there is no factory app: slot 0 is tried first, whatever "
               "its state was";
    case AL_BOOT_EV_INVALID_FACTORY:
        return "entries are there, but none may be followed: the factory app is tried";
    case AL_BOOT_EV_INVALID_ALL:
        return "entries are there, but none may be followed, and there is no factory app: all "
               "slots "
               "are tried, from slot 0";
    case AL_BOOT_EV_TEST_PIN:
        return "the test-app pin is held: the test app is asked for";
    case AL_BOOT_EV_TEST_MISSING:
        return "the partition table has no app of subtype test: the chip resets";
    case AL_BOOT_EV_NO_TEST:
        return "the test app cannot be started, and nothing else is tried";
    case AL_BOOT_EV_TEST_FALLBACK:
        return "no other app can be started: the test app is the last way out";
    case AL_BOOT_EV_NOTHING:
        return "no partition holds an app that may be started: the chip resets, for ever";
    default:
        return NULL;
    }
}

bool boot_explain_event(const struct al_boot_event_args *a, uint32_t slots,
                        const struct al_ota_entry e[2], char *text, size_t size)
{
    char why[400];
    const char *fixed = fixed_words(a->event);
    text[0] = '\0';
    if (fixed) snprintf(text, size, "%s", fixed);
    if (a->part && boot_explain_refusal(a, why, sizeof why))
        snprintf(text, size, "%s at 0x%x: %s", flash_image_slot_name(a->part), a->part->offset,
                 why);
    if (a->part && a->event == AL_BOOT_EV_LOADED)
        snprintf(text, size, "%s at 0x%x verifies: it is started", flash_image_slot_name(a->part),
                 a->part->offset);
    switch (a->event) {
    case AL_BOOT_EV_TABLE_FAULT:
        part_fault_explain(a->table, why, sizeof why);
        snprintf(text, size, "the partition table is refused: %s", why);
        break;
    case AL_BOOT_EV_OTADATA_SMALL:
        snprintf(text, size,
                 "the otadata partition has %u bytes, it needs %u: the chip resets, for ever; make "
                 "it 0x2000 in the partition table",
                 a->value, AL_OTADATA_LEN);
        break;
    case AL_BOOT_EV_CHECK_SECURE_VERSION:
        snprintf(text, size, "anti-rollback: only apps with secure version %u or more may start",
                 a->value);
        break;
    case AL_BOOT_EV_SLOT:
        explain_slot(a, slots, e, text, size);
        break;
    case AL_BOOT_EV_STATE:
        explain_state(a, text, size);
        break;
    case AL_BOOT_EV_SET_SEQ:
        snprintf(text, size, "first start: entry 0 is written with sequence %u, VALID", a->value);
        break;
    case AL_BOOT_EV_WRITE_FAILED:
        snprintf(text, size, "otadata could not be written (%s)", vendor_err_name((int)a->value));
        break;
    default:
        break;
    }
    return text[0] != '\0';
}
