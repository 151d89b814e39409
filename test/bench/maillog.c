/*
 * Writes a mail log as a busy Postfix relay does, of about so many bytes, to its standard output: per message
 * what smtpd, cleanup, qmgr, smtp and again qmgr say, from many clients to many domains; refusals, failed
 * logins, deferrals and bounces between. The same every time. usage: maillog BYTES
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t seed = 88172645463325252u;

static uint32_t any(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

/* Few make most of it: a power law, roughly. */
static uint32_t skewed(uint32_t n)
{
	uint32_t a = any(n), b = any(a + 1);

	return any(b + 1);
}

static uint64_t line(const char *program, const char *text)
{
	static uint32_t n;
	uint32_t s = 10800 + n++ / 400;

	return (uint64_t)printf("Nov 21 %02u:%02u:%02u mx1 postfix/%s[%u]: %s\n", s / 3600 % 24, s / 60 % 60, s % 60,
				program, 1000 + any(300), text);
}

static uint64_t refusal(uint32_t c)
{
	static char text[1000];

	if (any(3) == 0) {
		snprintf(text, sizeof text,
			 "warning: unknown[198.51.%u.%u]: SASL LOGIN authentication failed: authentication failure, "
			 "sasl_username=user%u",
			 c >> 8 & 255, c & 255, any(500));
		return line("submission/smtpd", text);
	}
	snprintf(text, sizeof text,
		 "NOQUEUE: reject: RCPT from unknown[198.51.%u.%u]: %s; from=<s%u@spam.example> to=<u%u@local.example> "
		 "proto=ESMTP helo=<c.example>",
		 c >> 8 & 255, c & 255,
		 any(2) ? "550 5.1.1 <u@local.example>: Recipient address rejected: User unknown in virtual mailbox table"
			: "554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using bl.example.org; "
			  "https://bl.example.org/q",
		 any(100000), any(50000));
	return line("smtpd", text);
}

static const char *fate(uint32_t k)
{
	if (k < 90)
		return "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4jX08J6XYcz1cjq1)";
	if (k < 97)
		return "dsn=4.4.1, status=deferred (connect to mx.example[203.0.113.9]:25: Connection timed out)";
	return "dsn=5.1.1, status=bounced (host mx.example[203.0.113.9] said: 550 5.1.1 User unknown (in reply to RCPT TO "
	       "command))";
}

static uint64_t message(uint32_t i)
{
	static char text[1000];
	uint32_t c = skewed(60000), k = any(100), d = skewed(20000);
	uint64_t n = 0;

	snprintf(text, sizeof text, "connect from c%u.example[192.0.%u.%u]", c, c >> 8 & 255, c & 255);
	n += line("smtpd", text);
	snprintf(text, sizeof text, "4jX%08X: client=c%u.example[192.0.%u.%u]%s", i, c, c >> 8 & 255, c & 255,
		 any(4) ? "" : ", sasl_method=PLAIN, sasl_username=user7");
	n += line("smtpd", text);
	snprintf(text, sizeof text, "4jX%08X: message-id=<%u.%08x.%u@c%u.example>", i, any(1u << 30), i, any(1000), c);
	n += line("cleanup", text);
	snprintf(text, sizeof text, "4jX%08X: from=<s%u@c%u.example>, size=%u, nrcpt=1 (queue active)", i, skewed(100000), c,
		 1000 + any(90000));
	n += line("qmgr", text);
	snprintf(text, sizeof text,
		 "4jX%08X: to=<u%u@d%u.example>, relay=mx.d%u.example[203.0.113.%u]:25, delay=0.%u, "
		 "delays=0.05/0.01/0.2/0.%u, %s",
		 i, skewed(200000), d, d, any(255), any(99), any(99), fate(k));
	n += line("smtp", text);
	snprintf(text, sizeof text, "4jX%08X: removed", i);
	n += line("qmgr", text);
	snprintf(text, sizeof text, "disconnect from c%u.example[192.0.%u.%u] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5", c,
		 c >> 8 & 255, c & 255);
	n += line("smtpd", text);
	return n;
}

int main(int argc, char **argv)
{
	uint64_t want = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000, have = 0;

	for (uint32_t i = 0; have < want; i++)
		have += any(4) ? message(i) : refusal(skewed(65536));
	return 0;
}
