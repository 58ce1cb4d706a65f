/** Exit statuses of both command lines; unknown means failed. Scripts rely on them: they never change. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  sourceIncomplete: 3,
  notFound: 10,
  busy: 11,
  wrongKey: 12,
  revoked: 13,
  overQuota: 14,
  interrupted: 130,
} as const;
