/* Own link: the judging over made-up tables, the reading over this kernel's own. */
#include "unit.h"

#include <arpa/inet.h>

#include "monitord/peers/ownlink.h"

static struct ownlink_route route(const char *ifname, bool up, const char *gateway, bool failed)
{
	struct ownlink_route r = {.family = AF_INET,
				  .ifindex = 2,
				  .up = up,
				  .has_gateway = gateway != NULL,
				  .gateway_failed = failed};
	snprintf(r.ifname, sizeof r.ifname, "%s", ifname);
	if (gateway) {
		r.family = strchr(gateway, ':') ? AF_INET6 : AF_INET;
		assert_int_equal(inet_pton(r.family, gateway, r.gateway), 1);
	}
	return r;
}

static void judged(void **state)
{
	(void)state;
	char text[256];
	const struct ownlink_route good = route("eth0", true, "192.0.2.1", false),
				   unplugged = route("eth0", false, "192.0.2.1", false),
				   dead = route("eth1", true, "2001:db8::1", true),
				   direct = route("ppp0", true, NULL, false);
	const struct {
		struct ownlink_route v[3];
		size_t n;
		bool ok;
		const char *text;
	} cases[] = {
	    {{good}, 0, true, "no default route"},
	    {{good}, 1, true, "link eth0 is up, gateway 192.0.2.1"},
	    {{direct}, 1, true, "link ppp0 is up"},
	    {{unplugged}, 1, false, "own link eth0 is down"},
	    {{dead}, 1, false, "own gateway 2001:db8::1 on eth1 does not answer"},
	    {{unplugged, dead}, 2, false, "own link eth0 is down"},
	    {{unplugged, good}, 2, true, "eth0 is up"},
	    {{dead, unplugged, direct}, 3, true, "link ppp0 is up"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool ok = ownlink_judge(cases[i].v, cases[i].n, text, sizeof text);
		if (ok != cases[i].ok || !strstr(text, cases[i].text))
			fail_msg("case %zu: %d \"%s\"", i, ok, text);
	}
}

static void the_kernel_tells(void **state)
{
	(void)state;
	struct ownlink_route v[OWNLINK_ROUTES_MAX];
	int n = ownlink_read(v, OWNLINK_ROUTES_MAX);
	assert_in_range(n, 0, OWNLINK_ROUTES_MAX);
	for (int i = 0; i < n; i++)
		assert_true(v[i].ifname[0] && strcmp(v[i].ifname, "?") != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(judged),
	    cmocka_unit_test(the_kernel_tells),
	};
	return cmocka_run_group_tests_name("ownlink", tests, NULL, NULL);
}
