/*
 * An address as bytes, as text, and turned round for the names under which the DNS keeps what it says about
 * one (in-addr.arpa, ip6.arpa, lists of bad addresses). Pure.
 */
#ifndef PROBES_DNS_IP_H
#define PROBES_DNS_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns_ip {
	bool six;
	uint8_t b[16]; /* the first 4 of an IPv4 address */
};

enum { DNS_IP_TEXT = 48, DNS_IP_REVERSED = 64 };

/* Brackets round an IPv6 address are allowed; one that maps an IPv4 address is that IPv4 address. */
bool dns_ip_parse(const char *text, struct dns_ip *out);
/* len: 4 or 16 */
bool dns_ip_bytes(const uint8_t *bytes, size_t len, struct dns_ip *out);
char *dns_ip_text(const struct dns_ip *ip, char out[DNS_IP_TEXT]);
bool dns_ip_equal(const struct dns_ip *a, const struct dns_ip *b);
/* Whether the first bits are the same; of one family only. */
bool dns_ip_within(const struct dns_ip *ip, const struct dns_ip *net, unsigned bits);
/* "4.3.2.1" or 32 nibbles, without a zone. */
char *dns_ip_reversed(const struct dns_ip *ip, char out[DNS_IP_REVERSED]);
/* The same under a zone; NULL: under in-addr.arpa or ip6.arpa. */
char *dns_ip_name(const struct dns_ip *ip, const char *zone, char *out, size_t size);

#endif
