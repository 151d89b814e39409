/*
 * The diagnosis: each row of the table from facts as its probes leave them, with the rank against its
 * neighbours; days that must name nothing; and a rule's text, good and bad. The seeds of the days are in the
 * message of what fails.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "monitord/rules/diagnose.h"

struct given {
	const char *name, *host, *probe, *layer;
	enum nag_state state;
	const char *facts;
};

static struct diag_table table;

static cJSON *facts_of(const char *text)
{
	char copy[1024];
	snprintf(copy, sizeof copy, "{%s}", text);
	for (char *s = copy; *s; s++)
		if (*s == '\'')
			*s = '"';
	return json_parse(copy, strlen(copy), sizeof copy, NULL);
}

static size_t ask(const struct given *g, size_t n, int about, struct diag_name *out)
{
	static struct diag_check v[8];
	static cJSON *held[8];
	for (size_t i = 0; i < 8; i++) {
		cJSON_Delete(held[i]);
		held[i] = NULL;
	}
	for (size_t i = 0; i < n; i++) {
		held[i] = facts_of(g[i].facts);
		assert_non_null(held[i]);
		v[i] = (struct diag_check){.name = g[i].name,
					   .host = g[i].host,
					   .probe = g[i].probe,
					   .layer = g[i].layer,
					   .state = g[i].state,
					   .facts = held[i]};
	}
	size_t found = diagnose(&table, v, n, about < 0 ? NULL : &v[about], out, DIAG_NAMES_MAX);
	return found;
}

#define QUEUE(facts)                                                                                         \
	{                                                                                                    \
		"queue", "", "queue", "", NAG_CRITICAL, facts                                                \
	}
#define LOG(facts)                                                                                           \
	{                                                                                                    \
		"log", "", "log", "", NAG_WARNING, facts                                                     \
	}

/* What the first forty characters say, and whole sentences where the wording is promised. */
static const struct row {
	const char *name, *begins, *holds;
	struct given g[4];
} rows[] = {
    {"relay_down",
     "relay down: mx1.example (refused)",
     "route around",
     {{"smtp", "mx1.example", "smtp", "refused", NAG_CRITICAL, ""}}},
    {"relay_down_queued",
     "relay down: mx1.example (refused), 900 mails a minute find nobody",
     "route around",
     {{"smtp", "mx1.example", "smtp", "refused", NAG_CRITICAL, ""},
      LOG("'unreachable_per_min':900,'deferred_per_min':910,'top_client_per_min':900,'top_client_share':1"),
      QUEUE(
	  "'total':900,'growth_per_min':900,'young_share':1,'top_client':'192.0.2.7','top_client_share':1")}},
    {"backscatter",
     "backscatter: 81 % of 40,200 are bounces",
     "reject at RCPT",
     {QUEUE("'total':40200,'null_sender_share':0.81,'growth_per_min':900,'young_share':0.6,'top_client_share'"
	    ":0.3")}},
    {"backscatter",
     "backscatter: 900 unknown users a minute from 192.0.2.7; reject at RCPT, never queue",
     "",
     {LOG("'user_unknown_per_min':900,'user_unknown_client':'192.0.2.7'")}},
    {"mail_bomb",
     "mail bomb from inside: sender0000@big.example, 17 % of 100,003, 1,200 a minute from 192.0.2.7; block "
     "that client, hold its mail",
     "",
     {QUEUE("'total':100003,'top_sender':'sender0000@big.example','top_sender_share':0.17,'growth_per_min':"
	    "1200,'young_share':0.17,'top_client':'192.0.2.7','top_client_share':0.17")}},
    {"mail_loop",
     "mail loop: list@example.org",
     "vacation",
     {QUEUE("'total':400,'top_rcpt':'list@example.org','top_rcpt_share':0.9,'growth_per_min':700,'young_"
	    "share':1,'top_client':'127.0.0.1','top_client_share':1,'null_sender_share':0.5")}},
    {"mail_bomb_at_one",
     "mail bomb at boss@example.org: 90 % of 400, 700 a minute, 95 % from 192.0.2.7",
     "block who sends",
     {QUEUE("'total':400,'top_rcpt':'boss@example.org','top_rcpt_share':0.9,'growth_per_min':700,'young_"
	    "share':1,'top_client':'192.0.2.7','top_client_share':0.95,'top_sender':'a@b','top_sender_share':"
	    "0.1")}},
    {"mail_loop",
     "mail loop: list@example.org, 3",
     "vacation",
     {LOG("'too_many_hops_per_min':3,'hops_rcpt':'list@example.org'")}},
    {"auth_abuse",
     "relay abuse: bob from 40 addresses",
     "disable the account",
     {QUEUE("'total':9000,'top_sasl':'bob','top_sasl_share':0.95,'top_sasl_clients':40,'growth_per_min':800,'"
	    "young_share':0.9,'top_sender_share':0.9")}},
    {"open_relay",
     "relay abuse: mx1 is an open relay by percent",
     "close it",
     {{"relay", "mx1", "relay", "", NAG_CRITICAL, "'open_relay':1,'open_relay_form':'percent'"}}},
    {"spf_drift",
     "SPF does not pass 192.0.2.99 (fail by -all)",
     "add the address",
     {{"spf", "", "spf", "", NAG_CRITICAL, "'failed_address':'192.0.2.99','result':'fail','term':'-all'"}}},
    {"own_address_listed",
     "own address listed: 192.0.2.1 on bl.example",
     "removal",
     {{"bl", "", "dnsbl", "", NAG_CRITICAL,
       "'listed':1,'address':'192.0.2.1','list':'bl.example','answer':'127.0.0.2'"}}},
    {"some_domains",
     "only some domains refuse: docomo.ne.jp, 85 %",
     "throttle",
     {LOG("'defer_few':'docomo.ne.jp','defer_few_share':0.85,'deferred_per_min':200,'sent_per_min':40")}},
    {"some_domains_bounce",
     "only some domains refuse: ezweb.ne.jp, docomo.ne.jp, 90 %",
     "throttle",
     {LOG("'bounce_few':'ezweb.ne.jp, docomo.ne.jp','bounce_few_share':0.9,'bounced_per_min':50")}},
    {"some_domains_queued",
     "only some domains refuse: docomo.ne.jp, 85 %",
     "throttle",
     {QUEUE("'total':900,'deferred':880,'growth_per_min':100,'young_share':0.8,'top_domain':'docomo.ne.jp','"
	    "top_domain_share':0.85")}},
    {"scanner_stuck",
     "scanner stage stuck: mqueue-rx 900, +60 a minute",
     "restart the stage",
     {QUEUE("'total':910,'stage_mqueue_rx':900,'stage_mqueue_rx_growth_per_min':60,'stage_mqueue':10,'stage_"
	    "mqueue_growth_per_min':-5,'growth_per_min':55")}},
    {"stage_down",
     "stage of this host stuck: 127.0.0.1:10024 takes no mail, 70 a minute wait for it; restart what listens there",
     "",
     {LOG("'stage_down':'127.0.0.1:10024','stage_down_per_min':70,'deferred_per_min':72,'unreachable_per_min':70"),
      QUEUE("'total':900,'growth_per_min':700,'young_share':1,'top_client':'192.0.2.7','top_client_share':1")}},
    {"mail_lost",
     "mail is lost: mx1 took it, it never came (test mails: 3 lost, 1 under way); follow one",
     "to the store",
     {{"trip", "mx1", "roundtrip", "lost", NAG_CRITICAL, "'lost':3,'pending':1,'relay_failed':0"}}},
    {"relay_down_trip",
     "relay down: mx1 (refused) takes no test mail",
     "route around",
     {{"trip", "mx1", "roundtrip", "refused", NAG_CRITICAL, "'lost':3,'relay_failed':1,'refused':1"},
      {"smtp", "mx1", "smtp", "tls", NAG_CRITICAL, ""}}},
    {"relay_down",
     "relay down: mx1 (refused); restart it",
     "route around",
     {{"smtp", "mx1", "smtp", "refused", NAG_CRITICAL, ""},
      {"trip", "mx1", "roundtrip", "refused", NAG_CRITICAL, "'lost':0,'relay_failed':1,'refused':1"}}},
    {"dns_down",
     "DNS down: 127.0.0.53 does not answer",
     "mend the resolver",
     {{"dns", "", "dns", "", NAG_CRITICAL, "'resolver_dead':1,'resolver':'127.0.0.53'"},
      QUEUE("'total':5000,'growth_per_min':2000,'young_share':1,'top_client':'192.0.2.7','top_client_share':"
	    "0.9")}},
    {"dns_down",
     "DNS down; mend the resolver, mail waits",
     "",
     {{"keys", "", "dkim", "resolver", NAG_UNKNOWN, "'resolver_dead':1"},
      {"sts", "", "mta_sts", "resolver", NAG_UNKNOWN, "'resolver_dead':1"},
      {"pins", "", "tlsa", "resolver", NAG_UNKNOWN, "'resolver_dead':1"}}},
    {"dns_down",
     "DNS down, 90 mails a minute fail for it; mend",
     "mail waits",
     {LOG("'dns_failed_per_min':90,'deferred_per_min':95,'sent_per_min':4,'received_per_min':100")}},
    {"backup_dead",
     "backup path dead: mx2.example",
     "before it is needed",
     {{"mx", "", "mx", "", NAG_WARNING, "'backup_dead':1,'backup_host':'mx2.example'"}}},
    {"backup_dead",
     "backup path dead: mx2.example",
     "before it is needed",
     {{"trip", "", "roundtrip", "", NAG_WARNING, "'backup_dead':1,'backup_host':'mx2.example'"}}},
    {"inodes_full",
     "no inodes left: /var/spool, 98 % used",
     "remove them",
     {{"spool", "", "disk", "", NAG_CRITICAL,
       "'path':'/var/spool','used_share':0.2,'inode_used_share':0.98"}}},
    {"disk_full",
     "disk or log full: /var/spool, 97 % used, full in 3 h 44 min; find what grows",
     "make room",
     {{"d", "", "disk", "", NAG_CRITICAL, "'path':'/var/spool','used_share':0.97,'full_in_s':13449"}}},
    {"only_mail_slow",
     "only mail is slow: mx1 takes 9.5 s, load 21",
     "web is fine",
     {{"load", "", "load", "", NAG_CRITICAL, "'load1':21,'cores':2"},
      {"smtp", "mx1", "smtp", "slow", NAG_WARNING, "'time_s':9.5"},
      {"web", "www", "http", "", NAG_OK, "'time_s':0.1"}}},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static size_t given_of(const struct row *r)
{
	size_t n = 0;
	while (n < 4 && r->g[n].name)
		n++;
	return n;
}

static void each_row_is_named_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct diag_name d[DIAG_NAMES_MAX];
		assert_true(ask(rows[i].g, given_of(&rows[i]), 0, d) >= 1);
		assert_string_equal(d[0].rule->name, rows[i].name);
		if (strncmp(d[0].text, rows[i].begins, strlen(rows[i].begins)) != 0)
			assert_string_equal(d[0].text, rows[i].begins);
		assert_non_null(strstr(d[0].text, rows[i].holds));
		assert_null(strstr(d[0].text, "unknown,"));
		assert_true(strlen(d[0].text) <= 160);
		assert_true(d[0].because[0] || rows[i].g[0].layer[0]);
	}
}

