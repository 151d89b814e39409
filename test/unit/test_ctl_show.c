/* What monitorctl shows, line by line: the view for who was just woken up. */
#include "unit.h"

#include <time.h>

#include "lib/json.h"
#include "monitord/ctl/check.h"
#include "monitord/ctl/history.h"
#include "monitord/ctl/pages.h"
#include "monitord/ctl/show.h"
#include "monitord/ctl/time.h"

/* 2026-11-21 20:22:21 UTC */
#define NOW_WALL INT64_C(1795292541000)
#define NOW_BOOT 1000000
#define AT(boot_ms) "{'wall_ms':1795291541000,'boot_ms':" #boot_ms ",'boot_id':'b'}"
#define AT_WALL(wall_ms, boot_ms) "{'wall_ms':" #wall_ms ",'boot_ms':" #boot_ms ",'boot_id':'b'}"

static const struct stamp now = {.wall_ms = NOW_WALL, .boot_ms = NOW_BOOT, .boot_id = "b"};
static const struct ctl_style terminal = {.columns = 80}, piped = {.columns = 0};

/* JSON with ' for ", so that it can be read here. */
static cJSON *json(const char *text)
{
	char *s = strdup(text);
	const char *why = NULL;

	for (char *p = s; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	cJSON *v = json_parse(s, strlen(s), 1 << 20, &why);
	if (!v)
		print_error("%s: %s\n", why, s);
	assert_non_null(v);
	free(s);
	return v;
}

static const char monitord_head[] = "{'v':1,'daemon':'monitord','started':" AT(
    940000) ",'digest':'aa','config_error':'','from_copy':false,"
	    "'pager':{'connected':true,'verdict':'alive','digest':'aa'},'spool':{'trouble':''},"
	    "'probers':[{'place':'net','up':true}],'checks':[";
static const char pagerd_head[] = "{'v':1,'daemon':'pagerd','started':" AT(
    880000) ",'config_error':'','supervisor':{'verdict':'alive'},'spool':{'new':0,'bad':0},"
	    "'lines':[{'name':'modem','notifier':'sms','up':true,'ok':true,'text':'registered, signal "
	    "17/31','queue':0}],"
	    "'incidents':[";

#define CHECK_OK                                                                                             \
	"{'name':'disk','probe':'disk','state':'OK','hard':true,'text':'free space: / 1 GiB','since':" AT(   \
	    400000) "}"
#define CHECK_BAD                                                                                            \
	"{'name':'trunk "                                                                                    \
	"relay','probe':'smtp','host':'10.0.0.1','state':'CRITICAL','hard':true,'problem':true,"             \
	"'text':'10.0.0.1:25 refuses the connection','since':" AT(994000) ",'incident':'8FZH7'}"
#define CHECK_SOFT                                                                                           \
	"{'name':'load','probe':'load','state':'WARNING','hard':false,'attempt':1,'max':3,'text':'load "     \
	"average: 9',"                                                                                       \
	"'since':" AT(999000) "}"
#define CHECK_CHILD                                                                                          \
	"{'name':'child','probe':'smtp','state':'CRITICAL','hard':true,'problem':true,'suppressed':true,"    \
	"'why':'below trunk relay, which is down','text':'refused','since':" AT(993000) "}"
#define CHECK_SELF(name, state)                                                                              \
	"{'name':'" name "','probe':'','state':'" state "','hard':true,'text':'words','since':" AT(0) "}"
#define PAGE(kind, phase, more)                                                                              \
	"{'contact':'oncall','kind':'" kind "','phase':'" phase "','route':'modem','to':'+8190'," more       \
	"'made':" AT(995000) ",'done':" AT(995000) "}"
#define INCIDENT(phase, more, pages)                                                                         \
	"{'id':'8FZH7','check':'trunk relay','host':'10.0.0.1','state':'CRITICAL','phase':'" phase           \
	"','text':'10.0.0.1:25 refuses the connection','opened':" AT(994000) ",'since':" AT(                 \
	    994000) "," more "'pages':[" pages "]}"

static char *status(const char *checks, const char *incidents, const struct ctl_style *style)
{
	struct buf out, text;
	cJSON *m = NULL, *p = NULL;

	buf_init(&text, 1 << 20);
	if (checks) {
		buf_printf(&text, "%s%s]}", monitord_head, checks);
		m = json(buf_str(&text));
	}
	buf_reset(&text);
	if (incidents) {
		buf_printf(&text, "%s%s]}", pagerd_head, incidents);
		p = json(buf_str(&text));
	}
	buf_init(&out, 1 << 20);
	ctl_show_status(m, "no socket (is it running?)", p, "permission denied", style, &now, &out);
	char *s = strdup(buf_str(&out));
	buf_fini(&out);
	buf_fini(&text);
	cJSON_Delete(m);
	cJSON_Delete(p);
	return s;
}

static void expect_status(const char *checks, const char *incidents, const struct ctl_style *style,
			  const char *wanted)
{
	char *s = status(checks, incidents, style);

	assert_string_equal(s, wanted);
	free(s);
}

static void all_is_well(void **state)
{
	(void)state;
	expect_status(CHECK_OK "," CHECK_SELF("self", "OK") "," CHECK_SELF("self.spool", "OK"), "", &terminal,
		      "monitord  up 1 min, 1 check: 1 OK\n"
		      "pagerd    up 2 min, no open incident\n"
		      "line      modem (sms) ok: registered, signal 17/31\n"
		      "\n"
		      "OK       disk    10 min  free space: / 1 GiB\n"
		      "OK       self: 2 internal checks\n");
}

static void what_is_wrong_comes_first_with_who_was_paged(void **state)
{
	(void)state;
	expect_status(CHECK_OK "," CHECK_SOFT "," CHECK_BAD "," CHECK_CHILD
			       "," CHECK_SELF("self.spool", "CRITICAL"),
		      INCIDENT("new", "", PAGE("new", "sent", "'attempts':1,")), &terminal,
		      "monitord  up 1 min, 5 checks: 3 CRITICAL, 1 WARNING, 1 OK\n"
		      "pagerd    up 2 min, 1 incident is open\n"
		      "line      modem (sms) ok: registered, signal 17/31\n"
		      "\n"
		      "CRITICAL self.spool  16 min\n"
		      "         words\n"
		      "CRITICAL trunk relay  6 s  #8FZH7\n"
		      "         10.0.0.1:25 refuses the connection\n"
		      "         oncall paged 5 s ago by modem (+8190)\n"
		      "WARNING  load  1 s  attempt 1 of 3, not confirmed\n"
		      "         load average: 9\n"
		      "\n"
		      "CRITICAL child       7 s  no page: below trunk relay, which is down; refused\n"
		      "OK       disk     10 min  free space: / 1 GiB\n");
}

static void phases_of_incidents(void **state)
{
	(void)state;
	static const struct {
		const char *incident, *says, *counted;
	} v[] = {
	    {INCIDENT("acknowledged", "'by':'kei','comment':'on it',", ""),
	     "#8FZH7, acknowledged by kei: on it\n", "no open incident, 1 acknowledged\n"},
	    {INCIDENT("suppressed", "'suppressed':true,'why_suppressed':'in downtime',", ""), "#8FZH7\n",
	     "no open incident, 1 kept quiet\n"},
	    {INCIDENT("new", "'suppressed':true,'why_suppressed':'in downtime',", ""), "#8FZH7\n",
	     "no open incident, 1 kept quiet\n"},
	    {INCIDENT("recovered", "", PAGE("new", "sent", "")), "trunk relay  6 s  #8FZH7\n",
	     "no open incident\n"},
	    {INCIDENT("notice", "", PAGE("notice", "sent", "")), "trunk relay  6 s  #8FZH7\n",
	     "no open incident\n"},
	};

	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		char *s = status(CHECK_BAD, v[i].incident, &terminal);
		if (!strstr(s, v[i].says) || !strstr(s, v[i].counted))
			fail_msg("%zu: %s", i, s);
		free(s);
	}
}

