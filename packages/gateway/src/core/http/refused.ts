/** A head that is refused, and the status that says so. Nothing of it may be forwarded. */
export interface Refused {
  readonly kind: 'refused';
  readonly status: 400 | 414 | 431 | 501 | 505;
  readonly reason: string;
}

export function refused(status: Refused['status'], reason: string): Refused {
  return { kind: 'refused', status, reason };
}
