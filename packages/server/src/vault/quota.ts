const MIB = 1024 * 1024;

/**
 * The end of the quota, kept for catalogs: content that has been sent must still be able to become a snapshot. It
 * is a part of the quota, so what is used never passes what was sold.
 */
export function catalogHeadroomBytes(quotaBytes: number): number {
  return Math.floor(Math.min(4 * MIB + quotaBytes * 0.02, quotaBytes * 0.1));
}

/** Bytes as a person reads them. */
export function displayBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
