.PHONY: bench bench-bins
bench: all ## measure side by side with peers; writes bench/results/ and docs/benchmarks.md
	@tools/setup.sh mk/packages-bench.txt
	@$(MAKE) --no-print-directory bench-bins rv32
	@$(PYTHON) bench/run.py --build $(BUILD)

bench-bins: $(patsubst bench/%.c,$(BUILD)/bench/%,$(wildcard bench/*.c))
$(BUILD)/bench/%: $(BUILD)/obj/bench/%.o $(LIB_ESP) $(LIB_BASE)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS)
