/*
 * The SMS line: pages go out through a GSM modem, acknowledgements and delivery reports come back. Started by
 * pagerd, one process per modem. What it promises beyond the contract: a page whose result did not come is
 * not sent again while that result may still come; no PIN is ever tried twice; the modem is brought back
 * after an unplug or a hang for as long as the process runs.
 */
#include "notifier.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../drivers/cms.h"
#include "../drivers/usbtty.h"
#include "../lib/clock.h"
#include "../lib/log.h"
#include "sms_modem.h"
#include "sms_text.h"

enum {
	BRING_UP_MS = 20000,  /* for a modem that was well a moment ago */
	BAD_MODEM_MS = 4000,  /* for one that is known to be silent: the next route shall have its turn */
	OTHER_PAGE_MS = 10000, /* how long a page waits for the result of another */
	MARGIN_MS = 200,
	FEW_TRIES = 3
};

/* The page whose sending was interrupted: its parts so far stay sent, and a later try goes on behind them. */
struct pending {
	char id[SMS_ID_MAX];
	struct pdu_part part[PDU_PARTS_MAX];
	size_t n, done;
	/* "sent" was said after "unknown": a try that was on its way already must not send it again */
	bool told_late;
	char to[PDU_ADDRESS_MAX + 2];
};

struct sms {
	const struct sms_conf *conf;
	struct modem modem;
	struct pending pending;
	struct sms_refs refs;
	struct sms_tries tries;
	uint8_t concat_ref;
};

#define FIELD(name) offsetof(struct sms_conf, name)

static const struct opt opts[] = {
	{.name = "device", .type = OPT_STRING, .offset = FIELD(device), .flags = OPT_REQUIRED, .unit = "PATH",
	 .help = "The modem: a path (best one under /dev/serial/by-id), usb:VID:PID[:SERIAL][@INTERFACE], or "
		 "simulated"},
	{.name = "baud", .type = OPT_INT, .offset = FIELD(baud), .min = 300, .max = 921600, .dflt = "115200",
	 .help = "Speed of the line, 8N1"},
	{.name = "flow", .type = OPT_ENUM, .offset = FIELD(flow), .dflt = "none", .choices = "none|rtscts",
	 .help = "Hardware flow control"},
	{.name = "pin_file", .type = OPT_SECRET, .offset = FIELD(pin_file),
	 .help = "File with the SIM's PIN; tried once, and only when the modem says that two tries are left"},
	{.name = "state_dir", .type = OPT_PATH, .offset = FIELD(state_dir),
	 .help = "Where a refused PIN is remembered; needed with pin_file"},
	{.name = "smsc", .type = OPT_STRING, .offset = FIELD(smsc), .unit = "NUMBER",
	 .help = "Service centre; default: the one on the SIM"},
	{.name = "validity", .type = OPT_DURATION, .offset = FIELD(validity_ms), .max = 38102400000.0, .dflt = "4h",
	 .help = "How long the centre keeps trying; 0: its own default"},
	{.name = "status_report", .type = OPT_BOOL, .offset = FIELD(status_report), .dflt = "yes",
	 .help = "Ask for a report when the phone has the message"},
	{.name = "reject_duplicates", .type = OPT_BOOL, .offset = FIELD(reject_duplicates), .dflt = "no",
	 .help = "Ask the centre to reject a message it has already"},
	{.name = "wait_cmgs", .type = OPT_DURATION, .offset = FIELD(wait_cmgs_ms), .min = 1000, .max = 600000,
	 .dflt = "60s", .help = "How long to wait for the modem's result before a page counts as unknown"},
	{.name = "wait_late", .type = OPT_DURATION, .offset = FIELD(wait_late_ms), .max = 3600000, .dflt = "2m",
	 .help = "How much longer to listen for that result before the modem is used again"},
	{.name = "max_parts", .type = OPT_INT, .offset = FIELD(max_parts), .min = 1, .max = PDU_PARTS_MAX,
	 .dflt = "1", .help = "Into how many messages one page may be split"},
	{.name = "check_interval", .type = OPT_DURATION, .offset = FIELD(check_interval_ms), .min = 1000,
	 .max = 86400000, .dflt = "60s", .help = "How often an idle modem is asked for registration and signal"},
	{.name = "phone_file", .type = OPT_PATH, .offset = FIELD(phone_file),
	 .help = "With device simulated: file that gets what the phone shows; default: the log"},
	{.name = NULL},
};

