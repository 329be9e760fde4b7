/** What is known of a token. */
export type Verdict =
  | {
      readonly kind: 'active';
      readonly claims: Readonly<Record<string, unknown>>;
      /** The provider itself has just said so, and of whom. */
      readonly isUserinfo: boolean;
    }
  | { readonly kind: 'invalid'; readonly reason: string }
  /** The provider could not be asked. */
  | { readonly kind: 'unknown'; readonly reason: string };
