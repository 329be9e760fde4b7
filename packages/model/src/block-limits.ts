/** What one block may hold. A writer keeps within it, a reader refuses what does not. */
export const BLOCK_LIMITS = {
  rowsMax: 262_144,
  bytesMax: 64 * 2 ** 20,
  /** Of one text, in UTF-8. */
  textBytesMax: 65_536,
  /** Of one array. */
  itemsMax: 1_024,
} as const;
export type BlockLimits = { readonly [Name in keyof typeof BLOCK_LIMITS]: number };
