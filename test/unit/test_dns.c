/* DNS messages: names, compression, chains, values; and what a list's answers mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probes/dns/answer.h"
#include "probes/dns/ip.h"
#include "probes/dnsbl/list.h"

/* header, question lab.test A, and records from a literal */
static size_t message(uint8_t *out, uint8_t rcode, uint8_t count, const char *records, size_t len)
{
	static const uint8_t head[] = {0, 7, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'l', 'a', 'b',
				       4, 't', 'e', 's', 't', 0, 0, 1, 0, 1};

	memcpy(out, head, sizeof(head));
	out[3] |= rcode;
	out[7] = count;
	memcpy(out + sizeof(head), records, len);
	return sizeof(head) + len;
}

#define READ(a, rcode, count, records) \
	do { \
		uint8_t bytes_[512]; \
		size_t n_ = message(bytes_, rcode, count, records, sizeof(records) - 1); \
		memset(a, 0, sizeof(*(a))); \
		dns_answer_read(a, bytes_, n_, "LAB.test.", DNS_A); \
	} while (0)

static void test_outcomes(void **state)
{
	struct dns_answer a;

	(void)state;
	READ(&a, 0, 1, "\xc0\x0c\0\1\0\1\0\0\0\5\0\4\x7f\0\0\2");
	assert_int_equal(a.outcome, DNS_DATA);
	assert_string_equal(a.v[0].text, "127.0.0.2");
	dns_answer_fini(&a);
	READ(&a, 0, 0, "");
	assert_int_equal(a.outcome, DNS_NODATA);
	dns_answer_fini(&a);
	READ(&a, 3, 0, "");
	assert_int_equal(a.outcome, DNS_NO_NAME);
	READ(&a, 2, 0, "");
	assert_int_equal(a.outcome, DNS_FAILED);
	READ(&a, 5, 0, "");
	assert_int_equal(a.outcome, DNS_REFUSES);
	assert_string_equal(a.why, "answers REFUSED");
}

static void test_garbled(void **state)
{
	struct dns_answer a;

	(void)state;
	/* a CNAME to itself; an address of three bytes; a record that is cut; a pointer to itself */
	READ(&a, 0, 1, "\xc0\x0c\0\5\0\1\0\0\0\5\0\2\xc0\x0c");
	assert_int_equal(a.outcome, DNS_GARBLED);
	assert_string_equal(a.why, "its CNAMEs go in circles");
	READ(&a, 0, 1, "\xc0\x0c\0\1\0\1\0\0\0\5\0\3\x7f\0\0");
	assert_int_equal(a.outcome, DNS_GARBLED);
	READ(&a, 0, 1, "\xc0\x0c\0\1\0\1\0\0\0\5\0\4\x7f\0");
	assert_int_equal(a.outcome, DNS_GARBLED);
	READ(&a, 0, 1, "\xc0\x1a\0\1\0\1\0\0\0\5\0\4\x7f\0\0\2");
	assert_int_equal(a.outcome, DNS_GARBLED);
	READ(&a, 0, 200, "\xc0\x0c\0\1\0\1\0\0\0\5\0\4\x7f\0\0\2");
	assert_int_equal(a.outcome, DNS_GARBLED);
}

static void test_chain(void **state)
{
	struct dns_answer a;

	(void)state;
	READ(&a, 0, 2, "\xc0\x0c\0\5\0\1\0\0\0\5\0\4\1b\xc0\x0c" "\1b\xc0\x0c\0\1\0\1\0\0\0\5\0\4\x7f\0\0\3");
	assert_int_equal(a.outcome, DNS_DATA);
	assert_true(a.alias);
	assert_string_equal(a.v[0].text, "127.0.0.3");
	dns_answer_fini(&a);
}

static void test_names(void **state)
{
	char label64[80];

	(void)state;
	memset(label64, 'a', 64);
	label64[64] = '\0';
	assert_false(dns_name_ok(label64));
	assert_true(dns_name_ok(label64 + 1));
	assert_false(dns_name_ok("a..b"));
	assert_true(dns_name_ok("a\\.b.c."));
	assert_true(dns_name_equal("A.b", "a.B."));
}

static void test_reversed(void **state)
{
	char out[200];
	struct dns_ip ip;

	(void)state;
	assert_true(dns_ip_parse("192.0.2.10", &ip));
	assert_string_equal(dns_ip_name(&ip, "bl.test", out, sizeof(out)), "10.2.0.192.bl.test");
	assert_true(dns_ip_parse("[2001:db8::1]", &ip));
	assert_string_equal(dns_ip_name(&ip, NULL, out, sizeof(out)),
			    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
	assert_true(dns_ip_parse("::ffff:192.0.2.1", &ip));
	assert_false(ip.six);
	assert_false(dns_ip_parse("192.0.2", &ip));
}

static void test_lists(void **state)
{
	struct dnsbl_list list;
	const char *why;

	(void)state;
	assert_true(dnsbl_list_parse("bl.test codes=2-4,9 control=no warning", &list, &why));
	assert_true(list.codes[2] && list.codes[4] && list.codes[9] && !list.codes[5]);
	assert_true(list.no_control && list.warning);
	assert_true(dnsbl_list_parse("bl.test", &list, &why));
	assert_true(list.codes[2] && !list.codes[1] && !list.codes[255]);
	assert_false(dnsbl_list_parse("", &list, &why));
	assert_false(dnsbl_list_parse("bl..test", &list, &why));
	assert_false(dnsbl_list_parse("bl.test codes=", &list, &why));
	assert_false(dnsbl_list_parse("bl.test codes=5-2", &list, &why));
	assert_false(dnsbl_list_parse("bl.test nonsense", &list, &why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes), cmocka_unit_test(test_garbled),  cmocka_unit_test(test_chain),
		cmocka_unit_test(test_names),	 cmocka_unit_test(test_reversed), cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
