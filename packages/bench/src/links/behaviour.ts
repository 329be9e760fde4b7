/** How a service comes from a request to its call: the cases T1 to T5, T8 and T9 of the design. */
export const SERVICE_BEHAVIOURS = [
  'plain',
  'timer-before',
  'timer-after',
  'timer-both',
  'fs',
  'fan-out',
  'max-sockets',
  'dns',
  'background',
  'cache',
  'retry',
] as const;
/** What it calls instead of another HTTP service. */
export const STORE_BEHAVIOURS = ['redis', 'postgresql'] as const;
export type StoreBehaviour = (typeof STORE_BEHAVIOURS)[number];
export type ServiceBehaviour = (typeof SERVICE_BEHAVIOURS)[number] | StoreBehaviour;
