/*
 * The words for what broke. They end in a text message read at three in the morning, so they are short, name
 * the layer, and quote the server where it said something.
 */
#include "fault.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "reply.h"

const char *smtp_phase_name(enum smtp_phase phase)
{
	static const char *const names[SMTP_PHASES] = {"resolve", "connect", "greeting", "EHLO", "STARTTLS",
						       "AUTH",	  "MAIL",    "RCPT",	 "DATA", "QUIT"};

	return phase < SMTP_PHASES ? names[phase] : "?";
}

bool smtp_fault_set(struct smtp_fault *f, enum smtp_fault_kind kind, enum smtp_phase phase, const char *fmt,
		    ...)
{
	va_list ap;

	f->kind = kind;
	f->phase = phase;
	f->code = 0;
	f->lmtp = false;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	return false;
}

/* Ways in which relays say "you in particular, too often" (Postfix anvil and postscreen, Exim, sendmail,
 * large providers). */
static bool says_limit(const char *text)
{
	static const char *const words[] = {"too many",	 "too much", "rate",	"limit",
					    "concurren", "4.7.0",    "throttl", "try again later from",
					    NULL};
	size_t i;

	for (i = 0; words[i]; i++)
		if (strcasestr(text, words[i]))
			return true;
	return false;
}

/* postscreen answers a full connection table with 421 too, but some relays use 450 or 554 with these words at
 * the greeting. */
static bool limits_us(enum smtp_phase phase, int code, const char *text)
{
	return code == 421 || (phase == SMTP_GREETING && strcasestr(text, "too many connections"));
}

bool smtp_fault_reply(struct smtp_fault *f, enum smtp_phase phase, int code, const char *raw)
{
	char first[80];

	smtp_reply_first(raw, first, sizeof(first));
	if (!limits_us(phase, code, raw))
		smtp_fault_set(f, SMTP_FAULT_ANSWER, phase, "answers %s: %d %s",
			       phase == SMTP_GREETING ? "the connect" : smtp_phase_name(phase), code, first);
	else if (says_limit(raw))
		smtp_fault_set(f, SMTP_FAULT_LIMITED, phase, "limits us: %d %s", code, first);
	else
		smtp_fault_set(f, SMTP_FAULT_LIMITED, phase, "turns us away for now: %d %s", code, first);
	f->code = code;
	return false;
}

bool smtp_fault_errno(struct smtp_fault *f, enum smtp_phase phase, int err)
{
	switch (err) {
	case ECONNREFUSED:
		return smtp_fault_set(f, SMTP_FAULT_REFUSED, phase, "refuses the connection");
	case ETIMEDOUT:
		return smtp_fault_set(f, SMTP_FAULT_TIMEOUT, phase, "no answer in %s (the network gave up)",
				      smtp_phase_name(phase));
	case ECONNRESET:
	case EPIPE:
		return smtp_fault_set(f, SMTP_FAULT_CLOSED, phase, "resets the connection in %s",
				      smtp_phase_name(phase));
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EHOSTDOWN:
	case ENETDOWN:
	case EADDRNOTAVAIL:
	case EINVAL: /* a blackhole route of this host */
	case EACCES: /* a firewall of this host, or a prohibit route */
	case EPERM:
	case EAFNOSUPPORT:
		return smtp_fault_set(f, SMTP_FAULT_UNREACHABLE, phase, "unreachable: %s",
				      strerrordesc_np(err));
	default:
		return smtp_fault_set(f, SMTP_FAULT_LOCAL, phase, "cannot be measured: %s in %s",
				      strerrordesc_np(err), smtp_phase_name(phase));
	}
}

bool smtp_fault_timeout(struct smtp_fault *f, enum smtp_phase phase, int64_t after_ms)
{
	/* a limit is named as it was written, not with the few milliseconds that it took to notice */
	double step = after_ms < 1000	 ? 100
		      : after_ms < 10000 ? 10
					 : 1,
	       s = round((double)after_ms / 1000 * step) / step;

	if (phase == SMTP_GREETING)
		return smtp_fault_set(f, SMTP_FAULT_TIMEOUT, phase, "no greeting in %g s", s);
	return smtp_fault_set(f, SMTP_FAULT_TIMEOUT, phase, "no answer in %s for %g s",
			      smtp_phase_name(phase), s);
}

const char *smtp_fault_layer(const struct smtp_fault *f)
{
	switch (f->kind) {
	case SMTP_FINE:
		return "";
	case SMTP_FAULT_NAME:
	case SMTP_FAULT_RESOLVER:
		return "resolve";
	case SMTP_FAULT_REFUSED:
		return "refused";
	case SMTP_FAULT_UNREACHABLE:
		return "unreachable";
	case SMTP_FAULT_TIMEOUT:
		return "timeout";
	case SMTP_FAULT_TLS:
		return "tls";
	case SMTP_FAULT_ANSWER:
		return "answer";
	case SMTP_FAULT_LIMITED:
		return "limited";
	case SMTP_FAULT_NOT_SMTP:
		return "not-smtp";
	case SMTP_FAULT_CLOSED:
		return "closed";
	case SMTP_FAULT_UNEXPECTED:
		return "unexpected";
	case SMTP_FAULT_LOCAL:
		return "local";
	}
	return "local";
}

/* 450 and 451 to RCPT are greylisting and its kin; 452 is a full disk or queue. */
static bool greylisted(const struct smtp_fault *f)
{
	return !f->lmtp && f->kind == SMTP_FAULT_ANSWER && f->phase == SMTP_RCPT && (f->code == 450 || f->code == 451);
}

enum nag_state smtp_fault_state(const struct smtp_fault *f)
{
	if (f->kind == SMTP_FINE)
		return NAG_OK;
	if (f->kind == SMTP_FAULT_LOCAL || f->kind == SMTP_FAULT_RESOLVER)
		return NAG_UNKNOWN;
	if (f->kind == SMTP_FAULT_LIMITED || f->kind == SMTP_FAULT_UNEXPECTED || f->phase == SMTP_QUIT ||
	    greylisted(f))
		return NAG_WARNING;
	return NAG_CRITICAL;
}

void smtp_fault_report(const struct smtp_fault *f, const char *who, struct result *r)
{
	result_fail(r, smtp_fault_state(f), smtp_fault_layer(f), "%s %s", who, f->text);
	r->measured = f->kind != SMTP_FAULT_LOCAL;
}
