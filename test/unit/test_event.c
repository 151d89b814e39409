/* Events: ids, incident ids, JSON strict and lenient. */
#include "unit.h"

#include "lib/contract/event.h"
#include "lib/json.h"

static void ids(void **state)
{
	(void)state;
	struct event e;
	char id[500];
	event_init(&e);
	strcpy(e.check, "mx1 smtp/../x");
	e.change = 7;
	assert_string_equal(event_id(&e, id, sizeof id), "mx1=20smtp=2F..=2Fx@7");
	strcpy(e.check, ".hidden");
	assert_string_equal(event_id(&e, id, sizeof id), "=2Ehidden@7");
}

/* A name may have 100 bytes of any script: its id must still fit a file's name, with what writers add to it. */
static void ids_of_long_names_fit_a_file_name(void **state)
{
	(void)state;
	struct event e, other;
	char id[500], other_id[500];
	event_init(&e);
	for (size_t n = 0; n + 3 <= 100; n += 3)
		memcpy(e.check + n, "\xe9\x83\xb5", 4);
	e.change = 1790000000000;
	assert_true(strlen(event_id(&e, id, sizeof id)) <= 230);
	assert_non_null(strstr(id, "@1790000000000"));
	other = e;
	other.check[98] = '\xb6';
	assert_string_not_equal(event_id(&other, other_id, sizeof other_id), id);
}

static void incident_ids_differ_and_stay(void **state)
{
	(void)state;
	char a[8], b[8], seen[2000][8];
	assert_string_equal(event_incident("mx1", 1, a, sizeof a), event_incident("mx1", 1, b, sizeof b));
	int same = 0;
	for (int i = 0; i < 2000; i++) {
		event_incident("mx1", (uint64_t)i, seen[i], 8);
		assert_int_equal(strlen(seen[i]), 5);
		assert_null(strpbrk(seen[i], "01ILO"));
		for (int k = 0; k < i; k++)
			same += strcmp(seen[i], seen[k]) == 0;
	}
	/* 28.6 million ids: 2,000 of them collide 0.07 times on average */
	assert_true(same <= 2);
}

static bool parse(struct event *e, const char *text, char *why, size_t size)
{
	const char *reason;
	cJSON *v = json_parse(text, strlen(text), 65536, &reason);
	assert_non_null(v);
	bool ok = event_from_json(e, v, "dropped", why, size);
	cJSON_Delete(v);
	return ok;
}

static void there_and_back(void **state)
{
	(void)state;
	struct event e, back;
	char why[200] = "";
	event_init(&e);
	strcpy(e.check, "mx1");
	strcpy(e.host, "192.0.2.1");
	strcpy(e.layer, "refused");
	e.change = 9;
	e.opened = 8;
	e.kind = EVENT_PROBLEM;
	e.state = NAG_CRITICAL;
	e.previous = NAG_WARNING;
	e.measured = false;
	e.suppressed = true;
	strcpy(e.why_suppressed, "downtime");
	e.since = clock_stamp();
	e.at = clock_stamp();
	e.text = strdup("refused");
	e.more = strdup("more\n");
	e.contacts = calloc(1, sizeof *e.contacts);
	e.contacts[0] = strdup("oncall");
	e.ncontacts = 1;
	cJSON *o = event_to_json(&e);
	assert_true(event_from_json(&back, o, "x", why, sizeof why));
	cJSON *again = event_to_json(&back);
	char *t1 = cJSON_PrintUnformatted(o), *t2 = cJSON_PrintUnformatted(again);
	assert_string_equal(t1, t2);
	cJSON_free(t1);
	cJSON_free(t2);
	cJSON_Delete(o);
	cJSON_Delete(again);
	event_fini(&e);
	event_fini(&back);
}

static void a_script_needs_only_text(void **state)
{
	(void)state;
	struct event e;
	char why[200];
	assert_true(parse(&e, "{\"text\":\"backup failed\\nsee log\"}", why, sizeof why));
	assert_string_equal(e.check, "dropped");
	assert_string_equal(e.text, "backup failed see log");
	assert_int_equal(e.kind, EVENT_NOTICE);
	assert_int_equal(e.state, NAG_CRITICAL);
	assert_true(e.at.wall_ms > 0);
	event_fini(&e);
}

static void refused_with_a_reason(void **state)
{
	(void)state;
	static const char *const bad[][2] = {
		{ "[]", "not a JSON object" },
		{ "{}", "\"text\"" },
		{ "{\"text\":\"\"}", "\"text\"" },
		{ "{\"text\":\" \\n\"}", "blank" },
		{ "{\"v\":2,\"text\":\"x\"}", "version" },
		{ "{\"text\":\"x\",\"kind\":\"odd\"}", "\"kind\"" },
		{ "{\"text\":\"x\",\"kind\":\"problem\"}", "\"change\"" },
		{ "{\"text\":\"x\",\"state\":\"BAD\"}", "\"state\"" },
		{ "{\"text\":\"x\",\"contacts\":\"a\"}", "\"contacts\"" },
		{ "{\"text\":\"x\",\"contacts\":[1]}", "\"contacts\"" },
		{ "{\"text\":\"x\",\"check\":7}", "\"check\"" },
		{ "{\"text\":\"x\",\"change\":3,\"opened\":5}", "opened" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct event e;
		char why[200] = "";
		if (parse(&e, bad[i][0], why, sizeof why))
			fail_msg("accepted %s", bad[i][0]);
		if (!strstr(why, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids),
		cmocka_unit_test(ids_of_long_names_fit_a_file_name), cmocka_unit_test(incident_ids_differ_and_stay), cmocka_unit_test(there_and_back),
		cmocka_unit_test(a_script_needs_only_text), cmocka_unit_test(refused_with_a_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
