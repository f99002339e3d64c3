/** The Kubernetes contract on the twin over HTTPS, through the adapter that speaks to real clusters. */
import { describeKubernetes } from './kubernetes/suite.ts';
import { SERVED_TWIN } from './kubernetes/served-target.ts';

describeKubernetes(SERVED_TWIN);
