/*
 * The simulated modem's commands, as 27.007 has them, and where the others are; what it does not know answers
 * ERROR, as real ones do. For simmodem.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "simstate.h"

enum { BOOT_ANSWER_MS = 20 };

static bool locked(struct sim *s, int64_t now)
{
	if (s->ready)
		return false;
	sim_fail(s, now, "CME", s->tries > 0 ? 11 : 12, s->tries > 0 ? "SIM PIN required" : "SIM PUK required");
	return true;
}

static void do_cpin(struct sim *s, const char *arg, int64_t now)
{
	if (arg[0] == '?') {
		sim_info(s, now, s->ready ? "+CPIN: READY" : s->tries > 0 ? "+CPIN: SIM PIN" : "+CPIN: SIM PUK");
	} else if (arg[0] == '=') {
		char given[16] = "";

		sscanf(arg, "=\"%15[^\"]\"", given);
		if (given[0] == '\0')
			sscanf(arg, "=%15[0-9]", given);
		s->pins++;
		if (s->ready || s->tries <= 0) {
			sim_fail(s, now, "CME", s->ready ? 3 : 12,
				 s->ready ? "operation not allowed" : "SIM PUK required");
		} else if (strcmp(given, s->pin) == 0) {
			s->ready = true;
			s->tries = 3;
			sim_ok(s, now);
		} else {
			s->tries--;
			sim_fail(s, now, "CME", s->tries > 0 ? 16 : 12, "incorrect password");
		}
	} else {
		sim_answer(s, now, "ERROR");
	}
}

static void do_cpinr(struct sim *s, int64_t now)
{
	char text[64];

	if (s->o.hide_tries) {
		sim_answer(s, now, "ERROR");
		return;
	}
	snprintf(text, sizeof(text), "+CPINR: SIM PIN,%d,3", s->tries);
	sim_info(s, now, text);
}

static void do_reg(struct sim *s, const char *name, const char *arg, int stat, int *urc, int64_t now)
{
	char text[64];

	if (arg[0] == '?') {
		snprintf(text, sizeof(text), "+%s: %d,%d", name, *urc, stat);
		sim_info(s, now, text);
	} else if (arg[0] == '=') {
		*urc = atoi(arg + 1);
		sim_ok(s, now);
	} else {
		sim_answer(s, now, "ERROR");
	}
}

static void do_cops(struct sim *s, const char *arg, int64_t now)
{
	char text[64];

	if (arg[0] != '?') {
		sim_ok(s, now);
		return;
	}
	if (s->operator[0] != '\0')
		snprintf(text, sizeof(text), "+COPS: 0,0,\"%s\",2", s->operator);
	else
		snprintf(text, sizeof(text), "+COPS: 0");
	sim_info(s, now, text);
}

static void do_cfun(struct sim *s, const char *arg, int64_t now)
{
	if (strncmp(arg, "=1,1", 4) != 0) {
		sim_ok(s, now);
		return;
	}
	sim_power_on(s, now + BOOT_ANSWER_MS);
	sim_say(s, now, false, "\r\nOK\r\n");
}

/* Commands that need no SIM. True: it was one. */
static bool basic(struct sim *s, const char *c, int64_t now)
{
	if (c[0] == '\0' || strcasecmp(c, "&F") == 0 || strncasecmp(c, "S", 1) == 0 ||
	    strncasecmp(c, "V", 1) == 0)
		sim_ok(s, now);
	else if (strncasecmp(c, "E", 1) == 0 && (c[1] == '0' || c[1] == '1')) {
		s->echo = c[1] == '1';
		sim_ok(s, now);
	} else if (strncasecmp(c, "Z", 1) == 0) {
		s->echo = true;
		s->cmee = 0;
		sim_ok(s, now);
	} else if (strncasecmp(c, "I", 1) == 0)
		sim_info(s, now, "simmodem");
	else if (strncasecmp(c, "+CMEE=", 6) == 0) {
		s->cmee = atoi(c + 6);
		sim_ok(s, now);
	} else if (strncasecmp(c, "+CPINR", 6) == 0)
		do_cpinr(s, now);
	else if (strncasecmp(c, "+CPIN", 5) == 0)
		do_cpin(s, c + 5, now);
	else if (strncasecmp(c, "+CFUN", 5) == 0)
		do_cfun(s, c + 5, now);
	else if (strncasecmp(c, "+CGMI", 5) == 0 || strncasecmp(c, "+CGMM", 5) == 0)
		sim_info(s, now, "monitord simulated modem");
	else
		return false;
	return true;
}

static bool network(struct sim *s, const char *c, int64_t now)
{
	char text[32];

	if (strncasecmp(c, "+CREG", 5) == 0) {
		do_reg(s, "CREG", c + 5, s->creg, &s->creg_urc, now);
	} else if (strncasecmp(c, "+CEREG", 6) == 0) {
		do_reg(s, "CEREG", c + 6, s->cereg, &s->cereg_urc, now);
	} else if (strncasecmp(c, "+COPS", 5) == 0) {
		do_cops(s, c + 5, now);
	} else if (strcasecmp(c, "+CSCS=?") == 0) {
		sim_info(s, now, "+CSCS: (\"GSM\",\"IRA\",\"UCS2\")");
	} else if (strcasecmp(c, "+CSCS?") == 0) {
		sim_info(s, now, "+CSCS: \"GSM\"");
	} else if (strncasecmp(c, "+CSCS=", 6) == 0) {
		sim_ok(s, now);
	} else if (strcasecmp(c, "+CSQ") == 0) {
		snprintf(text, sizeof(text), "+CSQ: %d,99", s->csq);
		sim_info(s, now, text);
	} else {
		return false;
	}
	return true;
}

void sim_command(struct sim *s, char *line, int64_t now)
{
	const char *c = line + 2;

	if (strncasecmp(line, "AT", 2) != 0)
		return; /* a modem ignores what does not begin with AT */
	if (strncasecmp(c, "Z", 1) == 0)
		sim_cure(s, "atz");
	if (strncasecmp(c, "+CFUN=1,1", 9) == 0)
		sim_cure(s, "cfun");
	if (sim_hangs(s) || sim_unplugged(s, c + (c[0] == '+'), now))
		return;
	if (!basic(s, c, now) && !locked(s, now) && !network(s, c, now) && !sim_sms_command(s, c, now) &&
	    !sim_voice_command(s, c, now))
		sim_answer(s, now, "ERROR");
}
