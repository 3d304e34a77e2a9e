// How busy each hour of a working day is, from midnight on.
const HOURS = [6, 4, 3, 3, 3, 5, 10, 25, 55, 85, 98, 100, 78, 84, 98, 100, 95, 85, 62, 46, 38, 30, 20, 11];
const WEEKEND: Record<string, number> = { Sat: 0.35, Sun: 0.3 };

/** How busy people in a zone are at a time, where 1 is the most. */
export type Rhythm = (time: Date) => number;

export function rhythmOf(timezone: string): Rhythm {
  const local = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    weekday: "short",
    hour: "2-digit",
    hourCycle: "h23",
  });
  return (time) => {
    const parts = local.formatToParts(time);
    const part = (type: string) => parts.find((each) => each.type === type)!.value;
    return (HOURS[Number(part("hour"))]! / 100) * (WEEKEND[part("weekday")] ?? 1);
  };
}
