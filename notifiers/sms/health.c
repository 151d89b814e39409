/*
 * What every part of the modem needs: why it is not up, closing it, and what it says of the network. Below
 * setup.c, inbox.c, send.c and modem.c.
 */
#include "modem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"

enum { BACKOFF_MAX_MS = 30000 };

void modem_close(struct modem *m)
{
	at_free(m->at);
	m->at = NULL;
	m->up = m->owes = false;
	m->memory[0] = '\0';
	m->ussd.waiting = false;
}

static int64_t soonest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t modem_within(int64_t ms, int64_t deadline)
{
	return soonest(clock_boot_ms() + ms, deadline);
}

void modem_because(struct modem *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->why, sizeof(m->why), fmt, ap);
	va_end(ap);
}

void modem_back_off(struct modem *m)
{
	m->next_try = clock_boot_ms() + m->backoff_ms;
	m->backoff_ms = soonest(m->backoff_ms * 2, BACKOFF_MAX_MS);
}

void modem_down(struct modem *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->why, sizeof(m->why), fmt, ap);
	va_end(ap);
	log_warn("%s: %s", m->line, m->why);
	modem_close(m);
	modem_back_off(m);
}

/* --- mending ----------------------------------------------------------------------------------------- */

enum { ILL_MIN_MS = 10000, ILL_MAX_MS = 300000 };

void modem_proved(struct modem *m)
{
	m->ills = 0;
	m->ill_until = 0;
	m->ill[0] = '\0';
	m->accepted_wall_ms = clock_wall_ms();
}

void modem_ails(struct modem *m)
{
	int64_t ms = ILL_MIN_MS;

	for (unsigned i = 0; i < m->ills && ms < ILL_MAX_MS; i++)
		ms *= 2;
	m->ills++;
	m->ill_until = clock_boot_ms() + soonest(ms, ILL_MAX_MS);
	snprintf(m->ill, sizeof(m->ill), "%s", m->why);
	/* looked at again from the start: the SIM, its PIN, the network */
	m->up = false;
	m->next_try = 0;
}

/* --- health ------------------------------------------------------------------------------------------ */

bool modem_registered(const struct modem *m)
{
	return gsm_registered(&m->info);
}

static void say_well(const struct modem *m, char *text, size_t size)
{
	int n = snprintf(text, size, "%s", at_registration_text(gsm_registration(&m->info)));

	if (m->info.csq >= 0 && m->info.csq <= 31)
		n += snprintf(text + n, size - (size_t)n, ", signal %d/31", m->info.csq);
	else
		n += snprintf(text + n, size - (size_t)n, ", signal unknown");
	if (m->conf->call != SMS_CALL_NEVER && m->voice == VOICE_NONE)
		snprintf(text + n, size - (size_t)n, ", cannot call");
}

void modem_say_health(struct modem *m, bool force)
{
	bool ill = m->ill_until > clock_boot_ms();
	bool ok = m->up && modem_registered(m) && !ill;
	char text[MODEM_WHY_MAX + 80];

	if (m->up && !ill)
		say_well(m, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "%s", m->up ? m->ill : m->why);
	/* a new reason is news; a new signal strength is not */
	if (!force && ok == m->healthy && (ok || strcmp(text, m->said) == 0))
		return;
	m->healthy = ok;
	snprintf(m->said, sizeof(m->said), "%s", text);
	m->calls.health(m->arg, ok, text, m);
}

/* A modem that answers no more is not up. */
static bool lost(struct modem *m, enum at_final f)
{
	if (f == AT_GONE) {
		modem_down(m, "the device went away");
		return true;
	}
	if (f == AT_TIMEOUT) {
		m->up = false;
		modem_because(m, "the modem does not answer");
		m->next_try = 0;
		return true;
	}
	return false;
}

bool modem_ask(struct modem *m, const char *command, const char *prefix, int64_t ms)
{
	return !lost(m, at_command(m->at, command, prefix, clock_boot_ms() + ms, &m->a));
}

bool modem_ask_registration(struct modem *m, int64_t deadline)
{
	return !lost(m, gsm_ask_network(m->at, &m->a, &m->info, deadline));
}

bool modem_ask_details(struct modem *m, int64_t deadline)
{
	return !lost(m, gsm_ask_details(m->at, &m->a, &m->info, deadline));
}
