/*
 * modbus: a siren, a lamp, a relay: an address is a coil or register of a board. It is switched on by an
 * alarm and off when the last incident that switched it on is acknowledged or over (pagerd sends both to a
 * line that follows), or after max_on. What is to sound is written down before the board is told, so a
 * restart goes on where it was; what the board did not take is tried again until it does. With `watchdog` a
 * register is written while pagerd lives and says that all is well: a board with a watchdog of its own then
 * sounds by itself when the pager is dead. Nobody can know that a siren was heard: it confirms nothing, only
 * that the board took it.
 */
#include "notifier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file.h"
#include "lib/log.h"
#include "notifiers/modbus/board.h"
#include "notifiers/modbus/conf.h"
#include "notifiers/modbus/siren.h"

enum { AGAIN_MS = 5000, IDLE_LIMIT_MS = 10000, WAIT_MS_MAX = 3600000 };

/* What is known of a place beside what it is to do. */
struct shown {
	bool known, on;	   /* as the board last took it */
	bool loud;	   /* within a pulse: the half that sounds */
	int64_t pulse_at;  /* when the halves change */
	int64_t next_look; /* not before: it failed, or was just done */
};

struct modbus {
	struct siren siren;
	struct shown shown[SIREN_PLACES_MAX];
	struct board board;
	char *file;
	int64_t next_try; /* of a board nothing else is asked of */
	struct mb_point watchdog;
	int64_t feed_at;
	size_t fed; /* which of the values is next */
	int64_t beat_at;
	bool beat_ok, starving; /* starving: it was said */
	bool health_said, healthy;
};

/* --- what it says ---------------------------------------------------------------------------------- */

static void say_health(struct modbus *own, bool ok, const char *text)
{
	if (own->health_said && own->healthy == ok && ok)
		return;
	own->health_said = true;
	own->healthy = ok;
	notifier_health(ok, "%s", text);
}

/* --- its memory ------------------------------------------------------------------------------------ */

static void remember(struct modbus *own)
{
	struct buf text;

	buf_init(&text, SIREN_STATE_MAX);
	if (!siren_save(&own->siren, &text) || !file_write_atomic(own->file, text.data, text.len, 0640))
		log_err("%s cannot be written (%s): a restart will not know what sounds", own->file,
			strerror(errno));
	buf_fini(&text);
}

static void recall(struct modbus *own)
{
	struct buf text;
	const char *why = "";

	buf_init(&text, SIREN_STATE_MAX);
	if (!file_read(own->file, &text)) {
		if (errno != ENOENT)
			log_err("%s cannot be read (%s): what sounds is not known", own->file,
				strerror(errno));
	} else if (!siren_load(&own->siren, buf_str(&text), text.len, &why)) {
		log_err("%s is damaged (%s): what sounds is not known", own->file, why);
	}
	buf_fini(&text);
}

static bool modbus_start(struct notifier_run *run, char *why, size_t size)
{
	const struct modbus_conf *conf = run->conf;
	struct modbus *own = calloc(1, sizeof(*own));
	char name[300];

	if (own == NULL || !file_mkdirs(conf->state_dir, 0750)) {
		snprintf(why, size, "%s: %s", conf->state_dir, strerror(errno));
		free(own);
		return false;
	}
	snprintf(name, sizeof(name), "siren-%.200s.json", run->line);
	own->file = file_join(conf->state_dir, name);
	own->board = (struct board){.target = mb_reach_target(&conf->reach),
				    .unit = (int)conf->reach.unit,
				    .answer_limit_ms = conf->answer_limit,
				    .verify = conf->verify};
	if (conf->watchdog)
		mb_point_parse(conf->watchdog, strlen(conf->watchdog), &own->watchdog, &(const char *){0});
	own->beat_at = INT64_MIN;
	recall(own);
	run->own = own;
	return true;
}

static void modbus_stop(struct notifier_run *run)
{
	struct modbus *own = run->own;

	if (own == NULL)
		return;
	siren_fini(&own->siren);
	free(own->file);
	free(own);
	run->own = NULL;
}

/* --- telling the board ----------------------------------------------------------------------------- */

static uint16_t value_of(const struct modbus_conf *conf, const struct mb_point *at, bool on)
{
	if (at->table == MB_COIL)
		return on != conf->invert;
	return (uint16_t)(on ? conf->on_value : conf->off_value);
}

