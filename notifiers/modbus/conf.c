/* The options of notify_modbus; see conf.h. */
#include "notifiers/modbus/conf.h"

#include <stdio.h>
#include <string.h>

#include "lib/contract/result.h"
#include "notifiers/modbus/siren.h"

#define FIELD(f) .offset = offsetof(struct modbus_conf, f)

const struct opt modbus_opts[] = {
    MB_REACH_OPTS(struct modbus_conf),
    {.name = "state_dir",
     .type = OPT_PATH,
     FIELD(state_dir),
     .flags = OPT_REQUIRED,
     .help = "where it remembers across restarts what sounds and for which incidents"},
    {.name = "states",
     .type = OPT_LIST,
     FIELD(states),
     .unit = "STATE",
     .help = "states that sound it: CRITICAL, WARNING, UNKNOWN; default: CRITICAL"},
    {.name = "max_on",
     .type = OPT_DURATION,
     FIELD(max_on),
     .dflt = "10m",
     .min = 0,
     .max = 604800e3,
     .help = "it sounds so long at a time, until a repeat; 0: until somebody acts"},
    {.name = "on_value",
     .type = OPT_INT,
     FIELD(on_value),
     .dflt = "1",
     .min = 0,
     .max = 65535,
     .help = "what a register gets for on"},
    {.name = "off_value",
     .type = OPT_INT,
     FIELD(off_value),
     .dflt = "0",
     .min = 0,
     .max = 65535,
     .help = "and for off"},
    {.name = "invert",
     .type = OPT_BOOL,
     FIELD(invert),
     .dflt = "no",
     .help = "a coil that is 0 sounds (fail-safe wiring)"},
    {.name = "pulse_on",
     .type = OPT_DURATION,
     FIELD(pulse_on),
     .dflt = "0",
     .min = 0,
     .max = 3600e3,
     .help = "sound in pulses: so long on"},
    {.name = "pulse_off",
     .type = OPT_DURATION,
     FIELD(pulse_off),
     .dflt = "0",
     .min = 0,
     .max = 3600e3,
     .help = "and so long off"},
    {.name = "test_on",
     .type = OPT_DURATION,
     FIELD(test_on),
     .dflt = "2s",
     .min = 100,
     .max = 600e3,
     .help = "how long a test page sounds"},
    {.name = "verify", .type = OPT_BOOL, FIELD(verify), .dflt = "yes", .help = "read back what was written"},
    {.name = "refresh",
     .type = OPT_DURATION,
     FIELD(refresh),
     .dflt = "30s",
     .min = 0,
     .max = 86400e3,
     .help = "write what sounds again so often, and look whether the board answers; 0: never"},
    {.name = "answer_limit",
     .type = OPT_DURATION,
     FIELD(answer_limit),
     .dflt = "3s",
     .min = 50,
     .max = 60e3,
     .help = "no answer for so long: it is written again, three times in all"},
    {.name = "watchdog",
     .type = OPT_STRING,
     FIELD(watchdog),
     .unit = "POINT",
     .help = "coil:N or holding:N[@UNIT] that is written while pagerd lives and monitord is heard"},
    {.name = "watchdog_interval",
     .type = OPT_DURATION,
     FIELD(watchdog_interval),
     .dflt = "5s",
     .min = 100,
     .max = 3600e3,
     .help = "so often"},
    {.name = "watchdog_values",
     .type = OPT_LIST,
     FIELD(watchdog_values),
     .unit = "N",
     .help = "with these values in turn; default: 1"},
    {.name = "beat_limit",
     .type = OPT_DURATION,
     FIELD(beat_limit),
     .dflt = "15s",
     .min = 2e3,
     .max = 3600e3,
     .help = "pagerd, which beats once a second, is taken for dead when silent for so long: the watchdog is "
	     "not fed"},
    {0},
};

bool modbus_writable(const char *text, struct mb_point *p, const char **why)
{
	if (!mb_point_parse(text, strlen(text), p, why))
		return false;
	*why = "an input cannot be written; it must be coil:N or holding:N";
	return p->table == MB_COIL || p->table == MB_HOLDING;
}

bool modbus_check_address(const char *to, char *why, size_t size)
{
	struct mb_point p;
	const char *reason = "";
	bool ok = strlen(to) < SIREN_TO_MAX && modbus_writable(to, &p, &reason);

	if (!ok)
		snprintf(why, size, "%s", reason[0] != '\0' ? reason : "too long");
	return ok;
}

static void check_watchdog(const struct modbus_conf *conf, struct complaints *c)
{
	struct mb_point p;
	const char *why;
	int64_t v;

	if (conf->watchdog && !modbus_writable(conf->watchdog, &p, &why))
		complaint_add(c, NULL, "watchdog", conf->watchdog, "%s", why);
	if (!conf->watchdog && conf->watchdog_values.n > 0)
		complaint_add(c, NULL, "watchdog_values", NULL, "mean nothing without watchdog");
	for (size_t i = 0; i < conf->watchdog_values.n; i++)
		if (!units_int(conf->watchdog_values.v[i], &v, NULL) || v < 0 || v > 65535)
			complaint_add(c, NULL, "watchdog_values", conf->watchdog_values.v[i],
				      "must be 0 to 65535");
}

void modbus_check_conf(const void *arg, struct complaints *c)
{
	const struct modbus_conf *conf = arg;
	enum nag_state s;

	mb_reach_check(&conf->reach, c);
	for (size_t i = 0; i < conf->states.n; i++)
		if (!nag_from_name(conf->states.v[i], &s) || s == NAG_OK)
			complaint_add(c, NULL, "states", conf->states.v[i],
				      "must be CRITICAL, WARNING or UNKNOWN");
	if (!conf->pulse_on != !conf->pulse_off)
		complaint_add(c, NULL, "pulse_on", NULL, "pulse_on and pulse_off go together");
	if (conf->on_value == conf->off_value)
		complaint_add(c, NULL, "on_value", NULL, "must differ from off_value");
	check_watchdog(conf, c);
}
