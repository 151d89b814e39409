/*
 * Addresses turned into names. Used by the probes of lists, of SPF and of reverse names.
 */
#include "ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool dns_ip_bytes(const uint8_t *bytes, size_t len, struct dns_ip *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (len != 4 && len != 16)
		return false;
	*out = (struct dns_ip){.six = len == 16};
	if (len == 16 && memcmp(bytes, mapped, sizeof(mapped)) == 0) {
		out->six = false;
		bytes += sizeof(mapped);
		len = 4;
	}
	memcpy(out->b, bytes, len);
	return true;
}

bool dns_ip_parse(const char *text, struct dns_ip *out)
{
	char bare[DNS_IP_TEXT];
	uint8_t bytes[16];
	size_t n = strlen(text);

	if (n > 2 && n < sizeof(bare) && text[0] == '[' && text[n - 1] == ']') {
		snprintf(bare, sizeof(bare), "%.*s", (int)(n - 2), text + 1);
		return inet_pton(AF_INET6, bare, bytes) == 1 && dns_ip_bytes(bytes, 16, out);
	}
	if (inet_pton(AF_INET, text, bytes) == 1)
		return dns_ip_bytes(bytes, 4, out);
	return inet_pton(AF_INET6, text, bytes) == 1 && dns_ip_bytes(bytes, 16, out);
}

char *dns_ip_text(const struct dns_ip *ip, char out[DNS_IP_TEXT])
{
	if (!inet_ntop(ip->six ? AF_INET6 : AF_INET, ip->b, out, DNS_IP_TEXT))
		out[0] = '\0';
	return out;
}

bool dns_ip_equal(const struct dns_ip *a, const struct dns_ip *b)
{
	return a->six == b->six && memcmp(a->b, b->b, a->six ? 16 : 4) == 0;
}

bool dns_ip_within(const struct dns_ip *ip, const struct dns_ip *net, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (ip->six != net->six || memcmp(ip->b, net->b, whole) != 0)
		return false;
	return rest == 0 || (ip->b[whole] ^ net->b[whole]) >> (8 - rest) == 0;
}

char *dns_ip_reversed(const struct dns_ip *ip, char out[DNS_IP_REVERSED])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	if (!ip->six) {
		snprintf(out, DNS_IP_REVERSED, "%u.%u.%u.%u", ip->b[3], ip->b[2], ip->b[1], ip->b[0]);
		return out;
	}
	for (int i = 15; i >= 0; i--) {
		out[n++] = digits[ip->b[i] & 15];
		out[n++] = '.';
		out[n++] = digits[ip->b[i] >> 4];
		out[n++] = '.';
	}
	out[n - 1] = '\0';
	return out;
}

char *dns_ip_name(const struct dns_ip *ip, const char *zone, char *out, size_t size)
{
	char reversed[DNS_IP_REVERSED];

	if (!zone)
		zone = ip->six ? "ip6.arpa" : "in-addr.arpa";
	snprintf(out, size, "%s.%s", dns_ip_reversed(ip, reversed), zone);
	return out;
}
