/* The command line that leads to a remote's prober: whatever a value holds, it stays one value of one option.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "monitord/peers/remote.h"

static struct conf_remote plain(void)
{
	return (struct conf_remote){.name = "r",
				    .host = "relay1.example.org",
				    .port = 22,
				    .identity = "/etc/k",
				    .known_hosts = "/etc/h",
				    .ssh = "/usr/bin/ssh",
				    .command = "monitord-prober --stdio",
				    .connect_ms = 10000,
				    .limit_ms = 20000,
				    .beat_ms = 5000};
}

static size_t count(char *const *v)
{
	size_t n = 0;
	while (v[n])
		n++;
	return n;
}

static bool has_option(char *const *v, const char *text)
{
	for (size_t i = 0; v[i] && v[i + 1]; i++)
		if (strcmp(v[i], "-o") == 0 && strcmp(v[i + 1], text) == 0)
			return true;
	return false;
}

static void test_the_end_is_host_and_command(void **state)
{
	(void)state;
	struct conf_remote r = plain();
	char why[100];
	char **v = remote_argv(&r, why, sizeof why);
	assert_non_null(v);
	size_t n = count(v);
	assert_string_equal(v[0], "/usr/bin/ssh");
	assert_string_equal(v[n - 3], "--");
	assert_string_equal(v[n - 2], "relay1.example.org");
	assert_string_equal(v[n - 1], "monitord-prober --stdio");
	static const char *const must[] = {"BatchMode=yes",
					   "StrictHostKeyChecking=yes",
					   "ForwardAgent=no",
					   "IdentityAgent=none",
					   "ConnectTimeout=10",
					   "ServerAliveInterval=7",
					   "UserKnownHostsFile=/etc/h",
					   "GlobalKnownHostsFile=none",
					   "ControlPath=none",
					   "PermitLocalCommand=no"};
	for (size_t i = 0; i < sizeof must / sizeof must[0]; i++)
		assert_true(has_option(v, must[i]));
	remote_argv_free(v);
}

static const char *proxy(const char *jump, char *out, size_t size)
{
	struct conf_remote r = plain();
	char why[100];
	snprintf(r.jump, sizeof r.jump, "%s", jump);
	char **v = remote_argv(&r, why, sizeof why);
	out[0] = '\0';
	for (size_t i = 0; v && v[i]; i++)
		if (strncmp(v[i], "ProxyCommand=", 13) == 0)
			snprintf(out, size, "%s", strstr(v[i], " -p "));
	remote_argv_free(v);
	return out;
}

static void test_the_host_in_between(void **state)
{
	(void)state;
	static const char *const jumps[][2] = {
	    {"gate", " -p 22 -W '[%h]:%p' -- gate"},
	    {"gate:2222", " -p 2222 -W '[%h]:%p' -- gate"},
	    {"me@gate.example", " -p 22 -l me -W '[%h]:%p' -- gate.example"},
	    {"me@[2001:db8::1]:2222", " -p 2222 -l me -W '[%h]:%p' -- 2001:db8::1"},
	    {"[2001:db8::1]", " -p 22 -W '[%h]:%p' -- 2001:db8::1"},
	    {"2001:db8::1", " -p 22 -W '[%h]:%p' -- 2001:db8::1"},
	};
	char out[4096];
	for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++)
		assert_string_equal(proxy(jumps[i][0], out, sizeof out), jumps[i][1]);
	assert_string_equal(proxy("me@:22", out, sizeof out), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_end_is_host_and_command),
					   cmocka_unit_test(test_the_host_in_between)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
