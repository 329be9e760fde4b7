/** `max_req_body_size`: octets of a body that a plugin reads whole; 64 MiB as APISIX has it. */
export const REQUEST_BODY_BYTES = {
  type: 'integer',
  minimum: 1,
  default: 64 * 1024 * 1024,
} as const;
