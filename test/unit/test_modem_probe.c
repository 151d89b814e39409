/* What a modem's facts are worth, and what pagerd's status says of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "probes/modem/modem.h"

enum { DAY = 86400000 };
static const int64_t now = 1795574789554;

static const struct modem_limits usual = {.warning = {.set = true, .start = -97, .end = 0},
					  .critical = {.set = true, .start = -107, .end = 0},
					  .storage_warning = {.set = true, .end = 80},
					  .storage_critical = {.set = true, .end = 95}};

static struct modem_facts good(void)
{
	struct modem_facts f = {.up = true,
				.ok = true,
				.registered = true,
				.registration = "registered",
				.operator= "SIMNET",
				.has_signal = true,
				.dbm = -79,
				.csq = 17,
				.has_storage = true,
				.used = 3,
				.total = 20,
				.proven_wall_ms = now - 3600000};

	return f;
}

static void expect(const struct modem_facts *f, const struct modem_limits *l, enum nag_state state,
		   const char *word)
{
	struct result r;

	result_init(&r);
	modem_judge(&r, f, l, now);
	if (r.state != state || strstr(buf_str(&r.text), word) == NULL)
		print_error("%s: %s\n", nag_name(r.state), buf_str(&r.text));
	assert_int_equal(r.state, state);
	assert_non_null(strstr(buf_str(&r.text), word));
	result_fini(&r);
}

static void states(void **state)
{
	struct modem_facts f = good();

	(void)state;
	expect(&f, &usual, NAG_OK, "registered at SIMNET, signal -79 dBm, 3/20 messages stored");
	f.dbm = -98;
	expect(&f, &usual, NAG_WARNING, "weak");
	f.dbm = -109;
	expect(&f, &usual, NAG_CRITICAL, "weak");
	f = good();
	f.used = 17;
	expect(&f, &usual, NAG_WARNING, "nearly full; registered");
	f.used = 20;
	f.dbm = -98;
	expect(&f, &usual, NAG_CRITICAL, "nearly full; the signal is weak");
	f = good();
	f.registered = false;
	snprintf(f.registration, sizeof(f.registration), "%s", "searching for a network");
	expect(&f, &usual, NAG_CRITICAL, "searching");
	f = good();
	f.ok = false;
	snprintf(f.said, sizeof(f.said), "%s", "+CMS ERROR 300 (modem failure)");
	expect(&f, &usual, NAG_CRITICAL, "ERROR 300");
	f = good();
	f.up = false;
	snprintf(f.why, sizeof(f.why), "%s", "the SIM wants \"SIM PUK\"");
	expect(&f, &usual, NAG_CRITICAL, "PUK");
}

static void proof(void **state)
{
	struct modem_limits l = usual;
	struct modem_facts f = good();

	(void)state;
	l.proof_warning_ms = DAY;
	l.proof_critical_ms = 7LL * DAY;
	expect(&f, &l, NAG_OK, "registered");
	f.proven_wall_ms = now - 2LL * DAY;
	expect(&f, &l, NAG_WARNING, "last page 2 d");
	f.proven_wall_ms = now - 8LL * DAY;
	expect(&f, &l, NAG_CRITICAL, "last page 8 d");
	f.proven_wall_ms = 0;
	expect(&f, &l, NAG_WARNING, "no page has gone");
	expect(&f, &usual, NAG_OK, "registered");
	f.proven_wall_ms = now + DAY; /* the clock was set back */
	expect(&f, &l, NAG_OK, "registered");
}

static void balance(void **state)
{
	struct modem_limits l = usual;
	struct modem_facts f = good();

	(void)state;
	l.has_balance_low = true;
	l.balance_low = 500;
	l.validity_low_ms = 14LL * DAY;
	expect(&f, &l, NAG_WARNING, "balance unknown");
	f.has_balance = f.has_validity = true;
	f.balance = 980;
	f.valid_until_wall_ms = now + 30LL * DAY;
	expect(&f, &l, NAG_OK, "registered");
	f.balance = 499.5;
	expect(&f, &l, NAG_WARNING, "balance 499.5");
	f.balance = 980;
	f.valid_until_wall_ms = now + 5LL * DAY;
	expect(&f, &l, NAG_WARNING, "valid for 5 more days");
	f.valid_until_wall_ms = now - 1;
	expect(&f, &l, NAG_CRITICAL, "ended");
	expect(&f, &usual, NAG_CRITICAL, "ended");
	f.valid_until_wall_ms = now + 30LL * DAY;
	snprintf(f.ussd_error, sizeof(f.ussd_error), "%s", "no answer");
	expect(&f, &l, NAG_WARNING, "no answer");
	expect(&f, &usual, NAG_OK, "registered");
}

