const ENGLISH = new Intl.NumberFormat('en');

/** A count for people, with its thousands apart: `5,220`. */
export function formatCount(count: number): string {
  return ENGLISH.format(count);
}
