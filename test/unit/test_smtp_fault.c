/* The words, layers and states of what breaks an SMTP session. */
#include "unit.h"

#include <errno.h>

#include "probes/smtp/fault.h"

static const struct {
	enum smtp_phase phase;
	int code;
	const char *raw, *layer;
	enum nag_state state;
	const char *text;
} replies[] = {
    {SMTP_GREETING, 554, "554 5.7.1 no service", "answer", NAG_CRITICAL,
     "answers the connect: 554 5.7.1 no service"},
    {SMTP_GREETING, 450, "450 later", "answer", NAG_CRITICAL, "answers the connect: 450 later"},
    {SMTP_GREETING, 421, "421 4.7.0 mx Error: too many connections from 192.0.2.9", "limited", NAG_WARNING,
     "limits us: 421 4.7.0 mx Error: too many connections from 192.0.2.9"},
    {SMTP_GREETING, 554, "554 Too many connections", "limited", NAG_WARNING,
     "limits us: 554 Too many connections"},
    {SMTP_GREETING, 421, "421 4.3.2 All server ports are busy", "limited", NAG_WARNING,
     "turns us away for now: 421 4.3.2 All server ports are busy"},
    {SMTP_EHLO, 421, "421 4.4.2 Error: rate limit exceeded", "limited", NAG_WARNING,
     "limits us: 421 4.4.2 Error: rate limit exceeded"},
    {SMTP_EHLO, 502, "502-no\n502 really", "answer", NAG_CRITICAL, "answers EHLO: 502 no"},
    {SMTP_STARTTLS, 454, "454 4.7.0 TLS not available", "answer", NAG_CRITICAL,
     "answers STARTTLS: 454 4.7.0 TLS not available"},
    {SMTP_AUTH, 535, "535 5.7.8 bad password", "answer", NAG_CRITICAL,
     "answers AUTH: 535 5.7.8 bad password"},
    {SMTP_MAIL, 452, "452 4.3.1 Insufficient system storage", "answer", NAG_CRITICAL,
     "answers MAIL: 452 4.3.1 Insufficient system storage"},
    {SMTP_RCPT, 450, "450 4.2.0 Greylisted", "answer", NAG_WARNING, "answers RCPT: 450 4.2.0 Greylisted"},
    {SMTP_RCPT, 451, "451 later", "answer", NAG_WARNING, "answers RCPT: 451 later"},
    {SMTP_RCPT, 452, "452 full", "answer", NAG_CRITICAL, "answers RCPT: 452 full"},
    {SMTP_RCPT, 550, "550 too many connections of unknown users", "answer", NAG_CRITICAL,
     "answers RCPT: 550 too many connections of unknown users"},
    {SMTP_DATA, 552, "552 quota", "answer", NAG_CRITICAL, "answers DATA: 552 quota"},
    {SMTP_QUIT, 500, "500 what?", "answer", NAG_WARNING, "answers QUIT: 500 what?"},
};

static void test_replies(void **state)
{
	struct smtp_fault f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		assert_false(smtp_fault_reply(&f, replies[i].phase, replies[i].code, replies[i].raw));
		assert_string_equal(f.text, replies[i].text);
		assert_string_equal(smtp_fault_layer(&f), replies[i].layer);
		assert_int_equal(smtp_fault_state(&f), replies[i].state);
		assert_int_equal(f.code, replies[i].code);
		assert_int_equal(f.phase, replies[i].phase);
	}
}

static void test_errnos(void **state)
{
	static const struct {
		int err;
		const char *layer;
		enum nag_state state;
		const char *text;
	} t[] = {
	    {ECONNREFUSED, "refused", NAG_CRITICAL, "refuses the connection"},
	    {ETIMEDOUT, "timeout", NAG_CRITICAL, "no answer in connect (the network gave up)"},
	    {ECONNRESET, "closed", NAG_CRITICAL, "resets the connection in connect"},
	    {EPIPE, "closed", NAG_CRITICAL, "resets the connection in connect"},
	    {ENETUNREACH, "unreachable", NAG_CRITICAL, "unreachable: Network is unreachable"},
	    {EHOSTUNREACH, "unreachable", NAG_CRITICAL, "unreachable: No route to host"},
	    {EMFILE, "local", NAG_UNKNOWN, "cannot be measured: Too many open files in connect"},
	};
	struct smtp_fault f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_false(smtp_fault_errno(&f, SMTP_CONNECT, t[i].err));
		assert_string_equal(f.text, t[i].text);
		assert_string_equal(smtp_fault_layer(&f), t[i].layer);
		assert_int_equal(smtp_fault_state(&f), t[i].state);
		assert_int_equal(f.code, 0);
	}
}

