/* Nothing is relocated on the host: fields are where kernel-types.h puts them. */
#pragma once

#define HOST_READ_1(from, a) ((from)->a)
#define HOST_READ_2(from, a, b) ((from)->a->b)
#define HOST_READ_PICK(a, b, reader, ...) reader
#define BPF_CORE_READ(from, ...)                                                                   \
	HOST_READ_PICK(__VA_ARGS__, HOST_READ_2, HOST_READ_1)(from, __VA_ARGS__)
#define bpf_core_read(target, size, source) bpf_probe_read_kernel(target, size, source)
