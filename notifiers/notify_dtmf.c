/*
 * The touch tone line: an analog modem dials a page. Digits for pagers that show digits (check number, state,
 * incident), or text as the 2-touch codes of Japanese pocket bells. Started by pagerd, one process per modem.
 * Nobody answers touch tones: "sent" means that all of them were dialled, and the outcome's detail says so.
 * With an "@" in the dial string it also means that the line answered and was quiet before the page was
 * dialled.
 */
#include "notifier.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "notifiers/dial/code.h"
#include "notifiers/dial/dialline.h"
#include "notifiers/dial/freeword.h"

enum { MARGIN_MS = 200, NUMBER_MAX = 80, HOLD_STEP_MS = 100 };
enum form { FORM_NUMERIC, FORM_FREEWORD };

struct dtmf_conf {
	struct dial_conf dial;
	char *access, *template, *code;
	int check, form;
	char *freeword_start, *freeword_end;
	int64_t freeword_max, hold_ms;
};

struct dtmf {
	const struct dtmf_conf *conf;
	struct dial line;
};

/* What is to be dialled for one page. */
struct call {
	char number[NUMBER_MAX + 1];
	enum form form;
	struct buf code, dial; /* dial: the whole of it */
	size_t code_at;	       /* where in it the code begins */
	size_t lost;	       /* characters without a code */
};

#define FIELD(name) offsetof(struct dtmf_conf, name)

static const struct opt opts[] = {
    DIAL_OPTIONS(struct dtmf_conf, dial),
    {.name = "access",
     .type = OPT_STRING,
     .offset = FIELD(access),
     .unit = "NUMBER",
     .help = "The number that is called when the address is only the pager's own; {access} in dial"},
    {.name = "dial",
     .type = OPT_STRING,
     .offset = FIELD(template),
     .dflt = "{to},,,,{code}#",
     .unit = "TEMPLATE",
     .help = "What is dialled: {to} the address, {access}, {code}; , pause, W dial tone, @ until it answered "
	     "and is quiet, "
	     "! hook flash"},
    {.name = "format",
     .type = OPT_ENUM,
     .offset = FIELD(form),
     .dflt = "numeric",
     .choices = "numeric|freeword",
     .help = "What a page becomes: digits (code), or text in 2-touch codes; an address may say otherwise: "
	     "NUMBER/freeword"},
    {.name = "code",
     .type = OPT_STRING,
     .offset = FIELD(code),
     .dflt = "{number:3}{state}{id}{check}",
     .unit = "TEMPLATE",
     .help = "A page as digits: {number} of the check, {state} 0 OK 1 WARNING 2 CRITICAL 3 UNKNOWN 8 acknowledged 9 other, "
	     "{id} the "
	     "incident, {time} hhmm, {check} check digit; {NAME:WIDTH}"},
    {.name = "check_digit",
     .type = OPT_ENUM,
     .offset = FIELD(check),
     .dflt = "mod10",
     .choices = "mod10|luhn",
     .help = "What {check} is"},
    {.name = "freeword_start",
     .type = OPT_STRING,
     .offset = FIELD(freeword_start),
     .dflt = "*2*2",
     .unit = "DIGITS",
     .help = "Dialled before 2-touch codes"},
    {.name = "freeword_end",
     .type = OPT_STRING,
     .offset = FIELD(freeword_end),
     .dflt = "##",
     .unit = "DIGITS",
     .help = "Dialled behind them"},
    {.name = "freeword_length",
     .type = OPT_INT,
     .offset = FIELD(freeword_max),
     .min = 10,
     .max = 100,
     .dflt = "50",
     .help = "Half-width characters of a text, voiced marks counted"},
    {.name = "hold",
     .type = OPT_DURATION,
     .offset = FIELD(hold_ms),
     .max = 30000,
     .dflt = "2s",
     .help = "How long the line is held after the last tone"},
    {.name = NULL},
};

/* --- configuration ----------------------------------------------------------------------------------- */

static void check_text(const char *name, const char *text, bool (*ok)(const char *, char *, size_t),
		       struct complaints *c)
{
	char why[200];

	if (text != NULL && !ok(text, why, sizeof(why)))
		complaint_add(c, NULL, name, text, "%s", why);
}

static void check_conf(const void *conf, struct complaints *c)
{
	const struct dtmf_conf *k = conf;

	dial_check_conf(&k->dial, c);
	check_text("dial", k->template, dial_template_ok, c);
	check_text("code", k->code, code_template_ok, c);
	check_text("access", k->access, dial_string_ok, c);
	check_text("freeword_start", k->freeword_start, dial_string_ok, c);
	check_text("freeword_end", k->freeword_end, dial_string_ok, c);
	if (k->access == NULL && strstr(k->template, "{access}") != NULL)
		complaint_add(c, NULL, "access", NULL, "needed: dial has {access}");
	if (strstr(k->template, "{code}") == NULL)
		complaint_add(c, NULL, "dial", k->template,
			      "without {code} no page could tell what it is about");
}

