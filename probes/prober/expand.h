/*
 * `prober --expand`: lists of hosts of the DNS, for the configuration loader. doc/contracts.md, "expand".
 */
#ifndef PROBES_PROBER_EXPAND_H
#define PROBES_PROBER_EXPAND_H

/* A question a line on stdin, an answer a line on stdout. The exit status. */
int expand(void);

#endif