/* Characters of UTF-8, as UCS-2 has them. */
static void japanese_fits_one_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct diag_name d[DIAG_NAMES_MAX];
		size_t n = 0;
		assert_true(ask(rows[i].g, given_of(&rows[i]), 0, d) >= 1);
		for (const char *s = d[0].ja; *s; s++)
			n += ((unsigned char)*s & 0xc0) != 0x80;
		if (n > 70)
			fail_msg("%zu characters: %s", n, d[0].ja);
		assert_int_equal(strchr(d[0].ja, '{') != NULL, 0);
	}
}

static void each_row_of_the_table_has_a_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < diag_nbuiltin; i++) {
		bool any = false;
		char why[200];
		for (size_t k = 0; k < ROWS; k++)
			any = any || strcmp(rows[k].name, diag_builtin[i].name) == 0;
		if (!any)
			fail_msg("%s has no case", diag_builtin[i].name);
		assert_true(sentence_check(diag_builtin[i].text, why, sizeof why));
		assert_true(sentence_check(diag_builtin[i].ja, why, sizeof why));
	}
}

/* Only what the problem is evidence of, or is explained by. */
static void another_hosts_trouble_is_not_ours(void **state)
{
	(void)state;
	struct diag_name d[DIAG_NAMES_MAX];
	const struct given g[] = {{"smtp1", "mx1", "smtp", "refused", NAG_CRITICAL, ""},
				  {"web", "www", "http", "timeout", NAG_CRITICAL, ""}};
	assert_int_equal(ask(g, 2, 1, d), 0);
	assert_int_equal(ask(g, 2, -1, d), 1);
}

