/*
 * The phases of an SMTP session: how long each took and may take. Below session.c and dialogue.c, which
 * begin and end them.
 */
#include <math.h>

#include "lib/clock.h"
#include "probes/probe.h"
#include "session_private.h"

const int64_t smtp_default_limit_ms[SMTP_PHASES] = {
    [SMTP_RESOLVE] = 10000, [SMTP_CONNECT] = 10000,  [SMTP_GREETING] = 30000, /* some relays pause for 20 s to
										 see who cannot wait */
    [SMTP_EHLO] = 15000,    [SMTP_STARTTLS] = 15000, [SMTP_AUTH] = 15000,     [SMTP_MAIL] = 15000,
    [SMTP_RCPT] = 30000,    [SMTP_DATA] = 60000,     [SMTP_QUIT] = 5000,
};

const char *smtp_where(enum smtp_phase phase)
{
	static const char *const text[SMTP_PHASES] = {
	    "smtp resolve", "smtp connect", "smtp greeting", "smtp EHLO", "smtp STARTTLS",
	    "smtp AUTH",    "smtp MAIL",    "smtp RCPT",     "smtp DATA", "smtp QUIT"};

	return text[phase];
}

void smtp_phase_end(struct smtp_session *s)
{
	double *ms = &s->seen->ms[s->phase];

	if (s->since_us)
		*ms = (isnan(*ms) ? 0 : *ms) + (double)(clock_boot_us() - s->since_us) / 1000;
	s->since_us = 0;
}

void smtp_phase_begin(struct smtp_session *s, enum smtp_phase phase)
{
	smtp_phase_end(s);
	s->phase = phase;
	s->since_us = clock_boot_us();
	if (s->t.run)
		probe_at(s->t.run, smtp_where(phase));
}

int64_t smtp_limit_ms(const struct smtp_target *t, enum smtp_phase phase)
{
	return t->limit_ms[phase] > 0 ? t->limit_ms[phase] : smtp_default_limit_ms[phase];
}

int64_t smtp_phase_deadline(const struct smtp_session *s)
{
	int64_t end = s->since_us + smtp_limit_ms(&s->t, s->phase) * 1000;

	return s->t.deadline && s->t.deadline * 1000 < end ? s->t.deadline * 1000 : end;
}

bool smtp_phase_expired(struct smtp_session *s)
{
	s->broken = true;
	return smtp_fault_timeout(s->fault, s->phase, (clock_boot_us() - s->since_us + 500) / 1000);
}
