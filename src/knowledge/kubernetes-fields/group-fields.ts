/**
 * Messages of the other API groups and of meta/v1: each field with its number in protobuf and its
 * type. Source: the tags of KK staging/src/k8s.io/api/<group>/v1/types.go@v1.33.0 (autoscaling: v2, and
 * v1 for `scale`). Read by `messages.ts`, which says how.
 */
export const GROUP_FIELDS: Readonly<Record<string, string>> = {
  apps: `
ControllerRevision: metadata=1:meta/ObjectMeta data=2:json revision=3:integer
DaemonSet: metadata=1:meta/ObjectMeta spec=2:DaemonSetSpec status=3:DaemonSetStatus
DaemonSetCondition: type=1:string status=2:string lastTransitionTime=3:time reason=4:string
  message=5:string
DaemonSetSpec: selector=1:*meta/LabelSelector template=2:core/PodTemplateSpec
  updateStrategy=3:DaemonSetUpdateStrategy minReadySeconds=4:integer
  revisionHistoryLimit=6:*integer
DaemonSetStatus: currentNumberScheduled=1:integer numberMisscheduled=2:integer
  desiredNumberScheduled=3:integer numberReady=4:integer observedGeneration=5:integer
  updatedNumberScheduled=6:integer numberAvailable=7:integer numberUnavailable=8:integer
  collisionCount=9:*integer conditions=10:[]DaemonSetCondition
DaemonSetUpdateStrategy: type=1:string rollingUpdate=2:*RollingUpdateDaemonSet
Deployment: metadata=1:meta/ObjectMeta spec=2:DeploymentSpec status=3:DeploymentStatus
DeploymentCondition: type=1:string status=2:string reason=4:string message=5:string
  lastUpdateTime=6:time lastTransitionTime=7:time
DeploymentSpec: replicas=1:*integer selector=2:*meta/LabelSelector
  template=3:core/PodTemplateSpec strategy=4:DeploymentStrategy minReadySeconds=5:integer
  revisionHistoryLimit=6:*integer paused=7:boolean progressDeadlineSeconds=9:*integer
DeploymentStatus: observedGeneration=1:integer replicas=2:integer updatedReplicas=3:integer
  availableReplicas=4:integer unavailableReplicas=5:integer conditions=6:[]DeploymentCondition
  readyReplicas=7:integer collisionCount=8:*integer terminatingReplicas=9:*integer
DeploymentStrategy: type=1:string rollingUpdate=2:*RollingUpdateDeployment
ReplicaSet: metadata=1:meta/ObjectMeta spec=2:ReplicaSetSpec status=3:ReplicaSetStatus
ReplicaSetCondition: type=1:string status=2:string lastTransitionTime=3:time reason=4:string
  message=5:string
ReplicaSetSpec: replicas=1:*integer selector=2:*meta/LabelSelector
  template=3:core/PodTemplateSpec minReadySeconds=4:integer
ReplicaSetStatus: replicas=1:integer fullyLabeledReplicas=2:integer observedGeneration=3:integer
  readyReplicas=4:integer availableReplicas=5:integer conditions=6:[]ReplicaSetCondition
  terminatingReplicas=7:*integer
RollingUpdateDaemonSet: maxUnavailable=1:*intOrString maxSurge=2:*intOrString
RollingUpdateDeployment: maxUnavailable=1:*intOrString maxSurge=2:*intOrString
RollingUpdateStatefulSetStrategy: partition=1:*integer maxUnavailable=2:*intOrString
StatefulSet: metadata=1:meta/ObjectMeta spec=2:StatefulSetSpec status=3:StatefulSetStatus
StatefulSetCondition: type=1:string status=2:string lastTransitionTime=3:time reason=4:string
  message=5:string
StatefulSetOrdinals: start=1:integer
StatefulSetPersistentVolumeClaimRetentionPolicy: whenDeleted=1:string whenScaled=2:string
StatefulSetSpec: replicas=1:*integer selector=2:*meta/LabelSelector
  template=3:core/PodTemplateSpec volumeClaimTemplates=4:[]core/PersistentVolumeClaim
  serviceName=5:string podManagementPolicy=6:string updateStrategy=7:StatefulSetUpdateStrategy
  revisionHistoryLimit=8:*integer minReadySeconds=9:integer
  persistentVolumeClaimRetentionPolicy=10:*StatefulSetPersistentVolumeClaimRetentionPolicy
  ordinals=11:*StatefulSetOrdinals
StatefulSetStatus: observedGeneration=1:integer replicas=2:integer readyReplicas=3:integer
  currentReplicas=4:integer updatedReplicas=5:integer currentRevision=6:string
  updateRevision=7:string collisionCount=9:*integer conditions=10:[]StatefulSetCondition
  availableReplicas=11:integer
StatefulSetUpdateStrategy: type=1:string rollingUpdate=2:*RollingUpdateStatefulSetStrategy
`,
  batch: `
CronJob: metadata=1:meta/ObjectMeta spec=2:CronJobSpec status=3:CronJobStatus
CronJobSpec: schedule=1:string startingDeadlineSeconds=2:*integer concurrencyPolicy=3:string
  suspend=4:*boolean jobTemplate=5:JobTemplateSpec successfulJobsHistoryLimit=6:*integer
  failedJobsHistoryLimit=7:*integer timeZone=8:*string
CronJobStatus: active=1:[]core/ObjectReference lastScheduleTime=4:*time
  lastSuccessfulTime=5:*time
Job: metadata=1:meta/ObjectMeta spec=2:JobSpec status=3:JobStatus
JobCondition: type=1:string status=2:string lastProbeTime=3:time lastTransitionTime=4:time
  reason=5:string message=6:string
JobSpec: parallelism=1:*integer completions=2:*integer activeDeadlineSeconds=3:*integer
  selector=4:*meta/LabelSelector manualSelector=5:*boolean template=6:core/PodTemplateSpec
  backoffLimit=7:*integer ttlSecondsAfterFinished=8:*integer completionMode=9:*string
  suspend=10:*boolean podFailurePolicy=11:*PodFailurePolicy backoffLimitPerIndex=12:*integer
  maxFailedIndexes=13:*integer podReplacementPolicy=14:*string managedBy=15:*string
  successPolicy=16:*SuccessPolicy
JobStatus: conditions=1:[]JobCondition startTime=2:*time completionTime=3:*time active=4:integer
  succeeded=5:integer failed=6:integer completedIndexes=7:string
  uncountedTerminatedPods=8:*UncountedTerminatedPods ready=9:*integer failedIndexes=10:*string
  terminating=11:*integer
JobTemplateSpec: metadata=1:meta/ObjectMeta spec=2:JobSpec
PodFailurePolicy: rules=1:[]PodFailurePolicyRule
PodFailurePolicyOnExitCodesRequirement: containerName=1:*string operator=2:string
  values=3:[]integer
PodFailurePolicyOnPodConditionsPattern: type=1:string status=2:string
PodFailurePolicyRule: action=1:string onExitCodes=2:*PodFailurePolicyOnExitCodesRequirement
  onPodConditions=3:[]PodFailurePolicyOnPodConditionsPattern
SuccessPolicy: rules=1:[]SuccessPolicyRule
SuccessPolicyRule: succeededIndexes=1:*string succeededCount=2:*integer
UncountedTerminatedPods: succeeded=1:[]string failed=2:[]string
`,
  autoscaling: `
ContainerResourceMetricSource: name=1:string target=2:MetricTarget container=3:string
ContainerResourceMetricStatus: name=1:string current=2:MetricValueStatus container=3:string
CrossVersionObjectReference: kind=1:string name=2:string apiVersion=3:string
ExternalMetricSource: metric=1:MetricIdentifier target=2:MetricTarget
ExternalMetricStatus: metric=1:MetricIdentifier current=2:MetricValueStatus
HPAScalingPolicy: type=1:string value=2:integer periodSeconds=3:integer
HPAScalingRules: selectPolicy=1:*string policies=2:[]HPAScalingPolicy
  stabilizationWindowSeconds=3:*integer tolerance=4:*quantity
HorizontalPodAutoscaler: metadata=1:meta/ObjectMeta spec=2:HorizontalPodAutoscalerSpec
  status=3:HorizontalPodAutoscalerStatus
HorizontalPodAutoscalerBehavior: scaleUp=1:*HPAScalingRules scaleDown=2:*HPAScalingRules
HorizontalPodAutoscalerCondition: type=1:string status=2:string lastTransitionTime=3:time
  reason=4:string message=5:string
HorizontalPodAutoscalerSpec: scaleTargetRef=1:CrossVersionObjectReference minReplicas=2:*integer
  maxReplicas=3:integer metrics=4:[]MetricSpec behavior=5:*HorizontalPodAutoscalerBehavior
HorizontalPodAutoscalerStatus: observedGeneration=1:*integer lastScaleTime=2:*time
  currentReplicas=3:integer desiredReplicas=4:integer currentMetrics=5:[]MetricStatus
  conditions=6:[]HorizontalPodAutoscalerCondition
MetricIdentifier: name=1:string selector=2:*meta/LabelSelector
MetricSpec: type=1:string object=2:*ObjectMetricSource pods=3:*PodsMetricSource
  resource=4:*ResourceMetricSource external=5:*ExternalMetricSource
  containerResource=7:*ContainerResourceMetricSource
MetricStatus: type=1:string object=2:*ObjectMetricStatus pods=3:*PodsMetricStatus
  resource=4:*ResourceMetricStatus external=5:*ExternalMetricStatus
  containerResource=7:*ContainerResourceMetricStatus
MetricTarget: type=1:string value=2:*quantity averageValue=3:*quantity
  averageUtilization=4:*integer
MetricValueStatus: value=1:*quantity averageValue=2:*quantity averageUtilization=3:*integer
ObjectMetricSource: describedObject=1:CrossVersionObjectReference target=2:MetricTarget
  metric=3:MetricIdentifier
ObjectMetricStatus: metric=1:MetricIdentifier current=2:MetricValueStatus
  describedObject=3:CrossVersionObjectReference
PodsMetricSource: metric=1:MetricIdentifier target=2:MetricTarget
PodsMetricStatus: metric=1:MetricIdentifier current=2:MetricValueStatus
ResourceMetricSource: name=1:string target=2:MetricTarget
ResourceMetricStatus: name=1:string current=2:MetricValueStatus
`,
  scale: `
Scale: metadata=1:meta/ObjectMeta spec=2:ScaleSpec status=3:ScaleStatus
ScaleSpec: replicas=1:integer
ScaleStatus: replicas=1:integer selector=2:string
`,
  policy: `
Eviction: metadata=1:meta/ObjectMeta deleteOptions=2:*meta/DeleteOptions
PodDisruptionBudget: metadata=1:meta/ObjectMeta spec=2:PodDisruptionBudgetSpec
  status=3:PodDisruptionBudgetStatus
PodDisruptionBudgetSpec: minAvailable=1:*intOrString selector=2:*meta/LabelSelector
  maxUnavailable=3:*intOrString unhealthyPodEvictionPolicy=4:*string
PodDisruptionBudgetStatus: observedGeneration=1:integer disruptedPods=2:{}time
  disruptionsAllowed=3:integer currentHealthy=4:integer desiredHealthy=5:integer
  expectedPods=6:integer conditions=7:[]meta/Condition
`,
  networking: `
HTTPIngressPath: path=1:string backend=2:IngressBackend pathType=3:*string
HTTPIngressRuleValue: paths=1:[]HTTPIngressPath
IPBlock: cidr=1:string except=2:[]string
Ingress: metadata=1:meta/ObjectMeta spec=2:IngressSpec status=3:IngressStatus
IngressBackend: resource=3:*core/TypedLocalObjectReference service=4:*IngressServiceBackend
IngressClass: metadata=1:meta/ObjectMeta spec=2:IngressClassSpec
IngressClassParametersReference: apiGroup=1:*string kind=2:string name=3:string scope=4:*string
  namespace=5:*string
IngressClassSpec: controller=1:string parameters=2:*IngressClassParametersReference
IngressLoadBalancerIngress: ip=1:string hostname=2:string ports=4:[]IngressPortStatus
IngressLoadBalancerStatus: ingress=1:[]IngressLoadBalancerIngress
IngressPortStatus: port=1:integer protocol=2:string error=3:*string
IngressRule: host=1:string ...=2:IngressRuleValue
IngressRuleValue: http=1:*HTTPIngressRuleValue
IngressServiceBackend: name=1:string port=2:ServiceBackendPort
IngressSpec: defaultBackend=1:*IngressBackend tls=2:[]IngressTLS rules=3:[]IngressRule
  ingressClassName=4:*string
IngressStatus: loadBalancer=1:IngressLoadBalancerStatus
IngressTLS: hosts=1:[]string secretName=2:string
NetworkPolicy: metadata=1:meta/ObjectMeta spec=2:NetworkPolicySpec
NetworkPolicyEgressRule: ports=1:[]NetworkPolicyPort to=2:[]NetworkPolicyPeer
NetworkPolicyIngressRule: ports=1:[]NetworkPolicyPort from=2:[]NetworkPolicyPeer
NetworkPolicyPeer: podSelector=1:*meta/LabelSelector namespaceSelector=2:*meta/LabelSelector
  ipBlock=3:*IPBlock
NetworkPolicyPort: protocol=1:*string port=2:*intOrString endPort=3:*integer
NetworkPolicySpec: podSelector=1:meta/LabelSelector ingress=2:[]NetworkPolicyIngressRule
  egress=3:[]NetworkPolicyEgressRule policyTypes=4:[]string
ServiceBackendPort: name=1:string number=2:integer
`,
  discovery: `
Endpoint: addresses=1:[]string conditions=2:EndpointConditions hostname=3:*string
  targetRef=4:*core/ObjectReference deprecatedTopology=5:{}string nodeName=6:*string
  zone=7:*string hints=8:*EndpointHints
EndpointConditions: ready=1:*boolean serving=2:*boolean terminating=3:*boolean
EndpointHints: forZones=1:[]ForZone forNodes=2:[]ForNode
EndpointPort: name=1:*string protocol=2:*string port=3:*integer appProtocol=4:*string
EndpointSlice: metadata=1:meta/ObjectMeta endpoints=2:[]Endpoint ports=3:[]EndpointPort
  addressType=4:string
ForNode: name=1:string
ForZone: name=1:string
`,
  coordination: `
Lease: metadata=1:meta/ObjectMeta spec=2:LeaseSpec
LeaseSpec: holderIdentity=1:*string leaseDurationSeconds=2:*integer acquireTime=3:*time
  renewTime=4:*time leaseTransitions=5:*integer strategy=6:*string preferredHolder=7:*string
`,
  events: `
Event: metadata=1:meta/ObjectMeta eventTime=2:time series=3:*EventSeries
  reportingController=4:string reportingInstance=5:string action=6:string reason=7:string
  regarding=8:core/ObjectReference related=9:*core/ObjectReference note=10:string type=11:string
  deprecatedSource=12:core/EventSource deprecatedFirstTimestamp=13:time
  deprecatedLastTimestamp=14:time deprecatedCount=15:integer
EventSeries: count=1:integer lastObservedTime=2:time
`,
  rbac: `
AggregationRule: clusterRoleSelectors=1:[]meta/LabelSelector
ClusterRole: metadata=1:meta/ObjectMeta rules=2:[]PolicyRule aggregationRule=3:*AggregationRule
ClusterRoleBinding: metadata=1:meta/ObjectMeta subjects=2:[]Subject roleRef=3:RoleRef
PolicyRule: verbs=1:[]string apiGroups=2:[]string resources=3:[]string resourceNames=4:[]string
  nonResourceURLs=5:[]string
Role: metadata=1:meta/ObjectMeta rules=2:[]PolicyRule
RoleBinding: metadata=1:meta/ObjectMeta subjects=2:[]Subject roleRef=3:RoleRef
RoleRef: apiGroup=1:string kind=2:string name=3:string
Subject: kind=1:string apiGroup=2:string name=3:string namespace=4:string
`,
  storage: `
CSIDriver: metadata=1:meta/ObjectMeta spec=2:CSIDriverSpec
CSIDriverSpec: attachRequired=1:*boolean podInfoOnMount=2:*boolean
  volumeLifecycleModes=3:[]string storageCapacity=4:*boolean fsGroupPolicy=5:*string
  tokenRequests=6:[]TokenRequest requiresRepublish=7:*boolean seLinuxMount=8:*boolean
  nodeAllocatableUpdatePeriodSeconds=9:*integer
CSINode: metadata=1:meta/ObjectMeta spec=2:CSINodeSpec
CSINodeDriver: name=1:string nodeID=2:string topologyKeys=3:[]string
  allocatable=4:*VolumeNodeResources
CSINodeSpec: drivers=1:[]CSINodeDriver
CSIStorageCapacity: metadata=1:meta/ObjectMeta nodeTopology=2:*meta/LabelSelector
  storageClassName=3:string capacity=4:*quantity maximumVolumeSize=5:*quantity
StorageClass: metadata=1:meta/ObjectMeta provisioner=2:string parameters=3:{}string
  reclaimPolicy=4:*string mountOptions=5:[]string allowVolumeExpansion=6:*boolean
  volumeBindingMode=7:*string allowedTopologies=8:[]core/TopologySelectorTerm
TokenRequest: audience=1:string expirationSeconds=2:*integer
VolumeAttachment: metadata=1:meta/ObjectMeta spec=2:VolumeAttachmentSpec
  status=3:VolumeAttachmentStatus
VolumeAttachmentSource: persistentVolumeName=1:*string
  inlineVolumeSpec=2:*core/PersistentVolumeSpec
VolumeAttachmentSpec: attacher=1:string source=2:VolumeAttachmentSource nodeName=3:string
VolumeAttachmentStatus: attached=1:boolean attachmentMetadata=2:{}string
  attachError=3:*VolumeError detachError=4:*VolumeError
VolumeError: time=1:time message=2:string errorCode=3:*integer
VolumeNodeResources: count=1:*integer
`,
  scheduling: `
PriorityClass: metadata=1:meta/ObjectMeta value=2:integer globalDefault=3:boolean
  description=4:string preemptionPolicy=5:*string
`,
  admissionregistration: `
AuditAnnotation: key=1:string valueExpression=2:string
ExpressionWarning: fieldRef=2:string warning=3:string
MatchCondition: name=1:string expression=2:string
MatchResources: namespaceSelector=1:*meta/LabelSelector objectSelector=2:*meta/LabelSelector
  resourceRules=3:[]NamedRuleWithOperations excludeResourceRules=4:[]NamedRuleWithOperations
  matchPolicy=7:*string
MutatingWebhook: name=1:string clientConfig=2:WebhookClientConfig rules=3:[]RuleWithOperations
  failurePolicy=4:*string namespaceSelector=5:*meta/LabelSelector sideEffects=6:*string
  timeoutSeconds=7:*integer admissionReviewVersions=8:[]string matchPolicy=9:*string
  reinvocationPolicy=10:*string objectSelector=11:*meta/LabelSelector
  matchConditions=12:[]MatchCondition
MutatingWebhookConfiguration: metadata=1:meta/ObjectMeta webhooks=2:[]MutatingWebhook
NamedRuleWithOperations: resourceNames=1:[]string ...=2:RuleWithOperations
ParamKind: apiVersion=1:string kind=2:string
ParamRef: name=1:string namespace=2:string selector=3:*meta/LabelSelector
  parameterNotFoundAction=4:*string
Rule: apiGroups=1:[]string apiVersions=2:[]string resources=3:[]string scope=4:*string
RuleWithOperations: operations=1:[]string ...=2:Rule
ServiceReference: namespace=1:string name=2:string path=3:*string port=4:*integer
TypeChecking: expressionWarnings=1:[]ExpressionWarning
ValidatingAdmissionPolicy: metadata=1:meta/ObjectMeta spec=2:ValidatingAdmissionPolicySpec
  status=3:ValidatingAdmissionPolicyStatus
ValidatingAdmissionPolicyBinding: metadata=1:meta/ObjectMeta
  spec=2:ValidatingAdmissionPolicyBindingSpec
ValidatingAdmissionPolicyBindingSpec: policyName=1:string paramRef=2:*ParamRef
  matchResources=3:*MatchResources validationActions=4:[]string
ValidatingAdmissionPolicySpec: paramKind=1:*ParamKind matchConstraints=2:*MatchResources
  validations=3:[]Validation failurePolicy=4:*string auditAnnotations=5:[]AuditAnnotation
  matchConditions=6:[]MatchCondition variables=7:[]Variable
ValidatingAdmissionPolicyStatus: observedGeneration=1:integer typeChecking=2:*TypeChecking
  conditions=3:[]meta/Condition
ValidatingWebhook: name=1:string clientConfig=2:WebhookClientConfig rules=3:[]RuleWithOperations
  failurePolicy=4:*string namespaceSelector=5:*meta/LabelSelector sideEffects=6:*string
  timeoutSeconds=7:*integer admissionReviewVersions=8:[]string matchPolicy=9:*string
  objectSelector=10:*meta/LabelSelector matchConditions=11:[]MatchCondition
ValidatingWebhookConfiguration: metadata=1:meta/ObjectMeta webhooks=2:[]ValidatingWebhook
Validation: expression=1:string message=2:string reason=3:*string messageExpression=4:string
Variable: name=1:string expression=2:string
WebhookClientConfig: service=1:*ServiceReference caBundle=2:bytes url=3:*string
`,
  authentication: `
BoundObjectReference: kind=1:string apiVersion=2:string name=3:string uid=4:string
SelfSubjectReview: metadata=1:meta/ObjectMeta status=2:SelfSubjectReviewStatus
SelfSubjectReviewStatus: userInfo=1:UserInfo
TokenRequest: metadata=1:meta/ObjectMeta spec=2:TokenRequestSpec status=3:TokenRequestStatus
TokenRequestSpec: audiences=1:[]string boundObjectRef=3:*BoundObjectReference
  expirationSeconds=4:*integer
TokenRequestStatus: token=1:string expirationTimestamp=2:time
TokenReview: metadata=1:meta/ObjectMeta spec=2:TokenReviewSpec status=3:TokenReviewStatus
TokenReviewSpec: token=1:string audiences=2:[]string
TokenReviewStatus: authenticated=1:boolean user=2:UserInfo error=3:string audiences=4:[]string
UserInfo: username=1:string uid=2:string groups=3:[]string extra=4:{}strings
`,
  authorization: `
FieldSelectorAttributes: rawSelector=1:string requirements=2:[]meta/FieldSelectorRequirement
LabelSelectorAttributes: rawSelector=1:string requirements=2:[]meta/LabelSelectorRequirement
LocalSubjectAccessReview: metadata=1:meta/ObjectMeta spec=2:SubjectAccessReviewSpec
  status=3:SubjectAccessReviewStatus
NonResourceAttributes: path=1:string verb=2:string
NonResourceRule: verbs=1:[]string nonResourceURLs=2:[]string
ResourceAttributes: namespace=1:string verb=2:string group=3:string version=4:string
  resource=5:string subresource=6:string name=7:string fieldSelector=8:*FieldSelectorAttributes
  labelSelector=9:*LabelSelectorAttributes
ResourceRule: verbs=1:[]string apiGroups=2:[]string resources=3:[]string
  resourceNames=4:[]string
SelfSubjectAccessReview: metadata=1:meta/ObjectMeta spec=2:SelfSubjectAccessReviewSpec
  status=3:SubjectAccessReviewStatus
SelfSubjectAccessReviewSpec: resourceAttributes=1:*ResourceAttributes
  nonResourceAttributes=2:*NonResourceAttributes
SelfSubjectRulesReview: metadata=1:meta/ObjectMeta spec=2:SelfSubjectRulesReviewSpec
  status=3:SubjectRulesReviewStatus
SelfSubjectRulesReviewSpec: namespace=1:string
SubjectAccessReview: metadata=1:meta/ObjectMeta spec=2:SubjectAccessReviewSpec
  status=3:SubjectAccessReviewStatus
SubjectAccessReviewSpec: resourceAttributes=1:*ResourceAttributes
  nonResourceAttributes=2:*NonResourceAttributes user=3:string groups=4:[]string
  extra=5:{}strings uid=6:string
SubjectAccessReviewStatus: allowed=1:boolean reason=2:string evaluationError=3:string
  denied=4:boolean
SubjectRulesReviewStatus: resourceRules=1:[]ResourceRule nonResourceRules=2:[]NonResourceRule
  incomplete=3:boolean evaluationError=4:string
`,
  meta: `
Condition: type=1:string status=2:string observedGeneration=3:integer lastTransitionTime=4:time
  reason=5:string message=6:string
DeleteOptions: gracePeriodSeconds=1:*integer preconditions=2:*Preconditions
  orphanDependents=3:*boolean propagationPolicy=4:*string dryRun=5:[]string
  ignoreStoreReadErrorWithClusterBreakingPotential=6:*boolean
FieldSelectorRequirement: key=1:string operator=2:string values=3:[]string
LabelSelector: matchLabels=1:{}string matchExpressions=2:[]LabelSelectorRequirement
LabelSelectorRequirement: key=1:string operator=2:string values=3:[]string
ManagedFieldsEntry: manager=1:string operation=2:string apiVersion=3:string time=4:*time
  fieldsType=6:string fieldsV1=7:*json subresource=8:string
ObjectMeta: name=1:string generateName=2:string namespace=3:string selfLink=4:string
  uid=5:string resourceVersion=6:string generation=7:integer creationTimestamp=8:time
  deletionTimestamp=9:*time deletionGracePeriodSeconds=10:*integer labels=11:{}string
  annotations=12:{}string ownerReferences=13:[]OwnerReference finalizers=14:[]string
  managedFields=17:[]ManagedFieldsEntry
OwnerReference: kind=1:string name=3:string uid=4:string apiVersion=5:string
  controller=6:*boolean blockOwnerDeletion=7:*boolean
PatchOptions: dryRun=1:[]string force=2:*boolean fieldManager=3:string fieldValidation=4:string
Preconditions: uid=1:*string resourceVersion=2:*string
`,
};
