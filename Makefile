# monitord: `make run`, `make demo`, `make check`; `make help` lists the rest.
#
# A folder is a wall, a subfolder a room: each folder becomes one archive, a program links its own folder's archive and those it
# may use (doc/architecture.md). Adding a probe or a notifier is adding a file; nothing here changes.

MAKEFLAGS += -rR
VERSION := 0.1
B ?= build
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
LIBEXECDIR ?= $(PREFIX)/lib/monitord
ifeq ($(filter-out default undefined,$(origin CC)),)
CC := gcc
endif
SAN ?=
OPT ?= -O2
PYTHON ?= /usr/bin/python3

PKGS := libcurl libserialport yaml-0.1 libcjson libevent_core libevent_pthreads libcares openssl libmodbus libpsl libpcre2-8
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wpointer-arith \
	-Wno-format-nonliteral
HARDEN := -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2 -fstack-clash-protection -fcf-protection
ifneq ($(SAN),)
# the sanitizers want their own frame layout and no fortify wrappers
HARDEN := -fPIE
OPT := -O1
SANFLAGS := -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
endif
CFLAGS ?= -g $(OPT)
# headers are named from the top: "lib/config/opts.h"; those of the own room by their name
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -iquote . -pthread $(CFLAGS) $(WARN) $(HARDEN) $(SANFLAGS) -ffunction-sections -fdata-sections \
	-DMONITORD_VERSION='"$(VERSION)"' -DMONITORD_LIBEXEC='"$(LIBEXECDIR)"' -DMONITORD_CONF='"$(SYSCONFDIR)/monitord/monitord.yaml"' \
	$(PKG_CFLAGS)
ALL_LDFLAGS = -pie -pthread $(SANFLAGS) -Wl,-z,relro,-z,now -Wl,--as-needed -Wl,--gc-sections $(LDFLAGS)
LDLIBS := -lcurl -lserialport -lyaml -lcjson -levent_core -levent_pthreads -lcares -lpsl -lpcre2-8 -lmodbus -lssl -lcrypto -lz -lsystemd -lm

objs = $(patsubst %.c,$(B)/obj/%.o,$(1))

# a program's main file stands beside the modules of its folder
MAINS := monitord/monitord.c monitord/ctl/monitorctl.c monitord/run/run.c monitord/peers/monitord_peer.c monitord/door/page.c monitord/door/notify.c pagerd/pagerd.c probes/prober/prober.c probes/arrivals/monitord_policy.c drivers/sim/simmodem_main.c drivers/reset/modem_reset.c
CHECKS := $(sort $(patsubst probes/check_%.c,%,$(wildcard probes/check_*.c)))
# the names that monitoring-plugins give checks of ours, for command definitions that switch by their path
ALIASES := check_pop check_procs check_file_age
check_pop_IS := check_pop3
check_procs_IS := check_process
check_file_age_IS := check_file
NOTIFIERS := $(sort $(patsubst notifiers/notify_%.c,%,$(wildcard notifiers/notify_*.c)))

# every module of a folder, whichever room it stands in
modules = $(filter-out $(MAINS),$(wildcard $(1)/*.c $(1)/*/*.c))
LIB_SRC := $(call modules,lib)
DRIVERS_SRC := $(call modules,drivers)
MONITORD_SRC := $(call modules,monitord)
PAGERD_SRC := $(call modules,pagerd)
PROBES_SRC := $(call modules,probes)
NOTIFIERS_SRC := $(filter-out notifiers/notify_%.c,$(call modules,notifiers))

LIB := $(B)/lib.a
DRIVERS := $(B)/drivers.a
MONITORD := $(B)/monitord.a
PAGERD := $(B)/pagerd.a
PROBES := $(B)/probes.a
NOTIFY := $(B)/notifiers.a

PROGRAMS := $(B)/monitord $(B)/monitord-peer $(B)/monitorctl $(B)/monitord-run $(B)/monitord-page $(B)/notify-by-monitord $(B)/pagerd $(B)/prober $(B)/monitord-policy $(B)/simmodem $(B)/modem-reset \
	$(addprefix $(B)/check_,$(CHECKS)) $(addprefix $(B)/,$(ALIASES)) $(addprefix $(B)/notify_,$(NOTIFIERS))

# V=1 shows the commands
ifneq ($(V),1)
Q := @
endif
# silent under make -s too
SHOWN := $(if $(Q),$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,yes))
show = $(Q)$(if $(SHOWN),printf '  %-4s %s\n' $(1) $(2) &&)

.PHONY: all
all: have-deps
	@$(MAKE) --no-print-directory programs
.PHONY: programs
programs: $(PROGRAMS)

# `make` alone says what is missing; `make run` and `make check` install it (see dist/deps)
.PHONY: have-deps deps
have-deps:
	@dist/deps check build
deps:
	@dist/deps install build
deps-test:
	@dist/deps install test

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call show,CC,$<) $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
# the compiled-in paths: what uses them is built again when PREFIX or SYSCONFDIR change
PATHS_USERS := $(shell grep -rlE --include='*.c' 'MONITORD_(LIBEXEC|CONF)' lib monitord pagerd probes notifiers)
$(call objs,$(PATHS_USERS)): $(B)/paths
$(B)/paths: force
	@mkdir -p $(@D); echo '$(LIBEXECDIR) $(SYSCONFDIR)' | cmp -s - $@ || echo '$(LIBEXECDIR) $(SYSCONFDIR)' > $@
.PHONY: force
force:

$(B)/obj/gen/%.o: $(B)/gen/%.c
	@mkdir -p $(@D)
	$(call show,CC,$<) $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# q, not r: files of two rooms may bear the same name
ar = @rm -f $@; ar qcs $@ $^
$(LIB): $(call objs,$(LIB_SRC)); $(ar)
$(DRIVERS): $(call objs,$(DRIVERS_SRC)); $(ar)
$(MONITORD): $(call objs,$(MONITORD_SRC)); $(ar)
$(PAGERD): $(call objs,$(PAGERD_SRC)); $(ar)
$(PROBES): $(call objs,$(PROBES_SRC)) $(B)/obj/gen/probes_all.o; $(ar)
$(NOTIFY): $(call objs,$(NOTIFIERS_SRC)); $(ar)

$(B)/gen/probes_all.c: Makefile $(wildcard probes/check_*.c)
	@mkdir -p $(@D)
	@{ echo '#include "probes/probe.h"'; \
	for p in $(CHECKS); do echo "extern const struct probe probe_$$p;"; done; \
	echo 'const struct probe *const probes_all[] = {'; \
	for p in $(CHECKS); do echo "	&probe_$$p,"; done; echo '	NULL};'; } > $@
$(B)/gen/main_check_%.c: Makefile
	@mkdir -p $(@D)
	@printf '#include "probes/probe.h"\nextern const struct probe probe_$*;\nint main(int argc, char **argv)\n{\n\treturn plugin_main(&probe_$*, argc, argv);\n}\n' > $@
$(B)/gen/main_notify_%.c: Makefile
	@mkdir -p $(@D)
	@printf '#include "notifiers/notifier.h"\nextern const struct notifier notifier_$*;\nint main(int argc, char **argv)\n{\n\treturn notifier_main(&notifier_$*, argc, argv);\n}\n' > $@
.PRECIOUS: $(B)/gen/main_check_%.c $(B)/gen/main_notify_%.c $(B)/obj/%.o $(B)/obj/gen/%.o

link = $(call show,LD,$@) $(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)
$(B)/monitord: $(B)/obj/monitord/monitord.o $(MONITORD) $(LIB); $(link)
$(B)/monitorctl: $(B)/obj/monitord/ctl/monitorctl.o $(MONITORD) $(LIB); $(link)
$(B)/monitord-peer: $(B)/obj/monitord/peers/monitord_peer.o $(MONITORD) $(LIB); $(link)
$(B)/monitord-run: $(B)/obj/monitord/run/run.o $(MONITORD) $(LIB); $(link)
$(B)/monitord-page: $(B)/obj/monitord/door/page.o $(MONITORD) $(LIB); $(link)
$(B)/notify-by-monitord: $(B)/obj/monitord/door/notify.o $(MONITORD) $(LIB); $(link)
$(B)/pagerd: $(B)/obj/pagerd/pagerd.o $(PAGERD) $(LIB); $(link)
$(B)/prober: $(B)/obj/probes/prober/prober.o $(PROBES) $(DRIVERS) $(LIB); $(link)
$(B)/monitord-policy: $(B)/obj/probes/arrivals/monitord_policy.o $(PROBES) $(LIB); $(link)
$(B)/simmodem: $(B)/obj/drivers/sim/simmodem_main.o $(DRIVERS) $(LIB); $(link)
$(B)/modem-reset: $(B)/obj/drivers/reset/modem_reset.o $(DRIVERS) $(LIB); $(link)
$(B)/check_%: $(B)/obj/gen/main_check_%.o $(PROBES) $(DRIVERS) $(LIB); $(link)
$(addprefix $(B)/,$(ALIASES)): $(B)/%: | $(addprefix $(B)/check_,$(CHECKS))
	@ln -sf $($*_IS) $@
$(B)/notify_%: $(B)/obj/gen/main_notify_%.o $(B)/obj/notifiers/notify_%.o $(NOTIFY) $(DRIVERS) $(LIB); $(link)

# --- tests ---------------------------------------------------------------------------------------------
UNIT := $(patsubst test/unit/test_%.c,%,$(wildcard test/unit/test_*.c))
EVERYTHING := $(MONITORD) $(PAGERD) $(PROBES) $(NOTIFY) $(DRIVERS) $(LIB)
$(B)/unit/%: $(B)/obj/test/unit/test_%.o $(EVERYTHING)
	@mkdir -p $(@D)
	$(call show,LD,$@) $(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS) -lcmocka
.PHONY: unit
unit: $(addprefix $(B)/unit/,$(UNIT))
	@test/run-unit $(B) $(UNIT)

# the analog modem and telephone line that tests dial into; they build it themselves
$(B)/fake/softmodem: $(call objs,test/fake/softmodem.c test/fake/softline.c)
	@mkdir -p $(@D)
	$(call show,LD,$@) $(CC) $(ALL_LDFLAGS) -o $@ $^ -lspandsp -lm

# "who must know" over a simulated year; its test builds it
$(B)/fake/rota_year: $(B)/obj/test/fake/rota_year.o $(PAGERD) $(LIB)
	@mkdir -p $(@D)
	$(link)

FUZZ := $(patsubst test/fuzz/fuzz_%.c,%,$(wildcard test/fuzz/fuzz_*.c))
$(B)/fuzz/%: $(B)/obj/test/fuzz/fuzz_%.o $(EVERYTHING)
	@mkdir -p $(@D)
	$(call show,LD,$@) $(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)
.PHONY: fuzz-programs
fuzz-programs: $(addprefix $(B)/fuzz/,$(FUZZ))

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
-include dist/targets.mk
