/*
 * The analog line of the notifiers that dial; see dialline.h. Promises that every call is hung up, that no
 * rule of redialling is broken by a restart, and that a modem that went is looked for as long as the process
 * runs.
 */
#include "dialline.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drivers/serial/usbtty.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"

enum {
	READY_MS = 12000,    /* to bring a modem up that was well */
	BAD_MODEM_MS = 6000, /* one that is known to be silent: the next route shall have its turn */
	HANG_UP_MS = 2500,   /* of a page's time, kept for hanging up a modem that answers */
	LEAST_MS = 1000,     /* no dial is begun with less */
	LISTEN_MS = 5000,    /* beside the wait for dial tone itself */
	BACKOFF_MIN_MS = 1000,
	BACKOFF_MAX_MS = 30000,
	DELAYED_MS = 60000 /* when the modem does not say how long */
};

/* A line is one process: what a signal handler can know of it. */
static volatile sig_atomic_t calling, terminated;

/* During a call: it is hung up and its outcome told first (see dial_idle). Else: at once. */
static void on_term(int sig)
{
	terminated = 1;
	if (!calling) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
}

bool dial_stopping(void)
{
	return terminated != 0;
}

void dial_check_conf(const struct dial_conf *k, struct complaints *c)
{
	char why[160];

	if (usbtty_is_spec(k->device)) {
		if (!usbtty_check(k->device, why, sizeof(why)))
			complaint_add(c, NULL, "device", k->device, "%s", why);
	} else if (k->device[0] != '/') {
		complaint_add(c, NULL, "device", k->device, "neither an absolute path nor usb:VID:PID");
	}
	if (k->init != NULL && (strlen(k->init) > 80 || strpbrk(k->init, "\r\n") != NULL))
		complaint_add(c, NULL, "init", k->init, "must be one line of at most 80 characters");
	if (k->state_dir == NULL && redial_rules[k->rules].window_ms > 0)
		complaint_add(c, NULL, "state_dir", NULL,
			      "needed with redial %s: a restart must not forget what was dialled",
			      redial_rules[k->rules].name);
	if (redial_rules[k->rules].unanswered_ms > 0 && k->answer_ms > redial_rules[k->rules].unanswered_ms)
		complaint_add(c, NULL, "answer_wait", NULL, "redial %s allows at most %lld s",
			      redial_rules[k->rules].name,
			      (long long)redial_rules[k->rules].unanswered_ms / 1000);
}

/* --- the memory of what was dialled ------------------------------------------------------------------ */

static const struct redial_rules *rules_of(const struct dial *d)
{
	return &redial_rules[d->conf->rules];
}

static void load(struct dial *d)
{
	struct stamp now = clock_stamp();
	char why[300], span[32];

	if (d->path == NULL)
		return;
	redial_load(&d->redial, d->path, rules_of(d), &now, why, sizeof(why));
	if (why[0] != '\0')
		log_warn("%s: %s: what was dialled is not known, so no number is dialled for %s", d->line,
			 why, clock_span(rules_of(d)->window_ms, span, sizeof(span)));
}

/* When the disk does not take it the page goes all the same: this process remembers, and a page is not lost.
 */
static void keep(struct dial *d)
{
	char why[300];

	if (d->path != NULL && !redial_keep(&d->redial, d->path, why, sizeof(why)))
		log_err("%s: cannot remember what was dialled (%s); a restart would forget it", d->line, why);
}

/* --- the modem --------------------------------------------------------------------------------------- */

static bool because(struct dial *d, const char *why)
{
	snprintf(d->why, sizeof(d->why), "%s", why);
	return false;
}

static void close_modem(struct dial *d)
{
	hayes_close(d->modem);
	d->modem = NULL;
}

static void back_off(struct dial *d)
{
	d->next_try = clock_boot_ms() + d->backoff_ms;
	d->backoff_ms = d->backoff_ms * 2 < BACKOFF_MAX_MS ? d->backoff_ms * 2 : BACKOFF_MAX_MS;
}

static int seconds(int64_t ms)
{
	return (int)((ms + 999) / 1000);
}

static bool open_modem(struct dial *d)
{
	const struct dial_conf *k = d->conf;
	int64_t off_hook = rules_of(d)->off_hook_ms;
	struct hayes_settings set = {.device = k->device,
				     .line = d->line,
				     .baud = (int)k->baud,
				     .rtscts = k->flow == 1,
				     .init = k->init != NULL ? k->init : "",
				     .tone = k->dialing == 1 ? 'P' : 'T',
				     .piece_max = (size_t)k->line_max,
				     .pause_s = seconds(k->pause_ms),
				     .dial_tone_s =
					 seconds(k->dial_tone_ms > off_hook ? k->dial_tone_ms : off_hook),
				     .answer_s = seconds(k->answer_ms),
				     .lost_ds = (int)(k->lost_ms / 100),
				     .tone_ms = (int)k->tone_ms,
				     .stop = dial_stopping};
	char why[300];

	d->modem = hayes_open(&set, why, sizeof(why));
	return d->modem != NULL || because(d, why);
}

