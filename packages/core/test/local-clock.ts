/** Local clocks read through Intl: independent of the Temporal code under test. */
export type LocalReading = { year: number; month: number; day: number; minute: number; date: string };

const formats = new Map<string, Intl.DateTimeFormat>();

export function readLocalClock(time: number, timeZone: string): LocalReading {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat("en-US", {
      timeZone,
      year: "numeric",
      month: "numeric",
      day: "numeric",
      minute: "numeric",
      hour: "numeric",
      hourCycle: "h23",
    });
  formats.set(timeZone, format);
  const parts = Object.fromEntries(
    format.formatToParts(time).map(({ type, value }) => [type, Number(value)]),
  );
  const [year, month, day] = [parts["year"]!, parts["month"]!, parts["day"]!];
  return { year, month, day, minute: parts["minute"]!, date: `${year}-${month}-${day}` };
}

/** Days since 1970-01-05, a Monday, of a local date: weeks begin where this is a multiple of 7. */
export function isoWeek({ year, month, day }: LocalReading): number {
  return Math.floor((Date.UTC(year, month - 1, day) / 86_400_000 - 4) / 7);
}

export const ZONES = [
  "UTC",
  "Asia/Kolkata",
  "Asia/Calcutta",
  "Asia/Kathmandu",
  "Asia/Shanghai",
  "America/New_York",
  "America/St_Johns",
  "America/Havana",
  "America/Sao_Paulo",
  "America/Caracas",
  "Australia/Lord_Howe",
  "Australia/Eucla",
  "Pacific/Apia",
  "Pacific/Chatham",
  "Pacific/Kiritimati",
  "Africa/Casablanca",
  "Asia/Pyongyang",
  "Europe/Berlin",
  "Europe/Dublin",
  "+05:45",
];

/** Instants near which some zone above changed its clocks or its date. */
export const CLOCK_CHANGES = [
  "2025-03-09T07:00:00Z", // New York forward
  "2025-11-02T06:00:00Z", // New York back
  "2025-04-05T15:00:00Z", // Lord Howe back, by half an hour
  "2025-10-04T15:30:00Z", // Lord Howe forward
  "2011-12-30T10:00:00Z", // Apia skips a day
  "2025-03-09T05:30:00Z", // St John's forward
  "2024-11-03T05:00:00Z", // Havana back at midnight
  "2018-11-04T03:00:00Z", // São Paulo forward: a day without a midnight
  "2016-05-01T07:00:00Z", // Caracas to -04:00
  "2015-08-14T15:00:00Z", // Pyongyang to +08:30
  "2025-03-30T01:00:00Z", // Europe forward
  "2025-10-26T01:00:00Z", // Europe back
];
