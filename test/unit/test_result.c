/* Results: cleaning, printing, JSON there and back. */
#include "unit.h"

#include <math.h>

#include "lib/json.h"
#include "lib/contract/result.h"

static void text_is_made_harmless(void **state)
{
	(void)state;
	struct result r;
	result_init(&r);
	result_set(&r, NAG_CRITICAL, "550 a|b\r\nc\x01\xff \xc3\xa9 \n");
	assert_string_equal(buf_str(&r.text), "550 a/b  c ? \xc3\xa9");
	char big[3000];
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	result_set(&r, NAG_OK, "%s", big);
	assert_int_equal(r.text.len, RESULT_TEXT_MAX);
	result_fini(&r);
}

static void printed_as_nagios_wants(void **state)
{
	(void)state;
	struct result r;
	struct range w, c;
	struct buf out;
	buf_init(&out, 8192);
	units_range("1", &w, NULL);
	units_range("5", &c, NULL);
	result_init(&r);
	result_set(&r, NAG_WARNING, "slow");
	struct perf *p = result_perf(&r, "time", 1.25, "s", &w, &c);
	p->has_min = true;
	result_perf(&r, "a label", 3, "", NULL, NULL);
	result_perf(&r, "it's=x", NAN, "B", NULL, NULL);
	result_more(&r, "second line");
	result_print(&r, "SMTP", &out);
	assert_string_equal(buf_str(&out),
			    "SMTP WARNING: slow | time=1.25s;1;5;0 'a label'=3 it_s_x=U\nsecond line\n");
	result_fini(&r);
	buf_fini(&out);
}

static void numbers_have_no_exponent(void **state)
{
	(void)state;
	static const struct {
		double v;
		const char *text;
	} table[] = { { 0, "x=0" }, { 1e15, "x=1000000000000000" }, { 0.000001, "x=0.000001" }, { -2.5, "x=-2.5" },
		      { 1e-9, "x=0" }, { -1e-9, "x=0" } };
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct result r;
		struct buf out;
		buf_init(&out, 100);
		result_init(&r);
		result_perf(&r, "x", table[i].v, "", NULL, NULL);
		result_perfdata(&r, &out);
		assert_string_equal(buf_str(&out), table[i].text);
		result_fini(&r);
		buf_fini(&out);
	}
}

static void perf_is_bounded(void **state)
{
	(void)state;
	struct result r;
	result_init(&r);
	for (int i = 0; i < RESULT_PERF_MAX + 3; i++)
		result_perf(&r, "x", i, "", NULL, NULL);
	assert_int_equal(r.nperf, RESULT_PERF_MAX);
	assert_int_equal(r.perf_dropped, 3);
	result_fini(&r);
}

static void json_and_back(void **state)
{
	(void)state;
	struct result r, back;
	struct range w;
	struct buf a, b;
	buf_init(&a, 8192);
	buf_init(&b, 8192);
	units_range("@1:2", &w, NULL);
	result_init(&r);
	result_init(&back);
	result_fail(&r, NAG_CRITICAL, "refused", "connection refused");
	result_more(&r, "line 1");
	result_more(&r, "line 2");
	r.measured = false;
	struct perf *p = result_perf(&r, "q", 7, "c", &w, NULL);
	p->has_max = true;
	p->max = 9;
	result_perf(&r, "n", NAN, "", NULL, NULL);
	cJSON *o = cJSON_CreateObject();
	result_to_json(&r, o);
	const char *why = NULL;
	assert_true(result_from_json(&back, o, &why));
	result_print(&r, "X", &a);
	result_print(&back, "X", &b);
	assert_string_equal(buf_str(&a), buf_str(&b));
	assert_string_equal(back.layer, "refused");
	assert_false(back.measured);
	cJSON_ReplaceItemInObjectCaseSensitive(o, "state", cJSON_CreateString("BAD"));
	assert_false(result_from_json(&back, o, &why));
	assert_non_null(strstr(why, "state"));
	cJSON_Delete(o);
	result_fini(&r);
	result_fini(&back);
	buf_fini(&a);
	buf_fini(&b);
}

static void facts_there_and_back(void **state)
{
	(void)state;
	struct result r, back;
	result_init(&r);
	result_init(&back);
	result_set(&r, NAG_CRITICAL, "deep");
	result_fact(&r, "top_sender_share", 0.17);
	result_fact(&r, "total", 100003);
	result_fact(&r, "unknown", NAN);
	result_fact(&r, "Not a name", 1);
	result_fact_text(&r, "top_sender", "a\"b\n@big.example");
	assert_string_equal(buf_str(&r.facts),
			    "\"top_sender_share\":0.17,\"total\":100003,\"top_sender\":\"a\\\"b @big.example\"");
	cJSON *o = cJSON_CreateObject();
	result_to_json(&r, o);
	assert_true(result_from_json(&back, o, NULL));
	assert_string_equal(buf_str(&back.facts), buf_str(&r.facts));
	cJSON_Delete(o);
	/* a result taken anew has its own facts only */
	o = cJSON_CreateObject();
	buf_reset(&r.facts);
	result_to_json(&r, o);
	assert_true(result_from_json(&back, o, NULL));
	assert_int_equal(back.facts.len, 0);
	cJSON_Delete(o);
	result_fini(&r);
	result_fini(&back);
}

static void facts_are_bounded(void **state)
{
	(void)state;
	struct result r;
	char text[400];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	result_init(&r);
	result_fact_text(&r, "long", text);
	assert_int_equal(r.facts.len, strlen("\"long\":\"\"") + FACT_TEXT_MAX);
	for (int i = 0; i < 100; i++)
		result_fact_text(&r, "again", text);
	assert_true(r.facts.len <= RESULT_FACTS_MAX);
	/* what did not fit was left out whole */
	assert_int_equal(r.facts.data[r.facts.len - 1], '"');
	result_fact(&r, "n", 1);
	assert_non_null(strstr(buf_str(&r.facts), ",\"n\":1"));
	result_fini(&r);
}

static void worse(void **state)
{
	(void)state;
	/* CRITICAL > WARNING > UNKNOWN > OK, every pair */
	static const enum nag_state order[] = { NAG_OK, NAG_UNKNOWN, NAG_WARNING, NAG_CRITICAL };
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < 4; k++)
			assert_int_equal(nag_worse(order[i], order[k]), order[i > k ? i : k]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_made_harmless), cmocka_unit_test(printed_as_nagios_wants),
		cmocka_unit_test(numbers_have_no_exponent), cmocka_unit_test(perf_is_bounded),
		cmocka_unit_test(json_and_back), cmocka_unit_test(facts_there_and_back),
		cmocka_unit_test(facts_are_bounded), cmocka_unit_test(worse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