static const char status[] =
    "{\"v\":1,\"at\":{\"wall_ms\":1795574789000,\"boot_ms\":5,\"boot_id\":\"x\"},\"lines\":["
    "{\"name\":\"mail\",\"notifier\":\"email\",\"up\":true,\"ok\":true,\"text\":\"ready\"},"
    "{\"name\":\"off\",\"notifier\":\"sms\",\"up\":false,\"ok\":false,\"text\":\"down: exited with 1\"},"
    "{\"name\":\"silent\",\"notifier\":\"sms\",\"up\":true,\"ok\":false,\"text\":\"the modem does not "
    "answer\","
    "\"values\":{\"kind\":\"gsm\",\"up\":false}},"
    "{\"name\":\"modem1\",\"notifier\":\"sms\",\"up\":true,\"ok\":true,\"text\":\"registered\","
    "\"sent_at\":{\"wall_ms\":1795574700000,\"boot_ms\":4,\"boot_id\":\"x\"},"
    "\"values\":{\"kind\":\"gsm\",\"up\":true,\"registered\":true,\"registration\":\"registered, "
    "roaming\",\"csq\":20,"
    "\"dbm\":-73,\"storage_used\":1,\"storage_total\":30,\"balance\":12.5}}]}";

static void statuses(void **state)
{
	struct modem_facts f;
	char why[200];

	(void)state;
	assert_true(modem_from_status(&f, status, strlen(status), "modem1", 60000, now, why, sizeof(why)));
	assert_true(f.up && f.ok && f.registered && f.has_signal && f.has_storage && f.has_balance &&
		    !f.has_validity);
	assert_int_equal(f.dbm, -73);
	assert_int_equal(f.total, 30);
	assert_true(f.balance == 12.5);
	assert_true(f.proven_wall_ms == 1795574700000);
	assert_true(modem_from_status(&f, status, strlen(status), "off", 60000, now, why, sizeof(why)));
	assert_false(f.up);
	assert_non_null(strstr(f.why, "exited with 1"));
	assert_true(modem_from_status(&f, status, strlen(status), "silent", 60000, now, why, sizeof(why)));
	assert_false(f.up);
	assert_string_equal(f.why, "the modem does not answer");
	assert_false(modem_from_status(&f, status, strlen(status), "mail", 60000, now, why, sizeof(why)));
	assert_non_null(strstr(why, "nothing of a modem"));
	assert_false(modem_from_status(&f, status, strlen(status), "modem2", 60000, now, why, sizeof(why)));
	assert_non_null(strstr(why, "no line"));
	assert_false(
	    modem_from_status(&f, status, strlen(status), "modem1", 60000, now + 600000, why, sizeof(why)));
	assert_non_null(strstr(why, "old"));
	assert_false(modem_from_status(&f, "{}", 2, "modem1", 60000, now, why, sizeof(why)));
	assert_false(modem_from_status(&f, "{", 1, "modem1", 60000, now, why, sizeof(why)));
}

static void proved_routes(void **state)
{
	static const char text[] =
	    "{\"at\":{\"wall_ms\":1795574789000,\"boot_ms\":5,\"boot_id\":\"x\"},\"routes\":["
	    "{\"line\":\"modem1\",\"proved\":null},{\"line\":\"mail\",\"proved\":{\"wall_ms\":9,\"boot_ms\":"
	    "1,\"boot_id\":\"x\"}},"
	    "{\"line\":\"modem1\",\"proved\":{\"wall_ms\":1795574000000,\"boot_ms\":1,\"boot_id\":\"x\"}}],"
	    "\"lines\":[{\"name\":\"modem1\",\"up\":true,\"ok\":true,\"text\":\"\",\"values\":{\"up\":true}}]"
	    "}";
	struct modem_facts f;
	char why[200];

	(void)state;
	assert_true(modem_from_status(&f, text, strlen(text), "modem1", 60000, now, why, sizeof(why)));
	assert_true(f.proven_wall_ms == 1795574000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(states), cmocka_unit_test(proof),
					   cmocka_unit_test(balance), cmocka_unit_test(statuses),
					   cmocka_unit_test(proved_routes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
