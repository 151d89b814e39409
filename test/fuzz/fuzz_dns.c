/*
 * DNS answers as a hostile server or anybody on the path may send them. Beyond not crashing: names and values
 * are bounded, and a chain of CNAMEs ends.
 */
#include <stdlib.h>
#include <string.h>

#include "probes/dns/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {DNS_A,	  DNS_AAAA, DNS_MX,    DNS_TXT,
					 DNS_SOA, DNS_NS,   DNS_CNAME, DNS_TLSA};
	/* an exact copy, so that one byte too far is seen */
	uint8_t *bytes = malloc(size ? size : 1);
	struct dns_answer a = {0};

	if (size)
		memcpy(bytes, data, size);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		dns_answer_read(&a, bytes, size, "lab.test", types[i]);
		if (a.n > DNS_VALUES_MAX || (a.outcome == DNS_DATA) != (a.n > 0))
			abort();
		for (size_t k = 0; k < a.n; k++) {
			if (!a.v[k].data || !a.v[k].text || a.v[k].type != types[i])
				abort();
			if (types[i] == DNS_A && a.v[k].len != 4)
				abort();
			if (types[i] == DNS_MX && strlen(a.v[k].text) >= DNS_NAME_MAX)
				abort();
		}
		dns_answer_fini(&a);
	}
	free(bytes);
	return 0;
}
