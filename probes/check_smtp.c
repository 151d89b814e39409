/*
 * smtp: does a relay answer, and how fast is each phase of it? One session per address: connect, greeting,
 * EHLO, STARTTLS, AUTH, what the options ask for besides, QUIT. All of it is smtp/tour.c's.
 */
#include "probe.h"
#include "probes/smtp/tour.h"

static void run_smtp(struct probe_run *run)
{
	smtp_tour(run->conf, run);
}

const struct probe probe_smtp = {
    .name = "smtp",
    .help = "an SMTP relay: reachable, greeting, EHLO, TLS and certificate, login, each phase timed and "
	    "limited by itself",
    .place = PROBE_NET,
    .opts = smtp_opts,
    .conf_size = sizeof(struct smtp_conf),
    .host_option = "host",
    .check_conf = smtp_conf_check,
    .global_init = smtp_global_init,
    .run = run_smtp,
};