/* What a check holds for well is no incident, and a spare part that is dead does not take over another's name. */
static void what_is_well_is_not_named(void **state)
{
	(void)state;
	struct diag_name d[DIAG_NAMES_MAX];
	const struct given full[] = {
	    {"archive", "", "disk", "", NAG_OK, "'path':'/archive','used_share':0.96,'full_in_s':7000,'inode_used_share':0.97"}, QUEUE("'total':10")};
	assert_int_equal(ask(full, 2, -1, d), 0);
	const struct given spare[] = {
	    {"names", "", "dns", "resolver", NAG_WARNING, "'resolver_dead':0,'resolvers_dead':1,'resolver':'192.0.2.53'"},
	    QUEUE("'total':5200,'growth_per_min':1200,'young_share':1,'top_client':'192.0.2.7','top_client_share':0.9")};
	assert_int_equal(ask(spare, 2, -1, d), 1);
	assert_string_equal(d[0].rule->name, "mail_bomb");
	/* nobody knows the sender: then nobody is named */
	assert_string_equal(d[0].text, "mail bomb from inside, 1,200 a minute from 192.0.2.7; block that client, hold its mail");
}

static void softer_forms_are_named_too(void **state)
{
	(void)state;
	struct diag_name d[DIAG_NAMES_MAX];
	const struct given spf[] = {{"spf", "", "spf", "softfail", NAG_WARNING,
				     "'failed_address':'192.0.2.9','result':'softfail','term':'~all','record':'v=spf1 mx ~all'"}};
	assert_int_equal(ask(spf, 1, -1, d), 1);
	assert_string_equal(d[0].rule->name, "spf_drift");
	const struct given shut[] = {{"relay", "mx1", "smtp", "closed", NAG_CRITICAL, ""}};
	assert_int_equal(ask(shut, 1, -1, d), 1);
	assert_string_equal(d[0].rule->name, "relay_down");
}

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16 & 0x7fff;
}

