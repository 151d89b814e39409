/* Points and values as people write them, and what registers mean. drivers/modbus/target.c,
 * probes/modbus/value.c */
#include "unit.h"

#include <math.h>

#include "probes/modbus/value.h"

static void points(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		struct mb_point p;
	} rows[] = {
	    {"coil:0", true, {MB_COIL, 0, -1}},
	    {"discrete:15", true, {MB_DISCRETE, 15, -1}},
	    {"holding:0x10@2", true, {MB_HOLDING, 16, 2}},
	    {"input:65535@255", true, {MB_INPUT, 65535, 255}},
	    {"input:65536", false, {0}},
	    {"coil", false, {0}},
	    {"coil:", false, {0}},
	    {"coil:-1", false, {0}},
	    {"coil:1@", false, {0}},
	    {"coil:1@256", false, {0}},
	    {"coil:1@1@1", false, {0}},
	    {"coil:0x", false, {0}},
	    {"coil:1x", false, {0}},
	    {"coil:00000000000000000001", false, {0}},
	    {"coils:1", false, {0}},
	    {":1", false, {0}},
	    {"", false, {0}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mb_point p;
		const char *why = NULL;
		bool ok = mb_point_parse(rows[i].text, strlen(rows[i].text), &p, &why);

		if (ok != rows[i].ok || (!ok && why == NULL) ||
		    (ok && (p.table != rows[i].p.table || p.address != rows[i].p.address ||
			    p.unit != rows[i].p.unit)))
			fail_msg("row %zu: \"%s\"", i, rows[i].text);
	}
}

static void what_registers_mean(void **state)
{
	static const struct {
		const char *text;
		uint16_t r[2];
		double value;
		const char *shown;
	} rows[] = {
	    {"t input:0", {230, 0}, 230, "t 230"},
	    {"t input:0 s16 *0.1 unit=C", {65436, 0}, -10, "t -10 C"},
	    {"t input:0 u16 *0.1 -40 unit=%", {500, 0}, 10, "t 10%"},
	    {"t input:0 *0.1 +5", {500, 0}, 55, "t 55"},
	    {"t holding:0 u32", {0xFFFF, 0xFFFF}, 4294967295.0, "t 4294967295"},
	    {"t holding:0 s32", {0xFFFE, 0xEE90}, -70000, "t -70000"},
	    {"t holding:0 s32 swap", {0xEE90, 0xFFFE}, -70000, "t -70000"},
	    {"t holding:0 f32", {0x3FC0, 0}, 1.5, "t 1.5"},
	    {"t holding:0 f32 swap unit=V", {0, 0x3FC0}, 1.5, "t 1.5 V"},
	    {"t holding:0 f32", {0x7FC0, 0}, NAN, "t is no number"},
	    {"t holding:0 f32", {0x7F80, 0}, NAN, "t is no number"},
	    {"door discrete:1 on=open off=closed", {1, 0}, 1, "door open"},
	    {"door discrete:1 on=open off=closed", {0, 0}, 0, "door closed"},
	    {"r holding:1 bool", {7, 0}, 1, "r 1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct modbus_value v;
		const char *why = "";
		char shown[100];
		double got;

		if (!modbus_value_parse(rows[i].text, &v, &why))
			fail_msg("row %zu: %s", i, why);
		got = modbus_value_of(&v, rows[i].r);
		if (isnan(got) != isnan(rows[i].value) || (!isnan(got) && fabs(got - rows[i].value) > 1e-9))
			fail_msg("row %zu: %g", i, got);
		assert_string_equal(modbus_value_text(&v, got, shown, sizeof(shown)), rows[i].shown);
	}
}

static void what_is_none(void **state)
{
	static const char *const rows[] = {
	    "",
	    "t",
	    "t 5",
	    "t input:0 u8",
	    "t input:0 swap",
	    "t input:65535 u32",
	    "t coil:0 u16",
	    "t input:0 *x",
	    "t input:0 w=5:1",
	    "t input:0 c=",
	    "t input:0 on=open",
	    "t input:0 unit=",
	    "t input:0 unit=averyveryverylongunit",
	    "alabelthatislongerthansixtyfourcharactersisnotalabelanymorebutastory input:0"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct modbus_value v;
		const char *why = NULL;

		if (modbus_value_parse(rows[i], &v, &why) || why == NULL)
			fail_msg("row %zu: \"%s\" was taken", i, rows[i]);
	}
}

static void limits_of_a_value(void **state)
{
	struct modbus_value v;
	const char *why;

	(void)state;
	assert_true(modbus_value_parse("  battery   input:2 u16 w=30: c=10:  ", &v, &why));
	assert_string_equal(v.label, "battery");
	assert_true(v.warning.set && v.critical.set);
	assert_true(range_alerts(&v.warning, 29) && !range_alerts(&v.warning, 30));
	assert_int_equal(modbus_value_registers(&v), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(points),
	    cmocka_unit_test(what_registers_mean),
	    cmocka_unit_test(what_is_none),
	    cmocka_unit_test(limits_of_a_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
