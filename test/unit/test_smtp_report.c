/* What check_smtp says of the visits it made: states, line 1, figures. And literal addresses. */
#include "unit.h"

#include <math.h>
#include <time.h>

#include "probes/smtp/report.h"

static void give_visit(struct smtp_tour *tour, const char *address, double ms, enum smtp_fault_kind kind,
		       const char *text)
{
	struct smtp_visit *v = &tour->v[tour->n++];

	assert_true(resolve_literal(address, 25, &v->address));
	smtp_seen_init(&v->seen);
	buf_init(&v->said, 1000);
	v->tried = true;
	v->ms = ms;
	v->seen.ms[SMTP_CONNECT] = ms / 2;
	v->seen.ms[SMTP_GREETING] = ms / 4;
	smtp_fault_set(&v->fault, kind, SMTP_CONNECT, "%s", text);
}

static void give_untried(struct smtp_tour *tour, const char *address)
{
	struct smtp_visit *v = &tour->v[tour->n++];

	assert_true(resolve_literal(address, 25, &v->address));
	buf_init(&v->said, 1000);
}

static void give_certificate(struct smtp_tour *tour, double days)
{
	struct tls_report *t = &tour->v[tour->n - 1].seen.tls;

	t->seen = t->done = t->chain_ok = t->name_ok = true;
	/* an hour more, so that the count does not depend on how long the test takes */
	t->not_after = (int64_t)time(NULL) + (int64_t)(days * 86400) + 3600;
	snprintf(t->subject, sizeof(t->subject), "mx1.example");
	snprintf(t->issuer, sizeof(t->issuer), "CA");
}

static void set(struct smtp_conf *o, const char *name, const char *value)
{
	struct complaints c;

	complaints_init(&c);
	assert_true(opts_set(smtp_opts, o, name, value, NULL, &c));
	complaints_fini(&c);
}

enum {
	GOOD = SMTP_FINE,
	DEAD = SMTP_FAULT_REFUSED,
	FAR = SMTP_FAULT_UNREACHABLE,
	BUSY = SMTP_FAULT_LIMITED,
	OURS = SMTP_FAULT_LOCAL,
	NONE = -1
};

