/*
 * The table of modem errors, for the SMS line. A code nobody listed counts as passing: a page is then tried
 * again rather than given up.
 */
#include "cms.h"

#include <stddef.h>

struct entry {
	int first, last;
	enum cms_class class;
	const char *text;
};

static const struct entry cms[] = {
	{1, 1, CMS_RECIPIENT, "unassigned number"},
	{8, 8, CMS_SUBSCRIPTION, "operator determined barring"},
	{10, 10, CMS_SUBSCRIPTION, "call barred"},
	{21, 21, CMS_FEW_TRIES, "short message transfer rejected"},
	{22, 22, CMS_FEW_TRIES, "memory capacity exceeded at the far end"},
	{27, 27, CMS_FEW_TRIES, "destination out of service"},
	{28, 28, CMS_RECIPIENT, "unidentified subscriber"},
	{29, 29, CMS_SUBSCRIPTION, "facility rejected"},
	{30, 30, CMS_RECIPIENT, "unknown subscriber"},
	{38, 38, CMS_AGAIN, "network out of order"},
	{41, 41, CMS_AGAIN, "temporary failure"},
	{42, 42, CMS_AGAIN, "congestion"},
	{47, 47, CMS_AGAIN, "resources unavailable"},
	{50, 50, CMS_SUBSCRIPTION, "facility not subscribed"},
	{69, 69, CMS_SUBSCRIPTION, "facility not implemented"},
	{81, 81, CMS_OUR_BUG, "invalid message reference"},
	{95, 99, CMS_OUR_BUG, "invalid message"},
	{111, 111, CMS_OUR_BUG, "protocol error"},
	{127, 127, CMS_OUR_BUG, "interworking error"},
	{128, 191, CMS_OUR_BUG, "the centre does not support this message"},
	{192, 192, CMS_AGAIN, "service centre busy"},
	{193, 193, CMS_SUBSCRIPTION, "no service centre subscription"},
	{194, 194, CMS_AGAIN, "service centre system failure"},
	{195, 195, CMS_RECIPIENT, "invalid address"},
	{196, 196, CMS_RECIPIENT, "recipient barred"},
	{197, 197, CMS_SENT, "duplicate, the centre has it already"},
	{198, 198, CMS_OUR_BUG, "validity format not supported"},
	{199, 199, CMS_OUR_BUG, "validity not supported"},
	{208, 208, CMS_MEMORY_FULL, "SIM storage full"},
	{209, 209, CMS_MEND, "no storage on the SIM"},
	{210, 210, CMS_MEND, "error in the modem"},
	{211, 211, CMS_MEMORY_FULL, "memory capacity exceeded"},
	{212, 212, CMS_AGAIN, "SIM toolkit busy"},
	{213, 213, CMS_MEND, "SIM download error"},
	{300, 300, CMS_MEND, "modem failure"},
	{301, 301, CMS_MEND, "SMS service reserved"},
	{302, 302, CMS_MEND, "operation not allowed"},
	{303, 303, CMS_MEND, "operation not supported"},
	{304, 304, CMS_OUR_BUG, "invalid PDU parameter"},
	{305, 305, CMS_OUR_BUG, "invalid text parameter"},
	{310, 310, CMS_MEND, "no SIM"},
	{311, 311, CMS_MEND, "SIM wants its PIN"},
	{312, 312, CMS_MEND, "modem is locked to another SIM"},
	{313, 313, CMS_MEND, "SIM failure"},
	{314, 314, CMS_AGAIN, "SIM busy"},
	{315, 315, CMS_MEND, "wrong SIM"},
	{316, 316, CMS_MEND, "SIM wants its PUK"},
	{317, 318, CMS_MEND, "SIM wants PIN2 or PUK2"},
	{320, 320, CMS_MEND, "memory failure"},
	{321, 321, CMS_MEND, "invalid memory index"},
	{322, 322, CMS_MEMORY_FULL, "memory full"},
	{330, 330, CMS_MEND, "no service centre number"},
	{331, 331, CMS_AGAIN, "no network"},
	{332, 332, CMS_AGAIN, "network time-out"},
	{500, 500, CMS_AGAIN, "unknown error"},
	{512, 1 << 30, CMS_AGAIN, "error of this maker"},
};

static const struct entry cme[] = {
	{0, 2, CMS_MEND, "modem failure"},
	{3, 3, CMS_MEND, "operation not allowed"},
	{4, 4, CMS_MEND, "operation not supported"},
	{5, 7, CMS_MEND, "modem is locked to another SIM"},
	{10, 10, CMS_MEND, "no SIM"},
	{11, 11, CMS_MEND, "SIM wants its PIN"},
	{12, 12, CMS_MEND, "SIM wants its PUK"},
	{13, 13, CMS_MEND, "SIM failure"},
	{14, 14, CMS_AGAIN, "SIM busy"},
	{15, 15, CMS_MEND, "wrong SIM"},
	{16, 16, CMS_MEND, "incorrect password"},
	{17, 18, CMS_MEND, "SIM wants PIN2 or PUK2"},
	{20, 20, CMS_MEMORY_FULL, "memory full"},
	{21, 22, CMS_MEND, "invalid memory index"},
	{23, 23, CMS_MEND, "memory failure"},
	{24, 27, CMS_OUR_BUG, "invalid text"},
	{30, 30, CMS_AGAIN, "no network"},
	{31, 31, CMS_AGAIN, "network time-out"},
	{32, 32, CMS_MEND, "emergency calls only"},
	{40, 48, CMS_MEND, "network personalisation lock"},
	{50, 50, CMS_OUR_BUG, "incorrect parameters"},
	{51, 51, CMS_MEND, "command disabled"},
	{56, 56, CMS_SUBSCRIPTION, "barred"},
	{100, 100, CMS_AGAIN, "unknown error"},
	{103, 106, CMS_MEND, "the network refuses this modem or SIM"},
	{107, 107, CMS_SUBSCRIPTION, "services not allowed"},
	{111, 113, CMS_SUBSCRIPTION, "network, area or roaming not allowed"},
	{132, 133, CMS_SUBSCRIPTION, "service not subscribed"},
	{134, 134, CMS_AGAIN, "service out of order"},
};

static const struct entry *find(const struct entry *t, size_t n, int code)
{
	for (size_t i = 0; i < n; i++)
		if (code >= t[i].first && code <= t[i].last)
			return &t[i];
	return NULL;
}

#define FIND(t, code) find(t, sizeof(t) / sizeof((t)[0]), code)

enum cms_class cms_class(int code)
{
	const struct entry *e = FIND(cms, code);

	return e != NULL ? e->class : CMS_AGAIN;
}

enum cms_class cme_class(int code)
{
	const struct entry *e = FIND(cme, code);

	return e != NULL ? e->class : CMS_AGAIN;
}

const char *cms_text(int code)
{
	const struct entry *e = FIND(cms, code);

	return e != NULL ? e->text : "unknown error";
}

const char *cme_text(int code)
{
	const struct entry *e = FIND(cme, code);

	return e != NULL ? e->text : "unknown error";
}