static void phases_of_pages(void **state)
{
	(void)state;
	static const struct {
		const char *page, *says;
	} v[] = {
	    {PAGE("new", "waiting", ""), "oncall NOT YET paged for 5 s, waits for a line"},
	    {PAGE("new", "waiting", "'attempts':1,'detail':'busy',"),
	     "oncall NOT YET paged for 5 s, 1 attempt, last by modem (+8190): busy"},
	    {PAGE("repeat", "waiting", "'attempts':3,'detail':'busy',"),
	     "oncall NOT YET paged again for 5 s, 3 attempts, last by modem (+8190): busy"},
	    {PAGE("new", "trying", ""), "oncall is being paged by modem (+8190) for 5 s"},
	    {PAGE("new", "unsure", ""), "oncall MAYBE paged for 5 s: no answer yet from modem (+8190)"},
	    {PAGE("new", "sent", ""), "oncall paged 5 s ago by modem (+8190)"},
	    {PAGE("repeat", "sent", "'resend':true,"),
	     "oncall paged again 5 s ago by modem (+8190), marked as a repeat"},
	    {PAGE("ack", "sent", ""), "oncall told of the acknowledgement 5 s ago by modem (+8190)"},
	    {PAGE("recovered", "sent", ""), "oncall told of the recovery 5 s ago by modem (+8190)"},
	    {PAGE("notice", "sent", ""), "oncall told 5 s ago by modem (+8190)"},
	    {PAGE("new", "merged", ""), "oncall not paged: a later page says it"},
	    {PAGE("new", "acknowledged", ""), "oncall not paged: acknowledged before"},
	};

	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		cJSON *p = json(v[i].page);
		struct buf out;

		buf_init(&out, 4096);
		ctl_page_words(p, &now, &out);
		assert_string_equal(buf_str(&out), v[i].says);
		buf_fini(&out);
		cJSON_Delete(p);
	}
}

