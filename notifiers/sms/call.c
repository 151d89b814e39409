/*
 * Rings a phone, for those whom an SMS does not wake: dials, lets it ring, hangs up. For notify_sms.c.
 * Nothing here can undo a message that left; whatever happens, it hangs up.
 */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "modem.h"

enum { DIAL_MS = 10000, POLL_MS = 500, HANG_UP_MS = 5000 };

enum call_state { CALL_DIALS, CALL_RINGS, CALL_ANSWERED, CALL_OVER };

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What the modem says of the call (27.007, 7.18): 0 active, 2 dialling, 3 ringing at the far end. */
static enum call_state look(struct modem *m, int64_t until)
{
	enum at_final f;

	if (m->call_said[0] != '\0')
		return CALL_OVER;
	f = at_command(m->at, "AT+CLCC", "+CLCC:", min64(clock_boot_ms() + DIAL_MS, until), &m->a);
	if (f == AT_ERROR && strcmp(m->a.said, "ERROR") != 0)
		snprintf(m->call_said, sizeof(m->call_said), "%s", m->a.said);
	if (m->call_said[0] != '\0' || f == AT_GONE)
		return CALL_OVER;
	for (size_t i = 0; f == AT_OK && i < m->a.n; i++) {
		long outgoing = at_number(m->a.line[i], 1, -1) == 0, stat = at_number(m->a.line[i], 2, -1);

		if (outgoing && (stat == 0 || stat == 3))
			return stat == 0 ? CALL_ANSWERED : CALL_RINGS;
	}
	return CALL_DIALS;
}

/* The call stands until one of both ends it. */
static void let_ring(struct modem *m, int64_t until, char *how, size_t size)
{
	int64_t rings_since = 0;
	enum call_state s = CALL_DIALS;

	while (clock_boot_ms() < until) {
		s = look(m, until);
		if (s == CALL_OVER || s == CALL_ANSWERED)
			break;
		if (s == CALL_RINGS && rings_since == 0)
			rings_since = clock_boot_ms();
		if (serial_wait(at_serial(m->at), min64(clock_boot_ms() + POLL_MS, until)) == 1 &&
		    !at_idle(m->at))
			break;
	}
	if (s == CALL_ANSWERED)
		snprintf(how, size, "the call was answered");
	else if (s == CALL_OVER)
		snprintf(how, size, "the call: %s",
			 m->call_said[0] != '\0' ? m->call_said : "the modem went away");
	else if (rings_since != 0)
		snprintf(how, size, "the phone rang for %lld s",
			 (long long)(clock_boot_ms() - rings_since + 500) / 1000);
	else
		snprintf(how, size, "the call was dialled; whether it rang is not known");
}

static void hang_up(struct modem *m)
{
	int64_t deadline = clock_boot_ms() + HANG_UP_MS;

	if (serial_gone(at_serial(m->at)))
		return;
	if (at_command(m->at, "AT+CHUP", NULL, deadline, &m->a) == AT_OK)
		return;
	if (at_command(m->at, "ATH", NULL, deadline, &m->a) == AT_OK)
		return;
	/* set up anew, or reset, it hangs up too */
	m->up = false;
	m->next_try = 0;
	modem_because(m, "the modem does not hang up");
	log_warn("%s: %s", m->line, m->why);
}

/* False: how says why it does not call. */
static bool dial(struct modem *m, const char *to, int64_t until, char *how, size_t size)
{
	char command[64], text[120];
	enum at_final f;

	m->call_said[0] = '\0';
	snprintf(command, sizeof(command), "ATD%s;", to);
	f = at_command(m->at, command, NULL, min64(clock_boot_ms() + DIAL_MS, until), &m->a);
	at_final_text(&m->a, text, sizeof(text));
	if (f == AT_OK) {
		m->voice = VOICE_YES;
		return true;
	}
	if (f == AT_CME || (f == AT_ERROR && strcmp(m->a.said, "ERROR") == 0)) {
		m->voice = VOICE_NONE;
		snprintf(how, size, "this modem cannot call: %s", text);
		log_warn("%s: %s; it is not asked to again", m->line, how);
		return false;
	}
	snprintf(how, size, "the call: %s", text);
	return false;
}

void modem_ring(struct modem *m, const char *to, int64_t ms, int64_t deadline, char *how, size_t size)
{
	int64_t until = min64(clock_boot_ms() + ms, deadline - HANG_UP_MS);

	how[0] = '\0';
	if (m->voice == VOICE_NONE || !m->up || m->owes)
		return;
	if (until < clock_boot_ms() + POLL_MS) {
		snprintf(how, size, "no time was left for a call");
		return;
	}
	if (dial(m, to, until, how, size))
		let_ring(m, until, how, size);
	if (m->voice != VOICE_NONE)
		hang_up(m);
}