static void test_timeouts(void **state)
{
	static const struct {
		enum smtp_phase phase;
		int64_t ms;
		enum nag_state state;
		const char *text;
	} t[] = {
	    {SMTP_CONNECT, 10003, NAG_CRITICAL, "no answer in connect for 10 s"},
	    {SMTP_GREETING, 30001, NAG_CRITICAL, "no greeting in 30 s"},
	    {SMTP_GREETING, 502, NAG_CRITICAL, "no greeting in 0.5 s"},
	    {SMTP_EHLO, 1504, NAG_CRITICAL, "no answer in EHLO for 1.5 s"},
	    {SMTP_QUIT, 5000, NAG_WARNING, "no answer in QUIT for 5 s"},
	};
	struct smtp_fault f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_false(smtp_fault_timeout(&f, t[i].phase, t[i].ms));
		assert_string_equal(f.text, t[i].text);
		assert_string_equal(smtp_fault_layer(&f), "timeout");
		assert_int_equal(smtp_fault_state(&f), t[i].state);
	}
}

/* Every kind has a layer and a state; only what could not be measured is UNKNOWN. */
static void test_kinds(void **state)
{
	static const struct {
		enum smtp_fault_kind kind;
		const char *layer;
		enum nag_state state;
		bool measured;
	} t[] = {
	    {SMTP_FINE, "", NAG_OK, true},
	    {SMTP_FAULT_NAME, "resolve", NAG_CRITICAL, true},
	    {SMTP_FAULT_RESOLVER, "resolve", NAG_UNKNOWN, true},
	    {SMTP_FAULT_REFUSED, "refused", NAG_CRITICAL, true},
	    {SMTP_FAULT_UNREACHABLE, "unreachable", NAG_CRITICAL, true},
	    {SMTP_FAULT_TIMEOUT, "timeout", NAG_CRITICAL, true},
	    {SMTP_FAULT_TLS, "tls", NAG_CRITICAL, true},
	    {SMTP_FAULT_ANSWER, "answer", NAG_CRITICAL, true},
	    {SMTP_FAULT_LIMITED, "limited", NAG_WARNING, true},
	    {SMTP_FAULT_NOT_SMTP, "not-smtp", NAG_CRITICAL, true},
	    {SMTP_FAULT_CLOSED, "closed", NAG_CRITICAL, true},
	    {SMTP_FAULT_UNEXPECTED, "unexpected", NAG_WARNING, true},
	    {SMTP_FAULT_LOCAL, "local", NAG_UNKNOWN, false},
	};
	struct smtp_fault f;
	struct result r;
	size_t i;

	(void)state;
	assert_int_equal(sizeof(t) / sizeof(t[0]), SMTP_FAULT_LOCAL + 1);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(t[i].kind, i);
		smtp_fault_set(&f, t[i].kind, SMTP_EHLO, "is %s", "so");
		result_init(&r);
		smtp_fault_report(&f, "mx1", &r);
		assert_string_equal(r.layer, t[i].layer);
		assert_int_equal(r.state, t[i].state);
		assert_int_equal(r.measured, t[i].measured);
		assert_string_equal(buf_str(&r.text), "mx1 is so");
		result_fini(&r);
	}
}

static void test_phases(void **state)
{
	static const char *const names[] = {"resolve", "connect", "greeting", "EHLO", "STARTTLS",
					    "AUTH",    "MAIL",	  "RCPT",     "DATA", "QUIT"};
	int i;

	(void)state;
	assert_int_equal(sizeof(names) / sizeof(names[0]), SMTP_PHASES);
	for (i = 0; i < SMTP_PHASES; i++)
		assert_string_equal(smtp_phase_name((enum smtp_phase)i), names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_replies), cmocka_unit_test(test_errnos), cmocka_unit_test(test_timeouts),
	    cmocka_unit_test(test_kinds),   cmocka_unit_test(test_phases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
