/** Durations and counts as people read them: `350 ms`, `12.4 s`, `5 min 3 s`, `6 h 2 min`. */
export function showMilliseconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : showSeconds(milliseconds / 1000);
}

export function showSeconds(seconds: number): string {
  if (seconds === 0) return '0 s';
  if (seconds < 60) return `${seconds < 10 ? Number(seconds.toFixed(1)) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = whole % 60;
  if (hours > 0) return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`;
  return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
}

export function plural(count: number, noun: string): string {
  // Loading the locales takes longer than a report; small numbers look the same in all of them.
  const shown = count < 1000 ? String(count) : count.toLocaleString('en');
  return `${shown} ${noun}${count === 1 ? '' : 's'}`;
}
