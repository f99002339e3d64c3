module regauge.dev/test/real/harness

go 1.24.0

require (
	github.com/containernetworking/cni v1.2.3
	golang.org/x/sys v0.31.0
	google.golang.org/grpc v1.68.1
	k8s.io/cri-api v0.31.2
)

require (
	github.com/gogo/protobuf v1.3.2 // indirect
	github.com/vishvananda/netns v0.0.4 // indirect
	golang.org/x/net v0.29.0 // indirect
	golang.org/x/text v0.18.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20240903143218-8af14fe29dc1 // indirect
	google.golang.org/protobuf v1.34.2 // indirect
)
