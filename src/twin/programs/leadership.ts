/** Leader election by Lease: one of the replicas acts; the next takes over when it is gone. */
import type { World } from '../world.ts';
import type { Life } from './life.ts';

interface Seat {
  holder: Life | undefined;
  freeAt: number;
  readonly waiting: { readonly life: Life; readonly act: () => void }[];
}

const seats = new WeakMap<World, Map<string, Seat>>();

/** Runs `act` once this process leads. */
export function whenLeading(world: World, name: string, life: Life, act: () => void): void {
  const seat = seatOf(world, name);
  seat.waiting.push({ life, act });
  life.onEnd((reason) => {
    if (seat.holder !== life) return;
    seat.holder = undefined;
    // Who stops in good order gives the lease back; who loses power keeps it until it runs out.
    seat.freeAt =
      world.kernel.now() + (reason === 'power-lost' ? world.constants.leaderLeaseMs : 0);
    fill(world, seat);
  });
  fill(world, seat);
}

function seatOf(world: World, name: string): Seat {
  let all = seats.get(world);
  if (all === undefined) seats.set(world, (all = new Map()));
  let seat = all.get(name);
  if (seat === undefined) all.set(name, (seat = { holder: undefined, freeAt: 0, waiting: [] }));
  return seat;
}

function fill(world: World, seat: Seat): void {
  if (seat.holder !== undefined) return;
  let next = seat.waiting.shift();
  while (next?.life.ended === true) next = seat.waiting.shift();
  if (next === undefined) return;
  const { life, act } = next;
  seat.holder = life;
  const { kernel, constants } = world;
  const wait =
    seat.freeAt === 0 ? 0 : Math.max(0, seat.freeAt + constants.leaderRetryMs - kernel.now());
  if (wait === 0) act();
  else life.after(wait, act);
}
