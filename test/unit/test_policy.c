/* Counting by origin in fixed memory, policy requests in pieces, what is usual. */
#include "unit.h"

#include "probes/rate/counts.h"
#include "probes/rate/habit.h"

#define REQUEST                                                                                              \
	"request=smtpd_access_policy\nclient_address=192.0.2.7\nsasl_username=bob@example.org\ninstance="    \
	"a1\n\n"

static void requests_in_pieces(void **state)
{
	struct policy_request r;
	size_t used, n = strlen(REQUEST);

	(void)state;
	for (size_t cut = 0; cut <= n; cut++) {
		policy_request_begin(&r);
		enum policy_step s = policy_request_feed(&r, REQUEST, cut, &used);
		assert_int_equal(s, cut == n ? POLICY_DONE : POLICY_MORE);
		assert_int_equal(used, cut);
		if (cut < n)
			assert_int_equal(policy_request_feed(&r, REQUEST REQUEST + cut, 2 * n - cut, &used),
					 POLICY_DONE);
		assert_string_equal(r.client, "192.0.2.7");
		assert_string_equal(r.sasl, "bob@example.org");
		assert_string_equal(r.instance, "a1");
	}
}

static void what_is_no_request(void **state)
{
	static const char *const bad[] = {"\n", "GET / HTTP/1.0\r\n", "request=other\n",
					  "client_address=192.0.2.7\n\n"};
	struct policy_request r;
	size_t used;
	char *endless = malloc(POLICY_REQUEST_MAX + 10);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		policy_request_begin(&r);
		if (policy_request_feed(&r, bad[i], strlen(bad[i]), &used) != POLICY_BAD)
			fail_msg("taken: %s", bad[i]);
	}
	memset(endless, 'a', POLICY_REQUEST_MAX + 10);
	policy_request_begin(&r);
	assert_int_equal(policy_request_feed(&r, endless, POLICY_REQUEST_MAX, &used), POLICY_MORE);
	assert_int_equal(policy_request_feed(&r, endless, 10, &used), POLICY_BAD);
	free(endless);
	/* foreign bytes in a name do not stay */
	static const char odd[] = "request=smtpd_access_policy\nsasl_username=a\x80 \x1b\"\n\n";
	policy_request_begin(&r);
	assert_int_equal(policy_request_feed(&r, odd, sizeof odd - 1, &used), POLICY_DONE);
	assert_string_equal(r.sasl, "a???\"");
}

static void seconds_go_by(void **state)
{
	struct origin_ring r = {0};
	uint32_t m, n;

	(void)state;
	for (int s = 100; s < 130; s++) {
		ring_add(&r, true, s);
		ring_add(&r, false, s);
	}
	ring_sum(&r, 129, 10, &m, &n);
	assert_true(m == 10 && n == 20);
	ring_sum(&r, 129, 60, &m, &n);
	assert_true(m == 30 && n == 60);
	ring_sum(&r, 169, 60, &m, &n); /* 110 to 169 */
	assert_true(m == 20 && n == 40);
	ring_sum(&r, 400, 60, &m, &n);
	assert_true(m == 0 && n == 0);
}

/* A hundred thousand addresses that come once do not push out the few that come often, and memory stays what
 * it is. */
static void busy_ones_stay(void **state)
{
	struct origins *o = origins_new();
	struct origin_view v[5];
	char name[40];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof name, "198.51.%d.%d", i / 256, i % 256);
		origins_add(o, name, NULL, true, 1000 + i / 2000);
		if (i % 50 == 0)
			origins_add(o, "192.0.2.7", NULL, true, 1000 + i / 2000);
	}
	assert_int_equal(origins_count(o), ORIGINS);
	size_t n = origins_busiest(o, 1049, v, 5);
	assert_int_equal(n, 5);
	assert_string_equal(v[0].name, "192.0.2.7");
	/* 2,000 came within 50 seconds: never too many, too few by at most those before it stayed */
	assert_in_range(v[0].last60, 1900, 2000);
	assert_int_equal(v[1].last60, 1);
	origins_free(o);
}

