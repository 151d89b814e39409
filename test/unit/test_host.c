/* Parsers of /proc and limits of the probes process, memory, pressure and file, on recorded texts. */
#include "unit.h"

#include <math.h>

#include "probes/file/limit.h"
#include "probes/memory/kernel.h"
#include "probes/process/match.h"

static const struct proc_units units = {100, 4096, 1000};
#define QMGR                                                                                                 \
	"812 (qmgr) S 810 810 810 0 -1 4194560 300 0 0 0 150 50 0 0 20 0 1 0 90000 44000000 1500 1844 1 1 0"

static void stat_lines(void **state)
{
	struct proc p;

	(void)state;
	assert_true(proc_parse_stat(QMGR, &units, &p));
	assert_string_equal(p.comm, "qmgr");
	assert_string_equal(p.state, "S");
	assert_int_equal(p.pid, 812);
	assert_int_equal(p.ppid, 810);
	assert_true(p.rss == 1500 * 4096.0 && p.vsz == 44e6 && p.age_s == 100 && fabs(p.cpu - 2) < 1e-9 &&
		    !p.kernel);
	/* a name that looks like the rest of the line, a leader in the foreground with threads, a nice one, a
	 * kernel thread */
	assert_true(
	    proc_parse_stat("5 (a) S 1 (b\n) R 1 5 5 1025 5 0 0 0 0 0 0 0 0 0 20 -5 3 0 0 1 1", &units, &p));
	assert_string_equal(p.comm, "a) S 1 (b?");
	assert_string_equal(p.state, "R<sl+");
	assert_true(proc_parse_stat("9 (kworker/0:1) I 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0",
				    &units, &p));
	assert_true(p.kernel);
	static const char *const bad[] = {"",
					  "1",
					  "1 (a",
					  "1 (a) ",
					  "1 (a) S",
					  "1 (a) S 1 2 3",
					  "x (a) S 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3",
					  ") ("};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (proc_parse_stat(bad[i], &units, &p))
			fail_msg("taken: %s", bad[i]);
}

static void status_and_command_line(void **state)
{
	struct proc p;

	(void)state;
	assert_true(proc_parse_stat(QMGR, &units, &p));
	proc_parse_status("Name:\tqmgr\nUid:\t0\t107\t107\t107\nVmLck:\t     12 kB\n", &p);
	assert_int_equal(p.uid, 107);
	assert_string_equal(p.state, "SL");
	proc_parse_cmdline("qmgr\0-l\0-t\0unix\x1b\0", 16, &p);
	assert_string_equal(p.args, "qmgr -l -t unix?");
	proc_parse_cmdline("", 0, &p);
	assert_string_equal(p.args, "[qmgr]");
	struct process_filter f = {.user = "postfix",
				   .uid = 107,
				   .command = "qmgr",
				   .ppid = -1,
				   .vsz_kib = -1,
				   .rss_kib = 6000,
				   .cpu = -1};
	assert_true(process_matches(&f, &p));
	f.rss_kib = 6001;
	assert_false(process_matches(&f, &p));
	struct process_filter z = {.state = "Z", .ppid = -1, .vsz_kib = -1, .rss_kib = -1, .cpu = -1};
	assert_false(process_matches(&z, &p));
}

static void process_ranges(void **state)
{
	struct {
		const char *text;
		bool ok;
		double in, out;
	} rows[] = {{"10", true, 10, 11}, {"2:2", true, 2, 1}, {"1:", true, 5, 0},
		    {":2", true, -3, 3},  {"5:1", true, 6, 3}, {"5:1", true, 0, 5},
		    {"x", false, 0, 0},	  {"", false, 0, 0},   {"@1:2", true, 3, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct range r;
		const char *why = NULL;
		if (process_range(rows[i].text, &r, &why) != rows[i].ok)
			fail_msg("%s", rows[i].text);
		if (rows[i].ok && (range_alerts(&r, rows[i].in) || !range_alerts(&r, rows[i].out)))
			fail_msg("%s: %g %g", rows[i].text, rows[i].in, rows[i].out);
	}
}

static void kernel_texts(void **state)
{
	double v, max;
	struct psi psi;

	(void)state;
	assert_true(kernel_value("MemTotal:       1000 kB\nMemAvailable:    250 kB\n", "MemAvailable", &v) &&
		    v == 256000);
	assert_true(kernel_value("pswpin 7\npswpout 12\noom_kill 3\n", "oom_kill", &v) && v == 3);
	assert_false(kernel_value("oom_kill_x 3\nMemTotalX: 2 kB", "MemTotal", &v));
	assert_false(kernel_value("MemTotal: many kB\n", "MemTotal", &v));
	assert_true(psi_parse("some avg10=2.18 avg60=1.82 avg300=0.56 total=35\nfull avg10=0.00 avg60=0.25 "
			      "avg300=0.00 total=0\n",
			      &psi));
	assert_true(psi.some == 1.82 && psi.full == 0.25);
	assert_true(psi_parse("some avg10=0.00 avg60=100.00 avg300=0.00 total=1\n", &psi) && !psi.full_known);
	assert_false(psi_parse("some avg10=x avg60=1 ", &psi));
	assert_false(psi_parse("some avg10=1 avg60=101 ", &psi));
	assert_true(filenr_parse("593\t0\t1000\n", &v, &max) && v == 593 && max == 1000);
	assert_false(filenr_parse("593 0 0\n", &v, &max));
	assert_false(filenr_parse("593 0\n", &v, &max));
}

static void file_limit_rows(void **state)
{
	struct {
		const char *text[LIMITS];
		int which;
		double in, out;
	} rows[] = {{{"240", "600", "10", "5"}, LIMIT_AGE_W, 240, 241},
		    {{"5m", "1h", NULL, NULL}, LIMIT_AGE_C, 3600, 3601},
		    {{"240", NULL, "64K", NULL}, LIMIT_SIZE_W, 65536, 65535},
		    {{"240", NULL, "10:20", NULL}, LIMIT_AGE_W, 0, -1},
		    {{"240", NULL, "10:20", NULL}, LIMIT_SIZE_W, 20, 21}};
	struct range r[LIMITS];
	const char *why;
	int bad;
	mode_t m;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_true(file_limits(rows[i].text, r, &bad, &why));
		if (range_alerts(&r[rows[i].which], rows[i].in) ||
		    !range_alerts(&r[rows[i].which], rows[i].out))
			fail_msg("row %zu", i);
	}
	assert_false(file_limits((const char *[LIMITS]){"1", "soon", NULL, NULL}, r, &bad, &why));
	assert_int_equal(bad, LIMIT_AGE_C);
	assert_true(file_mode("0640", &m) && m == 0640);
	assert_false(file_mode("680", &m) || file_mode("", &m) || file_mode("17777", &m) ||
		     file_mode("64 ", &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stat_lines),      cmocka_unit_test(status_and_command_line),
	    cmocka_unit_test(process_ranges),  cmocka_unit_test(kernel_texts),
	    cmocka_unit_test(file_limit_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
