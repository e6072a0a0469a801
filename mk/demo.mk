.PHONY: demo demo-zigbee demo-service
demo: all ## a device upgrades itself, rolls back, survives a power cut
	@$(PYTHON) tools/demo.py --build $(BUILD) $(if $(DEMO_SVG),--svg $(DEMO_SVG))

demo-zigbee: all ## four devices on a virtual air: join, upgrade, restart
	@$(PYTHON) tools/demo_zigbee.py --build $(BUILD) $(if $(DEMO_SVG),--svg $(DEMO_SVG))

demo-service: all ## an upgrade list: tones from an SD card, the app over HTTPS, power cuts
	@$(PYTHON) tools/demo_service.py --build $(BUILD) $(if $(DEMO_SVG),--svg $(DEMO_SVG))