/* Of each contact the last page that arrived and all that did not. */
static void only_the_last_page_of_each(void **state)
{
	(void)state;
	cJSON *i = json(INCIDENT("new", "",
				 PAGE("new", "sent", "") "," PAGE("repeat", "sent", "") "," PAGE(
				     "repeat", "merged", "") "," PAGE("repeat", "waiting", "")));
	struct buf out;

	buf_init(&out, 4096);
	ctl_pages_now(i, 2, &piped, &now, &out);
	assert_string_equal(buf_str(&out), "  oncall paged again 5 s ago by modem (+8190), 2 pages in all\n"
					   "  oncall NOT YET paged again for 5 s, waits for a line\n");
	buf_fini(&out);
	cJSON_Delete(i);
}

static void a_daemon_that_does_not_answer(void **state)
{
	(void)state;
	expect_status(NULL, INCIDENT("new", "", PAGE("new", "sent", "")), &terminal,
		      "monitord  DOES NOT ANSWER: no socket (is it running?)\n"
		      "pagerd    up 2 min, 1 incident is open\n"
		      "line      modem (sms) ok: registered, signal 17/31\n"
		      "\n"
		      "CRITICAL trunk relay  6 s  #8FZH7\n"
		      "         10.0.0.1:25 refuses the connection\n"
		      "         oncall paged 5 s ago by modem (+8190)\n");
	expect_status(CHECK_BAD, NULL, &terminal,
		      "monitord  up 1 min, 1 check: 1 CRITICAL\n"
		      "pagerd    DOES NOT ANSWER: permission denied\n"
		      "\n"
		      "CRITICAL trunk relay  6 s  #8FZH7\n"
		      "         10.0.0.1:25 refuses the connection\n"
		      "\n");
}

/* The recovery is not told yet: the check is fine, the incident is not settled. */
static void a_recovery_that_nobody_heard_of(void **state)
{
	(void)state;
	char *s = status(
	    "{'name':'trunk relay','probe':'smtp','state':'OK','hard':true,'text':'answers','since':" AT(
		999000) "}",
	    INCIDENT("recovered", "", PAGE("recovered", "waiting", "")), &terminal);

	assert_non_null(strstr(s,
			       "OK       trunk relay  1 s  #8FZH7\n         answers\n"
			       "         oncall NOT YET told of the recovery for 5 s, waits for a line\n"));
	free(s);
}

