.PHONY: demo demo-zigbee demo-service demo-at
demo: all ## a device upgrades itself, rolls back, survives a power cut
	@$(PYTHON) tools/demo.py --build $(BUILD) $(if $(DEMO_SVG),--svg $(DEMO_SVG))

demo-zigbee: all ## four devices on a virtual air: join, upgrade, restart
	@$(PYTHON) tools/demo_zigbee.py --build $(BUILD) $(if $(DEMO_SVG),--svg $(DEMO_SVG))

demo-service: all ## an upgrade list: tones from an SD card, the app over HTTPS, power cuts
	@$(PYTHON) tools/demo_service.py --build $(BUILD) $(if $(DEMO_SVG),--svg $(DEMO_SVG))

demo-at: all ## a module upgraded by AT commands: from a URL, the cloud, a browser, its UART
	@$(PYTHON) tools/demo_at.py --build $(BUILD) $(if $(DEMO_SVG),--svg $(DEMO_SVG))
