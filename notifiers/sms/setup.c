/*
 * A modem that answers is unlocked and set up: the SIM's PIN (once, and never at a risk), PDU mode, where
 * news go. For modem.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "modem.h"
#include "pin.h"

enum { SIM_BUSY_MS = 1000 };

/* --- the PIN ----------------------------------------------------------------------------------------- */

static int tries_left(struct modem *m, int64_t deadline)
{
	for (size_t q = 0; sms_pin_queries[q] != NULL; q++) {
		const char *command = sms_pin_queries[q];
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "%.*s:", (int)strcspn(command + 2, "?="), command + 2);
		if (at_command(m->at, command, prefix, modem_within(MODEM_COMMAND_MS, deadline), &m->a) !=
		    AT_OK)
			continue;
		for (size_t i = 0; i < m->a.n; i++) {
			int n = sms_pin_tries(m->a.line[i]);

			if (n >= 0)
				return n;
		}
	}
	return -1;
}

static bool send_pin(struct modem *m, const char *pin, int64_t deadline)
{
	char command[64], text[120];

	if (strspn(pin, "0123456789") != strlen(pin) || strlen(pin) < 4 || strlen(pin) > 8) {
		modem_because(m, "pin_file does not hold a PIN (4 to 8 digits)");
		return false;
	}
	if (!sms_pin_allowed(m->conf->state_dir, m->line, pin, m->why, sizeof(m->why)) ||
	    !sms_pin_trying(m->conf->state_dir, m->line, pin, m->why, sizeof(m->why)))
		return false;
	snprintf(command, sizeof(command), "AT+CPIN=\"%s\"", pin);
	at_command(m->at, command, NULL, modem_within(3 * MODEM_COMMAND_MS, deadline), &m->a);
	explicit_bzero(command, sizeof(command));
	if (m->a.final == AT_OK) {
		sms_pin_accepted(m->conf->state_dir, m->line);
		log_notice("%s: the SIM took its PIN", m->line);
		return true;
	}
	modem_because(m, "the SIM refused the PIN of pin_file: %s; it is not tried again",
		      at_final_text(&m->a, text, sizeof(text)));
	return false;
}

static bool unlock(struct modem *m, int64_t deadline)
{
	char why[200], *pin;
	int left;
	bool ok;

	if (m->conf->pin_file == NULL) {
		modem_because(m, "the SIM wants a PIN and there is no pin_file");
		return false;
	}
	left = tries_left(m, deadline);
	if (left < 2) {
		modem_because(
		    m,
		    left < 0
			? "the SIM wants its PIN, but the modem does not tell how many tries are left: enter "
			  "it by hand, or "
			  "switch the PIN off"
			: "the SIM wants its PIN and has %d tr%s left: that is not risked; enter it by hand",
		    left, left == 1 ? "y" : "ies");
		return false;
	}
	pin = file_secret(m->conf->pin_file, why, sizeof(why));
	if (pin == NULL) {
		modem_because(m, "pin_file: %s", why);
		return false;
	}
	ok = send_pin(m, pin, deadline);
	file_secret_free(pin);
	return ok;
}

/* The SIM's state; a SIM that is busy right after power-on is asked again. */
static bool check_sim(struct modem *m, int64_t deadline)
{
	char text[120];

	for (;;) {
		enum at_final f =
		    at_command(m->at, "AT+CPIN?", "+CPIN:", modem_within(MODEM_COMMAND_MS, deadline), &m->a);

		if (f == AT_OK && m->a.n > 0)
			break;
		if (f != AT_CME || m->a.code != 14 || clock_boot_ms() + SIM_BUSY_MS >= deadline) {
			modem_because(m, "the SIM: %s", at_final_text(&m->a, text, sizeof(text)));
			return false;
		}
		serial_wait(at_serial(m->at), clock_boot_ms() + SIM_BUSY_MS);
	}
	at_param(m->a.line[m->a.n - 1], 0, text, sizeof(text));
	if (strcmp(text, "READY") == 0) {
		if (m->conf->state_dir != NULL)
			sms_pin_accepted(m->conf->state_dir, m->line);
		return true;
	}
	if (strcmp(text, "SIM PIN") == 0)
		return unlock(m, deadline);
	modem_because(m, "the SIM wants \"%s\": that takes a person", text);
	return false;
}

/* --- setting up -------------------------------------------------------------------------------------- */

/* Where news of received messages and status reports goes; modems differ in what they can. */
static void choose_news(struct modem *m, int64_t deadline)
{
	static const char *const way[] = {"AT+CNMI=2,1,0,1,0", "AT+CNMI=2,1,0,2,0", "AT+CNMI=2,1,0,0,0",
	 "AT+CNMI=1,1,0,0,0"};

	for (size_t i = m->conf->status_report ? 0 : 2; i < sizeof(way) / sizeof(way[0]); i++) {
		if (at_command(m->at, way[i], NULL, modem_within(MODEM_COMMAND_MS, deadline), &m->a) ==
		    AT_OK) {
			if (m->conf->status_report && i >= 2)
				log_warn("%s: this modem cannot give status reports", m->line);
			return;
		}
	}
	log_warn("%s: this modem does not announce messages; they are looked for at each check", m->line);
}

bool modem_set_up(struct modem *m, int64_t deadline)
{
	char text[120];

	/* errors of these two do not matter: an echo is recognised, a plain ERROR is just less telling */
	at_command(m->at, "ATE0", NULL, modem_within(MODEM_COMMAND_MS, deadline), &m->a);
	at_command(m->at, "AT+CMEE=1", NULL, modem_within(MODEM_COMMAND_MS, deadline), &m->a);
	if (!check_sim(m, deadline))
		return false;
	if (at_command(m->at, "AT+CMGF=0", NULL, modem_within(MODEM_COMMAND_MS, deadline), &m->a) != AT_OK) {
		modem_because(m, "no PDU mode: %s", at_final_text(&m->a, text, sizeof(text)));
		return false;
	}
	choose_news(m, deadline);
	m->reset_seen = false;
	m->memory[0] = '\0';
	modem_forget_inbox(m);
	at_command(m->at, "AT+COPS=3,0", NULL, modem_within(MODEM_COMMAND_MS, deadline), &m->a);
	if (!modem_ask_registration(m, deadline) || !modem_ask_details(m, deadline))
		return false;
	snprintf(m->memory, sizeof(m->memory), "%s", m->info.memory);
	return true;
}
