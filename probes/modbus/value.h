/*
 * What the Modbus probe reads, as people write it, and what the registers mean:
 *
 *     battery input:2 u16 unit=% w=30: c=10:
 *     temperature input:0@3 s16 *0.1 +0 unit=C w=~:30 c=~:35
 *     door discrete:1 on=open off=closed c=0
 *
 * Pure. Called by check_modbus.c and its tests.
 */
#ifndef PROBES_MODBUS_VALUE_H
#define PROBES_MODBUS_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/modbus/target.h"
#include "lib/config/units.h"

enum { MODBUS_LABEL_MAX = 64, MODBUS_UNIT_MAX = 16, MODBUS_WORD_MAX = 32, MODBUS_VALUES_MAX = 32 };

enum modbus_type { MT_BOOL, MT_U16, MT_S16, MT_U32, MT_S32, MT_F32 };

struct modbus_value {
	char label[MODBUS_LABEL_MAX];
	struct mb_point at;
	enum modbus_type type;
	bool swap; /* two registers: the low word comes first */
	double scale, offset;
	char unit[MODBUS_UNIT_MAX];
	char on[MODBUS_WORD_MAX], off[MODBUS_WORD_MAX]; /* what 1 and 0 are called; "": the number */
	struct range warning, critical;
};

/* False and a reason (static text). */
bool modbus_value_parse(const char *text, struct modbus_value *v, const char **why);
/* 1, or 2 for those of 32 bits. */
int modbus_value_registers(const struct modbus_value *v);
/* registers: as read. May be NaN (f32). */
double modbus_value_of(const struct modbus_value *v, const uint16_t *registers);
/* "temperature 23.5 C", "door open" into out; returns out. */
char *modbus_value_text(const struct modbus_value *v, double value, char *out, size_t size);

#endif
