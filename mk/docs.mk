# docs/commands.md comes from the descriptions that --help prints.
.PHONY: docs
docs: all ## write docs/commands.md anew from the help texts
	$(PYTHON) tools/commands_doc.py $(BUILD)/bin > docs/commands.md.new
	mv docs/commands.md.new docs/commands.md
