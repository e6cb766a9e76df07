# Everything a person or CI runs. `make help` lists it.

# A pipe fails with its first command.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

# Another processor than this machine's: `make shim ARCH=arm64`. All of it is .ci/cross, which calls make again, in a root
# where MACHINE, ARCHITECTURE and SWIFT_RESOURCES say for what, and build/ is build/arm64.
OTHER := $(filter-out $(shell dpkg --print-architecture 2>/dev/null),$(ARCH))
ifneq ($(OTHER),)
GOALS := $(or $(MAKECMDGOALS),all)
$(firstword $(GOALS)):
	@.ci/cross $(OTHER) $(GOALS) $(filter-out ARCH=%,$(MAKEOVERRIDES))
$(filter-out $(firstword $(GOALS)),$(GOALS)): $(firstword $(GOALS)) ; @:
.PHONY: $(GOALS)
else

SWIFT ?= swift
PREFIX ?= /opt/zeropod
DESTDIR ?=
VERSION ?= 0.1
# What the node image is called; config/production names it.
IMAGE ?= localhost/zeropod:$(VERSION)

# As the kernel calls the processor.
MACHINE ?= $(shell uname -m)
export MACHINE
# Swift's libraries for another one.
ifdef SWIFT_RESOURCES
CROSS_FLAGS = --triple $(MACHINE)-unknown-linux-gnu -Xswiftc -resource-dir -Xswiftc $(SWIFT_RESOURCES)/$1
endif

BUILD := build
PROGRAMS := containerd-shim-zeropod-v2 zeropod
# Fully static: the same file runs on nodes of any distribution, whatever their C library.
STATIC_FLAGS := -c release --scratch-path .build/static $(call CROSS_FLAGS,swift_static) -Xswiftc -static-executable -Xswiftc -Osize -Xlinker --gc-sections
# A build id is of what --strip-all takes away again, paths among it.
SAME_BYTES = -Xlinker -T -Xlinker $(CURDIR)/Sources/same-bytes.ld -Xlinker --build-id=none
# What Sources/static.ld says only lld takes beside a layout of its own; it comes with the Swift toolchain.
STATIC_FLAGS += -Xswiftc -use-ld=lld -Xlinker --no-eh-frame-hdr -Xlinker -T -Xlinker $(CURDIR)/Sources/static.ld $(SAME_BYTES)
# Half a megabyte of names of characters: Sources/C/CLinux/scalar-names.c stands in for them.
STATIC_FLAGS += -Xlinker --wrap=_swift_stdlib_getScalarName
# From Debian 13 on libelf can read sections compressed with zstd, and wants it linked.
STATIC_FLAGS += $(if $(shell grep -ls zstd /usr/lib/$(MACHINE)-linux-gnu/pkgconfig/libelf.pc),-Xlinker -lzstd)
# What the linker takes from where, for the list of what is in a release.
MAP = -Xlinker -Map=$(CURDIR)/$(BUILD)/maps/$1
STRIP := $(dir $(realpath $(shell command -v swiftc)))llvm-objcopy --strip-all

SWIFT_SOURCES := Package.swift Sources Tests

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | awk -F'|' '{ printf "  make %-16s %s\n", $$1, $$2 }'

all: shim node-program ## build everything: the BPF programs, the static shim, the daemon of the node

# What this machine lacks is told before anything is built.
export ZEROPOD_GOAL := $(firstword $(MAKECMDGOALS))
able-to-build:
	@.ci/preflight build

able-to-run-nodes: able-to-build
	@.ci/preflight node

packages: able-to-build ## install the Debian packages that building needs (needs root)
	@.ci/packages

bpf: packages ## build the BPF programs
	@$(MAKE) --no-print-directory -C bpf

standin: ## build what stands in for criu while a container sleeps
	@$(MAKE) --no-print-directory -C standin

shim: bpf standin ## build the shim, and the program zeropod, into build/bin
	@mkdir -p $(BUILD)/bin $(BUILD)/maps
	@for program in $(PROGRAMS); do \
		$(SWIFT) build $(STATIC_FLAGS) $(call MAP,$$program) --product $$program 2>&1 | .ci/without-noise || exit 1; \
		$(STRIP) .build/static/release/$$program $(BUILD)/bin/$$program.new || exit 1; \
		mv $(BUILD)/bin/$$program.new $(BUILD)/bin/$$program || exit 1; \
	done

