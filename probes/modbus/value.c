/* Values of Modbus registers; see value.h. */
#include "probes/modbus/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const type_names[] = {"bool", "u16", "s16", "u32", "s32", "f32"};

static bool take_type(const char *word, struct modbus_value *v)
{
	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
		if (strcmp(word, type_names[i]) == 0) {
			v->type = (enum modbus_type)i;
			return true;
		}
	}
	return false;
}

static bool copy(char *to, size_t size, const char *from, const char **why)
{
	*why = "a word is empty or too long";
	return snprintf(to, size, "%s", from) < (int)size && from[0] != '\0';
}

/* The words behind label and point, in any order. */
static bool take_word(const char *word, struct modbus_value *v, const char **why)
{
	*why = "unknown word; known are bool u16 s16 u32 s32 f32 swap *SCALE +OFFSET -OFFSET unit= on= off= "
	       "w= c=";
	if (take_type(word, v))
		return true;
	if (strcmp(word, "swap") == 0)
		return v->swap = true;
	if (word[0] == '*')
		return units_number(word + 1, &v->scale, why);
	if (word[0] == '+')
		return units_number(word + 1, &v->offset, why);
	if (word[0] == '-')
		return units_number(word, &v->offset, why);
	if (strncmp(word, "unit=", 5) == 0)
		return copy(v->unit, sizeof(v->unit), word + 5, why);
	if (strncmp(word, "on=", 3) == 0)
		return copy(v->on, sizeof(v->on), word + 3, why);
	if (strncmp(word, "off=", 4) == 0)
		return copy(v->off, sizeof(v->off), word + 4, why);
	if (strncmp(word, "w=", 2) == 0)
		return units_range(word + 2, &v->warning, why);
	return strncmp(word, "c=", 2) == 0 && units_range(word + 2, &v->critical, why);
}

static bool is_bit(const struct modbus_value *v)
{
	return v->at.table == MB_COIL || v->at.table == MB_DISCRETE;
}

static bool makes_sense(struct modbus_value *v, bool typed, const char **why)
{
	*why = "a coil or discrete input is a bool: 0 or 1";
	if (is_bit(v) && typed && v->type != MT_BOOL)
		return false;
	*why = "swap is for types of two registers: u32, s32, f32";
	if (v->swap && modbus_value_registers(v) != 2)
		return false;
	*why = "the second register would be beyond the last";
	if (v->at.address + modbus_value_registers(v) > 65536)
		return false;
	*why = "on= and off= go together";
	return (v->on[0] == '\0') == (v->off[0] == '\0');
}

bool modbus_value_parse(const char *text, struct modbus_value *v, const char **why)
{
	const char *p = text;
	char word[80];
	int nth = 0;
	bool typed = false;

	*v = (struct modbus_value){.type = MT_U16, .scale = 1};
	for (p += strspn(p, " "); *p != '\0'; p += strspn(p, " "), nth++) {
		size_t n = strcspn(p, " ");
		bool ok;

		*why = "a word is too long";
		if (n >= sizeof(word))
			return false;
		memcpy(word, p, n);
		word[n] = '\0';
		p += n;
		ok = nth == 0	? copy(v->label, sizeof(v->label), word, why)
		     : nth == 1 ? mb_point_parse(word, n, &v->at, why)
				: take_word(word, v, why);
		if (!ok)
			return false;
		typed = typed || (nth > 1 && take_type(word, v));
	}
	*why = "must be LABEL TABLE:ADDRESS and what it means, as in \"temperature input:0 s16 *0.1 unit=C "
	       "c=~:35\"";
	if (nth < 2)
		return false;
	if (is_bit(v) && !typed)
		v->type = MT_BOOL;
	return makes_sense(v, typed, why);
}

int modbus_value_registers(const struct modbus_value *v)
{
	return v->type >= MT_U32 ? 2 : 1;
}

static double raw_of(const struct modbus_value *v, const uint16_t *r)
{
	uint32_t two = 0;
	float f;

	if (v->type >= MT_U32)
		two = v->swap ? (uint32_t)r[1] << 16 | r[0] : (uint32_t)r[0] << 16 | r[1];
	switch (v->type) {
	case MT_BOOL:
		return r[0] != 0;
	case MT_S16:
		return (int16_t)r[0];
	case MT_U32:
		return two;
	case MT_S32:
		return (int32_t)two;
	case MT_F32:
		memcpy(&f, &two, sizeof(f));
		return isfinite(f) ? (double)f : NAN;
	case MT_U16:
		break;
	}
	return r[0];
}

double modbus_value_of(const struct modbus_value *v, const uint16_t *registers)
{
	return raw_of(v, registers) * v->scale + v->offset;
}

char *modbus_value_text(const struct modbus_value *v, double value, char *out, size_t size)
{
	const char *word = value != 0 ? v->on : v->off;

	if (isnan(value))
		snprintf(out, size, "%s is no number", v->label);
	else if (word[0] != '\0')
		snprintf(out, size, "%s %s", v->label, word);
	else
		snprintf(out, size, "%s %.10g%s%s", v->label, value,
			 v->unit[0] != '\0' && v->unit[0] != '%' ? " " : "", v->unit);
	return out;
}
