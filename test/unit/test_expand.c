/* Checks that stand for many: what they expand to, and every complaint with the place of what a person wrote
 * and the host for which it fails. lib/config/expand.c, hosts.c. */
#include "unit.h"

#include "lib/config/internal.h"
#include "lib/config/units.h"

static const char prober[] =
    "{\"v\":1,\"probes\":["
    "{\"name\":\"smtp\",\"place\":\"net\",\"host_option\":\"host\",\"options\":["
    "{\"name\":\"host\",\"type\":\"string\",\"required\":true},"
    "{\"name\":\"port\",\"type\":\"int\",\"min\":1,\"max\":65535},"
    "{\"name\":\"name\",\"type\":\"string\"},{\"name\":\"expect\",\"type\":\"list\"}]},"
    "{\"name\":\"load\",\"place\":\"local\",\"host_option\":null,\"options\":[{\"name\":\"warning\",\"type\":"
    "\"int\"}]}]}";

static bool answer(void *arg, const char *libexec, const char *program, const char *option,
		   const struct buf *input, struct buf *out, char *why, size_t size)
{
	(void)arg;
	(void)libexec;
	(void)why;
	(void)size;
	if (strcmp(option, "--describe") == 0)
		return buf_puts(
		    out, strcmp(program, "prober") == 0 ? prober : "{\"v\":1,\"name\":\"x\",\"options\":[]}");
	for (size_t i = 0; i < input->len; i++)
		if (input->data[i] == '\n')
			buf_puts(out, "{\"ok\":true}\n");
	return true;
}

static struct complaints complaints;

static struct config *load(const char *text)
{
	static const struct conf_programs programs = {.run = answer};
	static const char base[] =
	    "lines: {l: {notifier: x}, k: {notifier: x}, z: {notifier: x}}\n"
	    "contacts: {a: {routes: [{line: l, to: a}, {line: k, to: a}]}}\n"
	    "last_resort: {line: z, to: z}\n";
	struct conf_files *files = calloc(1, sizeof *files);
	buf_puts(&conf_files_add(files, "m.yaml", "m.yaml")->bytes, text);
	buf_puts(&conf_files_add(files, "base.yaml", "base.yaml")->bytes, base);
	complaints_fini(&complaints);
	return config_build(files, "/nowhere", &programs, &complaints);
}

static char *said(const struct complaints *c)
{
	struct buf out;
	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < c->n; i++) {
		complaint_format(&c->v[i], &out);
		buf_puts(&out, "\n");
	}
	char *s = strdup(buf_str(&out));
	buf_fini(&out);
	return s;
}

static void expect(const char *yaml, const char *wrong)
{
	struct config *conf = load(yaml);
	char *s = said(&complaints);
	if (strcmp(s, wrong) != 0)
		fail_msg("%s\n--- says\n%s--- and not\n%s", yaml, s, wrong);
	assert_true(!conf == (complaints.n > 0));
	free(s);
	config_free(conf);
}

/* "NAME HOST PROBE INTERVAL OPTIONS line;..." */
static void expands_to(const char *yaml, const char *what)
{
	struct config *conf = load(yaml);
	struct buf out;
	char interval[32], *s = said(&complaints);
	if (!conf)
		fail_msg("%s", s);
	free(s);
	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < conf->nchecks; i++) {
		const struct conf_check *k = &conf->checks[i];
		char *options = cJSON_PrintUnformatted(k->options);
		buf_printf(&out, "%s|%s|%s|%s|%s|%d\n", k->name, k->host, k->probe,
			   units_duration_text(k->interval_ms, interval, sizeof interval), options,
			   k->at.line);
		cJSON_free(options);
	}
	assert_string_equal(buf_str(&out), what);
	buf_fini(&out);
	config_free(conf);
}

