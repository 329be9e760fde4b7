/*
 * Network spans: at each chosen card (tcx, Linux >= 6.6) one record for each turn of each TCP
 * connection. No payload is looked at, so encrypted and unknown protocols are seen too. Always
 * answers TCX_NEXT: nothing of the traffic is decided here.
 */
#include "kernel-types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "packets.h"
#include "packet.h"
#include "flow.h"

char LICENSE[] SEC("license") = "GPL";

enum { PACKET_CPUS_MAX = 64, HOLD_TRIES_MAX = 64 };
/*
 * TURNS_LOST: no room in the ring. FLOWS_REFUSED: no room for another connection. PACKETS_MISSED:
 * another CPU held the connection too long.
 */
enum packet_counter {
	PACKETS,
	TURNS,
	TURNS_LOST,
	FLOWS,
	FLOWS_REFUSED,
	PACKETS_MISSED,
	PACKET_COUNTERS
};

/* Written by the agent without system calls. A new generation forgets what connections said. */
struct packets_config {
	__u32 is_paused;
	__u32 generation;
};
volatile struct packets_config packets_config = {.is_paused = 1};

struct {
	__u64 of[8];
} packet_counters[PACKET_CPUS_MAX];

/* Puts what no map holds into the object's type information: the TypeScript side is generated. */
const volatile struct vocabulary {
	enum packet_direction packet_direction;
	enum packet_counter packet_counter;
	struct turn turn;
} vocabulary = {};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} turns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct flow_key);
	__type(value, struct flow);
} flows SEC(".maps");

static __always_inline __u64 count_packet(enum packet_counter which)
{
	return ++packet_counters[bpf_get_smp_processor_id() & (PACKET_CPUS_MAX - 1)].of[which];
}

static __always_inline struct flow *flow_of(const struct packet *packet, __u64 *id)
{
	struct flow *found = bpf_map_lookup_elem(&flows, &packet->key);
	/* An id for a connection that this packet may begin. */
	bool is_syn = packet->flags & TCP_SYN, is_answer = packet->flags & TCP_ACK;
	if (!found && (packet->flags & TCP_RST || (!is_syn && !packet->length)))
		return 0;
	if (!found || (is_syn && !is_answer)) {
		__u32 cpu = bpf_get_smp_processor_id() & (PACKET_CPUS_MAX - 1);
		*id = count_packet(FLOWS) * PACKET_CPUS_MAX + cpu;
	}
	if (found)
		return found;
	struct flow fresh = {.id = *id, .generation = packets_config.generation};
	bpf_map_update_elem(&flows, &packet->key, &fresh, BPF_NOEXIST);
	found = bpf_map_lookup_elem(&flows, &packet->key);
	if (!found)
		count_packet(FLOWS_REFUSED);
	return found;
}

/* Maps that drop their oldest may not have the kernel's spin locks. Never waits for long. */
static __always_inline bool hold(struct flow *flow)
{
	for (int i = 0; i < HOLD_TRIES_MAX; i++)
		if (!__sync_val_compare_and_swap(&flow->is_held, 0, 1))
			return true;
	count_packet(PACKETS_MISSED);
	return false;
}

static __always_inline void tell_turn(const struct turn *turn)
{
	struct turn *record = bpf_ringbuf_reserve(&turns, sizeof *record, 0);
	if (!record) {
		count_packet(TURNS_LOST);
		return;
	}
	__builtin_memcpy(record, turn, sizeof *turn);
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	count_packet(TURNS);
}

static __always_inline int on_packet(struct __sk_buff *skb, __u8 direction)
{
	if (packets_config.is_paused)
		return TCX_NEXT;
	struct packet packet = {.direction = direction};
	if (!read_packet(skb, &packet))
		return TCX_NEXT;
	count_packet(PACKETS);
	__u64 id = 0;
	struct flow *flow = flow_of(&packet, &id);
	if (!flow)
		return TCX_NEXT;
	struct turn turn = {};
	__u32 generation = packets_config.generation;
	if (!hold(flow))
		return TCX_NEXT;
	if (flow->generation != generation) {
		begin_flow(flow, flow->id);
		flow->generation = generation;
	}
	__u32 step = take_packet(flow, &packet, &turn, id);
	__sync_lock_test_and_set(&flow->is_held, 0);
	if (step & STEP_TURN) {
		turn.key = packet.key;
		tell_turn(&turn);
	}
	if (step & STEP_CLOSED)
		bpf_map_delete_elem(&flows, &packet.key);
	return TCX_NEXT;
}

SEC("tc")
int on_ingress(struct __sk_buff *skb)
{
	return on_packet(skb, PACKET_INGRESS);
}

SEC("tc")
int on_egress(struct __sk_buff *skb)
{
	return on_packet(skb, PACKET_EGRESS);
}
