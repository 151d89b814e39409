/* The stages of a queue: option stages, sums, what is stuck, the facts; and the readers of queue files at
 * their edges. */
#include "unit.h"

#include "lib/contract/result.h"
#include "probes/queue/exim_header.h"
#include "probes/queue/mailq.h"
#include "probes/queue/more.h"
#include "probes/queue/queue.h"
#include "probes/queue/sendmail_qf.h"
#include "probes/queue/small_files.h"

static void test_lines(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} cases[] = {
	    {"mqueue-rx", true},
	    {"mqueue-rx /a /b/q* w=~:200 c=@5:9 growth_w=~:9 growth_c=99 oldest_w=5m oldest_c=1h kind=waits",
	     true},
	    {"", false},
	    {"/var/spool/mqueue", false},
	    {"w=5", false},
	    {"a w=9:1", false},
	    {"a oldest_w=x", false},
	    {"a kind=runs", false},
	    {"a wide=5", false},
	    {"a b", false},
	    {"a-name-that-is-far-too-long-for-a-stage", false},
	};
	struct queue_stage_line l;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		why = "";
		if (queue_stage_parse(cases[i].text, &l, &why) != cases[i].ok || (!cases[i].ok && !why[0]))
			fail_msg("%s: %s", cases[i].text, why);
	}
	assert_true(queue_stage_parse(cases[1].text, &l, &why));
	assert_string_equal(l.dirs, "/a /b/q*");
	assert_int_equal(l.limits.old_warn, 300000);
	assert_true(l.kind_given && l.kind == QUEUE_WAITS && l.limits.crit.inside &&
		    l.limits.growth_crit.set);
}

static void two_stages(struct queue_seen *s, double rx, double tx, uint64_t n)
{
	memset(s, 0, sizeof(*s));
	s->mta = &queue_sendmail;
	s->before = (int)(queue_stage_add(s, "mqueue-rx", "mqueue-rx", QUEUE_WAITS) - s->stage);
	s->behind = (int)(queue_stage_add(s, "mqueue", "mqueue", QUEUE_DEFERS) - s->stage);
	s->growth_known = true;
	s->stage[0].n = 50;
	s->stage[0].growth = rx;
	s->stage[1].n = n;
	s->stage[1].growth = tx;
}

static void test_stuck(void **state)
{
	struct queue_seen s;

	(void)state;
	two_stages(&s, 120, -30, 900);
	assert_true(queue_stuck(&s));
	two_stages(&s, 120, 0, 0); /* all of it is gone already */
	assert_true(queue_stuck(&s));
	two_stages(&s, 120, 40, 900); /* a flood: both grow */
	assert_false(queue_stuck(&s));
	two_stages(&s, -5, -30, 900);
	assert_false(queue_stuck(&s));
	two_stages(&s, 120, -30, 900);
	s.growth_known = false;
	assert_false(queue_stuck(&s));
	two_stages(&s, 120, -30, 900);
	s.before = -1; /* one stage alone */
	assert_false(queue_stuck(&s));
}

static void test_facts(void **state)
{
	struct queue_seen s;
	struct result r;

	(void)state;
	two_stages(&s, 120, -30, 900);
	result_init(&r);
	queue_facts(&s, &r);
	assert_non_null(strstr(buf_str(&r.facts), "\"mta\":\"sendmail\""));
	assert_non_null(strstr(buf_str(&r.facts), "\"stage_mqueue_rx\":50"));
	assert_non_null(strstr(buf_str(&r.facts), "\"stage_mqueue_growth_per_min\":-30"));
	assert_non_null(strstr(buf_str(&r.facts), "\"growth_per_min\":90"));
	assert_non_null(strstr(buf_str(&r.facts), "\"total\":950"));
	/* nothing was read: nobody is named */
	assert_null(strstr(buf_str(&r.facts), "share"));
	/* what waits for the scanner is not what mailq lists */
	assert_int_equal(mailq_count(&s), 900);
	result_fini(&r);
}

static struct queue_slice text(const char *s)
{
	return (struct queue_slice){s, strlen(s)};
}

static void test_files(void **state)
{
	static const struct queue_sink to = {0};
	struct queue_message m = {0};
	char out[64];

	(void)state;
	assert_int_equal(
	    sendmail_qf_parse(
		text("V8\nT1795593524\nMDeferred: Connection timed out with mx.a.example.\n"
		     "$_mail [IPv6:2001:db8::7] (may be forged)\nAbob\nS<>\nRPFD:<x@y>\nH??A: b\n.\n"),
		true, &to, &m),
	    QUEUE_GOT);
	assert_string_equal(m.client, "2001:db8::7");
	assert_string_equal(m.host, "mx.a.example");
	assert_string_equal(m.account, "bob");
	assert_true(m.has_sender && !m.sender[0] && m.todo == 1 && m.arrival_ms == 1795593524000);
	assert_int_equal(sendmail_qf_parse(text("V8\nS<a@b>\nR<x@y>\n"), true, &to, &m), QUEUE_DAMAGED);
	assert_int_equal(sendmail_qf_parse(text("V12\nS<a@b>\n.\n"), true, &to, &m), QUEUE_FOREIGN);
	/* year 126 of 1900 is 6 modulo 60; the id of a message of 25 Nov 2026, 07:58:29 GMT */
	assert_int_equal(sendmail_id_time_ms("6AP7wTSL020399", 1795593600000), 1795593509000);
	assert_int_equal(sendmail_id_time_ms("CAA01234", 1795593600000), 0);
	/* before 4.96 the port stood behind a dot */
	memset(&m, 0, sizeof(m));
	assert_int_equal(
	    exim_header_parse(
		text("1-H\nu 1 1\n<a@b>\n1795593628 0\n-host_address 192.0.2.7.4711\nYY x@y\nNN z@y\n"
		     "2\nx@y\nw@y 3,0,z\n\n"),
		true, &to, &m),
	    QUEUE_GOT);
	assert_string_equal(m.client, "192.0.2.7");
	assert_true(m.done == 1 && m.todo == 1);
	assert_int_equal(
	    exim_header_parse(text("1-H\nu 1 1\n<a@b>\n1795593628 0\nXX\n3\nx@y\n"), true, &to, &m),
	    QUEUE_DAMAGED);
	assert_true(exim_header_name("1xW7um-0005gE-15-H") && exim_header_name("1xW7um-00000005gEa-15ab-H"));
	assert_false(exim_header_name("1xW7um-0005gE-15-D"));
	assert_true(exim_conf_spool(text("# x\nspool_directory = /var/spool/exim\n"), out, sizeof(out)));
	assert_false(exim_conf_spool(text("spool_directory = ${x}\n"), out, sizeof(out)));
	memset(&m, 0, sizeof(m));
	assert_int_equal(opensmtpd_envelope_parse(text("\x1f\x8b\x08 packed"), &to, &m), QUEUE_FOREIGN);
	assert_int_equal(opensmtpd_envelope_parse(text("version: 4\nsender: @\n"), &to, &m), QUEUE_FOREIGN);
	assert_int_equal(opensmtpd_envelope_parse(text("version: 3\nsender: a@b\nrc"), &to, &m),
			 QUEUE_DAMAGED);
	assert_int_equal(nullmailer_parse(text("a@b\nx@y\n"), &to, &m), QUEUE_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_stuck),
	    cmocka_unit_test(test_facts),
	    cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
