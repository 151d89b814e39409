/*
 * modbus: coils, inputs and registers of one board, over TCP or a serial port: what a UPS, a thermometer, a
 * door contact says. Several values in one check, each with its own limits; the values that alert stand
 * first. No answer is CRITICAL; that the unit refuses an address is UNKNOWN, for then the check is wrong and
 * not what it watches.
 */
#include "probe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/modbus/modbus.h"
#include "lib/clock.h"
#include "probes/modbus/value.h"

enum { TRIES = 3, SHOWN_MAX = 160 };

struct modbus_conf {
	struct mb_reach reach;
	struct opt_list read;
	int64_t answer_limit;
};

/* What one run holds. */
struct look {
	struct probe_run *run;
	const struct modbus_conf *mc;
	struct mb_target target;
	struct mb *mb; /* NULL: not connected */
	bool asked;    /* the last failure came after the question was put */
	struct mb_error error;
};

static const struct opt modbus_opts[] = {
    MB_REACH_OPTS(struct modbus_conf),
    {.name = "read",
     .letter = 'r',
     .type = OPT_LIST,
     .offset = offsetof(struct modbus_conf, read),
     .flags = OPT_REQUIRED,
     .unit = "VALUE",
     .help = "LABEL TABLE:ADDRESS[@UNIT] [bool|u16|s16|u32|s32|f32] [swap] [*SCALE] [+OFFSET] [unit=C] "
	     "[on=WORD off=WORD] "
	     "[w=RANGE] [c=RANGE]; TABLE is coil, discrete, holding or input, ADDRESS counts from 0 as on "
	     "the wire, swap: the "
	     "low word comes first"},
    {.name = "answer_limit",
     .type = OPT_DURATION,
     .offset = offsetof(struct modbus_conf, answer_limit),
     .dflt = "3s",
     .min = 50,
     .max = 60e3,
     .help = "no answer for so long: the question is asked again, three times in all"},
    {0},
};

static void modbus_check_conf(const void *arg, struct complaints *c)
{
	const struct modbus_conf *mc = arg;
	struct modbus_value v, before;
	const char *why;

	mb_reach_check(&mc->reach, c);
	if (mc->read.n > MODBUS_VALUES_MAX)
		complaint_add(c, NULL, "read", NULL, "more than %d values", MODBUS_VALUES_MAX);
	for (size_t i = 0; i < mc->read.n && i < MODBUS_VALUES_MAX; i++) {
		if (!modbus_value_parse(mc->read.v[i], &v, &why)) {
			complaint_add(c, NULL, "read", mc->read.v[i], "%s", why);
			continue;
		}
		for (size_t k = 0; k < i; k++)
			if (modbus_value_parse(mc->read.v[k], &before, &why) &&
			    strcmp(before.label, v.label) == 0)
				complaint_add(c, NULL, "read", mc->read.v[i], "the label is used already");
	}
}

/* --- reading --------------------------------------------------------------------------------------- */

static int64_t limit(const struct look *l)
{
	int64_t at = clock_boot_ms() + l->mc->answer_limit;

	return at < l->run->deadline ? at : l->run->deadline;
}

static bool try_once(struct look *l, const struct modbus_value *v, uint16_t *registers)
{
	int unit = v->at.unit >= 0 ? v->at.unit : (int)l->mc->reach.unit;

	if (l->mb == NULL) {
		probe_at_name(l->run, "connect", l->target.host ? l->target.host : l->target.device);
		l->mb = mb_open(&l->target, limit(l), &l->error);
	}
	l->asked = l->mb != NULL;
	if (l->mb == NULL)
		return false;
	probe_at_name(l->run, "read", v->label);
	return mb_read(l->mb, unit, v->at.table, v->at.address, modbus_value_registers(v), registers,
		       limit(l), &l->error);
}

/* Worth asking again: a frame was lost or spoiled on its way, the connection broke, the unit was busy. */
static bool passing(const struct mb_error *e)
{
	return e->fault == MB_TIMEOUT || e->fault == MB_GARBAGE || e->fault == MB_GONE ||
	       (e->fault == MB_EXCEPTION && (e->exception == 5 || e->exception == 6));
}

