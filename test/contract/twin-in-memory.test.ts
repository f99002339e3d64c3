/** The Kubernetes contract on the twin in memory: where it differs from Kubernetes, the twin is wrong. */
import { describeKubernetes } from './kubernetes/suite.ts';
import { TWIN_IN_MEMORY } from './kubernetes/twin-target.ts';

describeKubernetes(TWIN_IN_MEMORY);
