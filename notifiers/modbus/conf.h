/*
 * The options of a line that uses notify_modbus, and what is wrong with them.
 */
#ifndef NOTIFIERS_MODBUS_CONF_H
#define NOTIFIERS_MODBUS_CONF_H

#include "drivers/modbus/target.h"
#include "lib/config/opts.h"

struct modbus_conf {
	struct mb_reach reach;
	struct opt_list states, watchdog_values;
	char *state_dir, *watchdog;
	int64_t on_value, off_value, answer_limit, max_on, test_on, pulse_on, pulse_off, refresh,
	    watchdog_interval, beat_limit;
	bool invert, verify;
};

extern const struct opt modbus_opts[];

/* A coil or holding register. False and why (static text). */
bool modbus_writable(const char *text, struct mb_point *p, const char **why);
bool modbus_check_address(const char *to, char *why, size_t size);
void modbus_check_conf(const void *conf, struct complaints *c);

#endif
