/*
 * The SMS line: pages go out through a GSM modem, acknowledgements and delivery reports come back. Started by
 * pagerd, one process per modem. What it promises beyond the contract: a page whose result did not come is
 * not sent again while that result may still come; no PIN is ever tried twice; the modem is brought back
 * after an unplug or a hang for as long as the process runs.
 */
#include "notifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/gsm/cms.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "notifiers/sms/conf.h"
#include "notifiers/sms/modem.h"
#include "notifiers/sms/text.h"
#include "notifiers/sms/values.h"

enum {
	BRING_UP_MS = 20000,  /* for a modem that was well a moment ago */
	BAD_MODEM_MS = 4000,  /* for one that is known to be silent: the next route shall have its turn */
	OTHER_PAGE_MS = 10000, /* how long a page waits for the result of another */
	MARGIN_MS = 200,
	FEW_TRIES = 3,
	RUNG_MAX = 16
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

/* A number that was rung, and when. */
struct rung {
	char to[PDU_ADDRESS_MAX + 2];
	int64_t at;
};

struct sms {
	const struct sms_conf *conf;
	struct modem modem;
	struct pending pending;
	struct sms_refs refs;
	struct sms_tries tries;
	uint8_t concat_ref;
	struct rung rung[RUNG_MAX];
};

/* --- what the modem says by itself ------------------------------------------------------------------- */

static void on_received(void *arg, const struct received *r)
{
	(void)arg;
	notifier_received(r);
}

static void on_health(void *arg, bool ok, const char *text, const struct modem *m)
{
	(void)arg;
	notifier_health_values(ok, text, sms_values(m));
}

static void on_report(void *arg, uint8_t mr, const char *to, uint8_t status)
{
	struct sms *s = arg;
	enum pdu_delivery d = pdu_delivery(status);
	char detail[80];
	bool all;
	const struct sms_ref *r = sms_refs_report(&s->refs, mr, to, d == PDU_DELIVERED, &all);

	if (d == PDU_DELIVERED && r != NULL)
		s->modem.delivered_wall_ms = clock_wall_ms();
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
		modem_serve_inbox(m, true);
		return OUTCOME_RETRY;
	case CMS_MEND:
		modem_ails(m);
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
	modem_proved(&s->modem);
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
		/* the debt is forgotten when the wait is over, or the modem went */
		return m->owes ? OUTCOME_UNKNOWN : OUTCOME_DOUBTFUL;
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
	if (was == OUTCOME_DOUBTFUL && same)
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
		 at_registration_text(gsm_registration(&m->info)));
	return false;
}

/* The last answer was that the storage is full. */
static bool is_full(const struct modem *m)
{
	const struct at_answer *a = &m->sent;

	return (a->final == AT_CMS && cms_class(a->code) == CMS_MEMORY_FULL) ||
	       (a->final == AT_CME && cme_class(a->code) == CMS_MEMORY_FULL);
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
		if (o == OUTCOME_RETRY && (r == MODEM_NOT_SENT || is_full(&s->modem)) && again && clock_boot_ms() + BAD_MODEM_MS < deadline) {
			/* a hiccup, a replug, a storage that was just emptied: once more, nothing has left yet */
			log_notice("%s: %s; once more", s->modem.line, detail);
			again = false;
			continue;
		}
		if (o != OUTCOME_SENT)
			return o;
	}
	return OUTCOME_SENT;
}

/* --- ringing ----------------------------------------------------------------------------------------- */

static bool rings_for(const struct sms *s, const struct page *p)
{
	bool alarm = p->kind == PAGE_NEW || p->kind == PAGE_REPEAT || p->kind == PAGE_DIGEST;

	if (s->conf->call == SMS_CALL_NEVER || !alarm)
		return false;
	return s->conf->call == SMS_CALL_ALARMS || strcmp(p->state, "CRITICAL") == 0;
}

/* False: it was rung a moment ago. Bounded: of more numbers the oldest is forgotten, and may be rung again. */
static bool may_ring(struct sms *s, const char *to)
{
	int64_t now = clock_boot_ms();
	struct rung *r = &s->rung[0];

	for (size_t i = 0; i < RUNG_MAX; i++) {
		if (strcmp(s->rung[i].to, to) == 0) {
			r = &s->rung[i];
			if (now - r->at < s->conf->call_pause_ms)
				return false;
			break;
		}
		if (s->rung[i].at < r->at)
			r = &s->rung[i];
	}
	snprintf(r->to, sizeof(r->to), "%s", to);
	r->at = now;
	return true;
}

/* The message has left: nothing that a call does can change that. */
static void ring(struct sms *s, const struct page *p, int64_t deadline, char *detail, size_t size)
{
	char how[160];
	size_t n = strlen(detail);

	if (!rings_for(s, p) || s->modem.voice == VOICE_NONE || !s->modem.up || !may_ring(s, p->to))
		return;
	modem_ring(&s->modem, p->to, s->conf->call_ms, deadline, how, sizeof(how));
	if (how[0] != '\0' && n + 3 < size)
		snprintf(detail + n, size - n, "; %s", how);
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
	if (o == OUTCOME_SENT)
		ring(s, p, deadline, detail, size);
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
		/* at the latest now it is clear that nothing more will be heard */
		notifier_late(s->pending.id, o, detail);
	}
	modem_idle(&s->modem);
}

static void sms_taken(struct notifier_run *run, const char *id)
{
	struct sms *s = run->own;

	modem_taken(&s->modem, id);
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

static void preview(const void *conf, const struct page *p, struct preview *out)
{
	sms_preview(p, (size_t)((const struct sms_conf *)conf)->max_parts, out);
}

extern const struct notifier notifier_sms;
const struct notifier notifier_sms = {
	.name = "sms",
	.help = "Sends pages as SMS through a GSM modem and takes acknowledgements and delivery reports.",
	.opts = sms_opts,
	.conf_size = sizeof(struct sms_conf),
	.check_conf = sms_check_conf,
	.check_address = pdu_address_ok,
	.start = sms_start,
	.send = sms_send,
	.fd = sms_fd,
	.idle = sms_idle,
	.taken = sms_taken,
	.stop = sms_stop,
	.preview = preview,
};
