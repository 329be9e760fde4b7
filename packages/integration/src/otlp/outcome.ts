/** What became of one export request. */
export interface Outcome {
  /** What is wrong with the bytes; ''. Then none of its rows may be kept. */
  readonly malformed: string;
  readonly rows: number;
  /** Left out, and why. */
  readonly rejected: number;
  readonly reason: string;
}

export const TIME_REASON = 'their time is out of the retention, or more than ten minutes ahead';

/** What became of one export request, once the disk has it. */
export type Exported =
  | {
      readonly status: 'kept';
      readonly rows: number;
      readonly rejected: number;
      readonly reason: string;
    }
  | { readonly status: 'malformed'; readonly reason: string }
  | { readonly status: 'busy'; readonly retryAfterS: number }
  | { readonly status: 'refused'; readonly reason: string };