static bool put(struct notifier_run *run, size_t k, bool on, int64_t deadline, struct mb_error *e)
{
	const struct modbus_conf *conf = run->conf;
	struct modbus *own = run->own;
	struct shown *w = &own->shown[k];
	struct mb_point at;
	const char *why;
	bool ok;

	*e = (struct mb_error){.fault = MB_LOCAL, .text = "not an address of a coil or register"};
	ok = modbus_writable(own->siren.places[k].to, &at, &why) &&
	     board_write(&own->board, &at, value_of(conf, &at, on), deadline, e);
	w->known = ok;
	w->on = on;
	w->next_look = clock_boot_ms() + (ok ? conf->refresh : AGAIN_MS);
	w->pulse_at = clock_boot_ms() + (on ? conf->pulse_on : conf->pulse_off);
	w->loud = on;
	say_health(own, ok || e->fault == MB_EXCEPTION, ok ? "the board answers" : e->text);
	return ok;
}

static const char *what_was_done(enum siren_did did, const char *state)
{
	static char text[80];

	switch (did) {
	case SIREN_SOUNDS:
		return "on";
	case SIREN_GOES_ON:
		return "still on for another incident";
	case SIREN_ENDS:
		return "off";
	default:
		snprintf(text, sizeof(text), "nothing to do for this page%s%.20s",
			 state[0] != '\0' ? " in state " : "", state);
		return text;
	}
}

/* What the board refused for good is a wrong address; all else may pass. */
static enum outcome judge(const struct mb_error *e)
{
	return e->fault == MB_EXCEPTION && e->exception <= 3 ? OUTCOME_REFUSED : OUTCOME_RETRY;
}

static enum outcome modbus_send(struct notifier_run *run, const struct page *p, char *detail, size_t size)
{
	const struct modbus_conf *conf = run->conf;
	struct modbus *own = run->own;
	const struct siren_rules rules = {&conf->states, conf->max_on, conf->test_on};
	struct stamp now = clock_stamp();
	struct siren_place *place;
	struct mb_error e;
	int64_t left;
	enum siren_did did = siren_page(&own->siren, &rules, p, &now, &place);

	snprintf(detail, size, "%s", what_was_done(did, p->state));
	if (did == SIREN_NO_ROOM) {
		snprintf(detail, size, "more than %d places on one line", SIREN_PLACES_MAX);
		return OUTCOME_REFUSED;
	}
	if (did == SIREN_NOTHING)
		return OUTCOME_SENT;
	remember(own);
	if (put(run, (size_t)(place - own->siren.places), siren_on(place, &now, &left),
		clock_boot_ms() + p->deadline_ms, &e))
		return OUTCOME_SENT;
	snprintf(detail, size, "%s", e.text);
	/* the page comes again, or another way; should it be acknowledged before, nobody would tell us. Of
	 * what is repeated we shall be told. */
	if (did == SIREN_SOUNDS && p->kind != PAGE_REPEAT) {
		siren_take_back(place, p->incident);
		remember(own);
	}
	return judge(&e);
}

/* --- between pages --------------------------------------------------------------------------------- */

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Switches a place where it must be; returns when to look again (CLOCK_BOOTTIME ms). */
static int64_t look_at(struct notifier_run *run, size_t k, bool act)
{
	const struct modbus_conf *conf = run->conf;
	struct modbus *own = run->own;
	struct shown *w = &own->shown[k];
	struct stamp stamp = clock_stamp();
	int64_t now = stamp.boot_ms, left, next = INT64_MAX;
	bool on = siren_on(&own->siren.places[k], &stamp, &left), want = on;
	struct mb_error e;

	if (on && conf->pulse_on > 0 && w->known)
		want = now >= w->pulse_at ? !w->loud : w->loud;
	if (act && (!w->known ? now >= w->next_look
			      : w->on != want || (want && conf->refresh > 0 && now >= w->next_look)))
		put(run, k, want, now + IDLE_LIMIT_MS, &e);
	if (!w->known || (on && conf->refresh > 0))
		next = w->next_look;
	if (on && conf->pulse_on > 0 && w->known)
		next = sooner(next, w->pulse_at);
	if (on && left < INT64_MAX)
		next = sooner(next, now + left);
	return w->known && w->on != want ? now : next;
}