static void check_conf(const void *conf, struct complaints *c)
{
	const struct sms_conf *s = conf;
	char why[160];

	if (usbtty_is_spec(s->device)) {
		if (!usbtty_check(s->device, why, sizeof(why)))
			complaint_add(c, NULL, "device", s->device, "%s", why);
	} else if (s->device[0] != '/' && strcmp(s->device, "simulated") != 0) {
		complaint_add(c, NULL, "device", s->device,
			      "neither an absolute path nor usb:VID:PID nor \"simulated\"");
	}
	if (s->pin_file != NULL && s->state_dir == NULL)
		complaint_add(c, NULL, "state_dir", NULL,
			      "needed with pin_file: a refused PIN must be remembered");
	if (s->smsc != NULL && !pdu_address_ok(s->smsc, why, sizeof(why)))
		complaint_add(c, NULL, "smsc", s->smsc, "%s", why);
	if (s->phone_file != NULL && strcmp(s->device, "simulated") != 0)
		complaint_add(c, NULL, "phone_file", s->phone_file,
			      "only the simulated modem has a phone that can be read");
}

/* --- what the modem says by itself ------------------------------------------------------------------- */

static void on_received(void *arg, const char *from, const char *text)
{
	(void)arg;
	notifier_received(from, text);
}

static void on_health(void *arg, bool ok, const char *text)
{
	(void)arg;
	notifier_health(ok, "%s", text);
}

static void on_report(void *arg, uint8_t mr, const char *to, uint8_t status)
{
	struct sms *s = arg;
	enum pdu_delivery d = pdu_delivery(status);
	char detail[80];
	bool all;
	const struct sms_ref *r = sms_refs_report(&s->refs, mr, to, d == PDU_DELIVERED, &all);

	if (r == NULL) {
		log_info("%s: a status report for an unknown message to %s", s->modem.line, to);
		return;
	}
	snprintf(detail, sizeof(detail), "status 0x%02x%s", status,
		 d == PDU_DELIVERED ? "" : d == PDU_STILL_TRYING ? ", the centre still tries" : ", given up");
	if (d == PDU_FAILED)
		notifier_report(r->id, false, detail);
	else if (all)
		notifier_report(r->id, true, detail);
	else
		log_info("%s: part %u of %u to %s: %s", s->modem.line, r->part, r->nparts, to, detail);
}

/* --- outcomes ---------------------------------------------------------------------------------------- */

static enum outcome failed(struct sms *s, const char *id, const char *pdu)
{
	struct modem *m = &s->modem;
	enum cms_class c = m->sent.final == AT_CME ? cme_class(m->sent.code) : cms_class(m->sent.code);

	switch (c) {
	case CMS_SENT:
		return OUTCOME_SENT;
	case CMS_SUBSCRIPTION:
	case CMS_RECIPIENT:
		return OUTCOME_REFUSED;
	case CMS_OUR_BUG:
		log_err("%s: %s: the modem calls this PDU wrong: %s", m->line, m->why, pdu);
		return OUTCOME_REFUSED;
	case CMS_FEW_TRIES:
		return sms_tries_count(&s->tries, id) < FEW_TRIES ? OUTCOME_RETRY : OUTCOME_REFUSED;
	case CMS_MEMORY_FULL:
		m->sweep = true;
		return OUTCOME_RETRY;
	case CMS_MEND:
		/* looked at again from the start: the SIM, its PIN, the network */
		m->up = false;
		m->next_try = 0;
		return OUTCOME_RETRY;
	case CMS_AGAIN:
		break;
	}
	return OUTCOME_RETRY;
}

/* One more part of the pending page is through. */
static void part_done(struct sms *s, uint8_t mr)
{
	struct pending *g = &s->pending;

	g->done++;
	sms_refs_add(&s->refs, g->id, g->to, mr, (unsigned)g->done, (unsigned)g->n);
}

