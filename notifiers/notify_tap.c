/*
 * The TAP line: an analog modem calls a paging company's terminal and hands it text. Started by pagerd, one
 * process per modem. The terminal acknowledges each page, so "sent" means that the company has it, not that a
 * person does. A call is held open for a moment (linger), and pages that come meanwhile go in the same call:
 * such a page is unknown first, and its outcome comes when the call has ended well.
 */
#include "notifier.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/tap/session.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "notifiers/dial/dialline.h"

enum { MARGIN_MS = 200, PAGER_MAX = 32, CALL_PAGES_MAX = 32, ID_MAX = 128, PASSWORD_MAX = 32, BYE_MS = 5000 };

struct tap_conf {
	struct dial_conf dial;
	char *terminal, *password_file;
	int parity; /* 0 even, 1 none */
	int64_t max_length, block, answer_ms, wake_ms, linger_ms;
};

struct tap_line {
	const struct tap_conf *conf;
	struct dial line;
	char password[PASSWORD_MAX + 1];
	bool open; /* a call is under way */
	struct hayes_call call;
	struct tap tap;
	char waiting[CALL_PAGES_MAX][ID_MAX]; /* acknowledged in this call, not told yet */
	size_t nwaiting;
	int64_t linger_until;
};

#define FIELD(name) offsetof(struct tap_conf, name)

static const struct opt opts[] = {
    DIAL_OPTIONS(struct tap_conf, dial),
    {.name = "terminal",
     .type = OPT_STRING,
     .offset = FIELD(terminal),
     .flags = OPT_REQUIRED,
     .unit = "NUMBER",
     .help = "The terminal's telephone number, as a dial string"},
    {.name = "password",
     .type = OPT_SECRET,
     .offset = FIELD(password_file),
     .help = "File that holds the log-on's password, behind PG1; most terminals want none"},
    {.name = "parity",
     .type = OPT_ENUM,
     .offset = FIELD(parity),
     .dflt = "even",
     .choices = "even|none",
     .help = "even: seven bits and even parity, as the protocol has it (made here, the modem carries eight "
	     "bits); "
	     "none: for terminals that want 8N1"},
    {.name = "max_length",
     .type = OPT_INT,
     .offset = FIELD(max_length),
     .min = 20,
     .max = 2000,
     .dflt = "200",
     .help = "Characters of a page; an old terminal that takes one block a page: 200 or less"},
    {.name = "block",
     .type = OPT_INT,
     .offset = FIELD(block),
     .min = 40,
     .max = TAP_DATA_MAX,
     .dflt = "250",
     .help = "Characters of a block; a longer page goes in several"},
    {.name = "answer",
     .type = OPT_DURATION,
     .offset = FIELD(answer_ms),
     .min = 500,
     .max = 60000,
     .dflt = "10s",
     .help = "How long the terminal's answer is waited for"},
    {.name = "wake",
     .type = OPT_DURATION,
     .offset = FIELD(wake_ms),
     .min = 200,
     .max = 10000,
     .dflt = "2s",
     .help = "Between the carriage returns that wake the terminal"},
    {.name = "linger",
     .type = OPT_DURATION,
     .offset = FIELD(linger_ms),
     .max = 60000,
     .dflt = "2s",
     .help = "How long the call is held open for further pages; 0: one page a call, for terminals that want "
	     "that"},
    {.name = NULL},
};

/* --- configuration ----------------------------------------------------------------------------------- */

static void check_conf(const void *conf, struct complaints *c)
{
	const struct tap_conf *k = conf;
	char why[160];

	dial_check_conf(&k->dial, c);
	if (!dial_string_ok(k->terminal, why, sizeof(why)))
		complaint_add(c, NULL, "terminal", k->terminal, "%s", why);
	else if (dial_string_digits(k->terminal) == 0)
		complaint_add(c, NULL, "terminal", k->terminal, "no digit to dial");
}

static bool check_address(const char *to, char *why, size_t size)
{
	if (strlen(to) > PAGER_MAX) {
		snprintf(why, size, "a pager's id has at most %d characters", PAGER_MAX);
		return false;
	}
	for (const char *s = to; *s != '\0'; s++) {
		if (isgraph((unsigned char)*s))
			continue;
		snprintf(why, size, "a pager's id is digits, or printable ASCII without blanks");
		return false;
	}
	return true;
}

/* --- the text ---------------------------------------------------------------------------------------- */

/* What has no seven bits becomes "?", one for each character. */
static size_t to_ascii(char *s)
{
	size_t lost = 0;
	char *to = s;

	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x80) {
			*to++ = (char)c;
		} else if (c >= 0xC0) {
			*to++ = '?';
			lost++;
		}
	}
	*to = '\0';
	return lost;
}

static size_t characters(const char *utf8)
{
	size_t n = 0;

	for (; *utf8 != '\0'; utf8++)
		n += ((unsigned char)*utf8 & 0xC0) != 0x80;
	return n;
}

