/** Prints the RKE2 cluster that tests use, as kubectl would print its objects. */
import { rke2 } from '../test/support/rke2.ts';

const { objects } = rke2();
console.log(JSON.stringify({ apiVersion: 'v1', kind: 'List', metadata: {}, items: objects }));
