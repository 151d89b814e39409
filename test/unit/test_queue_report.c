/* What the queue probe says of what it measured: states and first lines, without any spool. */
#include "unit.h"

#include "lib/contract/result.h"
#include "probes/probe.h"
#include "probes/queue/queue.h"

enum { NOW_S = 1795289212 };

extern const struct probe probe_queue;

/* Options as "name=value" pairs over the defaults. */
static void conf_init(struct queue_conf *conf, const char *const *options)
{
	struct complaints c;

	complaints_init(&c);
	opts_defaults(probe_queue.opts, conf, sizeof(*conf));
	for (; options && *options; options++) {
		char name[64];
		const char *eq = strchr(*options, '=');

		snprintf(name, sizeof(name), "%.*s", (int)(eq - *options), *options);
		assert_true(opts_set(probe_queue.opts, conf, name, eq + 1, NULL, &c));
	}
	complaints_fini(&c);
}

static void seen_init(struct queue_seen *s)
{
	static struct queue_instance in; /* one, all well */
	struct queue_shape *sh = &s->shape;

	memset(s, 0, sizeof(*s));
	memset(&in, 0, sizeof(in));
	s->inst = &in;
	s->n = 1;
	s->mta = &queue_postfix;
	s->before = s->behind = -1;
	for (int q = 0; q < PQ_N; q++) {
		static const enum queue_kind kinds[PQ_N] = {QUEUE_WAITS,  QUEUE_WAITS, QUEUE_FLOWS,
							    QUEUE_DEFERS, QUEUE_HOLDS, QUEUE_DAMAGES};
		const char *name = postfix_queue_name((enum postfix_queue)q);

		queue_stage_add(s, name, name, kinds[q]);
	}
	s->now_ms = (int64_t)NOW_S * 1000;
	sh->senders = top_new(100);
	sh->rcpts = top_new(100);
	sh->domains = top_new(100);
	sh->clients = top_new(100);
	sh->accounts = top_new(100);
	sh->account_clients = top_new(100);
}

static void seen_fini(struct queue_seen *s)
{
	struct queue_shape *sh = &s->shape;

	top_free(sh->senders);
	top_free(sh->rcpts);
	top_free(sh->domains);
	top_free(sh->clients);
	top_free(sh->accounts);
	top_free(sh->account_clients);
}

static void shape(struct queue_seen *s, uint64_t of, uint64_t read, uint64_t null)
{
	s->shape.of = of;
	s->shape.want = s->shape.read = read;
	s->shape.null_senders = null;
}

