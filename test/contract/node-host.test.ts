/** The NodeHost contract on the twin, in memory and through the real adapter: where they differ, the twin is wrong. */
import { describeNodeHost } from './node-host/suite.ts';
import { TWIN_IN_MEMORY, TWIN_OVER_THE_WIRE } from './node-host/targets.ts';

describeNodeHost(TWIN_IN_MEMORY);
describeNodeHost(TWIN_OVER_THE_WIRE);
