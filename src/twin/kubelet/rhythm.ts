/** Times on a fixed beat: a kubelet looks at things every so often, from its own start on. */

/** The first beat at or after `time`; all in virtual milliseconds. */
export function beatFrom(time: number, phase: number, period: number): number {
  return phase + Math.ceil((time - phase) / period) * period;
}

/** The first beat after `time`. */
export function beatAfter(time: number, phase: number, period: number): number {
  return phase + (Math.floor((time - phase) / period) + 1) * period;
}

/** A phase for something that has been going on for long, the same for the same name. */
export function phaseOf(name: string, period: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193) >>> 0;
  }
  return -(hash % Math.max(1, Math.floor(period)));
}