static double within(unsigned *seed, double low, double high)
{
	return low + (high - low) * next(seed) / 32767;
}

enum day { QUIET, OLD_QUEUE, NEWSLETTER, MONDAY, DAYS };

/* What the probes of a healthy host say in one minute of the day. */
static void minute_of(enum day day, int minute, unsigned *seed, char *queue, char *log, size_t size)
{
	bool letter = day == NEWSLETTER && minute >= 60 && minute < 120;
	bool rush = day == MONDAY && minute >= 480 && minute < 600;
	double total = day == OLD_QUEUE ? within(seed, 90000, 110000)
		       : letter		? within(seed, 500, 6000)
					: within(seed, 0, rush ? 900 : 60);
	double growth = letter ? within(seed, -400, 400) : within(seed, rush ? -60 : -10, rush ? 60 : 10);
	snprintf(queue, size,
		 "'total':%.0f,'deferred':%.0f,'growth_per_min':%.1f,'young_share':%.3f,'null_sender_share':%"
		 ".3f,'top_sender':'a@b','top_sender_share':%.3f,"
		 "'top_client':'192.0.2.9','top_client_share':%.3f,'top_rcpt':'r@x','top_rcpt_share':%.3f,'"
		 "top_domain':'gmail.com','top_domain_share':%.3f,'oldest_s':%.0f",
		 total, total * 0.8, growth, day == OLD_QUEUE ? within(seed, 0, 0.02) : within(seed, 0, 0.9),
		 day == OLD_QUEUE ? within(seed, 0.5, 0.9) : within(seed, 0, 0.3),
		 letter ? 0.99 : within(seed, 0, 0.5), letter ? 0.99 : within(seed, 0, 0.9),
		 within(seed, 0, 0.3), letter ? within(seed, 0.2, 0.5) : within(seed, 0, 0.55),
		 within(seed, 0, 400000));
	snprintf(log, size,
		 "'received_per_min':%.0f,'sent_per_min':%.0f,'deferred_per_min':%.0f,'bounced_per_min':%.0f,"
		 "'user_unknown_per_min':%.0f,'top_client':'192.0.2.9',"
		 "'top_client_share':%.3f,'top_client_per_min':%.0f,'defer_few':'gmail.com','defer_few_"
		 "share':%.3f,'too_many_hops_per_min':0,'dns_failed_per_min':%.0f,"
		 "'top_sasl_clients':%.0f,'top_sasl_share':%.3f,'top_sasl_per_min':%.0f,'listed_per_min':0,'"
		 "spf_rejected_per_min':%.0f",
		 within(seed, 0, rush ? 900 : 50), within(seed, 0, 900),
		 within(seed, 0, day == QUIET ? 3 : 25), within(seed, 0, 10), within(seed, 0, 40),
		 within(seed, 0, 0.9), letter ? within(seed, 100, 590) : within(seed, 0, 90),
		 within(seed, 0, 1), within(seed, 0, 5), within(seed, 0, 4), within(seed, 0, 0.6),
		 within(seed, 0, 40), within(seed, 0, 2));
}

