.PHONY: help packages build demo test check clean
.DEFAULT_GOAL := help

help: ## Print this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

packages: ## Install the Debian packages that are missing
	@sh scripts/install-system-packages.sh

# npm writes this file last; older than the lockfile means that node_modules is stale.
node_modules/.package-lock.json: package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

build: packages node_modules/.package-lock.json ## Build everything that runs
	npm run --silent build

demo: build ## Start everything with a traced demo shop, until Ctrl-C
	./thalweg demo

test: build ## Run everything that CI runs
	sh scripts/test.sh

check: node_modules/.package-lock.json ## Format, lint, types, boundaries
	npm run --silent check

clean: ## Remove what the build made
	rm -rf packages/cli/dist packages/web/dist packages/*/build packages/*/native/build
