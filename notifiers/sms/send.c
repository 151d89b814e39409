/*
 * One PDU through AT+CMGS, and the result that may come late. For notify_sms.c. Promises to tell "not sent"
 * (stopped before the last byte) from "nobody knows": the difference between a second page and a lost one.
 */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "modem.h"

enum { PROMPT_MS = 5000, WRITE_MS = 15000, ESCAPE_MS = 1000 };

/* What the answer in m->sent means. */
static enum modem_sent judge(struct modem *m, uint8_t *mr)
{
	char text[120];

	at_final_text(&m->sent, text, sizeof(text));
	switch (m->sent.final) {
	case AT_OK:
		if (m->sent.n > 0) {
			long ref = at_number(m->sent.line[m->sent.n - 1], 0, 0);

			*mr = (uint8_t)ref;
			return MODEM_SENT;
		}
		snprintf(m->why, sizeof(m->why), "the modem said OK without +CMGS");
		m->up = false;
		return MODEM_UNKNOWN;
	case AT_GONE:
		modem_down(m, "the device went away before the result came");
		return MODEM_UNKNOWN;
	case AT_TIMEOUT:
	case AT_PROMPT:
		snprintf(m->why, sizeof(m->why), "no result from the modem yet");
		return MODEM_UNKNOWN;
	case AT_ERROR:
	case AT_CME:
	case AT_CMS:
		break;
	}
	snprintf(m->why, sizeof(m->why), "%s", text);
	return MODEM_FAILED;
}

/* The prompt did not come, or not all bytes went: leave the command, and look at the modem again before its
 * next use. */
static enum modem_sent abandon(struct modem *m, const char *why)
{
	if (serial_gone(at_serial(m->at))) {
		modem_down(m, "the device went away before the message was handed over");
		return MODEM_NOT_SENT;
	}
	at_raw(m->at, "\x1b\r", 2, clock_boot_ms() + ESCAPE_MS, NULL);
	m->up = false;
	m->next_try = 0;
	snprintf(m->why, sizeof(m->why), "%s", why);
	return MODEM_NOT_SENT;
}

enum modem_sent modem_send(struct modem *m, const struct pdu_part *part, int64_t deadline, uint8_t *mr)
{
	char command[32], bytes[sizeof(part->hex) + 1];
	size_t n = (size_t)snprintf(bytes, sizeof(bytes), "%s\x1a", part->hex);
	enum at_final f;
	enum modem_sent r;
	bool all;

	snprintf(command, sizeof(command), "AT+CMGS=%zu", part->tpdu_octets);
	f = at_prompt(m->at, command, modem_within(PROMPT_MS, deadline), &m->sent);
	if (f == AT_TIMEOUT || f == AT_GONE)
		return abandon(m, "the modem gave no prompt");
	if (f == AT_OK)
		return abandon(m, "the modem said OK where a prompt belongs");
	if (f != AT_PROMPT)
		return judge(m, mr);
	at_raw(m->at, bytes, n, modem_within(WRITE_MS, deadline), &all);
	if (!all)
		return abandon(m, "the modem took only a part of the message");
	/* from here on the phone may ring */
	m->owes = true;
	m->owed_until = clock_boot_ms() + m->conf->wait_cmgs_ms + m->conf->wait_late_ms;
	at_result(m->at, "+CMGS:", modem_within(m->conf->wait_cmgs_ms, deadline), true, &m->sent);
	if (m->sent.final != AT_TIMEOUT)
		m->owes = false;
	r = judge(m, mr);
	if (r == MODEM_FAILED)
		log_warn("%s: %s", m->line, m->why);
	return r;
}

enum modem_sent modem_await(struct modem *m, int64_t deadline, uint8_t *mr)
{
	if (deadline > m->owed_until)
		deadline = m->owed_until;
	at_result(m->at, "+CMGS:", deadline, false, &m->sent);
	if (m->sent.final != AT_TIMEOUT) {
		m->owes = false;
		return judge(m, mr);
	}
	if (clock_boot_ms() >= m->owed_until) {
		m->owes = false;
		m->up = false;
		m->next_try = 0;
		snprintf(m->why, sizeof(m->why), "the modem never told whether a message was sent");
		log_warn("%s: %s; it is looked at again", m->line, m->why);
	}
	return MODEM_UNKNOWN;
}
