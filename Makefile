# SPDX-License-Identifier: Apache-2.0
SHELL := /usr/bin/env bash -o pipefail
.DEFAULT_GOAL := help

IMG ?= controller:latest
KUBECTL ?= kubectl
# What builds config/default; the program kustomize does too: KUSTOMIZE="kustomize build".
KUSTOMIZE ?= $(KUBECTL) kustomize
DIST ?= dist
BUNDLE ?= config/bundle
SCHEDULES ?= 20000
FAULTS ?= 3
# Each day has other schedules.
SEED ?= $(shell echo $$(( $$(date +%s) / 86400 * 1000000 )))
BIN := $(CURDIR)/bin
ASSETS := $(if $(KUBEBUILDER_ASSETS),$(KUBEBUILDER_ASSETS),$(BIN)/controlplane)
VERSION ?= devel
UNIT := . ./api/... ./cmd/... ./controllers/... ./internal/...
# Tested without the race detector, which makes their tests ten times as slow. They start no goroutine, and the operator that test/e2e builds
# with -race uses both.
UNRACED := ./internal/lifecycle ./internal/tencentcloud
# The race detector needs a C compiler. Without one, Go turns cgo off.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)
PLAIN := $(UNRACED) ./test/harness ./test/mutants ./test/names ./test/oracle ./test/pictures ./test/recordings
# Slowest first, so that none of them ends alone.
SLOW := ./test/faults ./test/security ./test/simulation ./test/integrations ./test/docs ./test/e2e ./test/explorer
PACKAGES ?= lifecycle credentials quota tencentcloud
# Without go vet, which make lint runs.
GOTEST := go test -vet=off
TOOLS := $(BIN)/tools.stamp
CHECKERS := $(BIN)/checkers.stamp
QUIET := grep -vE '^(=== | *--- PASS|PASS)'
export KUBEBUILDER_ASSETS := $(ASSETS)

##@ The two commands

.PHONY: demo
demo: controlplane ## Show the main job, end to end, on this machine. KEEP=1 stays up to play with.
	@KEEP=$(KEEP) go run -buildvcs=false ./test/demo

.PHONY: test
test: ## Everything that guards main.
	@$(MAKE) --no-print-directory -j3 $(TOOLS) $(BIN)/golangci-lint controlplane
	@$(MAKE) --no-print-directory verify-generated
	@$(MAKE) --no-print-directory -j2 lint test-arena test-race test-fuzz
	$(GOTEST) -count=1 -parallel 8 -timeout 15m $(SLOW) $(PLAIN)

.PHONY: test-arena
test-arena:
	cd test/arena && $(GOTEST) -count=1 .

.PHONY: test-race
test-race:
	@[ -n "$(RACE)" ] || echo "There is no C compiler, so these tests run without the race detector."
	packages=$$(go list $(UNIT) | grep -vxF "$$(go list $(UNRACED))") && $(GOTEST) $(RACE) -count=1 $$packages

.PHONY: test-fuzz
test-fuzz:
	hack/fuzz.sh 3000x

.PHONY: unit
unit: test-race ## The unit tests, and the quick ones of test (under a minute).
	$(GOTEST) $(PLAIN)

.PHONY: simulate
simulate: ## Play SCHEDULES random schedules in virtual time, with seeds from SEED on. ARGS are flags of the test.
	go test -v -count=1 -timeout 0 ./test/simulation -schedules=$(SCHEDULES) -seed=$(SEED) $(ARGS) | $(QUIET)

.PHONY: explore
explore: ## Walk every interleaving of one object, two leaders and FAULTS faults (about 1 minute).
	go test -v -count=1 -timeout 0 ./test/explorer -faults=$(FAULTS) | $(QUIET)

.PHONY: test-faults
test-faults: controlplane ## The whole fault matrix and 200 random schedules (about 7 minutes). ARGS are flags of the test.
	go test -v -count=1 -parallel 6 -timeout 60m ./test/faults -long -schedules=200 $(ARGS) | $(QUIET)

.PHONY: test-integrations
test-integrations: controlplane $(BIN)/helm $(BIN)/promtool $(BIN)/kubestatemetrics $(BIN)/oldestkubectl ## What the tools of others make of each phase of an object, as a table (about 1 minute).
	go test -v -count=1 -parallel 6 ./test/integrations -helm=$(BIN)/helm -promtool=$(BIN)/promtool -kubestatemetrics=$(BIN)/kubestatemetrics -oldestkubectl=$(BIN)/oldestkubectl $(ARGS) | $(QUIET)

