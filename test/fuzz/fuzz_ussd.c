/*
 * What a network answers to a USSD code, through the modem: lines joined, decoded, amounts and dates found.
 * Beyond not crashing: what comes out is valid UTF-8 for JSON, and bounded.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/gsm/ussd.h"
#include "drivers/gsm/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool continuation(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

static void check_utf8(const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p != '\0';) {
		int n = *p < 0x80 ? 0 : *p >= 0xF0 ? 3 : *p >= 0xE0 ? 2 : *p >= 0xC2 ? 1 : -1;

		if (n < 0)
			abort();
		for (p++; n > 0; n--, p++)
			if (!continuation(*p))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[2048], text[USSD_TEXT_MAX * 4];
	int status = 0, dcs = 0;
	struct buf out;
	double amount;
	int64_t day;

	if (size >= sizeof(line))
		return 0;
	memcpy(line, data, size);
	line[size] = '\0';
	ussd_goes_on(line);
	if (!ussd_parse(line, &status, text, sizeof(text), &dcs))
		return 0;
	if (status < 0 || status > 5 || dcs < 0 || dcs > 255)
		abort();
	for (int packed = 0; packed < 2; packed++) {
		buf_init(&out, USSD_TEXT_MAX - 1);
		if (ussd_decode(text, dcs, packed, &out)) {
			check_utf8(buf_str(&out));
			ussd_amount("([-0-9., ']+)", buf_str(&out), &amount);
			ussd_date("([0-9]+)[-/.]([0-9]+)[-/.]([0-9]+)", USSD_DMY, buf_str(&out), &day);
		}
		buf_fini(&out);
	}
	return 0;
}
