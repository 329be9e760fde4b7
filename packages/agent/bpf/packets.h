/*
 * What network cards tell of connections. A turn is what one side of a connection says until the
 * other side says something: of a request and its answer two. The TypeScript twin is generated.
 */
#pragma once

/* As the card sees it. Ingress comes from the wire (or from the other end of a veth). */
enum packet_direction { PACKET_INGRESS = 1, PACKET_EGRESS = 2 };

/* A connection at one card. `near` is the end that sends on egress. Zero where nothing is. */
struct flow_key {
	__u8 near[16];
	__u8 far[16];
	__u32 netns;
	__u32 ifindex;
	__u16 near_port;
	__u16 far_port;
	__u32 ip_version;
};
_Static_assert(sizeof(struct flow_key) == 48, "keys have no padding that is not set");

/* One turn. Counts by direction, ingress first, are of all packets since the turn before. */
struct turn {
	__u64 flow_id;
	__u64 first_ns; /* bpf_ktime_get_ns, as events */
	__u64 last_ns;
	__u32 sequence; /* of the first byte */
	__u32 bytes;	/* of payload, repeated ones not counted */
	__u16 retransmissions[2];
	__u16 zero_windows[2];
	__u16 vlan; /* VLAN id of its first segment; 0: none */
	__u8 direction;
	__u8 client; /* direction of the SYN; 0: not seen */
	__u32 pad;
	struct flow_key key;
};
_Static_assert(sizeof(struct turn) == 96, "the TypeScript side reads fixed offsets");

/* What is remembered of a connection. The turn is open while `direction` is not 0. */
struct flow {
	__u32 is_held; /* a packet of it is being looked at */
	__u32 generation;
	__u64 id;
	__u64 first_ns;
	__u64 last_ns;
	__u32 sequence;
	__u32 bytes;
	__u32 next[2]; /* sequence number that follows the last byte, by direction */
	__u16 retransmissions[2];
	__u16 zero_windows[2];
	__u16 vlan;
	__u8 direction;
	__u8 client;
	__u8 has_next; /* bits of directions */
	__u8 ended;
	__u8 pad[2];
};
_Static_assert(sizeof(struct flow) == 64, "the TypeScript side reads fixed offsets");