.PHONY: verify
verify: lint $(CHECKERS) $(BIN)/helm $(BIN)/olm controlplane ## What is shipped and what it is made of: linter, vulnerabilities, licences, SBOM, manifests (about 3 minutes).
	BIN=$(BIN) VERSION=$(VERSION) hack/verify.sh

.PHONY: test-mutants
test-mutants: controlplane ## Take the fixes and safeguards out one by one, and see that tests notice: a table says who, by which seed and how soon (about 15 minutes).
	@go run -buildvcs=false ./test/mutants

.PHONY: mutate
mutate: $(BIN)/gremlins ## Mutation testing: change the code of PACKAGES, one token at a time, and see that unit tests notice more than 95 % (about 40 minutes).
	failed=; for p in $(PACKAGES); do echo "$$p:"; BIN=$(BIN) hack/mutate.sh internal/$$p || failed=1; done; [ -z "$$failed" ]

##@ Development

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2} /^##@/ {printf "\n%s\n", substr($$0, 5)}' $(MAKEFILE_LIST)

.PHONY: generate
generate: $(TOOLS) ## Generate the deep copies and docs/reference.md.
	$(BIN)/controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/...
	$(BIN)/crd-ref-docs --log-level=ERROR --source-path=api --config=hack/crd-ref-docs.yaml --renderer=markdown --output-path=docs/reference.md

.PHONY: pages
pages: ## Write the pages of flags and metrics, and the pictures that are drawn by the code.
	go test . -run TestFlagsPage -update
	go test ./internal/metrics -run TestMetricsPage -update
	go run -buildvcs=false ./test/pictures

.PHONY: manifests
manifests: $(TOOLS) ## Generate the CRD and the manager's role.
	$(BIN)/controller-gen crd paths=./api/... output:crd:artifacts:config=config/crd/bases
	$(BIN)/controller-gen rbac:roleName=manager-role paths=./controllers/... output:rbac:artifacts:config=config/rbac

.PHONY: chart
chart: controlplane ## Generate the Helm chart's templates, files, values and README from config and its schema.
	hack/chart.sh

.PHONY: bundle
bundle: controlplane $(BIN)/olm ## Write the bundle for the Operator Lifecycle Manager, with the image IMG, into BUNDLE (config/bundle), and validate it.
	$(ASSETS)/kubectl kustomize config/default | $(BIN)/olm -folder=$(BUNDLE) -image=$(IMG)

.PHONY: verify-generated
verify-generated: $(TOOLS) controlplane ## Fail if generate, manifests or go mod tidy would change anything.
	hack/verify-generated.sh

.PHONY: lint
# The linter takes more memory and less time.
lint: export GOGC := 400
lint: $(BIN)/golangci-lint ## Run the linter, which includes go vet.
	$(BIN)/golangci-lint run
	cd test/arena && $(BIN)/golangci-lint run

.PHONY: controlplane
controlplane: ## Make kube-apiserver, etcd and kubectl, unless KUBEBUILDER_ASSETS has them.
	@[ "$(ASSETS)" != "$(BIN)/controlplane" ] || hack/tools/controlplane/build.sh

.PHONY: bench
bench: controlplane ## Measure the goals of docs/benchmarks.md (about half an hour). BENCH_ONLY=regexp picks scenarios, BENCH_JSON=file writes the table.
	@go run -buildvcs=false ./test/bench

.PHONY: arena
arena: ## Play the pacing against rivals in virtual time, and write tables and pictures into docs (about 3 minutes).
	go test -C test/arena -count=1 -timeout 20m -v -run 'TestArena|TestTheSameSeed|TestTrade' . -write | $(QUIET)

.PHONY: recordings
recordings: controlplane ## Draw docs/pictures from runs of the plugin, of the demo and of a scraped operator (about 4 minutes).
	@go run -buildvcs=false ./test/recordings

.PHONY: build
build: ## Build the operator into bin/manager.
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w -X main.version=$(VERSION)" -o $(BIN)/manager .

.PHONY: plugin
plugin: ## Build the kubectl plugin into bin/. Put it into a folder of your PATH.
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w -X main.version=$(VERSION)" -o $(BIN)/kubectl-stop_import ./cmd/kubectl-stop_import
	cp hack/kubectl_complete-stop_import $(BIN)/

.PHONY: run
run: ## Run the operator here, against the cluster of the current kubeconfig. ARGS are its flags.
	go run -buildvcs=false . $(ARGS)

