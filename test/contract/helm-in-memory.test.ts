/** The Helm contract on the twin in memory; real Helm is held to it in the real lane (part `helm`). */
import { describeHelm } from './helm/suite.ts';
import { TWIN_IN_MEMORY } from './helm/twin-target.ts';

describeHelm(TWIN_IN_MEMORY);
