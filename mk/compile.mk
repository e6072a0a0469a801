# From sources to libraries and programs. A folder of the house is one set of
# objects; a new .c file in it is picked up by itself.
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
        -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wno-unused-parameter -Werror
# Cutting long text is what snprintf is for here.
WARN += $(if $(findstring clang,$(CC)),,-Wno-format-truncation)
ifdef SAN
# pointer-overflow doubles the data of UBSan: firmware would not fit into a slot of 1 MB.
SANFLAGS := -fsanitize=address,undefined -fno-sanitize=pointer-overflow \
            -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
ALL_CFLAGS = $(CFLAGS) $(WARN) $(SANFLAGS) -I. -MMD -MP -ffunction-sections -fdata-sections \
             -D_GNU_SOURCE -pthread
ALL_LDFLAGS = $(LDFLAGS) $(SANFLAGS) -pthread -Wl,--gc-sections
LIBS := -lcurl -lmicrohttpd -lgnutls -lsqlite3 -lcjson -lseccomp -lssl -lcrypto -lm

# Portable folders are C11 without extensions.
CORE_DIRS := core zigbee
BASE_DIRS := host radio net device
ESP_DIRS := esp/esp-idf esp/esp-zigbee esp/esp-adf at

# One short line a step; V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-3s %s\n' $(1) $(2))

srcs = $(wildcard $(addsuffix /*.c,$(1)))
objs = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

BASE_SRCS := $(call srcs,$(CORE_DIRS) $(BASE_DIRS))
ESP_SRCS := $(call srcs,$(ESP_DIRS))
SERVER_SRCS := $(filter-out server/main.c,$(call srcs,server))
CLI_SRCS := $(filter-out cli/main.c,$(call srcs,cli))

LIB_BASE := $(BUILD)/lib/libairlift.a
LIB_ESP := $(BUILD)/lib/libairlift-esp.a
LIB_SERVER := $(BUILD)/lib/libairlift-server.a
LIB_CLI := $(BUILD)/lib/libairlift-cli.a

ESP_INCLUDES := -Iesp/esp-idf/include -Iesp/esp-zigbee/include -Iesp/esp-adf/include \
                -Iesp/esp-idf/include_default
$(BUILD)/obj/core/%.o $(BUILD)/obj/zigbee/%.o: STD := -std=c11 -pedantic -Wconversion -Wno-sign-conversion
$(BUILD)/obj/esp/%.o $(BUILD)/obj/at/%.o $(BUILD)/obj/tests/esp/%.o $(BUILD)/obj/tests/at/%.o $(BUILD)/obj/tests/support/adf_%.o $(BUILD)/obj/tests/support/cloud_%.o: STD := -std=gnu17 $(ESP_INCLUDES) -Wno-missing-prototypes
STD ?= -std=gnu17

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(STD) $(ALL_CFLAGS) -c -o $@ $<

define archive
@mkdir -p $(@D)
@rm -f $@
$(call say,AR,$@)
$Qar rcs $@ $(filter %.o,$^)
endef
$(LIB_BASE): $(call objs,$(BASE_SRCS)); $(archive)
$(LIB_ESP): $(call objs,$(ESP_SRCS)); $(archive)
$(LIB_SERVER): $(call objs,$(SERVER_SRCS)); $(archive)
$(LIB_CLI): $(call objs,$(CLI_SRCS)); $(archive)

# How firmware has to be compiled and linked to fit these libraries.
$(BUILD)/lib/airlift-flags.cmake: mk/compile.mk
	@mkdir -p $(@D)
	@printf 'set(AIRLIFT_SAN_FLAGS "%s")\nset(AIRLIFT_CC "%s")\n' "$(SANFLAGS)" "$(CC)" > $@

PROGRAMS := $(if $(wildcard cli/main.c),$(BUILD)/bin/airlift) $(if $(wildcard server/main.c),$(BUILD)/bin/airliftd)
.PHONY: programs
programs: $(PROGRAMS) $(LIB_BASE) $(LIB_ESP) $(BUILD)/lib/airlift-flags.cmake

$(BUILD)/bin/airlift: $(BUILD)/obj/cli/main.o $(BUILD)/obj/cli/groups.o $(LIB_CLI) $(LIB_SERVER) $(LIB_BASE)
$(BUILD)/bin/airliftd: $(BUILD)/obj/server/main.o $(LIB_SERVER) $(LIB_BASE)
$(BUILD)/bin/airlift $(BUILD)/bin/airliftd:
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS)

-include $(shell [ -d $(BUILD)/obj ] && find $(BUILD)/obj -name '*.d')