static void nothing_is_wider_than_the_terminal(void **state)
{
	(void)state;
	char name[128], text[600], checks[4000];

	memset(name, 'n', 100);
	name[100] = '\0';
	for (size_t i = 0; i < sizeof text - 1; i++)
		text[i] = i % 9 == 8 ? ' ' : (i % 5 ? 'x' : 'y');
	text[sizeof text - 1] = '\0';
	snprintf(checks, sizeof checks,
		 "{'name':'%s','probe':'x','state':'OK','hard':true,'text':'%s','since':" AT(
		     0) "},"
			"{'name':'b','probe':'x','state':'CRITICAL','problem':true,'hard':true,'text':'%s','"
			"since':" AT(0) "},"
					"{'name':'\xE6\x97\xA5\xE6\x9C\xAC','probe':'x','state':'OK','hard':"
					"true,'text':'\xE3\x81\x82','since':" AT(0) "}",
		 name, text, text);
	char *s = status(checks, "", &terminal);
	for (const char *line = s; *line; line += strcspn(line, "\n") + 1) {
		assert_in_range(ctl_width(line), 0, 80);
	}
	assert_non_null(strstr(s, "…"));
	free(s);
	s = status(checks, "", &piped);
	assert_non_null(strstr(s, text)); /* not a terminal: whole lines for grep */
	assert_null(strstr(s, "…"));
	free(s);
}

static void many_that_are_fine(void **state)
{
	(void)state;
	char checks[8000] = "";
	struct ctl_style all = terminal;

	for (int i = 0; i < 25; i++)
		snprintf(
		    checks + strlen(checks), sizeof checks - strlen(checks),
		    "%s{'name':'c%02d','probe':'x','state':'OK','hard':true,'text':'fine','since':" AT(0) "}",
		    i ? "," : "", i);
	char *s = status(checks, "", &terminal);
	assert_non_null(strstr(s, "OK       25 checks (monitorctl status --all lists them)\n"));
	assert_null(strstr(s, "c07"));
	free(s);
	all.all = true;
	s = status(checks, "", &all);
	assert_non_null(strstr(s, "c07"));
	free(s);
	s = status(checks, "", &piped);
	assert_non_null(strstr(s, "c07"));
	free(s);
}

/* After a start nothing is wrong yet. */
static void not_checked_yet(void **state)
{
	(void)state;
	expect_status("{'name':'a','probe':'x','state':'UNKNOWN','hard':true,'text':'not checked "
		      "yet','last_run':null,'since':" AT(
			  1000000) "},"
				   "{'name':'self.pagerd','probe':'','state':'UNKNOWN','hard':true,'text':'"
				   "not checked yet','last_run':null,'since':" AT(0) "}",
		      "", &terminal,
		      "monitord  up 1 min, 1 check: 1 not checked yet\n"
		      "pagerd    up 2 min, no open incident\n"
		      "line      modem (sms) ok: registered, signal 17/31\n"
		      "\n"
		      "-        a         0 ms  not checked yet\n"
		      "OK       self: 1 internal check\n");
}

static void troubles_of_the_daemons(void **state)
{
	(void)state;
	cJSON *m = json(
	    "{'started':" AT(940000) ",'digest':'aa','config_error':'x.yaml:1:2: bad','from_copy':true,"
				     "'pager':{'connected':false,'verdict':'silent'},'spool':{'trouble':'No "
				     "space left on device'},"
				     "'probers':[{'place':'net','up':false,'why':'exited 1'}],'checks':[]}");
	cJSON *p = json("{'started':" AT(
	    940000) ",'config_error':'x.yaml:1:2: bad','supervisor':{'verdict':'wedged'},'spool':{'bad':2},"
		    "'state_trouble':true,'lines':[{'name':'a','notifier':'sms','up':true,'ok':false,'text':'"
		    "no signal'},"
		    "{'name':'b','notifier':'exec','up':false,'text':'exited 1'},"
		    "{'name':'c','notifier':'sms','up':true,'ok':true,'text':''},"
		    "{'name':'d','notifier':'sms','up':true,'ok':true,'text':''}],"
		    "'routes':[{'line':'c','to':'+8190','proved':" AT(400000) ",'how':'page'},"
		    "{'line':'c','to':'+8191','proved':" AT(940000) ",'how':'test'},{'line':'c','to':'+8192','proved':null},"
		    "{'line':'d','to':'+8193','proved':" AT(940000) ",'how':'page','doubted':true}],'incidents':[]}");
	struct buf out;

	buf_init(&out, 1 << 16);
	ctl_show_status(m, "", p, "", &terminal, &now, &out);
	assert_string_equal(buf_str(&out),
			    "monitord  up 1 min, 0 checks\n"
			    "          CONFIGURATION NOT TAKEN, the last good copy is in force:\n"
			    "          x.yaml:1:2: bad\n"
			    "          SPOOL: No space left on device\n"
			    "          PROBER net is down: exited 1\n"
			    "          NO HEARTBEAT of pagerd (silent)\n"
			    "pagerd    up 1 min, no open incident\n"
			    "          NO HEARTBEAT of monitord (wedged)\n"
			    "          CONFIGURATION NOT TAKEN, the old one is in force:\n"
			    "          x.yaml:1:2: bad\n"
			    "          DISK: it does not take what pagerd writes\n"
			    "          2 unreadable event files in the spool's bad/: read and remove\n"
			    "line      a (sms) NOT OK: no signal\n"
			    "line      b (exec) DOWN: exited 1\n"
			    "line      c (sms) ok; proved 1 min ago by a test\n"
			    "line      d (sms) ok; NOT PROVED to +8193\n"
			    "\n");
	assert_true(ctl_has_problem(m, p));
	buf_fini(&out);
	cJSON_Delete(m);
	cJSON_Delete(p);
}