static enum outcome outcome_of(struct sms *s, enum modem_sent r, uint8_t mr, char *detail, size_t size)
{
	struct pending *g = &s->pending;
	struct modem *m = &s->modem;
	enum outcome o = OUTCOME_SENT;

	snprintf(detail, size, "%s", m->why);
	switch (r) {
	case MODEM_SENT:
		break;
	case MODEM_NOT_SENT:
		return OUTCOME_RETRY;
	case MODEM_UNKNOWN:
		return OUTCOME_UNKNOWN;
	case MODEM_FAILED:
		o = failed(s, g->id, g->part[g->done].hex);
		break;
	}
	if (o == OUTCOME_SENT) {
		part_done(s, mr);
		snprintf(detail, size, "message reference %u%s", mr,
			 r == MODEM_FAILED ? ", the centre had it already" : "");
	}
	return o;
}

/* The result that was owed came (or never will): tells the parent about the pending page. */
static enum outcome settle_debt(struct sms *s, enum modem_sent r, uint8_t mr, char *detail, size_t size)
{
	struct pending *g = &s->pending;
	char what[MODEM_WHY_MAX];
	enum outcome o = outcome_of(s, r, mr, what, sizeof(what));

	if (o == OUTCOME_SENT && g->done < g->n) {
		o = OUTCOME_RETRY;
		snprintf(detail, size, "part %zu of %zu was confirmed late; the rest goes with the next try",
			 g->done, g->n);
	} else {
		snprintf(detail, size, "late: %s", what);
	}
	g->told_late = o == OUTCOME_SENT;
	return o;
}

/* --- sending ----------------------------------------------------------------------------------------- */

/* False: *o and detail say how the page ended already. */
static bool wait_for_debt(struct sms *s, const struct page *p, int64_t deadline, enum outcome *o,
			  char *detail, size_t size)
{
	struct modem *m = &s->modem;
	bool same = strcmp(s->pending.id, p->id) == 0;
	int64_t until = same ? deadline : clock_boot_ms() + OTHER_PAGE_MS;
	uint8_t mr = 0;
	enum modem_sent r;
	enum outcome was;

	if (!m->owes)
		return true;
	r = modem_await(m, until < deadline ? until : deadline, &mr);
	if (m->owes) {
		*o = same ? OUTCOME_UNKNOWN : OUTCOME_RETRY;
		snprintf(detail, size,
			 same ? "still no result from the modem"
			      : "the modem still owes the result of another page");
		return false;
	}
	was = settle_debt(s, r, mr, detail, size);
	if (was == OUTCOME_UNKNOWN)
		return true; /* never told: it is sent again */
	if (!same) {
		notifier_late(s->pending.id, was, detail);
		return true;
	}
	*o = was;
	/* its first parts are through: go on behind them; an error of the modem is the answer of this try */
	return was == OUTCOME_RETRY && r == MODEM_SENT;
}

static bool prepare(struct sms *s, const struct page *p, char *why, size_t size)
{
	struct pending *g = &s->pending;
	struct pdu_submit submit = {.smsc = s->conf->smsc, .to = p->to, .validity_ms = s->conf->validity_ms,
				    .report = s->conf->status_report,
				.reject_duplicates = s->conf->reject_duplicates,
				    .max_parts = (size_t)s->conf->max_parts};
	char *text;

	if (strcmp(g->id, p->id) == 0 && g->done > 0 && g->done < g->n)
		return true;
	text = sms_text(p, (size_t)s->conf->max_parts);
	if (text == NULL) {
		snprintf(why, size, "out of memory");
		return false;
	}
	snprintf(g->id, sizeof(g->id), "%s", p->id);
	snprintf(g->to, sizeof(g->to), "%s", p->to);
	g->done = 0;
	g->told_late = false;
	submit.text = text;
	submit.ref = ++s->concat_ref;
	g->n = pdu_submit(&submit, g->part, why, size);
	free(text);
	return g->n > 0;
}