static const struct {
	const char *what;
	uint64_t total[PQ_N]; /* maildrop incoming active deferred hold corrupt */
	double growth[PQ_N];
	bool growth_known;
	uint64_t of, read, null;
	int64_t waits_s, deferred_s;
	const char *options[4];
	enum nag_state state;
	const char *text;
} table[] = {
    {.what = "nothing", .state = NAG_OK, .text = "Postfix: all queues are empty"},
    {.what = "old deferred mail in volume is no alarm",
     .total = {0, 0, 0, 90000},
     .deferred_s = 4 * 86400,
     .state = NAG_OK,
     .text = "Postfix: 90000 deferred"},
    {.what = "backscatter",
     .total = {0, 0, 0, 20134},
     .growth = {0, 0, 0, 1200},
     .growth_known = true,
     .of = 20134,
     .read = 1068,
     .null = 886,
     .state = NAG_CRITICAL,
     .text = "Postfix: 20134 deferred (+1200/min), 83 % null sender (±3)"},
    {.what = "young mail piles up",
     .total = {0, 1500, 2500, 10},
     .state = NAG_WARNING,
     .text = "Postfix: 1500 incoming, 2500 active, 10 deferred"},
    {.what = "the worst comes first",
     .total = {0, 1500, 20000, 10},
     .state = NAG_CRITICAL,
     .text = "Postfix: 20000 active, 1500 incoming, 10 deferred"},
    {.what = "growth spread over the queues is said by itself",
     .total = {0, 300, 300, 300},
     .growth = {0, 300, 250, 300},
     .growth_known = true,
     .state = NAG_WARNING,
     .text =
	 "Postfix: +850/min in all queues, 300 incoming (+300/min), 300 active (+250/min), 300 deferred (+300/min)"},
    {.what = "mail put on hold is first aid, not growth",
     .total = {0, 0, 0, 0, 9000},
     .growth = {0, 0, 0, -9000, 9000},
     .growth_known = true,
     .state = NAG_OK,
     .text = "Postfix: 9000 hold (+9000/min)"},
    {.what = "draining is not growth",
     .total = {0, 0, 0, 10},
     .growth = {0, 0, 0, -5000},
     .growth_known = true,
     .state = NAG_OK,
     .text = "Postfix: 10 deferred (-5000/min)"},
    {.what = "no growth known",
     .total = {0, 0, 0, 10},
     .growth = {0, 0, 0, 5000},
     .state = NAG_OK,
     .text = "Postfix: 10 deferred"},
    {.what = "few messages: their share of bounces says nothing",
     .total = {0, 0, 0, 999},
     .of = 999,
     .read = 999,
     .null = 999,
     .state = NAG_OK,
     .text = "Postfix: 999 deferred, 100 % null sender (all read)"},
    {.what = "all read: no margin",
     .total = {0, 0, 0, 1000},
     .of = 1000,
     .read = 1000,
     .null = 501,
     .state = NAG_WARNING,
     .text = "Postfix: 50 % null sender (all read), 1000 deferred"},
    {.what = "the margin reaches below the limit: no alarm",
     .total = {0, 0, 0, 50000},
     .of = 50000,
     .read = 1068,
     .null = 550,
     .state = NAG_OK,
     .text = "Postfix: 50000 deferred, 51 % null sender (±3)"},
    {.what = "a range from above alerts only when the margin is inside, too",
     .total = {0, 0, 0, 50000},
     .of = 50000,
     .read = 1068,
     .null = 530,
     .options = {"null_warning=50:"},
     .state = NAG_OK,
     .text = "Postfix: 50000 deferred, 50 % null sender (±3)"},
    {.what = "Postfix does not take mail up",
     .total = {3},
     .waits_s = 1000,
     .state = NAG_WARNING,
     .text = "Postfix: mail waits in maildrop for 16 min, 3 maildrop"},
    {.what = "for long",
     .total = {3},
     .waits_s = 3700,
     .state = NAG_CRITICAL,
     .text = "Postfix: mail waits in maildrop for 1 h 1 min, 3 maildrop"},
    {.what = "oldest deferred on demand",
     .total = {0, 0, 0, 3},
     .deferred_s = 90000,
     .options = {"deferred_oldest_warning=1d"},
     .state = NAG_WARNING,
     .text = "Postfix: oldest deferred 1 d 1 h, 3 deferred"},
    {.what = "corrupt", .total = {0, 0, 0, 0, 0, 1}, .state = NAG_WARNING, .text = "Postfix: 1 corrupt"},
    {.what = "total as check_mailq counts it: at the number",
     .total = {0, 0, 0, 5, 5},
     .options = {"warning=10", "critical=11"},
     .state = NAG_WARNING,
     .text = "Postfix: 10 queued, 5 deferred, 5 hold"},
    {.what = "corrupt is not in the total",
     .total = {0, 0, 0, 5, 4, 9},
     .options = {"warning=10", "corrupt_warning=99"},
     .state = NAG_OK,
     .text = "Postfix: 5 deferred, 4 hold, 9 corrupt"},
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct queue_conf conf;
		struct queue_seen s;
		struct result r;

		conf_init(&conf, table[i].options);
		seen_init(&s);
		result_init(&r);
		for (int q = 0; q < PQ_N; q++) {
			s.stage[q].n = table[i].total[q];
			s.stage[q].growth = table[i].growth[q];
		}
		queue_stages_limit(&s, &conf, &r);
		s.growth_known = table[i].growth_known;
		shape(&s, table[i].of, table[i].read, table[i].null);
		if (table[i].waits_s)
			s.stage[PQ_MAILDROP].age.oldest_ms = s.now_ms - table[i].waits_s * 1000;
		if (table[i].deferred_s)
			s.stage[PQ_DEFERRED].age.oldest_ms = s.now_ms - table[i].deferred_s * 1000;
		queue_report(&s, &conf, &r);
		if (r.state != table[i].state || strcmp(buf_str(&r.text), table[i].text) != 0 || !r.measured)
			fail_msg("%s: %s: %s", table[i].what, nag_name(r.state), buf_str(&r.text));
		result_fini(&r);
		seen_fini(&s);
		opts_fini(probe_queue.opts, &conf);
	}
}

