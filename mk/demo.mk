.PHONY: demo
demo: all ## a device upgrades itself, rolls back, survives a power cut
	@$(PYTHON) tools/demo.py --build $(BUILD) $(if $(DEMO_SVG),--svg $(DEMO_SVG))