static bool read_value(struct look *l, const struct modbus_value *v, uint16_t *registers)
{
	for (int i = 0; i < TRIES; i++) {
		if (try_once(l, v, registers))
			return true;
		if (l->error.fault == MB_EXCEPTION && !passing(&l->error))
			return false;
		mb_close(l->mb);
		l->mb = NULL;
		if (!passing(&l->error) || clock_boot_ms() >= l->run->deadline || l->run->cancelled)
			return false;
	}
	return false;
}

static const char *layer_of(enum mb_fault f)
{
	static const char *const names[] = {"", "refused", "timeout", "exception", "answer", "gone", "local"};

	return names[f];
}

static void say_failed(struct look *l, const struct modbus_value *v)
{
	const struct mb_error *e = &l->error;
	bool serial = l->target.host == NULL;
	bool wrong = e->fault == MB_EXCEPTION && e->exception >= 1 && e->exception <= 3;
	/* the port of this host is no part of what is watched */
	bool local =
	    e->fault == MB_LOCAL || (serial && (e->fault == MB_NO_CONNECTION || e->fault == MB_GONE));

	result_fail(l->run->result, wrong || local ? NAG_UNKNOWN : NAG_CRITICAL, layer_of(e->fault), "%s%s%s",
		    e->text, l->asked ? ", asked for " : "", l->asked ? v->label : "");
	l->run->result->measured = !local;
}

/* --- judging --------------------------------------------------------------------------------------- */

static const char *uom_of(const char *unit)
{
	static const char *const known[] = {"%", "s", "ms", "us", "B"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(unit, known[i]) == 0)
			return unit;
	return "";
}

static enum nag_state judge(const struct modbus_value *v, double value)
{
	if (isnan(value) && !v->warning.set && !v->critical.set)
		return NAG_UNKNOWN;
	return nag_judge(value, &v->warning, &v->critical);
}

/* "temperature 36.2 C (limit ~:35)" */
static void add_text(struct buf *to, const struct modbus_value *v, double value, enum nag_state s)
{
	char text[SHOWN_MAX], range[64] = "";

	modbus_value_text(v, value, text, sizeof(text));
	if (s == NAG_CRITICAL || s == NAG_WARNING)
		range_text(s == NAG_CRITICAL ? &v->critical : &v->warning, range, sizeof(range));
	buf_printf(to, "%s%s", to->len > 0 ? ", " : "", text);
	if (range[0] != '\0' && v->on[0] == '\0')
		buf_printf(to, " (limit %s)", range);
}

static bool read_all(struct look *l, struct buf *alerting, struct buf *good, enum nag_state *worst)
{
	for (size_t i = 0; i < l->mc->read.n && i < MODBUS_VALUES_MAX; i++) {
		struct modbus_value v;
		uint16_t registers[2] = {0};
		const char *why;

		if (!modbus_value_parse(l->mc->read.v[i], &v, &why))
			return false; /* check_conf has seen to that */
		if (!read_value(l, &v, registers)) {
			say_failed(l, &v);
			return false;
		}
		double value = modbus_value_of(&v, registers);
		enum nag_state s = judge(&v, value);
		*worst = nag_worse(*worst, s);
		add_text(s == NAG_OK ? good : alerting, &v, value, s);
		result_perf(l->run->result, v.label, value, uom_of(v.unit), &v.warning, &v.critical);
	}
	return true;
}

static void modbus_run(struct probe_run *run)
{
	struct look l = {.run = run, .mc = run->conf};
	struct buf alerting, good;
	enum nag_state worst = NAG_OK;

	buf_init(&alerting, RESULT_TEXT_MAX);
	buf_init(&good, RESULT_TEXT_MAX);
	l.target = mb_reach_target(&l.mc->reach);
	if (read_all(&l, &alerting, &good, &worst))
		result_set(run->result, worst, "%s%s%s", buf_str(&alerting),
			   alerting.len > 0 && good.len > 0 ? "; " : "", buf_str(&good));
	mb_close(l.mb);
	buf_fini(&alerting);
	buf_fini(&good);
}

const struct probe probe_modbus = {
    .name = "modbus",
    .help = "coils, inputs and registers of a Modbus unit: UPS, temperature, door contacts",
    .place = PROBE_NET,
    .opts = modbus_opts,
    .conf_size = sizeof(struct modbus_conf),
    .host_option = "host",
    .check_conf = modbus_check_conf,
    .run = modbus_run,
};