/* Who is behind it: the first line names them, the further lines say what to do first. */
static const struct {
	const char *what, *client, *account, *sender, *rcpt;
	const char *text, *aid;
} signatures[] = {
    {"bomb from inside", "192.0.2.7", "", "", "", "Postfix: 5000 deferred, top client 192.0.2.7",
     "first aid: client 192.0.2.7 brought 60 %"},
    {"our own content filter is no culprit", "127.0.0.1", "", "", "", "Postfix: 5000 deferred, top client 127.0.0.1",
     NULL},
    {"abused login", "", "bob", "", "", "Postfix: 5000 deferred, top login bob",
     "first aid: login bob brought 60 % (client addresses: 60)"},
    {"list mail", "", "", "news@bulk.example", "", "Postfix: 5000 deferred, top sender news@bulk.example", NULL},
    {"loop", "", "", "", "loop@lab.test", "Postfix: 5000 deferred, top recipient loop@lab.test",
     "first aid: recipient loop@lab.test is in 60 %"},
};

static void test_signatures(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		struct queue_conf conf;
		struct queue_seen s;
		struct result r;

		conf_init(&conf, NULL);
		seen_init(&s);
		result_init(&r);
		s.stage[PQ_DEFERRED].n = 5000;
		shape(&s, 5000, 100, 0);
		for (int k = 0; k < 100; k++) {
			char other[40];
			bool mine = k < 60;

			snprintf(other, sizeof(other), "x%d", k);
			top_add(s.shape.clients,
				mine && signatures[i].client[0] ? signatures[i].client : other);
			top_add(s.shape.senders,
				mine && signatures[i].sender[0] ? signatures[i].sender : other);
			top_add(s.shape.rcpts, mine && signatures[i].rcpt[0] ? signatures[i].rcpt : other);
			top_add(s.shape.domains, other);
			if (mine && signatures[i].account[0]) {
				char pair[80];

				top_add(s.shape.accounts, signatures[i].account);
				snprintf(pair, sizeof(pair), "%s\n%s", signatures[i].account, other);
				top_add(s.shape.account_clients, pair);
			}
		}
		queue_report(&s, &conf, &r);
		assert_int_equal(r.state, NAG_OK);
		assert_string_equal(buf_str(&r.text), signatures[i].text);
		if (signatures[i].aid)
			assert_non_null(strstr(buf_str(&r.more), signatures[i].aid));
		else
			assert_null(strstr(buf_str(&r.more), "first aid"));
		assert_non_null(strstr(buf_str(&r.more), "shape: read 100 of 5000 messages"));
		result_fini(&r);
		seen_fini(&s);
		opts_fini(probe_queue.opts, &conf);
	}
}

static void test_what_could_not_be_read(void **state)
{
	static const struct {
		uint64_t deferred;
		bool late, trouble;
		enum nag_state state;
		bool measured;
		const char *text;
	} cases[] = {
	    {0, false, true, NAG_UNKNOWN, false, "no Postfix queue at /x"},
	    {10, false, true, NAG_UNKNOWN, false, "no Postfix queue at /x"},
	    {90, false, true, NAG_CRITICAL, true, "Postfix: 90 deferred"}, /* what could be read alerts already */
	    {10, true, false, NAG_UNKNOWN, false, "Postfix: the time was up while counting: at least 10 queued"},
	    {90, true, false, NAG_CRITICAL, true, "Postfix: at least 90 deferred"},
	};
	static const char *const options[] = {"critical=50", NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct queue_conf conf;
		struct queue_seen s;
		struct result r;

		conf_init(&conf, options);
		seen_init(&s);
		result_init(&r);
		s.stage[PQ_DEFERRED].n = cases[i].deferred;
		s.late = cases[i].late;
		if (cases[i].trouble)
			queue_trouble(&s.inst[0], "absent", "no Postfix queue at %s", "/x");
		queue_stages_limit(&s, &conf, &r);
		queue_report(&s, &conf, &r);
		assert_int_equal(r.state, cases[i].state);
		assert_int_equal(r.measured, cases[i].measured);
		assert_string_equal(buf_str(&r.text), cases[i].text);
		result_fini(&r);
		seen_fini(&s);
		opts_fini(probe_queue.opts, &conf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_signatures),
	    cmocka_unit_test(test_what_could_not_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
