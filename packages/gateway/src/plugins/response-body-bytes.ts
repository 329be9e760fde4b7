/** `max_resp_body_size`: octets of an answer that a plugin holds; 64 MiB as APISIX has it. */
export const RESPONSE_BODY_BYTES = {
  type: 'integer',
  minimum: 1,
  default: 64 * 1024 * 1024,
} as const;
