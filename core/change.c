/* A change set takes effect, goes back, or is forgotten. See change.h. */
#include "core/change_internal.h"

#include "core/err.h"

/* --- what otadata says about the set's slot --- */

enum choice {
    NOT_CHOSEN, /* its entry is not there: not written yet, torn, or overwritten since */
    CHOSEN,     /* and not confirmed */
    CONFIRMED,
    REFUSED /* rolled back */
};

static enum choice choice_of(const struct al_change *c)
{
    struct al_window w;
    struct al_ota_entry e;
    uint32_t index;
    if (al_change_entry(c->o, c->seq, &w, &e, &index)) return NOT_CHOSEN;
    if (al_ota_entry_unusable(&e)) return REFUSED;
    return e.state == AL_OTA_NEW || e.state == AL_OTA_PENDING_VERIFY ? CHOSEN : CONFIRMED;
}

static bool runs(const struct al_change *c)
{
    return c->o->running && c->o->running->offset == c->set.slot;
}

/* --- outcomes --- */

static enum al_change_outcome open_still(int *err, int why)
{
    if (err) *err = why;
    return AL_CHANGE_OPEN;
}

/* Voids the record; then the outcome holds. */
static enum al_change_outcome done(struct al_change *c, enum al_change_outcome outcome, int *err,
                                   int why)
{
    int failed = al_change_finish(c);
    if (failed) return open_still(err, failed);
    if (err) *err = why;
    return outcome;
}

static bool any_begun(const struct al_change *c, bool back)
{
    for (uint32_t i = 0; i < c->set.count; i++)
        if (al_change_marked(c, CHANGE_MARK_BEGUN + 2 * i, back)) return true;
    return false;
}

/* --- there --- */

static int check_staged(const struct al_change *c, uint32_t i)
{
    const struct al_change_part *p = &c->set.part[i];
    return al_change_compare(c->o, p->staged, p->len, p->sha256);
}

/* Is the choice that was planned still the next one? */
static int check_plan(const struct al_change *c)
{
    uint32_t seq = 0, before;
    int err = al_change_plan(c->o, c->set.slot, &seq, &before);
    return err ? err : seq == c->seq ? AL_OK : AL_ERR_INVALID_STATE;
}

/* Can what was recorded still happen? */
static int check_all(const struct al_change *c, bool choose)
{
    int err = choose ? check_plan(c) : AL_OK;
    for (uint32_t i = 0; !err && i < c->set.count; i++) err = check_staged(c, i);
    if (!err && choose) err = al_ota_verify_part(c->o, al_change_slot(c->o, c->set.slot), NULL);
    return err;
}

static int move_part(const struct al_change *c, uint32_t i)
{
    uint32_t begun = CHANGE_MARK_BEGUN + 2 * i, finished = CHANGE_MARK_DONE + 2 * i;
    int err = AL_OK;
    if (al_change_marked(c, finished, false)) return AL_OK;
    if (!c->set.keep_old) err = check_staged(c, i);
    if (!err && !al_change_marked(c, begun, false)) err = al_change_mark(c, begun, false);
    if (!err) err = c->set.keep_old ? al_change_swap(c, i, false) : al_change_copy(c, i);
    return err ? err : al_change_mark(c, finished, false);
}

/* Errors of the flash may pass; others do not by trying again. */
static bool lasting(int err)
{
    return err == AL_ERR_INVALID_CRC || err == AL_ERR_OTA_VALIDATE_FAILED ||
           err == AL_ERR_OTA_SMALL_SEC_VER || err == AL_ERR_NOT_FOUND ||
           err == AL_ERR_INVALID_ARG || err == AL_ERR_INVALID_STATE;
}

static enum al_change_outcome give_up(struct al_change *c, int *err, int why)
{
    if (!lasting(why)) return open_still(err, why);
    if (!c->set.keep_old || !any_begun(c, false)) return done(c, AL_CHANGE_DROPPED, err, why);
    enum al_change_outcome outcome = al_change_undo(c, err);
    if (outcome == AL_CHANGE_UNDONE && err) *err = why;
    return outcome;
}

enum al_change_outcome al_change_apply(struct al_change *c, int *err)
{
    if (err) *err = AL_OK;
    enum choice choice = c->set.switches ? choice_of(c) : NOT_CHOSEN;
    /* The slot is chosen last: then all contents are in their places. */
    if (choice == REFUSED)
        return c->set.keep_old ? al_change_undo(c, err) : done(c, AL_CHANGE_APPLIED, err, AL_OK);
    bool choose = c->set.switches && choice == NOT_CHOSEN;
    int failed = any_begun(c, false) ? AL_OK : check_all(c, choose);
    for (uint32_t i = 0; !failed && i < c->set.count; i++) failed = move_part(c, i);
    if (!failed && choose) failed = check_plan(c);
    if (!failed && choose) failed = al_ota_set_boot(c->o, al_change_slot(c->o, c->set.slot), false);
    if (failed) return give_up(c, err, failed);
    if (!c->set.keep_old || !c->set.switches || !c->o->rollback || choice == CONFIRMED)
        return done(c, AL_CHANGE_APPLIED, err, AL_OK);
    failed = al_change_mark(c, CHANGE_MARK_WHOLE, false);
    if (failed) return open_still(err, failed);
    c->state = AL_CHANGE_TRIAL;
    return AL_CHANGE_ON_TRIAL;
}