static void addresses_of_an_account(void **state)
{
	struct origins *o = origins_new();
	struct origin_view v[1];
	char peer[40];

	(void)state;
	for (int i = 0; i < 9; i++) {
		snprintf(peer, sizeof peer, "192.0.2.%d", i % 3);
		origins_add(o, "bob", peer, true, 50);
	}
	assert_int_equal(origins_busiest(o, 50, v, 1), 1);
	assert_int_equal(v[0].peers, 3);
	origins_add(o, "bob", "192.0.2.200", true, 500); /* after a quiet minute */
	origins_busiest(o, 500, v, 1);
	assert_int_equal(v[0].peers, 1);
	origins_free(o);
}

static void told_and_read(void **state)
{
	static struct rate_counts read;
	struct policy_counts c;
	struct policy_request r;
	struct buf out;
	size_t used;

	(void)state;
	buf_init(&out, 131072);
	assert_true(policy_counts_init(&c, 5000));
	policy_request_begin(&r);
	policy_request_feed(&r, REQUEST, strlen(REQUEST), &used);
	for (int i = 0; i < 12; i++)
		policy_count(&c, &r, i % 2 == 0, 100);
	assert_true(policy_tell(&c, 100000, 3, &out));
	assert_true(rate_parse(buf_str(&out), out.len, &read));
	assert_true(read.s60 == 6 && read.r60 == 12 && read.n[POLICY_CLIENT] == 1 &&
		    read.n[POLICY_SASL] == 1 && read.n[POLICY_UID] == 0);
	assert_string_equal(read.v[POLICY_SASL][0].name, "bob@example.org");
	assert_int_equal(read.v[POLICY_SASL][0].peers, 1);
	assert_true(rate_per_minute(&read.v[POLICY_CLIENT][0]) == 36);
	assert_false(rate_parse("{}", 2, &read) || rate_parse("", 0, &read) ||
		     rate_parse("{\"v\":2,\"s60\":1}", 15, &read));
	policy_counts_fini(&c);
	buf_fini(&out);
}

static void networks(void **state)
{
	char *list[] = {"192.0.2.0/25", "2001:db8::/33", "bob", "10.0.0.0/33", "0.0.0.0/x"};
	struct opt_list l = {list, 4};

	(void)state;
	assert_true(rate_listed(&l, "192.0.2.127") && rate_listed(&l, "2001:db8:7fff::1") &&
		    rate_listed(&l, "bob"));
	assert_false(rate_listed(&l, "192.0.2.128") || rate_listed(&l, "2001:db8:8000::1") ||
		     rate_listed(&l, "10.0.0.0") || rate_listed(&l, "bo"));
}

static void usual_is_learnt_slowly(void **state)
{
	static struct habits u, again;
	struct buf out;
	char name[32];

	(void)state;
	u.since = u.at = clock_stamp();
	double w = habit_weight(60000, 3600000);
	assert_true(w > 0.016 && w < 0.017 && habit_weight(0, 1000) == 0);
	for (int i = 0; i < 600; i++) {
		habit_learn(&u, "client a", 30, w);
		habit_end(&u, w);
		u.v[0].seen = false;
	}
	assert_true(habit_of(&u, "client a") > 29.9 && habit_of(&u, "client b") == 0);
	buf_init(&out, 65536);
	assert_true(habit_save(&u, &out));
	habit_load(&again, buf_str(&out), out.len);
	assert_true(again.known && again.n == 1 && habit_of(&again, "client a") > 29.9);
	for (int i = 0; i < 1000; i++)
		habit_end(&again, w); /* it went away */
	assert_int_equal(again.n, 0);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof name, "client %d", i);
		habit_learn(&again, name, i, 0.5);
	}
	assert_int_equal(again.n, HABITS_MAX);
	assert_true(habit_of(&again, "client 499") > 200 && habit_of(&again, "client 3") == 0);
	habit_load(&again, "{\"since\":1}", 11);
	assert_false(again.known);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requests_in_pieces),
	    cmocka_unit_test(what_is_no_request),
	    cmocka_unit_test(seconds_go_by),
	    cmocka_unit_test(busy_ones_stay),
	    cmocka_unit_test(addresses_of_an_account),
	    cmocka_unit_test(told_and_read),
	    cmocka_unit_test(networks),
	    cmocka_unit_test(usual_is_learnt_slowly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
