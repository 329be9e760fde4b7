/*
 * Events as a busy proxy makes them, without one: each getppid() of the process `generator.pid`
 * becomes a request in, the call out, its answer in and the answer out. For the ring bench only.
 */
#include "kernel-types.h"
#include <bpf/bpf_helpers.h>
#include "events.h"

char LICENSE[] SEC("license") = "GPL";

enum { SYS_GETPPID = 110, CONNECTIONS = 64, PAYLOAD = 256 };

/* One generating thread, so no need for a copy a CPU. */
volatile struct generator {
	__u64 pid;
	__u64 emitted;
	__u64 lost;
	__u64 turns;
} generator;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} events SEC(".maps");

static const char request_in[] =
    "GET /cart/items/1842?currency=EUR HTTP/1.1\r\nHost: shop.example\r\n"
    "User-Agent: Mozilla/5.0\r\nAccept: application/json\r\n"
    "X-Request-Id: 6f1c2d3e-1111-4222-8333-444455556666\r\n\r\n";
static const char call_out[] =
    "GET /stock/1842 HTTP/1.1\r\nHost: stock.internal:7002\r\nAccept: application/json\r\n"
    "X-Request-Id: 6f1c2d3e-1111-4222-8333-444455556666\r\nConnection: keep-alive\r\n\r\n";
static const char answer_in[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n"
    "Date: Tue, 24 Nov 2026 10:00:00 GMT\r\nConnection: keep-alive\r\n\r\n{\"stock\": 1842}";
static const char answer_out[] =
    "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/json\r\nContent-Length: 15\r\n"
    "Date: Tue, 24 Nov 2026 10:00:00 GMT\r\nConnection: keep-alive\r\n\r\n{\"stock\": 1842}";

struct part {
	__u64 cookie;
	__u32 sequence;
	__u16 port;
	__u8 direction;
	__u8 role;
	__u64 turn_id;
	__u64 cause_id;
};

static __always_inline void emit(struct part *part, const char *text, const __u32 size)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event) + PAYLOAD, 0);
	if (!event) {
		generator.lost += 1;
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	__u64 id = bpf_get_current_pid_tgid();
	event->at_ns = bpf_ktime_get_ns();
	event->cookie = part->cookie;
	event->turn_id = part->turn_id;
	event->cause_id = part->cause_id;
	event->cause_kind = part->cause_id ? CAUSE_THREAD : CAUSE_NONE;
	event->pid = id >> 32;
	event->tid = id;
	event->sequence = part->sequence;
	event->length = size;
	event->captured = size;
	event->local_port = part->role == ROLE_SERVER ? 80 : 40000 + part->cookie;
	event->remote_port = part->port;
	event->kind = EVENT_DATA;
	event->direction = part->direction;
	event->role = part->role;
	event->ip_version = 4;
	bpf_probe_read_kernel(event + 1, size, text);
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	generator.emitted += 1;
}

SEC("tp_btf/sys_enter")
int on_generate(unsigned long long *ctx)
{
	if (ctx[1] != SYS_GETPPID)
		return 0;
	if (bpf_get_current_pid_tgid() >> 32 != generator.pid)
		return 0;
	__u64 turn = generator.turns++;
	__u64 front = 2 * (turn % CONNECTIONS) + 2, back = front + 1;
	__u32 round = turn / CONNECTIONS + 1;
	struct part part = {.cookie = front,
			    .port = 50000,
			    .role = ROLE_SERVER,
			    .turn_id = front << 20 | (round & 0xfffff)};
	part.sequence = round * (sizeof(request_in) - 1);
	emit(&part, request_in, sizeof(request_in) - 1);
	struct part call = {
	    .cookie = back, .port = 7002, .role = ROLE_CLIENT, .cause_id = part.turn_id};
	call.direction = DIRECTION_OUT;
	call.sequence = round * (sizeof(call_out) - 1);
	emit(&call, call_out, sizeof(call_out) - 1);
	call.direction = DIRECTION_IN;
	call.turn_id = back << 20 | (round & 0xfffff);
	call.cause_id = 0;
	call.sequence = round * (sizeof(answer_in) - 1);
	emit(&call, answer_in, sizeof(answer_in) - 1);
	part.direction = DIRECTION_OUT;
	part.cause_id = part.turn_id;
	part.turn_id = 0;
	part.sequence = round * (sizeof(answer_out) - 1);
	emit(&part, answer_out, sizeof(answer_out) - 1);
	return 0;
}