static void test_hosts(void **state)
{
	(void)state;
	expands_to(
	    "checks:\n  load: {probe: load}\n"
	    "  \"{host} smtp\": {probe: smtp, hosts: [mx1.example.org, 192.0.2.1, \"2001:db8::1\"], name: "
	    "\"x-{host}-{host}\",\n"
	    "    expect: [a, \"{host}\", \"{hosts}\"]}\n",
	    "load||load|1m|{}|2\n"
	    "mx1.example.org smtp|mx1.example.org|smtp|1m|{\"name\":\"x-mx1.example.org-mx1.example.org\","
	    "\"expect\":[\"a\",\"mx1.example.org\",\"{hosts}\"],\"host\":\"mx1.example.org\"}|3\n"
	    "192.0.2.1 "
	    "smtp|192.0.2.1|smtp|1m|{\"name\":\"x-192.0.2.1-192.0.2.1\",\"expect\":[\"a\",\"192.0.2.1\",\"{"
	    "hosts}\"],"
	    "\"host\":\"192.0.2.1\"}|3\n"
	    "2001:db8::1 smtp|2001:db8::1|smtp|1m|{\"name\":\"x-2001:db8::1-2001:db8::1\","
	    "\"expect\":[\"a\",\"2001:db8::1\",\"{hosts}\"],\"host\":\"2001:db8::1\"}|3\n");
	/* runs keep their zeros; a host of its own goes before */
	expands_to("checks:\n  smtp {host}: {probe: smtp, hosts: [\"r[08-10].example.org\", \"s[9-10]\"], "
		   "host: \"smtp.{host}\"}\n",
		   "smtp r08.example.org|smtp.r08.example.org|smtp|1m|{\"host\":\"smtp.r08.example.org\"}|2\n"
		   "smtp r09.example.org|smtp.r09.example.org|smtp|1m|{\"host\":\"smtp.r09.example.org\"}|2\n"
		   "smtp r10.example.org|smtp.r10.example.org|smtp|1m|{\"host\":\"smtp.r10.example.org\"}|2\n"
		   "smtp s9|smtp.s9|smtp|1m|{\"host\":\"smtp.s9\"}|2\n"
		   "smtp s10|smtp.s10|smtp|1m|{\"host\":\"smtp.s10\"}|2\n");
	/* one host needs no {host} in its name */
	expands_to("checks:\n  a: {probe: smtp, hosts: mx1}\n", "a|mx1|smtp|1m|{\"host\":\"mx1\"}|2\n");
	/* without hosts, {host} is text like any other */
	expands_to("checks:\n  \"{host}\": {probe: smtp, host: a, name: \"{host}\"}\n",
		   "{host}|a|smtp|1m|{\"name\":\"{host}\",\"host\":\"a\"}|2\n");
}

static void test_templates(void **state)
{
	(void)state;
	expands_to(
	    "templates:\n  t:\n    probe: smtp\n    interval: 2m\n    port: 587\n    name: n.{host}\n    "
	    "expect: [x]\n"
	    "checks:\n"
	    "  a: {template: t, host: mx1}\n"
	    "  b: {template: t, host: mx2, port: 25, interval: 30s, expect: [y, z]}\n"
	    "  \"{host} c\": {template: t, hosts: [mx3, mx4]}\n",
	    "a|mx1|smtp|2m|{\"port\":\"587\",\"name\":\"n.mx1\",\"expect\":[\"x\"],\"host\":\"mx1\"}|9\n"
	    "b|mx2|smtp|30s|{\"port\":\"25\",\"name\":\"n.mx2\",\"expect\":[\"y\",\"z\"],\"host\":\"mx2\"}|"
	    "10\n"
	    "mx3 c|mx3|smtp|2m|{\"port\":\"587\",\"name\":\"n.mx3\",\"expect\":[\"x\"],\"host\":\"mx3\"}|11\n"
	    "mx4 "
	    "c|mx4|smtp|2m|{\"port\":\"587\",\"name\":\"n.mx4\",\"expect\":[\"x\"],\"host\":\"mx4\"}|11\n");
	/* hosts may stand in the template; a check that names one host is that one's alone */
	expands_to("templates: {t: {probe: smtp, hosts: [mx1, mx2]}}\n"
		   "checks:\n  \"{host} a\": {template: t}\n  b: {template: t, host: mx9}\n",
		   "mx1 a|mx1|smtp|1m|{\"host\":\"mx1\"}|3\nmx2 a|mx2|smtp|1m|{\"host\":\"mx2\"}|3\n"
		   "b|mx9|smtp|1m|{\"host\":\"mx9\"}|4\n");
}