static void days_that_name_nothing(void **state)
{
	(void)state;
	for (unsigned start = 1; start <= 8; start++)
		for (enum day day = QUIET; day < DAYS; day++)
			for (int minute = 0; minute < 1440; minute++) {
				char queue[1000], log[1000];
				unsigned seed =
				    start * 7919u + (unsigned)day * 104729u + (unsigned)minute * 31u;
				struct diag_name d[DIAG_NAMES_MAX];
				minute_of(day, minute, &seed, queue, log, sizeof queue);
				const struct given g[] = {
				    {"queue", "", "queue", "", day == OLD_QUEUE ? NAG_WARNING : NAG_OK,
				     queue},
				    {"log", "", "log", "", NAG_OK, log},
				    {"smtp", "mx1", "smtp", "", NAG_OK, "'time_s':0.4"},
				    {"web", "www", "http", "", NAG_OK, ""},
				    {"load", "", "load", "", NAG_OK, "'load1':3.1,'cores':2"}};
				if (ask(g, 5, -1, d))
					fail_msg("seed %u, day %d, minute %d: %s\n%s\n%s", start, (int)day,
						 minute, d[0].text, queue, log);
			}
}

/* A client that brings 700 a minute: what happens to its mail, and what it brings on other days, tell. */
static size_t busy_client(const char *more, const struct diag_past *past, size_t npast, struct diag_name *d)
{
	char text[400];
	snprintf(text, sizeof text,
		 "'top_client':'192.0.2.9','top_client_per_min':700,'top_client_share':0.9,'received_per_min'"
		 ":780,%s",
		 more);
	cJSON *facts = facts_of(text);
	assert_non_null(facts);
	const struct diag_check v = {.name = "log",
				     .host = "",
				     .probe = "log",
				     .layer = "",
				     .facts = facts,
				     .past = past,
				     .npast = npast};
	size_t n = diagnose(&table, &v, 1, NULL, d, DIAG_NAMES_MAX);
	cJSON_Delete(facts);
	return n;
}

