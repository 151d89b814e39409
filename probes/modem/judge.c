/* What the facts are worth; see modem.h. */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "modem.h"

struct verdict {
	enum nag_state state;
	struct buf critical, warning; /* what is wrong */
};

enum { WORDS_MAX = 300 };

static void add(struct verdict *v, enum nag_state s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void add(struct verdict *v, enum nag_state s, const char *fmt, ...)
{
	struct buf *b = s == NAG_CRITICAL ? &v->critical : &v->warning;
	va_list ap;

	if (s == NAG_OK)
		return;
	v->state = nag_worse(s, v->state);
	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
	buf_puts(b, "; ");
}

static void judge_radio(struct verdict *v, struct result *r, const struct modem_facts *f,
			const struct modem_limits *l)
{
	struct perf *p;

	if (!f->registered)
		add(v, NAG_CRITICAL, "%s", f->registration);
	else if (!f->ok)
		add(v, NAG_CRITICAL, "%s", f->said);
	if (!f->has_signal)
		return;
	add(v, nag_judge(f->dbm, &l->warning, &l->critical), "the signal is weak");
	result_perf(r, "signal", f->dbm, "", &l->warning, &l->critical);
	p = result_perf(r, "csq", f->csq, "", NULL, NULL);
	if (p != NULL) {
		p->has_min = p->has_max = true;
		p->max = 31;
	}
}

static void judge_storage(struct verdict *v, struct result *r, const struct modem_facts *f,
			  const struct modem_limits *l)
{
	double percent = f->total > 0 ? 100.0 * (double)f->used / (double)f->total : 0;
	struct perf *p;

	if (!f->has_storage)
		return;
	add(v, nag_judge(percent, &l->storage_warning, &l->storage_critical), "the storage is nearly full");
	result_perf(r, "storage", percent, "%", &l->storage_warning, &l->storage_critical);
	p = result_perf(r, "messages", (double)f->used, "", NULL, NULL);
	if (p != NULL) {
		p->has_min = p->has_max = true;
		p->max = (double)f->total;
	}
}

static struct range above(int64_t ms)
{
	return (struct range){.set = ms > 0, .start = 0, .end = (double)ms / 1000};
}

static void judge_proof(struct verdict *v, struct result *r, const struct modem_facts *f,
			const struct modem_limits *l, int64_t now)
{
	struct range warn = above(l->proof_warning_ms), crit = above(l->proof_critical_ms);
	int64_t age = now > f->proven_wall_ms ? now - f->proven_wall_ms : 0;
	char span[40];

	if (f->proven_wall_ms == 0) {
		if (warn.set || crit.set)
			add(v, NAG_WARNING, "no page has gone over it yet");
		return;
	}
	add(v, nag_judge((double)age / 1000, &warn, &crit), "last page %s ago",
	    clock_span(age, span, sizeof(span)));
	result_perf(r, "proof_age", (double)(age / 1000), "s", &warn, &crit);
}

static void judge_balance(struct verdict *v, struct result *r, const struct modem_facts *f,
			  const struct modem_limits *l, int64_t now)
{
	struct range low = {.set = l->has_balance_low, .start = l->balance_low, .end = 1e15};
	bool wanted = l->has_balance_low || l->validity_low_ms > 0;

	if (f->has_balance) {
		add(v, nag_judge(f->balance, &low, NULL), "balance %g", f->balance);
		result_perf(r, "balance", f->balance, "", NULL, NULL);
	}
	if (f->has_validity) {
		double days = (double)(f->valid_until_wall_ms - now) / 86400000;

		if (days < 0)
			add(v, NAG_CRITICAL, "the SIM's validity has ended");
		else if (f->valid_until_wall_ms - now < l->validity_low_ms)
			add(v, NAG_WARNING, "valid for %.0f more days", days);
		result_perf(r, "validity_days", (double)(int64_t)days, "", NULL, NULL);
	}
	if (!wanted)
		return;
	if (f->ussd_error[0] != '\0')
		add(v, NAG_WARNING, "balance unknown: %s", f->ussd_error);
	else if ((l->has_balance_low && !f->has_balance) || (l->validity_low_ms > 0 && !f->has_validity))
		add(v, NAG_WARNING, "%s unknown", !f->has_balance ? "balance" : "validity");
}

static void say(struct result *r, const struct modem_facts *f, const struct verdict *v)
{
	char signal[40] = "signal unknown", storage[48] = "", where[140];

	if (f->has_signal)
		snprintf(signal, sizeof(signal), "signal %d dBm", f->dbm);
	if (f->has_storage)
		snprintf(storage, sizeof(storage), ", %lld/%lld messages stored", (long long)f->used,
			 (long long)f->total);
	snprintf(where, sizeof(where), "%s%s%s, ", f->registration, f->operator[0] != '\0' ? " at " : "",
		 f->operator);
	result_set(r, v->state, "%s%s%s%s%s", buf_str(&v->critical), buf_str(&v->warning),
		   f->registered ? where : "", signal, storage);
}

void modem_judge(struct result *r, const struct modem_facts *f, const struct modem_limits *l, int64_t now)
{
	struct verdict v = {.state = NAG_OK};

	buf_init(&v.critical, WORDS_MAX);
	buf_init(&v.warning, WORDS_MAX);
	if (!f->up) {
		result_fail(r, NAG_CRITICAL, "modem", "%s",
			    f->why[0] != '\0' ? f->why : "the modem is not usable");
		return;
	}
	judge_radio(&v, r, f, l);
	judge_storage(&v, r, f, l);
	judge_proof(&v, r, f, l, now);
	judge_balance(&v, r, f, l, now);
	say(r, f, &v);
	buf_fini(&v.critical);
	buf_fini(&v.warning);
}