static void test_overrides(void **state)
{
	(void)state;
	expands_to(
	    "templates: {t: {probe: smtp, hosts: [\"mx[1-4]\"], interval: 5m}}\n"
	    "checks:\n  \"{host} a\":\n    template: t\n    overrides:\n      \"mx[34]\": {interval: 1m}\n"
	    "      mx2: no\n      MX3: {port: 2525, name: \"{host}.x\", host: 192.0.2.3}\n",
	    "mx1 a|mx1|smtp|5m|{\"host\":\"mx1\"}|3\n"
	    "mx3 a|192.0.2.3|smtp|1m|{\"port\":\"2525\",\"name\":\"mx3.x\",\"host\":\"192.0.2.3\"}|3\n"
	    "mx4 a|mx4|smtp|1m|{\"host\":\"mx4\"}|3\n");
}

static void test_names_follow(void **state)
{
	(void)state;
	struct config *conf =
	    load("checks:\n"
		 "  \"{host} ping\": {probe: smtp, hosts: [mx1, mx2], groups: [edge, \"at {host}\"]}\n"
		 "  \"{host} smtp\": {probe: smtp, hosts: [mx1, mx2], parents: [self, \"{host} ping\"],\n"
		 "    depends_on: [{check: \"{host} ping\"}]}\n"
		 "downtimes:\n  d: {groups: \"at mx?\", when: always, timezone: UTC}\n"
		 "  e: {groups: [core], when: always, timezone: UTC}\n");
	assert_non_null(conf);
	const struct conf_check *k = config_check(conf, "mx2 smtp"), *ping = config_check(conf, "mx2 ping");
	assert_string_equal(k->parents[1], "mx2 ping");
	assert_string_equal(k->depends[0].check, "mx2 ping");
	assert_int_equal(ping->ngroups, 2);
	assert_string_equal(ping->groups[0], "edge");
	assert_string_equal(ping->groups[1], "at mx2");
	assert_true(conf_downtime_matches(&conf->downtimes[0], ping));
	assert_false(conf_downtime_matches(&conf->downtimes[0], k));
	char *w = said(&conf->warnings);
	assert_string_equal(w, "m.yaml:7:3: downtimes.e: no check matches it\n");
	free(w);
	config_free(conf);
}

