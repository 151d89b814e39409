# monitord: `make run`, `make demo`, `make check`; `make help` lists the rest.
#
# A folder is a wall: each becomes one archive, a program links its own folder's archive and those it
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

PKGS := libcurl libserialport yaml-0.1 libcjson libevent_core libevent_pthreads libcares openssl
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
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -pthread $(CFLAGS) $(WARN) $(HARDEN) $(SANFLAGS) -ffunction-sections -fdata-sections \
	-DMONITORD_VERSION='"$(VERSION)"' -DMONITORD_LIBEXEC='"$(LIBEXECDIR)"' -DMONITORD_CONF='"$(SYSCONFDIR)/monitord/monitord.yaml"' \
	$(PKG_CFLAGS)
ALL_LDFLAGS = -pie -pthread $(SANFLAGS) -Wl,-z,relro,-z,now -Wl,--as-needed -Wl,--gc-sections $(LDFLAGS)
LDLIBS := -lcurl -lserialport -lyaml -lcjson -levent_core -levent_pthreads -lcares -lssl -lcrypto -lm

objs = $(patsubst %.c,$(B)/obj/%.o,$(1))

# a program's main file stands beside the modules of its folder
MAINS := monitord/monitord.c monitord/monitorctl.c monitord/run.c pagerd/pagerd.c probes/prober.c drivers/simmodem_main.c
CHECKS := $(sort $(patsubst probes/check_%.c,%,$(wildcard probes/check_*.c)))
NOTIFIERS := $(sort $(patsubst notifiers/notify_%.c,%,$(wildcard notifiers/notify_*.c)))

LIB_SRC := $(wildcard lib/*.c)
DRIVERS_SRC := $(filter-out $(MAINS),$(wildcard drivers/*.c))
MONITORD_SRC := $(filter-out $(MAINS),$(wildcard monitord/*.c))
PAGERD_SRC := $(filter-out $(MAINS),$(wildcard pagerd/*.c))
PROBES_SRC := $(filter-out $(MAINS),$(wildcard probes/*.c))
NOTIFIERS_SRC := $(filter-out notifiers/notify_%.c,$(wildcard notifiers/*.c))

LIB := $(B)/lib.a
DRIVERS := $(B)/drivers.a
MONITORD := $(B)/monitord.a
PAGERD := $(B)/pagerd.a
PROBES := $(B)/probes.a
NOTIFY := $(B)/notifiers.a

PROGRAMS := $(B)/monitord $(B)/monitorctl $(B)/monitord-run $(B)/pagerd $(B)/prober $(B)/simmodem \
	$(addprefix $(B)/check_,$(CHECKS)) $(addprefix $(B)/notify_,$(NOTIFIERS))

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
PATHS_USERS := $(shell grep -lE 'MONITORD_(LIBEXEC|CONF)' $(wildcard lib/*.c monitord/*.c pagerd/*.c probes/*.c notifiers/*.c))
$(call objs,$(PATHS_USERS)): $(B)/paths
$(B)/paths: force
	@mkdir -p $(@D); echo '$(LIBEXECDIR) $(SYSCONFDIR)' | cmp -s - $@ || echo '$(LIBEXECDIR) $(SYSCONFDIR)' > $@
.PHONY: force
force:

$(B)/obj/gen/%.o: $(B)/gen/%.c
	@mkdir -p $(@D)
	$(call show,CC,$<) $(CC) $(ALL_CFLAGS) -I. -MMD -MP -c -o $@ $<

ar = @rm -f $@; ar rcs $@ $^
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
$(B)/monitorctl: $(B)/obj/monitord/monitorctl.o $(MONITORD) $(LIB); $(link)
$(B)/monitord-run: $(B)/obj/monitord/run.o $(MONITORD) $(LIB); $(link)
$(B)/pagerd: $(B)/obj/pagerd/pagerd.o $(PAGERD) $(LIB); $(link)
$(B)/prober: $(B)/obj/probes/prober.o $(PROBES) $(DRIVERS) $(LIB); $(link)
$(B)/simmodem: $(B)/obj/drivers/simmodem_main.o $(DRIVERS) $(LIB); $(link)
$(B)/check_%: $(B)/obj/gen/main_check_%.o $(PROBES) $(DRIVERS) $(LIB); $(link)
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

FUZZ := $(patsubst test/fuzz/fuzz_%.c,%,$(wildcard test/fuzz/fuzz_*.c))
$(B)/fuzz/%: $(B)/obj/test/fuzz/fuzz_%.o $(EVERYTHING)
	@mkdir -p $(@D)
	$(call show,LD,$@) $(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)
.PHONY: fuzz-programs
fuzz-programs: $(addprefix $(B)/fuzz/,$(FUZZ))

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
-include dist/targets.mk