static bool ready(struct dial *d, int64_t deadline)
{
	char why[300];

	if (d->modem != NULL && hayes_gone(d->modem))
		close_modem(d);
	if (d->modem == NULL && !open_modem(d)) {
		back_off(d);
		return false;
	}
	if (!hayes_ready(d->modem, deadline, why, sizeof(why))) {
		because(d, why);
		close_modem(d);
		back_off(d);
		return false;
	}
	d->why[0] = '\0';
	d->backoff_ms = BACKOFF_MIN_MS;
	d->next_check = clock_boot_ms() + d->conf->check_interval_ms;
	return true;
}

/* A new reason is news; the same again is not. */
static void tell_health(struct dial *d)
{
	bool ok = d->why[0] == '\0' && !d->no_tone;
	char text[DIAL_WHY_MAX];

	if (ok)
		snprintf(text, sizeof(text), "ready at %s", d->modem != NULL ? hayes_path(d->modem) : "?");
	else
		snprintf(text, sizeof(text), "%s",
			 d->why[0] != '\0' ? d->why : "no dial tone: the line is dead or not plugged in");
	if (ok == d->healthy && strcmp(text, d->said) == 0)
		return;
	d->healthy = ok;
	snprintf(d->said, sizeof(d->said), "%s", text);
	notifier_health(ok, "%s", text);
}

/* --- a call ------------------------------------------------------------------------------------------ */

static bool allowed(struct dial *d, const char *number, char *detail, size_t size)
{
	struct stamp now = clock_stamp();
	/* an emergency knows no limit but the modem's own refusal */
	static const struct redial_rules none = {.name = "the modem's own"};
	const struct redial_rules *rules = d->conf->emergency ? &none : rules_of(d);
	int64_t wait = redial_wait(&d->redial, rules, number, &now);
	char when[32], span[32];

	if (wait == 0)
		return true;
	snprintf(detail, size, "by the rules of redialling (%s) it may be dialled again in %s, at %s",
		 rules->name, clock_span(wait, span, sizeof(span)),
		 clock_text(now.wall_ms + wait, when, sizeof(when)));
	return false;
}

bool dial_begin(struct dial *d, const char *number, int64_t deadline, enum outcome *o, char *detail,
		size_t size)
{
	int64_t until = clock_boot_ms() + (d->healthy || d->said[0] == '\0' ? READY_MS : BAD_MODEM_MS);
	struct stamp now;

	*o = OUTCOME_RETRY;
	if (!allowed(d, number, detail, size))
		return false;
	if (d->modem != NULL && hayes_idle(d->modem) && hayes_rings(d->modem)) {
		snprintf(detail, size, "somebody is calling on this line");
		return false;
	}
	if (!ready(d, until < deadline ? until : deadline)) {
		snprintf(detail, size, "%s", d->why);
		tell_health(d);
		return false;
	}
	if (deadline - clock_boot_ms() < HANG_UP_MS + LEAST_MS) {
		snprintf(detail, size, "too little time is left to dial");
		return false;
	}
	calling = 1;
	now = clock_stamp();
	redial_dialled(&d->redial, number, &now);
	keep(d);
	return true;
}

int64_t dial_deadline(const struct dial *d, int64_t deadline)
{
	int64_t limit = rules_of(d)->unanswered_ms;
	int64_t until = limit > 0 ? clock_boot_ms() + limit : deadline;

	deadline -= HANG_UP_MS;
	return until < deadline ? until : deadline;
}

/* Results that come before the first digit. */
static bool nothing_dialled(enum hayes_result r)
{
	return r == HAYES_NO_DIALTONE || r == HAYES_IN_USE || r == HAYES_ERROR || r == HAYES_BLACKLISTED ||
	       r == HAYES_DELAYED;
}

static void count(struct dial *d, const char *number, const struct hayes_call *c, bool done)
{
	struct stamp now = clock_stamp();

	if (done)
		redial_answered(&d->redial, number);
	else if (c->result == HAYES_BLACKLISTED)
		redial_rest(&d->redial, number, &now, d->conf->blacklist_rest_ms);
	else if (c->result == HAYES_DELAYED)
		redial_rest(&d->redial, number, &now, c->wait_s > 0 ? (int64_t)c->wait_s * 1000 : DELAYED_MS);
	if (c->dialled == 0 && !done && nothing_dialled(c->result))
		redial_undone(&d->redial, number);
	keep(d);
}