/* --- and back --- */

static int check_old(const struct al_change *c)
{
    int err = AL_OK;
    for (uint32_t i = 0; !err && i < c->set.count; i++) {
        const struct al_change_part *p = &c->set.part[i];
        err = al_change_compare(c->o, p->staged, p->swap_len, p->old_sha256);
    }
    return err;
}

/* An image that did not start must not be tried again with the old contents. */
static int unchoose(const struct al_change *c)
{
    struct al_window w;
    struct al_ota_entry e;
    uint32_t index;
    int err = al_change_entry(c->o, c->seq, &w, &e, &index);
    if (err == AL_ERR_NOT_FOUND) return AL_OK;
    return err || al_ota_entry_unusable(&e) ? err : al_ota_data_erase(&w, index);
}

static int swap_back(const struct al_change *c)
{
    int err = AL_OK;
    /* A set that was given up half-way has all its swaps brought to the end first. */
    for (uint32_t i = 0; !err && i < c->set.count; i++)
        if (!al_change_marked(c, CHANGE_MARK_BEGUN + 2 * i, true)) err = move_part(c, i);
    if (!err && !any_begun(c, true)) err = check_old(c);
    for (uint32_t i = 0; !err && i < c->set.count; i++) {
        uint32_t begun = CHANGE_MARK_BEGUN + 2 * i, finished = CHANGE_MARK_DONE + 2 * i;
        if (al_change_marked(c, finished, true)) continue;
        if (!al_change_marked(c, begun, true)) err = al_change_mark(c, begun, true);
        if (!err) err = al_change_swap(c, i, true);
        if (!err) err = al_change_mark(c, finished, true);
    }
    return err;
}

enum al_change_outcome al_change_undo(struct al_change *c, int *err)
{
    if (err) *err = AL_OK;
    int failed = AL_OK;
    if (c->state != AL_CHANGE_UNDOING) failed = al_change_mark(c, CHANGE_MARK_WHOLE, true);
    c->state = AL_CHANGE_UNDOING;
    if (!failed) failed = unchoose(c);
    if (!failed) failed = swap_back(c);
    if (!failed) return done(c, AL_CHANGE_UNDONE, err, AL_OK);
    return failed == AL_ERR_INVALID_CRC ? done(c, AL_CHANGE_DROPPED, err, failed)
                                        : open_still(err, failed);
}

/* --- at a start, and while the app runs --- */

/* The choice on trial is not in otadata. Was it torn, or was the device flashed anew, by cable
 * say, and the record is of another time? In the first case the choice before it is in force.
 * A device flashed anew has a low number there, too, from its boot loader: then the targets
 * must still have the new contents. */
static bool of_another_time(const struct al_change *c)
{
    uint32_t seq, before = 0;
    if (al_change_plan(c->o, c->set.slot, &seq, &before) || before != c->before) return true;
    if (before != AL_OTA_SEQ_EMPTY && before > al_part_ota_count_all(c->o->table)) return false;
    for (uint32_t i = 0; i < c->set.count; i++) {
        const struct al_change_part *p = &c->set.part[i];
        if (al_change_compare(c->o, p->target, p->len, p->sha256)) return true;
    }
    return false;
}

/* On trial: is it still? */
static enum al_change_outcome judge(struct al_change *c, int *err)
{
    enum choice choice = choice_of(c);
    if (choice == CONFIRMED) return done(c, AL_CHANGE_CONFIRMED, err, AL_OK);
    if (runs(c)) return AL_CHANGE_ON_TRIAL;
    if (choice == NOT_CHOSEN && of_another_time(c))
        return done(c, AL_CHANGE_DROPPED, err, AL_ERR_INVALID_STATE);
    return al_change_undo(c, err);
}

enum al_change_outcome al_change_start(struct al_ota *o, const struct al_window *area,
                                       bool *restart, int *err)
{
    struct al_change c;
    enum al_change_outcome outcome;
    *restart = false;
    if (err) *err = AL_OK;
    int failed = al_change_read(o, area, &c);
    if (failed == AL_ERR_NOT_FOUND) return AL_CHANGE_NOTHING;
    if (failed) return open_still(err, failed);
    if (c.state == AL_CHANGE_TRIAL)
        outcome = judge(&c, err);
    else if (c.state == AL_CHANGE_UNDOING)
        outcome = al_change_undo(&c, err);
    else
        outcome = al_change_apply(&c, err);
    if (!c.set.switches) return outcome;
    enum choice choice = choice_of(&c);
    if (outcome == AL_CHANGE_APPLIED || outcome == AL_CHANGE_ON_TRIAL)
        *restart = !runs(&c) && (choice == CHOSEN || choice == CONFIRMED);
    if (outcome == AL_CHANGE_UNDONE) *restart = runs(&c);
    return outcome;
}

enum al_change_outcome al_change_confirm(struct al_ota *o, const struct al_window *area)
{
    struct al_change c;
    int err = al_change_read(o, area, &c);
    if (err) return err == AL_ERR_NOT_FOUND ? AL_CHANGE_NOTHING : AL_CHANGE_OPEN;
    if (c.state != AL_CHANGE_TRIAL) return AL_CHANGE_OPEN;
    return choice_of(&c) == CONFIRMED ? done(&c, AL_CHANGE_CONFIRMED, NULL, AL_OK)
                                      : AL_CHANGE_ON_TRIAL;
}
