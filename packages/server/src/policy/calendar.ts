/** The calendar units of count rules, by their part of a rule. */
export type CalendarUnit = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Names the hour, day, week … of times in one time zone. Two times have the same name exactly when they lie in the same
 * unit; hours are counted in UTC, so that the hour which a clock repeats in autumn is two hours.
 */
export class Calendar {
  private readonly format: Intl.DateTimeFormat;

  /** @param zone an IANA name; an unknown one is refused with a RangeError */
  constructor(zone: string) {
    this.format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
  }

  unitOf(timeMs: number, unit: CalendarUnit): string {
    if (unit === 'hourly') return String(Math.floor(timeMs / HOUR_MS));
    const { year, month, day } = this.dateOf(timeMs);
    if (unit === 'daily') return `${year}-${month}-${day}`;
    if (unit === 'monthly') return `${year}-${month}`;
    if (unit === 'yearly') return year;
    return mondayOf(Number(year), Number(month), Number(day));
  }

  private dateOf(timeMs: number): { year: string; month: string; day: string } {
    const date = { year: '', month: '', day: '' };
    for (const { type, value } of this.format.formatToParts(timeMs)) {
      if (type === 'year' || type === 'month' || type === 'day') date[type] = value;
    }
    return date;
  }
}

/** The Monday of the week of a date, which may lie in the year before. */
function mondayOf(year: number, month: number, day: number): string {
  const dateMs = Date.UTC(year, month - 1, day);
  const daysSinceMonday = (new Date(dateMs).getUTCDay() + 6) % 7;
  return new Date(dateMs - daysSinceMonday * DAY_MS).toISOString().slice(0, 10);
}
