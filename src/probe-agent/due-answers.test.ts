/** When answers are looked for: not so late that a good one is taken for a stall. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ProbeLinePath } from '../model/probe.ts';
import { DueAnswers, nextFramesAt } from './due-answers.ts';
import { Track } from './track.ts';

function held(periodMs: number): Track {
  return new Track({ kind: 'service', to: 'b', method: 'tcp-held', address: '', periodMs });
}

/** An agent that the processor keeps waiting is later than its tick by less than it would excuse. */
const LATE_UP_TO_MS = 80;
const SERVER_TICK_MS = 100;
const UNTIL_MS = 20_000;

interface Lateness {
  readonly client: readonly number[];
  readonly server: readonly number[];
}

/** A held connection on a network that loses nothing; `tickMs` is the client's. */
function answeredBy(tickMs: number, periodMs: number, lateness: Lateness): ProbeLinePath {
  const track = held(periodMs);
  const due = new DueAnswers();
  let frames: number[] = [];
  let answers: number[] = [];
  let lookAt = 0;
  const events = [
    ...ticksOf(tickMs, lateness.client).map((at, tick) => ({ at, tick, isServer: false })),
    ...ticksOf(SERVER_TICK_MS, lateness.server).map((at, tick) => ({ at, tick, isServer: true })),
  ].toSorted((left, right) => left.at - right.at);
  for (const { at, tick, isServer } of events) {
    if (isServer) {
      const tickAt = tick * SERVER_TICK_MS;
      if (frames.length === 0 || tickAt < lookAt) continue;
      answers = [...answers, ...frames];
      frames = [];
      lookAt = nextFramesAt(tickAt, periodMs);
      continue;
    }
    if (due.isDue(track, at)) {
      if (answers.length === 0) due.cameNot();
      else due.came();
      for (const number of answers) track.answered(number, at);
      answers = [];
    }
    if (tick % (periodMs / tickMs) === 0) frames.push(track.sending(at));
  }
  return track.line(UNTIL_MS);
}

function ticksOf(everyMs: number, lateness: readonly number[]): readonly number[] {
  return Array.from(
    { length: UNTIL_MS / everyMs },
    (_, tick) => tick * everyMs + (lateness[tick % lateness.length] ?? 0),
  );
}

const late = fc.array(fc.integer({ min: 0, max: LATE_UP_TO_MS }), { minLength: 1, maxLength: 40 });

it('agents that wake late lose nothing on a held connection of a network that loses nothing', () => {
  const agents = fc.constantFrom([100, 100], [100, 500], [200, 400] as const);
  fc.assert(
    fc.property(agents, late, late, ([tickMs = 100, periodMs = 100], client, server) => {
      const line = answeredBy(tickMs, periodMs, { client, server });
      expect(line).toMatchObject({ lost: 0, longestMs: 0, gaps: [] });
    }),
    { numRuns: 300 },
  );
});

it('who has looked in vain, however often, still looks before a good answer is too late', () => {
  const track = held(400);
  const due = new DueAnswers();
  for (let look = 0; look < 20; look += 1) due.cameNot();
  track.sending(0);
  // The host's agent wakes each 200 ms; another wake-up later the answer would be a stalled one.
  expect(due.isDue(track, 200)).toBe(false);
  expect(due.isDue(track, 400)).toBe(true);
});