criu: ## build the criu that goes with the shim, into build/criu (needs root)
	@mkdir -p $(BUILD)/criu
	@[[ -n "$(SWIFT_RESOURCES)" ]] || .ci/criu $(BUILD)/criu

# Linked with the C library and libcurl of this machine: docs/design.md says why. The Swift runtime is in it.
NODE_FLAGS := -c release --scratch-path .build/node $(call CROSS_FLAGS,swift_static) --static-swift-stdlib -Xswiftc -Osize -Xlinker --gc-sections -Xswiftc -use-ld=lld $(SAME_BYTES)
node-program: packages ## build the daemon, zeropod-node, into build/bin
	@mkdir -p $(BUILD)/bin $(BUILD)/maps
	@$(SWIFT) build $(NODE_FLAGS) $(call MAP,zeropod-node) --product zeropod-node 2>&1 | .ci/without-noise
	@$(STRIP) .build/node/release/zeropod-node $(BUILD)/bin/zeropod-node.new
	@mv $(BUILD)/bin/zeropod-node.new $(BUILD)/bin/zeropod-node

libraries: node-program ## collect the libraries that the daemon needs, and their loader, in build/lib
	@.ci/libraries $(BUILD)/lib $(BUILD)/bin/zeropod-node

check: ## formatting and lint, without changing anything
	@$(SWIFT) format lint --strict --recursive $(SWIFT_SOURCES)

format: ## format all Swift sources in place
	@$(SWIFT) format --in-place --recursive $(SWIFT_SOURCES)

image: shim criu libraries ## the node image as an OCI archive, with a criu of its own (needs root)
	@image/archive $(IMAGE)

image-index: image ## the node image for amd64 and arm64, one name for both, as an OCI archive (needs root)
	@$(MAKE) --no-print-directory image ARCH=arm64
	@image/index $(IMAGE) $(BUILD)/image/zeropod.tar $(BUILD)/arm64/image/zeropod.tar

release: image ## a tarball of all of it, with manifests, an SBOM and checksums, in build/release (needs root)
	@image/release $(VERSION)

deb: image ## a Debian package for machines without Kubernetes, in build/release (needs root)
	@image/package $(VERSION)

test-release: ## two releases, made of two copies, are the same bytes; the package installs and goes (needs root)
	@Tests/Release/run
	@Tests/Package/run

SUITE ?= sid trixie bookworm
test-newcomer: ## `make demo` in bare roots of Debian (needs root; SUITE=sid)
	@for suite in $(SUITE); do Tests/Newcomer/run $$suite || exit 1; done

test: ## all tests, against real containerd, runc and CRIU (needs root; ONLY=NAME REPEAT=20 WORKERS=2)
	@.ci/test

test-quick: ## those without containers, and one that sleeps, in two minutes (needs root)
	@.ci/test quick

test-long: ## what takes long: a long soak, long fuzzing, a long outage, a busy node (needs root; PARTS="soak fuzz outage admission arm64 load")
	@.ci/test long

durations: ## keep what the last run took as what tests are to take, in Tests/durations
	@cp $(BUILD)/test/durations Tests/durations

# Not those that start programs or load BPF: an emulator of a processor is none of a kernel, and does not pass on
# TFD_IOC_SET_TICKS.
UNITS := CheckpointTests ContainerAPITests EventsTests FuzzTests JSONTests LifecycleTests NodeTests ProtobufTests ShimTests StdIOTests TTRPCTests
EMULATOR := $(if $(SWIFT_RESOURCES),qemu-$(MACHINE) -E LD_LIBRARY_PATH=$(SWIFT_RESOURCES)/swift/linux)
test-units: packages bpf standin ## unit tests that need neither root nor other programs; ARCH=arm64 emulates that
	@ZEROPOD_UNITS=1 $(SWIFT) build --build-tests --scratch-path .build/units $(call CROSS_FLAGS,swift) 2>&1 | .ci/without-noise
	@$(EMULATOR) .build/units/debug/zeropodPackageTests.xctest --testing-library swift-testing $(UNITS:%=--filter %) $(if $(EMULATOR),--skip descriptorsOfTimersAreSetBack)