static void when_the_exit_code_says_problem(void **state)
{
	(void)state;
	static const struct {
		const char *checks, *lines;
		bool problem;
	} v[] = {
	    {"", "", false},
	    {"{'problem':true}", "", true},
	    {"{'problem':true,'suppressed':true}", "", false},
	    {"{'problem':false}", "{'up':true,'ok':true}", false},
	    {"", "{'up':true,'ok':false}", true},
	    {"", "{'up':false,'ok':true}", true},
	};

	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		char text[200];
		snprintf(text, sizeof text, "{'checks':[%s],'lines':[%s]}", v[i].checks, v[i].lines);
		cJSON *o = json(text);
		assert_int_equal(ctl_has_problem(o, o), v[i].problem);
		cJSON_Delete(o);
	}
}

static void a_check_in_full(void **state)
{
	(void)state;
	cJSON *c = json(
	    "{'name':'trunk "
	    "relay','probe':'smtp','host':'10.0.0.1','state':'CRITICAL','hard':true,'problem':true,'max':1,"
	    "'attempt':1,'text':'SMTP CRITICAL - refused','more':'one\\ntwo','since':" AT(
		994000) ",'last_run':" AT(998000) ",'run_ms':12,'next_in_ms':3000,'incident':'8FZH7','"
						  "downtime':{'from_wall_ms':1,'until_wall_ms':1795299741000,"
						  "'by':'kei','comment':'disks','active':true},'perf':[{'"
						  "label':'time','value':0.0123,'uom':'s','warn':'1','crit':'"
						  "5'},"
						  "{'label':'size','value':1536,'uom':'B'},{'label':'lost','"
						  "value':null,'uom':'%'}]}");
	cJSON *p = json("{'incidents':[" INCIDENT("new", "", PAGE("new", "sent", "")) "]}");
	struct buf out;

	buf_init(&out, 1 << 16);
	ctl_show_check(c, p, &terminal, &now, &out);
	assert_string_equal(buf_str(&out), "CRITICAL trunk relay: refused\n"
					   "    one\n"
					   "    two\n"
					   "  CRITICAL for 6 s\n"
					   "  probe smtp at 10.0.0.1; ran 2 s ago, took 12 ms; next in 3 s\n"
					   "  in downtime until 11-21 22:22, by kei: disks\n"
					   "  incident #8FZH7\n"
					   "    oncall paged 5 s ago by modem (+8190)\n"
					   "    time            12.3 ms  warning 1  critical 5\n"
					   "    size            1.5 KiB\n"
					   "    lost            unknown\n");
	buf_fini(&out);
	cJSON_Delete(c);
	cJSON_Delete(p);
}

