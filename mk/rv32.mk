# core/ and zigbee/ as a RISC-V chip would have them: do they compile bare, what do they need
# of a C library, how large are code and stack. RV32_CFLAGS=-msave-restore is a common addition.
RV32 ?= riscv64-unknown-elf-
RV32_CFLAGS ?=
RV32_FLAGS = -march=rv32imac -mabi=ilp32 --specs=picolibc.specs -std=c11 -Os $(RV32_CFLAGS)
RV32_BUILD = $(BUILD)/rv32
RV32_OBJS = $(patsubst %.c,$(RV32_BUILD)/%.o,$(call srcs,core))
RV32_ZIGBEE = $(patsubst %.c,$(RV32_BUILD)/%.o,$(call srcs,zigbee))

.PHONY: rv32 rv32-setup rv32-objects
rv32: rv32-setup ## compile core/ and zigbee/ for rv32imac; sizes of code, stack and RAM
	@$(MAKE) --no-print-directory rv32-objects
	@RV32='$(RV32)' tools/rv32/report.sh '$(RV32_FLAGS)' $(RV32_BUILD) $(RV32_OBJS)
	@$(PYTHON) tools/rv32/client.py '$(RV32)' '$(RV32_FLAGS)' $(RV32_BUILD) $(RV32_ZIGBEE) $(RV32_OBJS)

rv32-setup:
	@tools/setup.sh mk/packages-rv32.txt

rv32-objects: $(RV32_OBJS) $(RV32_ZIGBEE)
$(RV32_BUILD)/%.o: %.c $(wildcard core/*.h zigbee/*.h)
	@mkdir -p $(@D)
	@$(RV32)gcc $(RV32_FLAGS) $(WARN) -I. -ffunction-sections -fdata-sections -fstack-usage -c -o $@ $<
