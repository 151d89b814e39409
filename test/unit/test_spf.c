/* SPF macros (the examples of RFC 7208 7.4) and the syntax of records. The evaluation is proved end to end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probes/spf/spf.h"

static const struct {
	const char *spec, *out;
	bool six;
} macros[] = {
    {"%{s}", "strong-bad@email.example.com", false},
    {"%{o}", "email.example.com", false},
    {"%{d}", "email.example.com", false},
    {"%{d4}", "email.example.com", false},
    {"%{d3}", "email.example.com", false},
    {"%{d2}", "example.com", false},
    {"%{d1}", "com", false},
    {"%{dr}", "com.example.email", false},
    {"%{d2r}", "example.email", false},
    {"%{l}", "strong-bad", false},
    {"%{l-}", "strong.bad", false},
    {"%{lr}", "strong-bad", false},
    {"%{lr-}", "bad.strong", false},
    {"%{l1r-}", "strong", false},
    {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com", false},
    {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com", false},
    {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com", false},
    {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com", false},
    {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net", false},
    {"%{ir}.%{v}._spf.%{d2}",
     "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com", true},
    {"%{S}.a.test", "strong-bad%40email.example.com.a.test", false},
    {"a%%b%-c.test", "a%b%20c.test", false},
};

static void test_macros(void **state)
{
	struct dns_ip four, six;
	struct spf_macros m = {.sender = "strong-bad@email.example.com",
			       .helo = "h",
			       .domain = "email.example.com",
			       .validated = "unknown"};
	char out[1024];
	bool p;

	(void)state;
	assert_true(dns_ip_parse("192.0.2.3", &four));
	assert_true(dns_ip_parse("2001:db8::cb01", &six));
	for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
		m.ip = macros[i].six ? &six : &four;
		assert_true(spf_macro_ok(macros[i].spec, &p));
		assert_true(spf_macro_expand(macros[i].spec, &m, out, sizeof(out)));
		assert_string_equal(out, macros[i].out);
	}
}

static void test_long_expansion_loses_labels_from_the_left(void **state)
{
	struct dns_ip ip;
	struct spf_macros m = {
	    .ip = &ip, .sender = "a@b.test", .helo = "h", .domain = "b.test", .validated = ""};
	char spec[400], out[1024];

	(void)state;
	assert_true(dns_ip_parse("192.0.2.3", &ip));
	memset(spec, 'a', sizeof(spec));
	for (size_t i = 10; i < 300; i += 11)
		spec[i] = '.';
	memcpy(spec + 300, ".z.test", 8);
	assert_true(spf_macro_expand(spec, &m, out, sizeof(out)));
	assert_true(strlen(out) <= 253 && strlen(out) > 230);
	assert_string_equal(out + strlen(out) - 7, ".z.test");
}

static void test_syntax(void **state)
{
	static const char *const good[] = {"v=spf1", "v=spf1 -all",
					   "v=spf1 a:b.test/24//64 mx//64 ptr ?ip4:1.2.3.4",
					   "v=spf1 x=%{d} exp=a.%{d}.b.test"};
	static const char *const bad[] = {"v=spf1 a:",
					  "v=spf1 a:b",
					  "v=spf1 ip4:1.2.3",
					  "v=spf1 redirect=a.b redirect=c.d",
					  "v=spf1 exists:%{q}.a.b",
					  "v=spf1 include:a.1",
					  "v=spf1 -",
					  "v=spf1 a/0x",
					  "v=spf1 mx/24/64",
					  "v=spf1 ip4:1.2.3.4/",
					  "v=spf1 all/1"};
	struct spf_record r;
	char why[200];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(spf_record_parse(good[i], &r, why, sizeof(why)));
		spf_record_fini(&r);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (spf_record_parse(bad[i], &r, why, sizeof(why)))
			fail_msg("taken: %s", bad[i]);
		spf_record_fini(&r);
	}
	assert_true(spf_record_is((const uint8_t *)"V=spf1 x", 8) &&
		    spf_record_is((const uint8_t *)"v=spf1", 6));
	assert_false(spf_record_is((const uint8_t *)"v=spf10 x", 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_macros),
	    cmocka_unit_test(test_long_expansion_loses_labels_from_the_left),
	    cmocka_unit_test(test_syntax),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
