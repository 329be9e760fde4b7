/* How packets make turns. Calls no helper: it runs while the flow is held. */
#pragma once

enum step { STEP_NONE = 0, STEP_TURN = 1, STEP_CLOSED = 2 };

static __always_inline void begin_flow(struct flow *flow, __u64 id)
{
	flow->id = id;
	flow->direction = 0;
	flow->client = 0;
	flow->has_next = 0;
	flow->ended = 0;
	flow->retransmissions[0] = flow->retransmissions[1] = 0;
	flow->zero_windows[0] = flow->zero_windows[1] = 0;
}

/* Moves the open turn to `turn`. Answers STEP_NONE when none is open. */
static __always_inline __u32 take_turn(struct flow *flow, struct turn *turn)
{
	if (!flow->direction)
		return STEP_NONE;
	turn->flow_id = flow->id;
	turn->first_ns = flow->first_ns;
	turn->last_ns = flow->last_ns;
	turn->sequence = flow->sequence;
	turn->bytes = flow->bytes;
	turn->vlan = flow->vlan;
	turn->direction = flow->direction;
	turn->client = flow->client;
	for (int i = 0; i < 2; i++) {
		turn->retransmissions[i] = flow->retransmissions[i];
		turn->zero_windows[i] = flow->zero_windows[i];
		flow->retransmissions[i] = flow->zero_windows[i] = 0;
	}
	flow->direction = 0;
	return STEP_TURN;
}

/* Payload: it goes on with the open turn, begins one, or repeats what was said. */
static __always_inline __u32 take_payload(struct flow *flow, const struct packet *packet, struct turn *turn)
{
	__u32 side = packet->direction == PACKET_EGRESS, step = STEP_NONE;
	__u32 end = packet->sequence + packet->length;
	__u32 fresh = packet->length, from = packet->sequence;
	if (flow->has_next & packet->direction) {
		__s32 behind = flow->next[side] - packet->sequence;
		/* A probe whether the connection still lives says its last byte again. */
		if (behind == 1 && packet->length == 1)
			return STEP_NONE;
		if (behind > 0) {
			flow->retransmissions[side] += packet->segments;
			if ((__s32)(end - flow->next[side]) <= 0)
				return STEP_NONE;
			from = flow->next[side];
			fresh = end - from;
		}
	}
	if (flow->direction != packet->direction) {
		step = take_turn(flow, turn);
		flow->direction = packet->direction;
		flow->sequence = from;
		flow->first_ns = packet->at_ns;
		flow->vlan = packet->vlan;
		flow->bytes = 0;
	}
	flow->bytes += fresh;
	flow->last_ns = packet->at_ns;
	flow->next[side] = end;
	flow->has_next |= packet->direction;
	return step;
}

static __always_inline __u32 take_syn(struct flow *flow, const struct packet *packet, struct turn *turn,
				      __u64 id)
{
	__u32 side = packet->direction == PACKET_EGRESS, next = packet->sequence + 1;
	__u32 step = STEP_NONE;
	if ((flow->has_next & packet->direction) && flow->next[side] == next) {
		flow->retransmissions[side]++;
		return step;
	}
	if (!(packet->flags & TCP_ACK)) {
		/* The ports were used before: another connection. */
		step = take_turn(flow, turn);
		begin_flow(flow, id);
		flow->client = packet->direction;
	}
	flow->next[side] = next;
	flow->has_next |= packet->direction;
	return step;
}

/* One packet of a connection. Answers bits of `step`; `turn` holds what ended, but for its key. */
static __always_inline __u32 take_packet(struct flow *flow, const struct packet *packet, struct turn *turn,
					 __u64 id)
{
	__u32 side = packet->direction == PACKET_EGRESS, step = STEP_NONE;
	if (packet->flags & TCP_RST)
		return take_turn(flow, turn) | STEP_CLOSED;
	if (packet->flags & TCP_SYN)
		return take_syn(flow, packet, turn, id);
	if (!packet->window)
		flow->zero_windows[side]++;
	if (packet->length)
		step = take_payload(flow, packet, turn);
	if (!(packet->flags & TCP_FIN))
		return step;
	/* The side that has said its last byte ends its turn, unless this packet already ended one. */
	if (flow->direction == packet->direction && step == STEP_NONE)
		step = take_turn(flow, turn);
	flow->ended |= packet->direction;
	return flow->ended == (PACKET_INGRESS | PACKET_EGRESS) ? step | STEP_CLOSED : step;
}
