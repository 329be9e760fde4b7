/*
 * libbpf's helpers for the host compiler: the capture sources are tested there with sanitizers.
 * The "kernel" behind them is one task, a table a map, and user memory of which only some is there.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEC(name)
#define __uint(name, value) int (*name)[value]
#define __type(name, type) __typeof__(type) *name
#define barrier_var(variable) __asm__ volatile("" : "+r"(variable))

enum { HOST_EFAULT = 14, HOST_ENTRIES = 64, HOST_KEY_MAX = 16, HOST_RECORDS = 64 };

struct host_entry {
	const void *map;
	unsigned char key[HOST_KEY_MAX];
	void *value;
};
struct host_memory {
	const void *start;
	unsigned long size;
};
static struct {
	struct host_entry entries[HOST_ENTRIES];
	struct host_memory user[8]; /* What of the user's memory may be read. */
	struct task_struct task;
	struct pt_regs regs;
	void *records[HOST_RECORDS]; /* Submitted, oldest first; each as large as it was reserved. */
	unsigned long record_sizes[HOST_RECORDS];
	unsigned long submit_flags;
	unsigned int record_count;
	unsigned long reserved_size;
	unsigned long queued; /* Bytes that wait in the ring. */
	bool is_ring_full;
	bool is_table_full;
	unsigned long long cookies;
	unsigned int process;
	__u32 random;
} host;

/* Forgets everything: the next case starts with an empty kernel. */
static void host_reset(void)
{
	for (int i = 0; i < HOST_ENTRIES; i++)
		free(host.entries[i].value);
	for (unsigned int i = 0; i < host.record_count; i++)
		free(host.records[i]);
	memset(&host, 0, sizeof(host));
	host.process = 77;
	host.task.tgid = 77;
	host.task.pid = 78;
	memcpy(host.task.comm, "host", 5);
}

static struct host_entry *host_find(const void *map, const void *key, unsigned long size)
{
	for (int i = 0; i < HOST_ENTRIES; i++) {
		struct host_entry *entry = &host.entries[i];
		if (entry->value && entry->map == map && memcmp(entry->key, key, size) == 0)
			return entry;
	}
	return 0;
}

static void *host_lookup(const void *map, const void *key, unsigned long size)
{
	struct host_entry *entry = host_find(map, key, size);
	return entry ? entry->value : 0;
}

static int host_update(const void *map, const void *key, unsigned long key_size, const void *value,
		       unsigned long value_size)
{
	struct host_entry *entry = host_find(map, key, key_size);
	if (!entry && host.is_table_full)
		return -1;
	for (int i = 0; !entry && i < HOST_ENTRIES; i++)
		if (!host.entries[i].value)
			entry = &host.entries[i];
	if (!entry)
		return -1;
	free(entry->value);
	entry->map = map;
	memcpy(entry->key, key, key_size);
	entry->value = malloc(value_size);
	memcpy(entry->value, value, value_size);
	return 0;
}

static inline int host_delete(const void *map, const void *key, unsigned long size)
{
	struct host_entry *entry = host_find(map, key, size);
	if (!entry)
		return -1;
	free(entry->value);
	entry->value = 0;
	return 0;
}

/* Storage at an object: zeroes when it is new, as the kernel's. */
static void *host_storage(const void *map, const void *owner, unsigned long size, bool create)
{
	void *found = host_lookup(map, &owner, sizeof(owner));
	if (found || !create)
		return found;
	void *zeroes = calloc(1, size);
	host_update(map, &owner, sizeof(owner), zeroes, size);
	free(zeroes);
	return host_lookup(map, &owner, sizeof(owner));
}

#define bpf_map_lookup_elem(map, key) host_lookup(map, key, sizeof(*(key)))
#define bpf_map_update_elem(map, key, value, flags)                                                \
	host_update(map, key, sizeof(*(key)), value, sizeof(*(value)))
#define bpf_map_delete_elem(map, key) host_delete(map, key, sizeof(*(key)))
#define bpf_sk_storage_get(map, owner, value_, flags)                                              \
	host_storage(map, owner, sizeof(*(map)->value), (flags) & BPF_STORAGE_CREATE)
#define bpf_task_storage_get(map, owner, value_, flags)                                            \
	host_storage(map, owner, sizeof(*(map)->value), (flags) & BPF_STORAGE_CREATE)

static bool host_is_readable(const void *source, unsigned long size)
{
	uintptr_t at = (uintptr_t)source;
	for (int i = 0; i < 8; i++) {
		uintptr_t start = (uintptr_t)host.user[i].start;
		if (at >= start && at - start <= host.user[i].size &&
		    size <= host.user[i].size - (at - start))
			return true;
	}
	return false;
}

static long bpf_probe_read_user(void *target, __u32 size, const void *source)
{
	if (!host_is_readable(source, size)) {
		memset(target, 0, size);
		return -HOST_EFAULT;
	}
	memcpy(target, source, size);
	return 0;
}

static inline long bpf_probe_read_kernel(void *target, __u32 size, const void *source)
{
	memcpy(target, source, size);
	return 0;
}

/* Of exactly the wanted size, so that the sanitizer sees one byte too many. */
static void *bpf_ringbuf_reserve(void *ring, __u64 size, __u64 flags)
{
	(void)ring, (void)flags;
	if (host.is_ring_full || host.record_count == HOST_RECORDS)
		return 0;
	host.reserved_size = size;
	void *record = malloc(size);
	memset(record, 0xaa, size);
	return record;
}

static void bpf_ringbuf_submit(void *record, __u64 flags)
{
	host.record_sizes[host.record_count] = host.reserved_size;
	host.records[host.record_count++] = record;
	host.submit_flags = flags;
}

static __u64 bpf_ringbuf_query(void *ring, __u64 flags)
{
	(void)ring, (void)flags;
	return host.queued;
}

static struct task_struct *bpf_get_current_task_btf(void)
{
	return &host.task;
}

static inline long bpf_task_pt_regs(struct task_struct *task)
{
	(void)task;
	return (long)&host.regs;
}

static __u64 bpf_get_current_pid_tgid(void)
{
	return (__u64)host.process << 32 | (host.process + 1);
}

static __u64 bpf_ktime_get_ns(void)
{
	return 1000;
}

static __u32 bpf_get_smp_processor_id(void)
{
	return 1;
}

/* As the kernel: a socket gets its cookie when somebody first asks. */
static __u64 bpf_get_socket_cookie(struct sock *sk)
{
	if (!sk->__sk_common.skc_cookie.counter)
		sk->__sk_common.skc_cookie.counter = ++host.cookies;
	return sk->__sk_common.skc_cookie.counter;
}

static inline struct unix_sock *bpf_skc_to_unix_sock(struct sock *sk)
{
	return sk->__sk_common.skc_family == AF_UNIX ? (struct unix_sock *)sk : 0;
}

static inline __u32 bpf_get_prandom_u32(void)
{
	return host.random += 0x10000;
}

static inline long bpf_probe_read_kernel_str(void *target, __u32 size, const void *source)
{
	return snprintf(target, size, "%s", (const char *)source);
}

static inline struct tcp_sock *bpf_skc_to_tcp_sock(struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP ? (struct tcp_sock *)sk : 0;
}