void dial_end(struct dial *d, const char *number, const struct hayes_call *c, bool done)
{
	bool quiet = hayes_hang_up(d->modem);

	count(d, number, c, done);
	if (c->result == HAYES_NO_DIALTONE)
		d->no_tone = true;
	else if (done || c->dialled > 0 || c->result == HAYES_BUSY || c->result == HAYES_NO_ANSWER)
		d->no_tone = false;
	if (hayes_gone(d->modem) || !quiet) {
		because(d, hayes_gone(d->modem) ? "the device went away" : "the modem does not answer");
		close_modem(d);
		back_off(d);
	}
	d->next_listen = clock_boot_ms() + d->conf->listen_interval_ms;
	tell_health(d);
}

enum outcome dial_failed(const struct dial *d, const struct hayes_call *c, char *detail, size_t size)
{
	char span[32];

	switch (c->result) {
	case HAYES_ERROR:
		snprintf(detail, size, "the modem refuses to dial that: ERROR");
		return OUTCOME_REFUSED;
	case HAYES_BLACKLISTED:
		snprintf(detail, size, "BLACKLISTED: the modem refuses the number; it rests for %s",
			 clock_span(d->conf->blacklist_rest_ms, span, sizeof(span)));
		return OUTCOME_RETRY;
	case HAYES_IN_USE:
		snprintf(detail, size, "another telephone on the line is in use");
		return OUTCOME_RETRY;
	case HAYES_VOICE:
		snprintf(detail, size, "VOICE: somebody spoke where the call should go on");
		return OUTCOME_RETRY;
	default:
		snprintf(detail, size, "%s", hayes_text(c->result));
		return OUTCOME_RETRY;
	}
}

/* --- between calls ----------------------------------------------------------------------------------- */

static void take_sigterm(void)
{
	/* no SA_RESTART: waiting ends at once */
	struct sigaction act = {.sa_handler = on_term};

	sigemptyset(&act.sa_mask);
	sigaction(SIGTERM, &act, NULL);
}

/* Everything is said and hung up: end as SIGTERM ends a program. */
static void end_now(struct dial *d)
{
	close_modem(d);
	signal(SIGTERM, SIG_DFL);
	raise(SIGTERM);
}

bool dial_start(struct dial *d, const struct dial_conf *conf, const char *line, char *why, size_t size)
{
	memset(d, 0, sizeof(*d));
	d->conf = conf;
	d->line = line;
	d->backoff_ms = BACKOFF_MIN_MS;
	because(d, "not opened yet");
	if (conf->state_dir != NULL && rules_of(d)->window_ms > 0) {
		d->path = redial_path(conf->state_dir, line);
		if (d->path == NULL) {
			snprintf(why, size, "out of memory");
			return false;
		}
		if (!file_mkdirs(conf->state_dir, 0750))
			log_warn("%s: %s cannot be made: what was dialled is not remembered", line,
				 conf->state_dir);
	}
	load(d);
	take_sigterm();
	return true;
}

void dial_stop(struct dial *d)
{
	close_modem(d);
	free(d->path);
}

int dial_fd(const struct dial *d, int *wait_ms)
{
	int64_t next = d->modem == NULL ? d->next_try : d->next_check, wait = next - clock_boot_ms();

	/* nothing is under way, and the outcome of what was is told */
	calling = 0;
	*wait_ms = terminated != 0 || wait < 0 ? 0 : wait > 3600000 ? 3600000 : (int)wait;
	return d->modem != NULL ? hayes_fd(d->modem) : -1;
}

/* Whether there is dial tone: again and again while there was none, now and then when all is well. */
static void listen(struct dial *d)
{
	enum hayes_result r;

	if (!d->no_tone && (d->conf->listen_interval_ms == 0 || clock_boot_ms() < d->next_listen))
		return;
	d->next_listen = clock_boot_ms() + d->conf->listen_interval_ms;
	if (hayes_rings(d->modem))
		return;
	calling = 1;
	r = hayes_listen(d->modem, clock_boot_ms() + d->conf->dial_tone_ms + LISTEN_MS);
	if (r == HAYES_OK)
		d->no_tone = false;
	else if (r == HAYES_NO_DIALTONE)
		d->no_tone = true;
	else
		log_notice("%s: listening for dial tone: %s", d->line, hayes_text(r));
}

static void check(struct dial *d)
{
	int64_t now = clock_boot_ms();

	d->next_check = now + d->conf->check_interval_ms;
	if (!hayes_alive(d->modem, now + BAD_MODEM_MS)) {
		ready(d, now + READY_MS);
		return;
	}
	listen(d);
}

void dial_idle(struct dial *d)
{
	if (terminated != 0)
		end_now(d);
	if (d->modem != NULL && !hayes_idle(d->modem)) {
		because(d, "the device went away");
		close_modem(d);
		back_off(d);
	}
	if (d->modem == NULL && clock_boot_ms() >= d->next_try) {
		if (ready(d, clock_boot_ms() + READY_MS))
			listen(d);
	} else if (d->modem != NULL && clock_boot_ms() >= d->next_check) {
		check(d);
	}
	tell_health(d);
}