static void a_busy_client_is_a_bomb_when_it_harms_or_is_new(void **state)
{
	(void)state;
	struct diag_name d[DIAG_NAMES_MAX];
	const struct diag_past usual[] = {{.name = "top_client_usual_per_min", .value = 650},
					  {.name = "top_client_unusual", .value = 1.1}};
	const struct diag_past never[] = {{.name = "top_client_usual_per_min", .value = 0},
					  {.name = "top_client_unusual", .value = 11.7}};
	const char *well = "'sent_per_min':760,'deferred_per_min':20",
		   *ill = "'sent_per_min':300,'deferred_per_min':400";
	assert_int_equal(busy_client(well, NULL, 0, d), 0); /* a newsletter, an upstream relay */
	assert_int_equal(busy_client(ill, NULL, 0, d), 1);
	assert_string_equal(d[0].rule->name, "mail_bomb");
	assert_non_null(strstr(d[0].text, "700 a minute from 192.0.2.9"));
	assert_int_equal(busy_client(ill, usual, 2, d), 0); /* it does so every week */
	assert_int_equal(busy_client(well, usual, 2, d), 0);
	assert_int_equal(busy_client(well, never, 2, d), 1); /* nobody saw it before */
	assert_string_equal(d[0].rule->name, "mail_bomb");
}

/* The cause before what it causes; of strangers the one that explains more; and both say why. */
static void ranks_have_reasons(void **state)
{
	(void)state;
	struct diag_name d[DIAG_NAMES_MAX];
	const struct given dns[] = {
	    {"dns", "", "dns", "", NAG_CRITICAL, "'resolver_dead':1,'resolver':'127.0.0.53'"},
	    QUEUE("'total':5000,'growth_per_min':2000,'young_share':1,'top_client':'192.0.2.7','top_client_"
		  "share':0.9")};
	assert_int_equal(ask(dns, 2, -1, d), 2);
	assert_string_equal(d[0].why, "explains 2 of 2 checks in trouble; can cause mail_bomb");
	assert_string_equal(d[1].why, "explains 1 of 2 checks in trouble; can be caused by dns_down");
	const struct given strangers[] = {
	    {"d", "store", "disk", "", NAG_CRITICAL, "'path':'/var','used_share':0.97"},
	    {"smtp", "mx1", "smtp", "refused", NAG_CRITICAL, ""},
	    {"trip", "mx1", "roundtrip", "", NAG_CRITICAL, ""}};
	assert_int_equal(ask(strangers, 3, -1, d), 2);
	assert_string_equal(d[0].rule->name, "relay_down");
	assert_string_equal(d[0].why, "explains 2 of 3 checks in trouble, more than disk_full");
	assert_string_equal(d[1].why, "explains 1 of 3 checks in trouble; stands behind relay_down");
}

static void names_are_cut_and_keep_their_advice(void **state)
{
	(void)state;
	struct diag_name d[DIAG_NAMES_MAX];
	const struct given g[] = {QUEUE("'total':100003,'top_sender':'a-very-long-name-of-a-list-manager+"
					"bounces-0000000000000000000000000000000000@big.example',"
					"'top_sender_share':0.17,'growth_per_min':1200,'young_share':0.9,'"
					"top_client':'192.0.2.7','top_client_share':0.9")};
	assert_int_equal(ask(g, 1, 0, d), 1);
	assert_true(strlen(d[0].text) <= 200);
	assert_non_null(
	    strstr(d[0].text, ".., 17 % of 100,003, 1,200 a minute from 192.0.2.7; block that client"));
}

