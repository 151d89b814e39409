/*
 * The simulated modem's calls and USSD dialogue (27.007): a far phone that rings, and a prepaid service that
 * tells the balance. For simat.c and simmodem.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "simstate.h"

enum { RING_AFTER_MS = 50 };

/* --- calls ------------------------------------------------------------------------------------------- */

static void drop_call_lines(struct sim *s)
{
	for (size_t i = 0; i < s->nqueue; i++)
		if (s->queue[i].call) {
			s->queue[i].call = false;
			s->queue[i].len = s->queue[i].at = 0;
		}
}

static void hang_up(struct sim *s, int64_t now)
{
	drop_call_lines(s);
	sim_call_over(s, "hung up", now);
	sim_ok(s, now);
}

/* How the call goes on: a line at its end, said unasked. */
static void say_later(struct sim *s, int64_t due, const char *line)
{
	sim_say(s, due, false, "\r\n%s\r\n", line);
	if (s->nqueue > 0)
		s->queue[s->nqueue - 1].call = true;
}

static void dial(struct sim *s, const char *number, int64_t now)
{
	static const struct {
		const char *how, *line;
	} ends[] = {{"busy", "BUSY"}, {"noanswer", "NO ANSWER"}, {"nocarrier", "NO CARRIER"}};
	size_t n = strcspn(number, ";");

	if (strcmp(s->voice, "none") == 0 || number[n] != ';') {
		sim_fail(s, now, "CME", 4, "operation not supported");
		return;
	}
	s->rings++;
	s->in_call = true;
	s->call_at = now;
	s->call_ms = -1;
	s->call_end[0] = '\0';
	snprintf(s->call_to, sizeof(s->call_to), "%.*s", (int)n, number);
	sim_ok(s, now);
	if (strcmp(s->voice, "ring") == 0 || strcmp(s->voice, "noanswer") == 0)
		s->calls.rings(s->arg, s->call_to, true);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (strcmp(s->voice, ends[i].how) == 0)
			say_later(s, now + s->voice_ms, ends[i].line);
}

/* Dialling, then ringing at the far end, then (connect) spoken to. */
static void list_calls(struct sim *s, int64_t now)
{
	char text[96];
	int64_t since = now - s->call_at;
	int stat = since < RING_AFTER_MS ? 2 : 3;

	if (!s->in_call) {
		sim_ok(s, now);
		return;
	}
	if (strcmp(s->voice, "connect") == 0 && since >= s->voice_ms)
		stat = 0;
	if (strcmp(s->voice, "busy") == 0 || strcmp(s->voice, "nocarrier") == 0)
		stat = 2;
	snprintf(text, sizeof(text), "+CLCC: 1,0,%d,0,0,\"%s\",145", stat, s->call_to);
	sim_info(s, now, text);
}

/* --- USSD -------------------------------------------------------------------------------------------- */

static void add_hex(char *out, size_t size, unsigned v)
{
	size_t n = strlen(out);

	if (n + 3 <= size)
		snprintf(out + n, 3, "%02X", v & 0xFF);
}

/* Latin text only: enough for what a balance looks like, and the yen sign. */
static void as_ucs2(const char *text, char *out, size_t size)
{
	for (; *text != '\0'; text++) {
		unsigned c = (unsigned char)*text;

		if ((c & 0xE0) == 0xC0 && text[1] != '\0') {
			c = (c & 0x1F) << 6 | ((unsigned char)text[1] & 0x3F);
			text++;
		} else if ((c & 0xF0) == 0xE0 && text[1] != '\0' && text[2] != '\0') {
			c = (c & 0x0F) << 12 | ((unsigned char)text[1] & 0x3F) << 6 |
			    ((unsigned char)text[2] & 0x3F);
			text += 2;
		}
		add_hex(out, size, c >> 8);
		add_hex(out, size, c);
	}
}

/* Letters and digits are the same in GSM-7 and ASCII. */
static void as_packed(const char *text, char *out, size_t size)
{
	unsigned held = 0;
	int bits = 0;

	for (; *text != '\0'; text++) {
		held |= ((unsigned)*text & 0x7F) << bits;
		for (bits += 7; bits >= 8; bits -= 8, held >>= 8)
			add_hex(out, size, held);
	}
	/* seven spare bits would read as an @: 23.038, 6.1.2.3.1 pads with CR */
	if (bits == 1)
		held |= 0x0D << 1;
	if (bits > 0)
		add_hex(out, size, held);
}

static void answer_ussd(struct sim *s, int64_t due)
{
	char text[4 * SIM_USSD_MAX + 4] = "";
	int dcs = 15;

	if (s->ussd[0] == '\0') {
		sim_say(s, due, false, "\r\n+CUSD: %d\r\n", s->ussd_status == 0 ? 4 : s->ussd_status);
		return;
	}
	if (strcmp(s->ussd_form, "ucs2") == 0) {
		dcs = 72;
		as_ucs2(s->ussd, text, sizeof(text));
	} else if (strcmp(s->ussd_form, "packed") == 0) {
		as_packed(s->ussd, text, sizeof(text));
	} else {
		snprintf(text, sizeof(text), "%s", s->ussd);
	}
	sim_say(s, due, false, "\r\n+CUSD: %d,\"%s\",%d\r\n", s->ussd_status, text, dcs);
}

static void do_cusd(struct sim *s, const char *arg, int64_t now)
{
	int n = -1;

	s->ussd_code[0] = '\0';
	if (sscanf(arg, "=%d,\"%63[^\"]\"", &n, s->ussd_code) < 1 || n < 0 || n > 2) {
		sim_answer(s, now, "ERROR");
		return;
	}
	if (strcmp(s->ussd_form, "none") == 0) {
		sim_fail(s, now, "CME", 4, "operation not supported");
		return;
	}
	sim_ok(s, now);
	if (n == 1 && s->ussd_code[0] != '\0' && s->ussd_ms >= 0) {
		s->ussds++;
		answer_ussd(s, now + s->ussd_ms);
	}
}

/* --- */

bool sim_voice_command(struct sim *s, const char *c, int64_t now)
{
	if (strncasecmp(c, "D", 1) == 0)
		dial(s, c + 1, now);
	else if (strcasecmp(c, "H") == 0 || strcasecmp(c, "H0") == 0 || strcasecmp(c, "+CHUP") == 0)
		hang_up(s, now);
	else if (strcasecmp(c, "+CLCC") == 0)
		list_calls(s, now);
	else if (strncasecmp(c, "+CUSD", 5) == 0)
		do_cusd(s, c + 5, now);
	else
		return false;
	return true;
}

bool sim_voice_set(struct sim *s, const char *name, const char *value)
{
	if (strcmp(name, "voice") == 0)
		snprintf(s->voice, sizeof(s->voice), "%s", value);
	else if (strcmp(name, "voice_ms") == 0)
		s->voice_ms = atol(value);
	else if (strcmp(name, "ussd") == 0)
		snprintf(s->ussd, sizeof(s->ussd), "%s", strcmp(value, "-") == 0 ? "" : value);
	else if (strcmp(name, "ussd_form") == 0)
		snprintf(s->ussd_form, sizeof(s->ussd_form), "%s", value);
	else if (strcmp(name, "ussd_status") == 0)
		s->ussd_status = atoi(value);
	else if (strcmp(name, "ussd_ms") == 0)
		s->ussd_ms = atol(value);
	else
		return false;
	return true;
}
