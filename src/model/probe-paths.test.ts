/** Every node is probed by as many as it probes; cost per node does not grow with the cluster. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { isShared, methodsOf, peersAt, plannedPathsAt, ringOf } from './probe-paths.ts';

const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9-]{1,12}$/), {
  minLength: 1,
  maxLength: 60,
});

it('each node is a peer of as many as it has peers, and none of its own', () => {
  fc.assert(
    fc.property(names, (nodes) => {
      const ring = ringOf(nodes);
      const probedBy = new Map(ring.map((node) => [node, 0]));
      for (const [index, node] of ring.entries()) {
        const peers = peersAt(ring, index);
        expect(new Set(peers).size).toBe(Math.min(3, ring.length - 1));
        expect(peers).not.toContain(node);
        for (const peer of peers) probedBy.set(peer, (probedBy.get(peer) ?? 0) + 1);
      }
      for (const count of probedBy.values()) expect(count).toBe(Math.min(3, ring.length - 1));
    }),
  );
});

it('the ring hangs on the names alone, and a node more moves the peers of three', () => {
  fc.assert(
    fc.property(names, (nodes) => {
      const ring = ringOf(nodes);
      expect(ringOf(nodes.toReversed())).toEqual(ring);
      const more = ringOf([...nodes, 'one-more-node!']);
      const moved = ring.filter((node, index) => {
        const now = peersAt(more, more.indexOf(node));
        return peersAt(ring, index).some((peer) => !now.includes(peer));
      });
      expect(moved.length).toBeLessThanOrEqual(3);
    }),
  );
});

/** Samples that a node sends per second, and of them those to what all share. */
function rates(nodes: number): { readonly all: number; readonly shared: number } {
  const ring = ringOf(Array.from({ length: nodes }, (_, index) => `n${index}`));
  let all = 0;
  let shared = 0;
  for (const path of plannedPathsAt(ring, 0)) {
    for (const { periodMs } of methodsOf(path, nodes)) {
      all += 1_000 / periodMs;
      if (isShared(path.kind)) shared += 1_000 / periodMs;
    }
  }
  return { all, shared };
}

it('every class of a node is asked ten times a second in a small cluster', () => {
  const ring = ringOf(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  const fastest = new Map<string, number>();
  for (const path of plannedPathsAt(ring, 0)) {
    for (const { periodMs } of methodsOf(path, ring.length))
      fastest.set(path.kind, Math.min(periodMs, fastest.get(path.kind) ?? Infinity));
  }
  expect([...fastest.values()]).toEqual(Array.from({ length: 8 }, () => 100));
});

it('what all nodes share is asked no more often in all, however many they are', () => {
  for (const nodes of [1_000, 5_000])
    expect(rates(nodes).shared * nodes).toBeLessThanOrEqual(2_250);
  expect(rates(1_000).all).toBeLessThan(70);
  expect(rates(5_000).all).toBeLessThanOrEqual(rates(1_000).all);
});
