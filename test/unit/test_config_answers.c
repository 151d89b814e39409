/* The configuration of answers and proofs: what is read, what is refused and how it is said. */
#include "unit.h"

#include "lib/config/internal.h"

static const char prober[] = "{\"v\":1,\"probes\":[]}";
static const char sms[] = "{\"v\":1,\"name\":\"sms\",\"help\":\"h\",\"options\":[]}";

static bool answer(void *arg, const char *libexec, const char *program, const char *option,
		   const struct buf *input, struct buf *out, char *why, size_t size)
{
	(void)arg, (void)libexec, (void)why, (void)size;
	if (strcmp(option, "--describe") == 0)
		return buf_puts(out, strcmp(program, "prober") == 0 ? prober : sms);
	for (size_t i = 0; i < input->len; i++)
		if (input->data[i] == '\n')
			buf_puts(out, "{\"ok\":true}\n");
	return true;
}

static struct config *load(const char *text, struct complaints *c)
{
	struct conf_programs programs = {.run = answer};
	struct conf_files *files = calloc(1, sizeof(*files));
	struct conf_file *f = conf_files_add(files, "m.yaml", "m.yaml");
	buf_puts(&f->bytes, text);
	complaints_init(c);
	return config_build(files, "/nowhere", &programs, c);
}

#define LINES                                                                                                \
	"lines:\n  m1: {notifier: sms, number: '+8190', loopback: {to: m2}}\n  m2: {notifier: sms, number: " \
	"'+8191'}\n"
#define ROUTES "routes: [{line: m1, to: '+8170'}]"

static void what_is_read(void **state)
{
	(void)state;
	struct complaints c;
	struct config *conf = load(LINES "replies: {country: +81, limit: 5}\n"
					 "proof: {every: 1d, at: '09:30'}\n"
					 "defaults: {contacts: a}\n"
					 "contacts:\n"
					 "  a: {" ROUTES ", all_well: '8:05', test: {every: 12h},\n"
					 "      reply: {from: ['+8180', '+8181'], may: [ack, downtime]}}\n"
					 "  b: {" ROUTES ", test: no, reply: no}\n"
					 "  c: {" ROUTES "}\n",
				   &c);
	for (size_t i = 0; i < c.n; i++)
		fail_msg("%s %s", c.v[i].item, c.v[i].reason);
	assert_string_equal(conf->country, "81");
	assert_int_equal(conf->reply_limit, 5);
	assert_int_equal(conf->unproven_ms, 8ll * 86400000);
	assert_string_equal(conf->lines[0].number, "+8190");
	assert_string_equal(conf->lines[0].loop_to, "m2");
	assert_int_equal(conf->lines[0].loop_every_ms, 6 * 3600000);
	assert_int_equal(conf->lines[0].loop_limit_ms, 300000);
	const struct conf_contact *a = config_contact(conf, "a"), *b = config_contact(conf, "b"),
				  *d = config_contact(conf, "c");
	assert_int_equal(a->all_well, 8 * 60 + 5);
	assert_int_equal(a->test.every_ms, 12 * 3600000);
	assert_int_equal(a->test.at, 9 * 60 + 30);
	assert_int_equal(a->reply.nfrom, 2);
	assert_string_equal(a->reply.from[1], "+8181");
	assert_int_equal(a->reply.may, MAY_ACK | MAY_DOWNTIME);
	assert_int_equal(b->reply.may, 0);
	assert_int_equal(b->test.every_ms, 0);
	assert_int_equal(b->all_well, CLOCK_NONE);
	assert_int_equal(d->reply.may, MAY_ACK | MAY_STATUS);
	assert_int_equal(d->test.every_ms, 86400000);
	config_free(conf);
	complaints_fini(&c);
}

static void without_a_word(void **state)
{
	(void)state;
	struct complaints c;
	struct config *conf = load(LINES "contacts:\n  a: {" ROUTES "}\n", &c);
	assert_non_null(conf);
	assert_null(conf->country);
	assert_int_equal(conf->reply_limit, 20);
	assert_int_equal(conf->unproven_ms, 0);
	assert_int_equal(conf->contacts[0].test.every_ms, 0);
	config_free(conf);
	complaints_fini(&c);
}

static void what_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *item, *reason;
	} v[] = {
	    {LINES "replies: {country: 081}\n", "replies.country", "is no country's code; write +81"},
	    {LINES "replies: {contry: 81}\n", "replies.contry", "unknown; did you mean \"country\"?"},
	    {LINES "replies: {limit: -1}\n", "replies.limit", "must be between 0 and 1000"},
	    {LINES "proof: {at: '24:00'}\n", "proof.at", "not a time of day; write 08:00"},
	    {LINES "proof: {at: '8'}\n", "proof.at", "not a time of day; write 08:00"},
	    {LINES "proof: {at: '8:1'}\n", "proof.at", "not a time of day; write 08:00"},
	    {LINES "contacts: {a: {" ROUTES ", reply: {may: [akc]}}}\n", "contacts.a.reply.may",
	     "must be of ack, status, downtime"},
	    {LINES "contacts: {a: {" ROUTES ", reply: yes}}\n", "contacts.a.reply",
	     "must be a map, such as {from: [\"+81...\"], may: [ack, status]}, or no"},
	    {LINES "contacts: {a: {" ROUTES ", test: daily}}\n", "contacts.a.test",
	     "must be a map, such as {every: 1d, at: \"10:00\"}, or no"},
	    {LINES "contacts: {a: {" ROUTES ", all_well: yes}}\n", "contacts.a.all_well",
	     "not a time of day; write 08:00"},
	    {"lines: {m1: {notifier: sms, loopback: {to: m2}}}\n", "lines.m1.loopback.to",
	     "there is no such line"},
	    {"lines: {m1: {notifier: sms, loopback: {every: 1h}}}\n", "lines.m1.loopback.to",
	     "is missing: say which line is to receive it"},
	    {"lines: {m1: {notifier: sms, number: '+1', loopback: {to: m1}}}\n", "lines.m1.loopback.to",
	     "is the line itself; another modem must receive it"},
	    {"lines: {m1: {notifier: sms, loopback: {to: m2}}, m2: {notifier: sms}}\n",
	     "lines.m1.loopback.to", "has no number: say `number:` of that modem"},
	};
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		struct complaints c;
		bool said = false;
		struct config *conf = load(v[i].text, &c);
		for (size_t k = 0; k < c.n; k++)
			said |=
			    strcmp(c.v[k].item, v[i].item) == 0 && strcmp(c.v[k].reason, v[i].reason) == 0;
		if (!said)
			fail_msg("%s: %s %s", v[i].text, c.n ? c.v[0].item : "nothing",
				 c.n ? c.v[0].reason : "");
		assert_null(conf);
		complaints_fini(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_read),
	    cmocka_unit_test(without_a_word),
	    cmocka_unit_test(what_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