test-kubernetes: able-to-run-nodes image ## the tests that need a Kubernetes (needs root; KUBE_BIN=DIR, else 1.20.2 is built)
	@KUBE_BIN="$${KUBE_BIN:-$$(Tests/Kubernetes/build-1.20)}" $(SWIFT) test --no-parallel --filter KubernetesTests

test-vm: shim criu ## nodes of Debian's kernels in virtual machines, a table for each (needs root; KERNEL="5.10 6.1 6.12 sid")
	@$(MAKE) --no-print-directory node-checks
	@Tests/VirtualMachine/run.sh
	@Tests/VirtualMachine/node.sh

machine-checks: bpf standin
	@$(SWIFT) build $(STATIC_FLAGS) --product virtual-machine-checks 2>&1 | .ci/without-noise

node-checks: able-to-build
	@$(SWIFT) build $(call CROSS_FLAGS,swift) --product virtual-machine-node-checks 2>&1 | .ci/without-noise

compatibility: shim criu ## docs/compatibility.md: what a sleep keeps, by Tests/Fidelity (needs root)
	@Tests/Node/node build
	@rm -f $(BUILD)/fidelity.json $(BUILD)/applications.json
	@ZEROPOD_SHIM_DIRECTORY=$(CURDIR)/$(BUILD)/bin FIDELITY_GROUPS=all FIDELITY_APPLICATIONS=all $(SWIFT) test --no-parallel --filter FidelityTests; .ci/compatibility

fuzz: packages bpf standin ## fuzz what reads bytes from outside (FUZZ_SECONDS=120 in all)
	@Tests/Fuzz/run

demo: able-to-run-nodes packages ## watch containers sleep and wake (needs root; KEEP=1 leaves the node up)
	@Tests/Demo/build
	@KEEP=$(KEEP) ZEROPOD_SHIM_DIRECTORY=$(CURDIR)/$(BUILD)/bin .build/debug/zeropod-demo

bench: bench-program ## measure everything beside a control (needs root; ONLY=wake/httpd,start ROUNDS=20 DENSITY=500)
	@$(BENCH) $(BUILD)/bench.json

bench-quick: bench-program ## a part of it in under two minutes (needs root)
	@$(BENCH) $(BUILD)/bench.json quick

trace: bench-program ## where the time of a sleep and of a wake goes, by step (needs root)
	@$(BENCH) trace

BENCH = ZEROPOD_SHIM_DIRECTORY=$(CURDIR)/$(BUILD)/bin .build/debug/zeropod-bench
bench-program: able-to-run-nodes shim criu
	@Tests/Node/node build 2.1
	@$(SWIFT) build --product zeropod-bench 2>&1 | .ci/without-noise

conformance: able-to-run-nodes shim criu ## the same tests with the stock shim and ours, side by side (needs root; STOCK=1 takes the stock shim's columns anew)
	@.ci/conformance

soak: able-to-run-nodes shim criu ## clients of all kinds for ten minutes (SOAK_SECONDS=600), continuous sleeps and wakes (needs root)
	@.ci/soak

readme: able-to-run-nodes ## write into the README what build/bench.json and a run of zeropod status say (needs root)
	@Tests/Documents/readme

install: shim criu node-program ## put the programs below $(PREFIX)
	install -D -m 0755 -t $(DESTDIR)$(PREFIX)/bin $(PROGRAMS:%=$(BUILD)/bin/%) $(BUILD)/bin/zeropod-node $(BUILD)/criu/criu

clean: ## remove what was built (what was downloaded is in ~/.cache/zeropod)
	@.ci/clean

.PHONY: help all able-to-build able-to-run-nodes packages bpf standin shim criu image image-index node-program libraries check format release deb test \
	test-release test-newcomer test-quick test-long test-units durations \
	test-kubernetes test-vm machine-checks node-checks compatibility fuzz demo \
	bench bench-quick bench-program conformance soak trace readme install clean
.DEFAULT_GOAL := all
endif