/* The modem is up and on the network. */
static bool ready(struct sms *s, int64_t deadline, char *detail, size_t size)
{
	struct modem *m = &s->modem;
	/* nothing said yet: it was never tried, and deserves the whole time */
	int64_t until = clock_boot_ms() + (m->healthy || m->said[0] == '\0' ? BRING_UP_MS : BAD_MODEM_MS);

	if (!modem_bring_up(m, until < deadline ? until : deadline)) {
		snprintf(detail, size, "%s", m->why);
		return false;
	}
	if (!modem_registered(m) && !modem_ask_registration(m, deadline)) {
		snprintf(detail, size, "%s", m->why);
		return false;
	}
	if (modem_registered(m))
		return true;
	snprintf(detail, size, "the modem is on no network: %s",
		 at_registration_text(m->cereg > 0 && m->creg <= 0 ? m->cereg : m->creg));
	return false;
}

static enum outcome send_parts(struct sms *s, int64_t deadline, char *detail, size_t size)
{
	struct pending *g = &s->pending;
	bool again = true;

	while (g->done < g->n) {
		uint8_t mr = 0;
		enum modem_sent r;
		enum outcome o;

		if (!ready(s, deadline, detail, size))
			return OUTCOME_RETRY;
		r = modem_send(&s->modem, &g->part[g->done], deadline, &mr);
		o = outcome_of(s, r, mr, detail, size);
		if (r == MODEM_NOT_SENT && again && clock_boot_ms() + BAD_MODEM_MS < deadline) {
			/* a hiccup or a replug: once more, nothing has left yet */
			log_notice("%s: %s; once more", s->modem.line, detail);
			again = false;
			continue;
		}
		if (o != OUTCOME_SENT)
			return o;
	}
	return OUTCOME_SENT;
}

static enum outcome sms_send(struct notifier_run *run, const struct page *p, char *detail, size_t size)
{
	struct sms *s = run->own;
	int64_t deadline = clock_boot_ms() + p->deadline_ms - MARGIN_MS;
	enum outcome o;

	if (!wait_for_debt(s, p, deadline, &o, detail, size))
		return o;
	if (s->pending.told_late && strcmp(s->pending.id, p->id) == 0) {
		snprintf(detail, size, "it was sent, as said late");
		return OUTCOME_SENT;
	}
	if (!prepare(s, p, detail, size))
		return OUTCOME_REFUSED;
	o = send_parts(s, deadline, detail, size);
	modem_settle(&s->modem);
	modem_say_health(&s->modem, false);
	return o;
}

/* --- the rest ---------------------------------------------------------------------------------------- */

static int sms_fd(struct notifier_run *run, int *wait_ms)
{
	const struct sms *s = run->own;

	return modem_fd(&s->modem, wait_ms);
}

static void sms_idle(struct notifier_run *run)
{
	struct sms *s = run->own;
	char detail[MODEM_WHY_MAX + 16];
	uint8_t mr = 0;

	if (s->modem.owes) {
		enum modem_sent r = modem_await(&s->modem, clock_boot_ms(), &mr);
		enum outcome o;

		if (s->modem.owes)
			return;
		o = settle_debt(s, r, mr, detail, sizeof(detail));
		/* "unknown" was said already, and nothing new is known */
		if (o != OUTCOME_UNKNOWN)
			notifier_late(s->pending.id, o, detail);
	}
	modem_idle(&s->modem);
}

static bool sms_start(struct notifier_run *run, char *why, size_t size)
{
	static const struct modem_calls calls = {
	    .received = on_received, .report = on_report, .health = on_health};
	struct sms *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		snprintf(why, size, "out of memory");
		return false;
	}
	s->conf = run->conf;
	/* not the same reference as just before a restart */
	s->concat_ref = (uint8_t)(clock_wall_ms() / 1000);
	modem_init(&s->modem, s->conf, run->line, &calls, s);
	run->own = s;
	return true;
}

static void sms_stop(struct notifier_run *run)
{
	struct sms *s = run->own;

	modem_fini(&s->modem);
	free(s);
}

extern const struct notifier notifier_sms;
const struct notifier notifier_sms = {
	.name = "sms",
	.help = "Sends pages as SMS through a GSM modem and takes acknowledgements and delivery reports.",
	.opts = opts,
	.conf_size = sizeof(struct sms_conf),
	.check_conf = check_conf,
	.check_address = pdu_address_ok,
	.start = sms_start,
	.send = sms_send,
	.fd = sms_fd,
	.idle = sms_idle,
	.stop = sms_stop,
};
