# Fuzz targets: tests/fuzz/fuzz_<name>.c, libFuzzer with ASan and UBSan. Seeds:
# tests/fuzz/seeds/<name>/ (kept) and what tests/fuzz/seeds.txt names of the vectors.
FUZZ_SECONDS ?= 300
FUZZ_BUILD := build-fuzz
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_FLAGS := -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow -fno-sanitize-recover=undefined,float-cast-overflow

.PHONY: fuzz fuzz-bins fuzz-setup
fuzz: setup fuzz-setup ## fuzz every parser, FUZZ_SECONDS=300 each
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=$(FUZZ_BUILD) CC=clang SAN=1 \
	  SANFLAGS='$(FUZZ_FLAGS)' CFLAGS='-O1 -g' fuzz-bins
	@$(PYTHON) tests/fuzz/run.py --build $(FUZZ_BUILD) --seconds $(FUZZ_SECONDS)

fuzz-setup:
	@tools/setup.sh mk/packages-fuzz.txt

fuzz-bins: $(patsubst %,$(BUILD)/fuzz/%,$(FUZZ_NAMES))
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(LIB_ESP) $(LIB_CLI) $(LIB_SERVER) $(LIB_BASE)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$Q$(CC) -fsanitize=fuzzer,address,undefined -pthread -o $@ $(filter %.o %.a,$^) $(LIBS)
$(BUILD)/obj/tests/fuzz/%.o: WARN += -Wno-missing-prototypes
