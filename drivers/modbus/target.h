/*
 * How a Modbus unit is reached, as options: the part of the tables of notify_modbus and check_modbus that is
 * the same, and the points that people write, "coil:3" or "holding:0x10@2". Pure.
 */
#ifndef DRIVERS_MODBUS_TARGET_H
#define DRIVERS_MODBUS_TARGET_H

#include "drivers/modbus/modbus.h"
#include "lib/config/opts.h"

struct mb_reach {
	char *host, *device;
	int64_t port, baud, stop_bits, unit;
	int parity; /* of "none|even|odd" */
};

/* The options of a structure S whose member `reach` is a struct mb_reach. */
#define MB_REACH_OPTS(S)                                                                                     \
	{.name = "host",                                                                                     \
	 .letter = 'H',                                                                                      \
	 .type = OPT_STRING,                                                                                 \
	 .offset = offsetof(S, reach.host),                                                                  \
	 .unit = "ADDRESS",                                                                                  \
	 .help = "Modbus TCP: IPv4 or IPv6 address; no name, as name service may be down"},                  \
	    {.name = "port",                                                                                 \
	     .letter = 'p',                                                                                  \
	     .type = OPT_INT,                                                                                \
	     .offset = offsetof(S, reach.port),                                                              \
	     .dflt = "502",                                                                                  \
	     .min = 1,                                                                                       \
	     .max = 65535,                                                                                   \
	     .help = "its port"},                                                                            \
	    {.name = "device",                                                                               \
	     .type = OPT_STRING,                                                                             \
	     .offset = offsetof(S, reach.device),                                                            \
	     .unit = "PATH",                                                                                 \
	     .help =                                                                                         \
		 "Modbus RTU: the serial port, or usb:VID:PID[:SERIAL]; locked only while it is in use"},    \
	    {.name = "baud",                                                                                 \
	     .type = OPT_INT,                                                                                \
	     .offset = offsetof(S, reach.baud),                                                              \
	     .dflt = "9600",                                                                                 \
	     .min = 300,                                                                                     \
	     .max = 921600,                                                                                  \
	     .help = "RTU: bits a second"},                                                                  \
	    {.name = "parity",                                                                               \
	     .type = OPT_ENUM,                                                                               \
	     .offset = offsetof(S, reach.parity),                                                            \
	     .dflt = "none",                                                                                 \
	     .choices = "none|even|odd",                                                                     \
	     .help = "RTU: as the unit is set; the standard's own is even"},                                 \
	    {.name = "stop_bits",                                                                            \
	     .type = OPT_INT,                                                                                \
	     .offset = offsetof(S, reach.stop_bits),                                                         \
	     .dflt = "1",                                                                                    \
	     .min = 1,                                                                                       \
	     .max = 2,                                                                                       \
	     .help = "RTU: stop bits"},                                                                      \
	{                                                                                                    \
		.name = "unit", .letter = 'u', .type = OPT_INT, .offset = offsetof(S, reach.unit),           \
		.dflt = "1", .min = 0, .max = 255,                                                           \
		.help = "unit (slave) identifier, where a point does not name its own"                       \
	}

/* What no table can say: one of host and device, an address that is none. */
void mb_reach_check(const struct mb_reach *r, struct complaints *c);
/* For mb_open; strings are borrowed. */
struct mb_target mb_reach_target(const struct mb_reach *r);

/* One coil, input or register. */
struct mb_point {
	enum mb_table table;
	int address; /* as on the wire, from 0 */
	int unit;    /* -1: the line's */
};

/* "coil:3", "discrete:0", "holding:0x10@2", "input:7". False and a reason (static text). */
bool mb_point_parse(const char *text, size_t len, struct mb_point *p, const char **why);
const char *mb_table_name(enum mb_table t);

#endif