static void conditions_as_text(void **state)
{
	(void)state;
	struct condition c;
	char why[200];
	static const char *const bad[] = {"",
					  "queue",
					  "queue.total",
					  "queue.total >=",
					  "queue.total ~ 3",
					  "Queue.total > 3",
					  "queue.total > many",
					  "queue.total > 3 and log.x > 1",
					  "queue.total > 3 *",
					  "queue.total > 3 or",
					  "queue.total > nan",
					  "a.b=1 or a.b=1 or a.b=1 or a.b=1 or a.b=1 or a.b=1 or a.b=1 or a.b=1 or a.b=1 or a.b=1 or a.b=1"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why[0] = 0;
		assert_false(condition_parse(bad[i], &c, why, sizeof why));
		assert_true(why[0]);
	}
	assert_true(
	    condition_parse("not load.load1 >= 2 * load.cores or smtp.layer != slow", &c, why, sizeof why));
	assert_true(c.negated && c.n == 2 && c.alt[1].is_word && c.alt[1].op == TERM_NE);
	assert_string_equal(c.alt[0].by_fact, "cores");
	assert_false(sentence_check("{queue}", why, sizeof why));
	assert_false(sentence_check("[a [b]]", why, sizeof why));
	assert_false(sentence_check("{queue.total", why, sizeof why));
	assert_true(sentence_check("{queue|log.total%}[, {a.b~}]", why, sizeof why));
	assert_true(sentence_check("{queue.total|log|rate.b}", why, sizeof why));
	assert_false(sentence_check("{queue.total|log}", why, sizeof why));
	assert_false(sentence_check("{queue.total.b}", why, sizeof why));
	assert_false(sentence_check("{.b}", why, sizeof why));
	assert_false(sentence_check("{a.b|}", why, sizeof why));
	assert_true(condition_parse("queue.top_client = 127.0.0.1 or queue.top_client != unknown", &c, why,
				    sizeof why));
	assert_string_equal(c.alt[0].word, "127.0.0.1");
}

static void a_row_is_added_and_replaced(void **state)
{
	(void)state;
	char why[200];
	struct diag_name d[DIAG_NAMES_MAX];
	size_t before = table.n;
	const struct diag_rule own = {
	    .name = "relay_down", .rank = 99, .when = {"smtp.state = critical"}, .text = "ours: {smtp.host}"};
	assert_true(diag_add(&table, &own, why, sizeof why));
	assert_int_equal(table.n, before);
	assert_int_equal(ask(rows[0].g, 1, 0, d), 1);
	assert_string_equal(d[0].text, "ours: mx1.example");
	assert_true(diag_remove(&table, "relay_down"));
	assert_int_equal(ask(rows[0].g, 1, 0, d), 0);
	assert_true(diag_init(&table));
}

static int setup(void **state)
{
	(void)state;
	return diag_init(&table) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	struct diag_name d[DIAG_NAMES_MAX];
	ask(NULL, 0, -1, d);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_row_is_named_first),
	    cmocka_unit_test(japanese_fits_one_message),
	    cmocka_unit_test(each_row_of_the_table_has_a_case),
	    cmocka_unit_test(another_hosts_trouble_is_not_ours),
	    cmocka_unit_test(what_is_well_is_not_named),
	    cmocka_unit_test(softer_forms_are_named_too),
	    cmocka_unit_test(days_that_name_nothing),
	    cmocka_unit_test(a_busy_client_is_a_bomb_when_it_harms_or_is_new),
	    cmocka_unit_test(ranks_have_reasons),
	    cmocka_unit_test(names_are_cut_and_keep_their_advice),
	    cmocka_unit_test(conditions_as_text),
	    cmocka_unit_test(a_row_is_added_and_replaced),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
