/*
 * What a modem may say, and what a program may say to the simulated one. Beyond not crashing: a line is
 * bounded and holds no line end, and a number taken out of it is one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/gsm/atparse.h"
#include "drivers/sim/simmodem.h"
#include "notifiers/sms/pin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const char *line)
{
	char out[20];
	int code, tries = sms_pin_tries(line), stat = at_registration(line);

	if (strlen(line) > AT_LINE_MAX || strpbrk(line, "\r\n") != NULL || line[0] == '\0')
		abort();
	if (at_classify(line, &code) == AT_LINE_OTHER && code != -1)
		abort();
	if (code < -1 || code > 65535 || tries < -1 || tries > 10 || stat < -1 || stat > 15)
		abort();
	at_unsolicited(line);
	at_pdu_follows(line);
	for (size_t i = 0; i < 5; i++) {
		at_number(line, i, -1);
		if (at_param(line, i, out, sizeof(out)) && strlen(out) >= sizeof(out))
			abort();
	}
}

static void shown(void *arg, const struct sim_message *m)
{
	(void)arg;
	if (m->sms->part < 1 || m->sms->part > m->sms->nparts)
		abort();
}

static void vanish(void *arg, int64_t ms)
{
	(void)arg;
	(void)ms;
}

static void note(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sim_calls calls = {.shown = shown, .vanish = vanish, .note = note};
	const struct sim_options o = {
	    .pin = size % 3 == 0 ? "1234" : NULL, .tries = 3, .smsc = "+1", .slots = 4};
	struct sim *sim = sim_new(&o, &calls, NULL);
	struct at_lines l;
	struct buf out;
	int64_t now = 1;

	at_lines_init(&l);
	for (size_t i = 0; i < size; i++)
		if (at_lines_feed(&l, (char)data[i]) == AT_FED_LINE)
			look_at(l.line);
	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < size; i++) {
		sim_input(sim, (const char *)data + i, 1, now++);
		sim_output(sim, now, &out);
	}
	buf_fini(&out);
	sim_free(sim);
	return 0;
}