static void test_complaints(void **state)
{
	(void)state;
	/* of what all have in common: once, with the first host's check and how many more; of one host: its
	 * own */
	expect("checks:\n  \"{host} a\": {probe: smtp, hosts: [mx1, mx2, mx3], prt: 1,\n    overrides: {mx2: "
	       "{interval: 5x}}}\n",
	       "m.yaml:2:53: checks.mx1 a.prt: unknown to probe \"smtp\"; did you mean \"port\"? (and 2 more "
	       "checks of this line)\n"
	       "m.yaml:3:33: checks.mx2 a.interval \"5x\": not a duration; write 500ms, 30s, 5m, 2h, 1d or "
	       "1w\n");
	expect("templates:\n  t: {probe: smtp, port: x}\nchecks:\n  a: {template: t, host: b}\n  b: "
	       "{template: t, host: b}\n"
	       "  c: {template: u}\n  d: {template: tt}\n",
	       "m.yaml:2:26: checks.a.port \"x\": not a whole number (and 1 more check of this line)\n"
	       "m.yaml:6:17: checks.c.template \"u\": there is no such template; did you mean \"t\"?\n"
	       "m.yaml:7:17: checks.d.template \"tt\": there is no such template; did you mean \"t\"?\n");
	expect("templates: {t: {template: u}, u: 3}\nchecks:\n  a: {template: t, probe: load}\n",
	       "m.yaml:1:17: templates.t.template: a template has no template: there is one level\n"
	       "m.yaml:1:34: templates.u: must be a map of settings\n");
	/* the same name twice: both lines */
	expect(
	    "checks:\n  \"{host} a\": {probe: smtp, hosts: [mx1, mx2]}\n  mx2 a: {probe: load}\n"
	    "  \"mx{host}\": {probe: load, hosts: [2 a]}\n",
	    "m.yaml:3:3: checks.mx2 a: is given twice; the first is at m.yaml:2:3\n"
	    "m.yaml:4:37: checks.mx{host}.hosts \"2 a\": is not a host: a name, an address, or a run such as "
	    "mx[01-50].example.org\n");
	expect("checks:\n  a: {probe: smtp, hosts: [mx1, mx2]}\n",
	       "m.yaml:2:3: checks \"a\": stands for 2 hosts: its name must hold {host}\n");
	expect("checks:\n  a{host}: {probe: smtp, hosts: [mx1, mx2, MX1]}\n  b: {probe: load, hosts: []}\n"
	       "  c: {probe: load, hosts: {a: b}}\n  d: {probe: load, hosts: \"a[5-1]\"}\n  e: {probe: load, "
	       "hosts: [é]}\n"
	       "  f{host}: {probe: load, hosts: \"a[0-10000]\"}\n  g: {probe: load, hosts: [-x]}\n",
	       "m.yaml:2:44: checks.a{host}.hosts \"MX1\": is named twice; the first is at m.yaml:2:34\n"
	       "m.yaml:3:27: checks.b.hosts: must be a list of hosts, such as [mx1.example.org, "
	       "\"mx[2-9].example.org\"]\n"
	       "m.yaml:4:27: checks.c.hosts: must be a list of hosts, such as [mx1.example.org, "
	       "\"mx[2-9].example.org\"]\n"
	       "m.yaml:5:27: checks.d.hosts \"a[5-1]\": its end comes before its beginning\n"
	       "m.yaml:6:28: checks.e.hosts \"é\": is not ASCII; write such a domain as it stands in the DNS "
	       "(xn--...)\n"
	       "m.yaml:7:33: checks.f{host}.hosts \"a[0-10000]\": stands for more than 10000 hosts\n"
	       "m.yaml:8:28: checks.g.hosts \"-x\": a host begins with a letter or a digit\n");
	expect(
	    "checks:\n  a: {probe: load, overrides: {b: no}}\n  c{host}: {probe: load, hosts: [x, y], "
	    "overrides: {z: no, x: yes}}\n"
	    "  d{host}: {probe: load, hosts: [x, y], overrides: 3}\n  e{host}: {probe: load, hosts: [x, y], "
	    "overrides: {x: "
	    "{template: t}}}\n",
	    "m.yaml:2:20: checks.a.overrides: is for checks with hosts: this one stands for itself\n"
	    "m.yaml:3:53: checks.c{host}.overrides.z: none of its hosts has this name\n"
	    "m.yaml:3:63: checks.c{host}.overrides.x: must be a map of what differs, or `no` to leave the "
	    "host out\n"
	    "m.yaml:4:52: checks.d{host}.overrides: must be a map, such as {mx9.example.org: {port: 2525}}\n"
	    "m.yaml:5:57: checks.e{host}.overrides.x \"template\": cannot differ by host\n");
	/* a name that a host makes too long */
	expect("checks:\n  "
	       "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiii{"
	       "host}: {probe: "
	       "load, hosts: [x, 01234567890]}\n",
	       "m.yaml:2:3: checks "
	       "\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiii"
	       "01234567890\": a name has at most 100 bytes\n");
}

static void test_limits(void **state)
{
	(void)state;
	expect("checks:\n  a{host}: {probe: load, hosts: \"x[1-6000]\"}\n  b{host}: {probe: load, hosts: "
	       "\"x[1-6000]\"}\n",
	       "m.yaml:3:3: checks: are 12000; at most 10000 are taken\n");
	struct config *conf = load("checks:\n  a{host}: {probe: load, hosts: \"x[1-9999]\"}\n");
	assert_non_null(conf);
	assert_int_equal(conf->nchecks, 9999);
	config_free(conf);
}

static void test_unused(void **state)
{
	(void)state;
	struct config *conf = load("templates: {t: {prob: 3}}\nchecks: {a: {probe: load}}\n");
	assert_non_null(conf);
	char *w = said(&conf->warnings);
	assert_string_equal(w,
			    "m.yaml:1:13: templates.t: no check uses it: what it holds was not looked at\n");
	free(w);
	config_free(conf);
}

/* --- groups where checks are named --- */