/* NUMBER, or NUMBER/FORMAT. form stays as it is when the address does not say. */
static bool read_address(const char *to, char *number, size_t room, enum form *form, char *why, size_t size)
{
	size_t n = strcspn(to, "/");

	if (strcmp(to + n, "/numeric") == 0)
		*form = FORM_NUMERIC;
	else if (strcmp(to + n, "/freeword") == 0)
		*form = FORM_FREEWORD;
	else if (to[n] != '\0') {
		snprintf(why, size, "behind the number only /numeric or /freeword may stand");
		return false;
	}
	if (n >= room) {
		snprintf(why, size, "longer than %zu characters", room - 1);
		return false;
	}
	memcpy(number, to, n);
	number[n] = '\0';
	if (!dial_string_ok(number, why, size))
		return false;
	if (dial_string_digits(number) > 0)
		return true;
	snprintf(why, size, "no digit to dial");
	return false;
}

static bool check_address(const char *to, char *why, size_t size)
{
	char number[NUMBER_MAX + 1];
	enum form form = FORM_NUMERIC;

	return read_address(to, number, sizeof(number), &form, why, size);
}

/* --- what is dialled --------------------------------------------------------------------------------- */

/* Kanji cannot be shown: then it is told in English, and what another language named goes by its number.
 * Owned by the caller. */
static char *pager_text(const struct page *p, size_t max)
{
	char *text = page_text(p, max, freeword_count), number[32];
	struct page q = *p;

	if (text == NULL || !freeword_has_kanji(text))
		return text;
	free(text);
	q.lang = "en";
	q.template = NULL;
	if (freeword_has_kanji(q.text))
		q.text = "";
	if (freeword_has_kanji(q.host))
		q.host = "";
	if (freeword_has_kanji(q.check)) {
		snprintf(number, sizeof(number), "NO %lld", (long long)q.number);
		q.check = q.number > 0 ? number : "";
	}
	return page_text(&q, max, freeword_count);
}

static bool put_freeword(const struct dtmf_conf *k, const struct page *p, struct call *c)
{
	char *text = pager_text(p, (size_t)k->freeword_max);
	bool ok = text != NULL && buf_puts(&c->code, k->freeword_start != NULL ? k->freeword_start : "");

	if (ok) {
		c->lost = freeword_encode(text, &c->code);
		ok =
		    c->lost != SIZE_MAX && buf_puts(&c->code, k->freeword_end != NULL ? k->freeword_end : "");
	}
	free(text);
	return ok;
}

static bool compose(const struct dtmf_conf *k, const struct page *p, struct call *c, char *why, size_t size)
{
	const char *access = k->access != NULL ? k->access : "";
	char *head = strndup(k->template, (size_t)(strstr(k->template, "{code}") - k->template));
	bool ok;

	c->form = (enum form)k->form;
	if (!read_address(p->to, c->number, sizeof(c->number), &c->form, why, size)) {
		free(head);
		return false;
	}
	ok = head != NULL &&
	     (c->form == FORM_NUMERIC ? code_of_page(k->code, p, (enum code_check)k->check, &c->code)
				      : put_freeword(k, p, c));
	ok = ok && dial_of_template(head, access, c->number, "", &c->dial);
	c->code_at = c->dial.len;
	ok = ok && dial_of_template(k->template + strlen(head != NULL ? head : ""), access, c->number,
				    buf_str(&c->code), &c->dial);
	free(head);
	if (!ok)
		snprintf(why, size, "the dial string is longer than %d characters", DIAL_STRING_MAX);
	return ok;
}

/* --- a page ------------------------------------------------------------------------------------------ */

/* The terminal wants a moment before the line falls. */
static void hold(struct dtmf *d, int64_t until)
{
	int64_t end = clock_boot_ms() + d->conf->hold_ms;

	end = end < until ? end : until;
	while (clock_boot_ms() < end && hayes_idle(d->line.modem) && !dial_stopping())
		usleep(HOLD_STEP_MS * 1000);
}