/* Looks whether the board is there while nothing sounds. */
static void try_board(struct notifier_run *run, int64_t now)
{
	const struct modbus_conf *conf = run->conf;
	struct modbus *own = run->own;
	struct mb_point at;
	struct mb_error e;
	const char *why;
	bool known = own->siren.n > 0 && modbus_writable(own->siren.places[0].to, &at, &why);
	bool ok = board_try(&own->board, known && conf->verify ? &at : NULL, now + IDLE_LIMIT_MS, &e);

	say_health(own, ok || e.fault == MB_EXCEPTION, ok ? "the board answers" : e.text);
	own->next_try = clock_boot_ms() + conf->refresh;
}

/* All is well as far as anybody who lives has said lately. */
static bool may_feed(struct modbus *own, int64_t limit_ms, int64_t now)
{
	bool heard = own->beat_at != INT64_MIN && now - own->beat_at < limit_ms;
	bool ok = heard && own->beat_ok;

	if (!ok && !own->starving && own->beat_at != INT64_MIN)
		log_warn("the watchdog is not fed any more: %s",
			 heard ? "the pager says that not all is well" : "the pager is silent");
	if (ok && own->starving)
		log_notice("the watchdog is fed again");
	own->starving = !ok && own->beat_at != INT64_MIN;
	return ok;
}

static void feed(struct notifier_run *run, int64_t now)
{
	const struct modbus_conf *conf = run->conf;
	struct modbus *own = run->own;
	int64_t value = 1;
	struct mb_error e;
	struct board b = own->board;

	own->feed_at = now + conf->watchdog_interval;
	if (!may_feed(own, conf->beat_limit, now))
		return;
	if (conf->watchdog_values.n > 0)
		units_int(conf->watchdog_values.v[own->fed++ % conf->watchdog_values.n], &value, NULL);
	b.verify = false; /* the board may well answer with the time that is left */
	bool ok = board_write(&b, &own->watchdog, (uint16_t)value, now + IDLE_LIMIT_MS, &e);
	say_health(own, ok, ok ? "the board answers" : e.text);
}

static void modbus_idle(struct notifier_run *run)
{
	const struct modbus_conf *conf = run->conf;
	struct modbus *own = run->own;

	for (size_t k = 0; k < own->siren.n; k++)
		look_at(run, k, true);
	if (conf->watchdog && clock_boot_ms() >= own->feed_at)
		feed(run, clock_boot_ms());
	if (conf->refresh > 0 && clock_boot_ms() >= own->next_try)
		try_board(run, clock_boot_ms());
}

static int modbus_fd(struct notifier_run *run, int *wait_ms)
{
	const struct modbus_conf *conf = run->conf;
	struct modbus *own = run->own;
	int64_t next = INT64_MAX, left;

	for (size_t k = 0; k < own->siren.n; k++)
		next = sooner(next, look_at(run, k, false));
	if (conf->watchdog)
		next = sooner(next, own->feed_at);
	if (conf->refresh > 0)
		next = sooner(next, own->next_try);
	left = next == INT64_MAX ? WAIT_MS_MAX : next - clock_boot_ms();
	*wait_ms = left <= 0 ? 0 : left > WAIT_MS_MAX ? WAIT_MS_MAX : (int)left;
	return -1;
}

static void modbus_beat(struct notifier_run *run, bool ok, const char *why)
{
	struct modbus *own = run->own;

	(void)why;
	own->beat_at = clock_boot_ms();
	own->beat_ok = ok;
}

static void modbus_preview(const void *arg, const struct page *p, struct preview *out)
{
	const struct modbus_conf *conf = arg;
	const struct siren_rules rules = {&conf->states, conf->max_on, conf->test_on};
	const struct stamp now = {0};
	struct siren silent = {0};
	struct siren_place *place;

	out->shows = strdup(what_was_done(siren_page(&silent, &rules, p, &now, &place), p->state));
	snprintf(out->note, sizeof(out->note), "what a siren does that was silent before");
	siren_fini(&silent);
}

const struct notifier notifier_modbus = {
    .name = "modbus",
    .help = "a siren, lamp or relay on a Modbus board: on by an alarm, off by acknowledgement or recovery",
    .opts = modbus_opts,
    .conf_size = sizeof(struct modbus_conf),
    .blind = true,
    .follows = true,
    .check_conf = modbus_check_conf,
    .check_address = modbus_check_address,
    .start = modbus_start,
    .send = modbus_send,
    .fd = modbus_fd,
    .idle = modbus_idle,
    .beat = modbus_beat,
    .stop = modbus_stop,
    .preview = modbus_preview,
};