/* English, whatever the contact reads: the terminal knows no other letters. Owned by the caller. */
static char *tap_text(const struct tap_conf *k, const struct page *p, size_t *lost)
{
	struct page q = *p;
	char *text;

	q.lang = "en";
	text = page_text(&q, (size_t)k->max_length, characters);
	*lost = text != NULL ? to_ascii(text) : 0;
	return text;
}

/* --- the call ---------------------------------------------------------------------------------------- */

static void deliver(struct tap_line *l, int64_t deadline)
{
	struct tap *t = &l->tap;
	char why[200];

	if (l->conf->parity == 0)
		for (size_t i = 0; i < t->nout; i++)
			t->out[i] = tap_even_parity(t->out[i]);
	if (t->nout > 0 && !hayes_write(l->line.modem, t->out, t->nout, deadline, why, sizeof(why)))
		tap_lost(t, why);
	t->nout = 0;
}

/* One step: what is to be said, then whatever comes first of an answer, its time limit and the deadline. */
static void step(struct tap_line *l, int64_t deadline)
{
	struct tap *t = &l->tap;
	char in[256];
	ssize_t n;

	deliver(l, deadline);
	switch (hayes_wait(l->line.modem, t->until < deadline ? t->until : deadline)) {
	case 1:
		n = hayes_read(l->line.modem, in, sizeof(in));
		if (n > 0)
			tap_take(t, in, (size_t)n, clock_boot_ms());
		else if (n < 0)
			tap_lost(t, "the line went dead");
		break;
	case 0:
		break;
	default:
		tap_lost(t, dial_stopping() ? "this program is to end" : "the line went dead");
	}
	tap_tick(t, clock_boot_ms());
}

/* True when it reached the state before the deadline. */
static bool pump_until(struct tap_line *l, enum tap_state wanted, int64_t deadline)
{
	while (l->tap.state != wanted && l->tap.state != TAP_OVER && clock_boot_ms() < deadline)
		step(l, deadline);
	return l->tap.state == wanted;
}

/* Takes leave and hangs up; tells what became of the pages whose outcome was left open. */
static void finish(struct tap_line *l)
{
	struct tap *t = &l->tap;
	bool done = l->nwaiting > 0 || t->verdict == TAP_TAKEN;
	enum outcome o;

	if (!l->open)
		return;
	tap_bye(t, clock_boot_ms());
	pump_until(l, TAP_OVER, clock_boot_ms() + BYE_MS);
	o = t->taken_back ? OUTCOME_DOUBTFUL : OUTCOME_SENT;
	for (size_t i = 0; i < l->nwaiting; i++)
		notifier_late(l->waiting[i], o, t->taken_back ? t->why : "the terminal acknowledged it");
	l->nwaiting = 0;
	l->open = false;
	dial_end(&l->line, l->conf->terminal, &l->call, done);
}

static bool connect_to(struct tap_line *l, int64_t deadline, enum outcome *o, char *detail, size_t size)
{
	struct tap_rules rules = {.password = l->password,
				  .data_max = (size_t)l->conf->block,
				  .wake_ms = l->conf->wake_ms,
				  .answer_ms = l->conf->answer_ms};

	if (!dial_begin(&l->line, l->conf->terminal, deadline, o, detail, size))
		return false;
	l->call = hayes_call(l->line.modem, l->conf->terminal, dial_deadline(&l->line, deadline));
	if (l->call.result != HAYES_CONNECT) {
		*o = dial_failed(&l->line, &l->call, detail, size);
		dial_end(&l->line, l->conf->terminal, &l->call, false);
		return false;
	}
	l->open = true;
	tap_begin(&l->tap, &rules, clock_boot_ms());
	return true;
}

/* A call whose terminal takes a page now; *o and detail: why there is none. */
static bool ready(struct tap_line *l, int64_t deadline, enum outcome *o, char *detail, size_t size)
{
	if (l->open && l->tap.state == TAP_READY && l->nwaiting < CALL_PAGES_MAX)
		return true;
	finish(l);
	if (!connect_to(l, deadline, o, detail, size))
		return false;
	if (pump_until(l, TAP_READY, dial_deadline(&l->line, deadline)))
		return true;
	*o = OUTCOME_RETRY;
	snprintf(detail, size, "%s",
		 l->tap.why[0] != '\0' ? l->tap.why : "the terminal was not ready in time");
	finish(l);
	return false;
}

/* --- a page ------------------------------------------------------------------------------------------ */

static enum outcome taken(struct tap_line *l, const char *id, char *detail, size_t size)
{
	if (l->conf->linger_ms > 0 && l->tap.state == TAP_READY && !dial_stopping()) {
		snprintf(l->waiting[l->nwaiting++], ID_MAX, "%s", id);
		l->linger_until = clock_boot_ms() + l->conf->linger_ms;
		snprintf(detail, size, "acknowledged; the call stays open for a moment");
		return OUTCOME_UNKNOWN;
	}
	snprintf(detail, size, "%s", l->tap.why);
	finish(l);
	if (!l->tap.taken_back)
		return OUTCOME_SENT;
	snprintf(detail, size, "%s", l->tap.why);
	return OUTCOME_DOUBTFUL;
}