static enum outcome judge(const struct dtmf *d, const struct call *c, const struct hayes_call *r,
			  char *detail, size_t size)
{
	bool answered = memchr(buf_str(&c->dial), '@', c->dial.len) != NULL;
	char lost[80] = "";

	if (c->lost > 0)
		snprintf(lost, sizeof(lost), "; %zu character%s no code and became blank%s", c->lost,
			 c->lost == 1 ? " has" : "s have", c->lost == 1 ? "" : "s");
	if (r->result == HAYES_OK) {
		snprintf(detail, size, "dialled %zu digits%s; nobody confirmed them%s",
			 dial_string_digits(buf_str(&c->dial)),
			 answered ? ", the line answered and was quiet" : "", lost);
		return OUTCOME_SENT;
	}
	/* nobody knows how much of it was dialled when the modem said nothing more */
	if ((r->result == HAYES_TIMEOUT || r->result == HAYES_GONE || r->result == HAYES_STOPPED) &&
	    r->given > c->code_at) {
		snprintf(detail, size, "%s while the page was being dialled", hayes_text(r->result));
		return OUTCOME_DOUBTFUL;
	}
	return dial_failed(&d->line, r, detail, size);
}

static enum outcome call(struct dtmf *d, const struct call *c, int64_t deadline, char *detail, size_t size)
{
	const char *called = d->conf->access != NULL ? d->conf->access : c->number;
	enum outcome o;
	struct hayes_call r;

	if (!dial_begin(&d->line, called, deadline, &o, detail, size))
		return o;
	deadline = dial_deadline(&d->line, deadline);
	r = hayes_dial(d->line.modem, buf_str(&c->dial), deadline);
	if (r.result == HAYES_OK)
		hold(d, deadline);
	o = judge(d, c, &r, detail, size);
	dial_end(&d->line, called, &r, r.result == HAYES_OK);
	log_info("%s: %s: %s", d->line.line, outcome_name(o), detail);
	return o;
}

static enum outcome dtmf_send(struct notifier_run *run, const struct page *p, char *detail, size_t size)
{
	struct dtmf *d = run->own;
	int64_t deadline = clock_boot_ms() + p->deadline_ms - MARGIN_MS;
	struct call c = {.lost = 0};
	enum outcome o = OUTCOME_REFUSED;

	buf_init(&c.code, DIAL_STRING_MAX);
	buf_init(&c.dial, DIAL_STRING_MAX);
	if (compose(d->conf, p, &c, detail, size))
		o = call(d, &c, deadline, detail, size);
	buf_fini(&c.code);
	buf_fini(&c.dial);
	return o;
}

/* --- the rest ---------------------------------------------------------------------------------------- */

static bool dtmf_start(struct notifier_run *run, char *why, size_t size)
{
	struct dtmf *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		snprintf(why, size, "out of memory");
		return false;
	}
	d->conf = run->conf;
	run->own = d;
	return dial_start(&d->line, &d->conf->dial, run->line, why, size);
}

static int dtmf_fd(struct notifier_run *run, int *wait_ms)
{
	const struct dtmf *d = run->own;

	return dial_fd(&d->line, wait_ms);
}

static void dtmf_idle(struct notifier_run *run)
{
	struct dtmf *d = run->own;

	dial_idle(&d->line);
}

static void dtmf_stop(struct notifier_run *run)
{
	struct dtmf *d = run->own;

	dial_stop(&d->line);
	free(d);
}

/* The digits as they are dialled; after them, for text, what the pager will show. */
static void dtmf_preview(const void *conf, const struct page *p, struct preview *out)
{
	const struct dtmf_conf *k = conf;
	struct call c = {.lost = 0};

	buf_init(&c.code, DIAL_STRING_MAX);
	buf_init(&c.dial, DIAL_STRING_MAX);
	if (compose(k, p, &c, out->note, sizeof(out->note))) {
		char *text = c.form == FORM_FREEWORD ? pager_text(p, (size_t)k->freeword_max) : NULL;

		out->shows = strdup(buf_str(&c.dial));
		out->units = dial_string_digits(buf_str(&c.dial));
		snprintf(out->note, sizeof(out->note), "digits, dialled%s%.150s", text != NULL ? "; shown: " : "",
			 text != NULL ? text : "");
		free(text);
	}
	buf_fini(&c.code);
	buf_fini(&c.dial);
}

extern const struct notifier notifier_dtmf;
const struct notifier notifier_dtmf = {
    .name = "dtmf",
    .help = "Dials pages as touch tones with an analog modem, for numeric pagers and Japanese pocket bells.",
    .opts = opts,
    .conf_size = sizeof(struct dtmf_conf),
    .blind = true,
    .check_conf = check_conf,
    .check_address = check_address,
    .start = dtmf_start,
    .send = dtmf_send,
    .fd = dtmf_fd,
    .idle = dtmf_idle,
    .stop = dtmf_stop,
    .preview = dtmf_preview,
};