static void history_line_by_line(void **state)
{
	(void)state;
	cJSON *a =
	    json("{'events':[{'check':'relay','opened':7,'kind':'recovery','state':'OK','since':" AT_WALL(
		1795292421000,
		880000) ",'at':" AT_WALL(1795292541000,
					 1000000) ",'text':'answers'},"
						  "{'check':'relay','opened':7,'kind':'problem','state':'"
						  "CRITICAL','suppressed':true,'why_suppressed':'below gw',"
						  "'since':" AT_WALL(1795292421000, 880000) ",'at':" AT_WALL(
						      1795292421000,
						      880000) ",'text':'CRITICAL: refuses'}]}");
	struct buf out;
	char wanted[300], id[8] = "";

	buf_init(&out, 1 << 16);
	assert_int_equal(ctl_show_history(a, &terminal, &now, &out), 2);
	memcpy(id, strchr(buf_str(&out), '#') + 1, 5);
	snprintf(wanted, sizeof wanted,
		 "11-21 20:20:21 CRITICAL #%s relay  (below gw) refuses\n"
		 "11-21 20:22:21 OK       #%s relay  after 2 min: answers\n",
		 id, id);
	assert_string_equal(buf_str(&out), wanted);
	buf_reset(&out);
	ctl_show_history(a, &piped, &now, &out);
	assert_memory_equal(buf_str(&out), "2026-11-21 20:20:21 CRITICAL #", 30);
	buf_fini(&out);
	cJSON_Delete(a);
}

static void incidents_with_all_their_pages(void **state)
{
	(void)state;
	cJSON *a = json(
	    "{'incidents':[{'id':'8FZH7','check':'relay','host':'10.0.0.1','state':'OK','phase':'recovered','"
	    "text':'answers',"
	    "'opened':" AT_WALL(1795292421000, 880000) ",'closed':" AT_WALL(
		1795292541000, 1000000) ",'by':'kei','pages':["
					"{'contact':'a','kind':'new','phase':'sent','route':'modem','to':'+1'"
					",'attempts':2,'done':" AT_WALL(1795292422000, 881000) "}]}]}");
	struct buf out;

	buf_init(&out, 1 << 16);
	assert_int_equal(ctl_show_incidents(a, &terminal, &now, &out), 1);
	assert_string_equal(buf_str(&out),
			    "#8FZH7  OK       relay (10.0.0.1)\n"
			    "        opened 2026-11-21 20:20:21, recovered after 2 min, acknowledged by kei\n"
			    "        answers\n"
			    "        11-21 20:20:22  a paged by modem (+1), attempt 2\n");
	buf_fini(&out);
	cJSON_Delete(a);
}

static void points_in_time(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t wall_ms; /* 0: refused */
	} v[] = {
	    {"now", NOW_WALL},
	    {"20:23", NOW_WALL + 39000},
	    {"20:22", NOW_WALL - 21000 + 86400000}, /* past: tomorrow */
	    {"03:00", NOW_WALL - 21000 + (6 * 60 + 38) * 60000},
	    {"2026-11-22 20:22", NOW_WALL - 21000 + 86400000},
	    {"2026-11-22T20:22", NOW_WALL - 21000 + 86400000},
	    {"2026-11-20 20:22", NOW_WALL - 21000 - 86400000}, /* said in full, it is meant */
	    {"2026-02-30 20:22", 0},
	    {"2026-11-22", 0},
	    {"24:01", 0},
	    {"3 pm", 0},
	    {"20:23 ", 0},
	    {"", 0},
	};

	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		int64_t got = 0;
		bool ok = ctl_time(v[i].text, NOW_WALL, &got);
		if (ok != (v[i].wall_ms != 0) || (ok && got != v[i].wall_ms))
			fail_msg("\"%s\": %d, %lld", v[i].text, ok, (long long)(got - NOW_WALL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_is_well),
	    cmocka_unit_test(what_is_wrong_comes_first_with_who_was_paged),
	    cmocka_unit_test(phases_of_incidents),
	    cmocka_unit_test(phases_of_pages),
	    cmocka_unit_test(only_the_last_page_of_each),
	    cmocka_unit_test(a_daemon_that_does_not_answer),
	    cmocka_unit_test(a_recovery_that_nobody_heard_of),
	    cmocka_unit_test(nothing_is_wider_than_the_terminal),
	    cmocka_unit_test(many_that_are_fine),
	    cmocka_unit_test(not_checked_yet),
	    cmocka_unit_test(troubles_of_the_daemons),
	    cmocka_unit_test(when_the_exit_code_says_problem),
	    cmocka_unit_test(a_check_in_full),
	    cmocka_unit_test(history_line_by_line),
	    cmocka_unit_test(incidents_with_all_their_pages),
	    cmocka_unit_test(points_in_time),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
