/* See info.h. */
#include "info.h"

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"

void gsm_info_init(struct gsm_info *i)
{
	memset(i, 0, sizeof(*i));
	i->creg = i->cereg = -1;
	i->csq = 99;
	i->used = i->total = -1;
}

static bool silent(const struct at_answer *a)
{
	return a->final == AT_TIMEOUT || a->final == AT_GONE;
}

static bool ask(struct at *at, struct at_answer *a, const char *command, const char *prefix, int64_t deadline)
{
	int64_t until = clock_boot_ms() + GSM_COMMAND_MS;

	return at_command(at, command, prefix, until < deadline ? until : deadline, a) == AT_OK;
}

static int ask_stat(struct at *at, struct at_answer *a, const char *command, const char *prefix,
		    int64_t deadline)
{
	int stat = -1;

	if (!ask(at, a, command, prefix, deadline))
		return -1;
	for (size_t i = 0; i < a->n; i++) {
		/* of several such lines the one with two numbers is the answer, the others came unasked */
		if (stat < 0 || at_number(a->line[i], 1, -1) >= 0)
			stat = at_registration(a->line[i]);
	}
	return stat;
}

enum at_final gsm_ask_network(struct at *at, struct at_answer *a, struct gsm_info *i, int64_t deadline)
{
	i->creg = ask_stat(at, a, "AT+CREG?", "+CREG:", deadline);
	if (silent(a))
		return a->final;
	i->cereg = ask_stat(at, a, "AT+CEREG?", "+CEREG:", deadline);
	if (silent(a))
		return a->final;
	if (ask(at, a, "AT+CSQ", "+CSQ:", deadline) && a->n > 0)
		i->csq = (int)at_number(a->line[a->n - 1], 0, 99);
	return silent(a) ? a->final : AT_OK;
}

/* It goes into JSON and on screens: what is no plain letter is shown as "?". */
static void make_plain(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7E)
			*text = '?';
}

enum at_final gsm_ask_details(struct at *at, struct at_answer *a, struct gsm_info *i, int64_t deadline)
{
	i->operator[0] = '\0';
	if (ask(at, a, "AT+COPS?", "+COPS:", deadline) && a->n > 0)
		at_param(a->line[0], 2, i->operator, sizeof(i->operator));
	make_plain(i->operator);
	if (silent(a))
		return a->final;
	if (ask(at, a, "AT+CPMS?", "+CPMS:", deadline) && a->n > 0) {
		char memory[16];

		if (at_param(a->line[0], 0, memory, sizeof(memory)) && strlen(memory) == 2)
			memcpy(i->memory, memory, 3);
		i->used = at_number(a->line[0], 1, -1);
		i->total = at_number(a->line[0], 2, -1);
	}
	return silent(a) ? a->final : AT_OK;
}

bool gsm_registered(const struct gsm_info *i)
{
	return at_registered(i->creg) || at_registered(i->cereg);
}

int gsm_registration(const struct gsm_info *i)
{
	if (at_registered(i->creg) || at_registered(i->cereg))
		return at_registered(i->creg) ? i->creg : i->cereg;
	return i->creg > 0 || i->cereg < 0 ? i->creg : i->cereg;
}

int gsm_dbm(int csq)
{
	return csq >= 0 && csq <= 31 ? -113 + 2 * csq : 0;
}
