# Sources that name everything the vendor's examples use, linked as firmware.
ESP_SAMPLES := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/esp/compile_*.c))
unit-bins: $(ESP_SAMPLES)