static enum outcome outcome_of(struct tap_line *l, const char *id, char *detail, size_t size)
{
	enum tap_verdict v = l->tap.verdict;

	if (v == TAP_TAKEN)
		return taken(l, id, detail, size);
	if (v == TAP_PENDING)
		tap_lost(&l->tap, "no answer before the page's deadline");
	v = l->tap.verdict;
	snprintf(detail, size, "%s", l->tap.why);
	if (l->tap.state != TAP_READY || l->conf->linger_ms == 0)
		finish(l);
	else
		l->linger_until = clock_boot_ms() + l->conf->linger_ms;
	return v == TAP_REJECTED ? OUTCOME_REFUSED : v == TAP_DOUBT ? OUTCOME_DOUBTFUL : OUTCOME_RETRY;
}

static enum outcome hand_over(struct tap_line *l, const struct page *p, int64_t deadline, const char *text,
			      char *detail, size_t size)
{
	enum outcome o;

	if (!ready(l, deadline, &o, detail, size))
		return o;
	if (tap_page(&l->tap, p->to, text, clock_boot_ms()))
		while (l->tap.verdict == TAP_PENDING && clock_boot_ms() < dial_deadline(&l->line, deadline))
			step(l, dial_deadline(&l->line, deadline));
	o = outcome_of(l, p->id, detail, size);
	log_info("%s: %s: %s", l->line.line, outcome_name(o), detail);
	return o;
}

static enum outcome tap_send(struct notifier_run *run, const struct page *p, char *detail, size_t size)
{
	struct tap_line *l = run->own;
	int64_t deadline = clock_boot_ms() + p->deadline_ms - MARGIN_MS;
	size_t lost, used;
	char *text = tap_text(l->conf, p, &lost);
	enum outcome o;

	if (text == NULL) {
		snprintf(detail, size, "out of memory");
		return OUTCOME_RETRY;
	}
	o = hand_over(l, p, deadline, text, detail, size);
	free(text);
	used = strlen(detail);
	if (lost > 0 && used < size)
		snprintf(detail + used, size - used, "; %zu characters the terminal does not know became ?",
			 lost);
	return o;
}

/* --- the rest ---------------------------------------------------------------------------------------- */

static bool read_password(struct tap_line *l, char *why, size_t size)
{
	char *secret;

	if (l->conf->password_file == NULL)
		return true;
	secret = file_secret(l->conf->password_file, why, size);
	if (secret == NULL)
		return false;
	if (strlen(secret) > PASSWORD_MAX) {
		snprintf(why, size, "the password has more than %d characters", PASSWORD_MAX);
		free(secret);
		return false;
	}
	snprintf(l->password, sizeof(l->password), "%s", secret);
	memset(secret, 0, strlen(secret));
	free(secret);
	return true;
}

static bool tap_start(struct notifier_run *run, char *why, size_t size)
{
	struct tap_line *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		snprintf(why, size, "out of memory");
		return false;
	}
	l->conf = run->conf;
	run->own = l;
	return read_password(l, why, size) && dial_start(&l->line, &l->conf->dial, run->line, why, size);
}

static int tap_fd(struct notifier_run *run, int *wait_ms)
{
	const struct tap_line *l = run->own;
	int64_t left = l->linger_until - clock_boot_ms();

	if (!l->open)
		return dial_fd(&l->line, wait_ms);
	*wait_ms = left < 0 || dial_stopping() ? 0 : (int)left;
	return hayes_fd(l->line.modem);
}

static void tap_idle(struct notifier_run *run)
{
	struct tap_line *l = run->own;

	if (!l->open) {
		dial_idle(&l->line);
		return;
	}
	step(l, clock_boot_ms());
	if (l->tap.state != TAP_READY || clock_boot_ms() >= l->linger_until || dial_stopping())
		finish(l);
}

static void tap_stop(struct notifier_run *run)
{
	struct tap_line *l = run->own;

	finish(l);
	dial_stop(&l->line);
	memset(l->password, 0, sizeof(l->password));
	free(l);
}

static void tap_preview(const void *conf, const struct page *p, struct preview *out)
{
	const struct tap_conf *k = conf;
	size_t lost;

	out->shows = tap_text(k, p, &lost);
	out->units = out->shows != NULL ? strlen(out->shows) : 0;
	out->max = (size_t)k->max_length;
	if (lost > 0)
		snprintf(out->note, sizeof(out->note), "%zu characters the terminal does not know became ?",
			 lost);
}

extern const struct notifier notifier_tap;
const struct notifier notifier_tap = {
    .name = "tap",
    .help = "Hands pages to a paging company's terminal (TAP 1.8) by an analog modem.",
    .opts = opts,
    .conf_size = sizeof(struct tap_conf),
    .check_conf = check_conf,
    .check_address = check_address,
    .start = tap_start,
    .send = tap_send,
    .fd = tap_fd,
    .idle = tap_idle,
    .stop = tap_stop,
    .preview = tap_preview,
};