static void names_are(const char *what, char *const *v, size_t n, const char *want)
{
	char got[400] = "";
	for (size_t i = 0; i < n; i++)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? " " : "", v[i]);
	if (strcmp(got, want) != 0)
		fail_msg("%s: %s, not %s", what, got, want);
}

static const char grouped[] =
    "checks:\n"
    "  \"{host} up\": {probe: load, hosts: \"r[1-3]\", groups: [core, \"at {host}\"]}\n"
    "  sw: {probe: load, groups: [core], parents: [self, \"group:core\", r1 up]}\n"
    "  group:odd: {probe: load}\n"
    "  x: {probe: load, parents: [\"group:at r[12]\", group:odd], depends_on: [sw, {group: core, when: [WARNING]}]}\n"
    "lines: {n: {notifier: x, needs: [\"group:at r2\"]}}\n"
    "contacts: {b: {routes: [{line: n, to: b, needs: [\"group:at r?\", sw]}, {line: l, to: b}]}}\n"
    "defaults: {contacts: a}\n";

static void test_groups_stand_for_checks(void **state)
{
	(void)state;
	struct config *conf = load(grouped);
	char *s = said(&complaints);
	assert_string_equal(s, "");
	free(s);
	const struct conf_check *sw = config_check(conf, "sw"), *x = config_check(conf, "x");
	names_are("sw", sw->parents, sw->nparents, "self r1 up r2 up r3 up");
	names_are("x", x->parents, x->nparents, "r1 up r2 up group:odd");
	assert_int_equal(x->ndepends, 5);
	assert_string_equal(x->depends[0].check, "sw");
	assert_int_equal(x->depends[0].when, 1u << NAG_CRITICAL | 1u << NAG_UNKNOWN);
	assert_string_equal(x->depends[4].check, "sw");
	for (size_t i = 1; i < 5; i++)
		assert_int_equal(x->depends[i].when, 1u << NAG_WARNING);
	const struct conf_line *n = config_line(conf, "n");
	names_are("line", n->needs, n->nneeds, "r2 up");
	const struct conf_contact *b = config_contact(conf, "b");
	names_are("route", b->routes[0].needs, b->routes[0].nneeds, "r1 up r2 up r3 up sw");
	config_free(conf);
}

static void test_complaints_about_groups(void **state)
{
	(void)state;
	/* members that name their own group hang on each other */
	expect("checks:\n  \"{host} up\": {probe: load, hosts: \"r[1-2]\", groups: [core], parents: [\"group:core\"]}\n",
	       "m.yaml:2:3: checks.r1 up.parents: make a loop: r1 up -> r2 up -> r1 up\n");
	expect("checks:\n  a: {probe: load, parents: [group:b]}\n  c: {probe: load, groups: [b], depends_on:\n    [group:b]}\n"
	       "  d: {probe: load, depends_on:\n    [{group: zzzzzz}]}\n",
	       "m.yaml:4:6: checks.c.depends_on \"group:b\": no other check is in such a group\n"
	       "m.yaml:6:6: checks.d.depends_on \"group:zzzzzz\": no other check is in such a group\n");
	expect("checks:\n  a{host}: {probe: load, hosts: \"x[1-300]\", groups: [g]}\n  b: {probe: load, parents: group:g}\n",
	       "m.yaml:3:29: checks.b.parents \"group:g\": stands for 300 checks; at most 256 are taken\n");
	/* a hundred thousand names and more, and quickly so */
	expect("checks:\n  a{host}: {probe: load, hosts: \"x[1-200]\", groups: [g]}\n"
	       "  b{host}: {probe: load, hosts: \"x[1-2000]\", parents: [\"group:g\"]}\n",
	       "m.yaml:3:56: checks.bx1001.parents \"group:g\": with this, groups stand for more than 200000 names in all\n");
}

static int teardown(void **state)
{
	(void)state;
	complaints_fini(&complaints);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hosts),      cmocka_unit_test(test_templates),
	    cmocka_unit_test(test_overrides),  cmocka_unit_test(test_names_follow),
	    cmocka_unit_test(test_complaints), cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_unused),     cmocka_unit_test(test_groups_stand_for_checks),
	    cmocka_unit_test(test_complaints_about_groups),
	};
	return cmocka_run_group_tests(tests, NULL, teardown);
}