static void test_addresses(void **state)
{
	static const struct {
		const char *host;
		bool all;
		int first, second; /* faults of 192.0.2.1 and 2001:db8::1 (second NONE: one address only) */
		bool second_tried;
		enum nag_state state;
		const char *layer, *text;
		bool measured;
	} t[] = {
	    {"mx1", false, GOOD, NONE, false, NAG_OK, "", "mx1 answers in 0.012 s", true},
	    {"192.0.2.1", false, GOOD, NONE, false, NAG_OK, "", "192.0.2.1 answers in 0.012 s", true},
	    {"mx1", false, DEAD, NONE, false, NAG_CRITICAL, "refused", "mx1 fails", true},
	    {"mx1", false, OURS, NONE, false, NAG_UNKNOWN, "local", "mx1 fails", false},
	    {"mx1", false, BUSY, NONE, false, NAG_WARNING, "limited", "mx1 fails", true},
	    {"mx1", false, GOOD, GOOD, false, NAG_OK, "", "mx1 answers in 0.012 s", true},
	    {"mx1", true, GOOD, GOOD, true, NAG_OK, "", "mx1 answers in 0.012 s, 2 of 2 addresses", true},
	    /* a dead member of a pair is reported although the other one works; CRITICAL when each must work
	     */
	    {"mx1", false, DEAD, GOOD, true, NAG_WARNING, "refused", "mx1 [192.0.2.1] fails", true},
	    {"mx1", true, DEAD, GOOD, true, NAG_CRITICAL, "refused", "mx1 [192.0.2.1] fails", true},
	    {"mx1", true, GOOD, DEAD, true, NAG_CRITICAL, "refused", "mx1 [2001:db8::1] fails", true},
	    {"mx1", false, DEAD, DEAD, true, NAG_CRITICAL, "refused",
	     "mx1 [192.0.2.1] fails (2 of 2 addresses fail)", true},
	    /* the worst comes first */
	    {"mx1", true, BUSY, DEAD, true, NAG_CRITICAL, "refused",
	     "mx1 [2001:db8::1] fails (2 of 2 addresses fail)", true},
	    /* no way out for IPv6 from here says nothing about the relay, unless it is all there is or was
	       asked for */
	    {"mx1", false, DEAD, FAR, true, NAG_CRITICAL, "refused",
	     "mx1 [192.0.2.1] fails (1 of 2 addresses fail)", true},
	    {"mx1", true, GOOD, FAR, true, NAG_CRITICAL, "unreachable", "mx1 [2001:db8::1] fails", true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct smtp_tour *tour = smtp_tour_new();
		struct smtp_conf o;
		struct result r;

		opts_defaults(smtp_opts, &o, sizeof(o));
		set(&o, "host", t[i].host);
		o.all_addresses = t[i].all;
		give_visit(tour, "192.0.2.1", 12, (enum smtp_fault_kind)t[i].first, "fails");
		if (t[i].second_tried)
			give_visit(tour, "2001:db8::1", 6, (enum smtp_fault_kind)t[i].second, "fails");
		else if (t[i].second != NONE)
			give_untried(tour, "2001:db8::1");
		result_init(&r);
		smtp_report(&o, tour, 0, &r);
		assert_string_equal(buf_str(&r.text), t[i].text);
		assert_string_equal(r.layer, t[i].layer);
		assert_int_equal(r.state, t[i].state);
		assert_int_equal(r.measured, t[i].measured);
		/* with more than one address each has its line */
		assert_int_equal(strstr(buf_str(&r.more), "192.0.2.1: ") != NULL, t[i].second != NONE);
		assert_int_equal(strstr(buf_str(&r.more), "2001:db8::1: ") != NULL, t[i].second != NONE);
		result_fini(&r);
		smtp_tour_free(tour);
		opts_fini(smtp_opts, &o);
	}
}

static void test_only_far(void **state)
{
	struct smtp_tour *tour = smtp_tour_new();
	struct smtp_conf o;
	struct result r;

	(void)state;
	opts_defaults(smtp_opts, &o, sizeof(o));
	set(&o, "host", "mx1");
	give_visit(tour, "2001:db8::1", 1, SMTP_FAULT_UNREACHABLE, "unreachable: x");
	result_init(&r);
	smtp_report(&o, tour, 0, &r);
	assert_int_equal(r.state, NAG_CRITICAL);
	assert_string_equal(buf_str(&r.text), "mx1 unreachable: x");
	/* IPv6 first and unreachable, IPv4 works: fine */
	give_visit(tour, "192.0.2.1", 4, SMTP_FINE, "");
	smtp_report(&o, tour, 0, &r);
	assert_int_equal(r.state, NAG_OK);
	assert_string_equal(buf_str(&r.text), "mx1 answers in 0.004 s, 1 of 2 addresses");
	result_fini(&r);
	smtp_tour_free(tour);
	opts_fini(smtp_opts, &o);
}

static void test_time_and_certificate(void **state)
{
	static const struct {
		const char *warning, *critical, *days;
		double left;
		enum nag_state state;
		const char *layer, *text;
	} t[] = {
	    {NULL, NULL, NULL, 40, NAG_OK, "", "mx1 answers in 2.000 s, certificate ends in 40 d"},
	    {"3", "5", NULL, 40, NAG_OK, "", "mx1 answers in 2.000 s, certificate ends in 40 d"},
	    {"1", "5", NULL, 40, NAG_WARNING, "slow", "mx1 answers slowly, in 2.000 s"},
	    {"1", "1.5", NULL, 40, NAG_CRITICAL, "slow", "mx1 answers slowly, in 2.000 s"},
	    {NULL, NULL, "30", 31, NAG_OK, "", "mx1 answers in 2.000 s, certificate ends in 31 d"},
	    {NULL, NULL, "30", 30, NAG_WARNING, "certificate", "mx1 certificate ends in 30 d"},
	    {NULL, NULL, "30,14", 15, NAG_WARNING, "certificate", "mx1 certificate ends in 15 d"},
	    {NULL, NULL, "30,14", 14, NAG_CRITICAL, "certificate", "mx1 certificate ends in 14 d"},
	    {NULL, NULL, "30", 0, NAG_WARNING, "certificate", "mx1 certificate ends in 0 d"},
	    {NULL, NULL, "30", -3, NAG_CRITICAL, "certificate", "mx1 certificate ended 3 d ago"},
	    /* nobody asked for days: shown, not judged */
	    {NULL, NULL, NULL, -3, NAG_OK, "", "mx1 answers in 2.000 s, certificate ended 3 d ago"},
	    {"1", NULL, "30,14", 14, NAG_CRITICAL, "certificate", "mx1 certificate ends in 14 d"},
	    {NULL, "1", "30", 14, NAG_CRITICAL, "slow", "mx1 answers slowly, in 2.000 s"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct smtp_tour *tour = smtp_tour_new();
		struct smtp_conf o;
		struct result r;

		opts_defaults(smtp_opts, &o, sizeof(o));
		set(&o, "host", "mx1");
		if (t[i].warning)
			set(&o, "warning", t[i].warning);
		if (t[i].critical)
			set(&o, "critical", t[i].critical);
		if (t[i].days)
			set(&o, "certificate", t[i].days);
		give_visit(tour, "192.0.2.1", 2000, SMTP_FINE, "");
		give_certificate(tour, t[i].left);
		result_init(&r);
		smtp_report(&o, tour, 0, &r);
		assert_string_equal(buf_str(&r.text), t[i].text);
		assert_string_equal(r.layer, t[i].layer);
		assert_int_equal(r.state, t[i].state);
		assert_non_null(strstr(buf_str(&r.more), "certificate mx1.example by CA end"));
		result_fini(&r);
		smtp_tour_free(tour);
		opts_fini(smtp_opts, &o);
	}
}

static void test_perfdata(void **state)
{
	struct smtp_tour *tour = smtp_tour_new();
	struct smtp_conf o;
	struct result r;
	struct buf b;

	(void)state;
	opts_defaults(smtp_opts, &o, sizeof(o));
	set(&o, "host", "mx1");
	set(&o, "all_addresses", "yes");
	set(&o, "warning", "1");
	set(&o, "greeting_timeout", "20s");
	tour->resolved.ms[SMTP_RESOLVE] = 3;
	give_visit(tour, "192.0.2.1", 200, SMTP_FINE, "");
	give_visit(tour, "192.0.2.2", 400, SMTP_FINE, "");
	result_init(&r);
	buf_init(&b, 4000);
	smtp_report(&o, tour, 0, &r);
	result_perfdata(&r, &b);
	/* the slowest of each phase; a phase that did not happen is not there; each has its limit */
	assert_string_equal(buf_str(&b),
			    "time=0.403s;1;;0 resolve=0.003s;;10;0 connect=0.2s;;10;0 greeting=0.1s;;20;0");
	buf_fini(&b);
	result_fini(&r);
	smtp_tour_free(tour);
	opts_fini(smtp_opts, &o);
}

static void test_literals(void **state)
{
	static const struct {
		const char *host;
		const char *text; /* NULL: a name */
		int family;
	} t[] = {
	    {"192.0.2.1", "192.0.2.1", AF_INET},
	    {"::1", "::1", AF_INET6},
	    {"[::1]", "::1", AF_INET6},
	    {"[2001:DB8::0:1]", "2001:db8::1", AF_INET6},
	    {"fe80::1%lo", "fe80::1%lo", AF_INET6},
	    {"mx1", NULL, 0},
	    {"192.0.2", NULL, 0},
	    {"192.0.2.1.", NULL, 0},
	    {"[::1", NULL, 0},
	    {"", NULL, 0},
	    {"[]", NULL, 0},
	    {"192.0.2.256", NULL, 0},
	};
	struct net_addresses found;
	struct net_address a;
	char why[100];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(resolve_literal(t[i].host, 2525, &a), t[i].text != NULL);
		if (!t[i].text)
			continue;
		assert_string_equal(a.text, t[i].text);
		assert_int_equal(a.sa.any.sa_family, t[i].family);
		assert_int_equal(ntohs(t[i].family == AF_INET ? a.sa.four.sin_port : a.sa.six.sin6_port),
				 2525);
		/* a deadline that is long past does not matter: nobody is asked */
		assert_int_equal(resolve_host(t[i].host, 25, AF_UNSPEC, NULL, 0, &found, why, sizeof(why)),
				 RESOLVE_OK);
		assert_int_equal(found.n, 1);
		assert_int_equal(resolve_host(t[i].host, 25, t[i].family == AF_INET ? AF_INET6 : AF_INET,
					      NULL, 0, &found, why, sizeof(why)),
				 RESOLVE_NO_NAME);
		assert_int_equal(found.n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_only_far),
	    cmocka_unit_test(test_time_and_certificate),
	    cmocka_unit_test(test_perfdata),
	    cmocka_unit_test(test_literals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