.PHONY: docker-build
docker-build: ## Build the image IMG.
	docker build --build-arg VERSION=$(VERSION) -t $(IMG) .

.PHONY: docker-push
docker-push: ## Push the image IMG, and print it with its digest, as deploy takes it too.
	docker push $(IMG)
	@docker inspect --format '{{index .RepoDigests 0}}' $(IMG)

.PHONY: release
release: $(CHECKERS) controlplane ## Write all that the release of the signed tag VERSION consists of into dist/, see docs/release.md.
	BIN=$(BIN) DIST=$(DIST) VERSION=$(VERSION) IMG=$(IMG) DIGEST=$(DIGEST) hack/release.sh

##@ Cluster

.PHONY: install
install: ## Install the CRD.
	$(KUBECTL) apply -k config/crd

.PHONY: uninstall
uninstall: ## Remove the CRD, and with it every ImportJobStop.
	$(KUBECTL) delete --ignore-not-found -k config/crd

.PHONY: build-installer
build-installer: ## Write install.yaml with the image IMG into dist/.
	@mkdir -p $(DIST)
	$(KUSTOMIZE) config/default | sed 's|image: controller:latest|image: $(IMG)|' > $(DIST)/install.yaml

.PHONY: deploy
deploy: build-installer ## Deploy the operator with the image IMG.
	$(KUBECTL) apply -f $(DIST)/install.yaml

.PHONY: undeploy
undeploy: build-installer ## Remove the operator, its CRD and every ImportJobStop.
	$(KUBECTL) delete --ignore-not-found -f $(DIST)/install.yaml

##@ Tools

$(TOOLS): hack/tools/base/go.mod
	@mkdir -p $(BIN)
	@echo "generators: building (about 20 seconds on two cores, once)"
	go build -C hack/tools/base -buildvcs=false -o $(BIN)/ sigs.k8s.io/controller-tools/cmd/controller-gen github.com/elastic/crd-ref-docs
	@touch $@

$(CHECKERS): hack/tools/base/go.mod
	@mkdir -p $(BIN)
	@echo "checkers: building (about 1 minute on two cores, once)"
	go build -C hack/tools/base -buildvcs=false -o $(BIN)/ tool
	@touch $@

$(BIN)/golangci-lint: hack/tools/lint/go.mod
	@mkdir -p $(BIN)
	@echo "linter: building (about 3 minutes on two cores, once)"
	go build -C hack/tools/lint -buildvcs=false -o $(BIN)/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

$(BIN)/helm: hack/tools/helm/go.mod
	@mkdir -p $(BIN)
	@echo "helm: building (about 2 minutes on two cores, once)"
	go build -C hack/tools/helm -buildvcs=false -o $(BIN)/ helm.sh/helm/v4/cmd/helm
	@touch $@

$(BIN)/promtool: hack/tools/promtool/go.mod
	@mkdir -p $(BIN)
	@echo "promtool: building (about 4 minutes on two cores, once)"
	go build -C hack/tools/promtool -buildvcs=false -o $(BIN)/ github.com/prometheus/prometheus/cmd/promtool
	@touch $@

$(BIN)/kubestatemetrics: hack/tools/kubestatemetrics/go.mod hack/tools/kubestatemetrics/main.go
	@mkdir -p $(BIN)
	@echo "kube-state-metrics: building its parser (about 1 minute on two cores, once)"
	go build -C hack/tools/kubestatemetrics -buildvcs=false -o $(BIN)/kubestatemetrics .
	@touch $@

$(BIN)/oldestkubectl: hack/tools/kubectl/go.mod hack/tools/kubectl/main.go
	@mkdir -p $(BIN)
	@echo "the oldest kubectl: building (about 1 minute on two cores, once)"
	go build -C hack/tools/kubectl -buildvcs=false -o $@ .
	@touch $@

$(BIN)/olm: hack/tools/olm/go.mod hack/tools/olm/main.go
	@mkdir -p $(BIN)
	@echo "OLM: building what writes and validates the bundle (about 2 minutes on two cores, once)"
	go build -C hack/tools/olm -buildvcs=false -o $(BIN)/olm .
	@touch $@

$(BIN)/gremlins: hack/tools/gremlins/go.mod
	@mkdir -p $(BIN)
	go build -C hack/tools/gremlins -buildvcs=false -o $(BIN)/ github.com/go-gremlins/gremlins/cmd/gremlins
	@touch $@
