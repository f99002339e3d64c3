package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"sort"

	"golang.org/x/sys/unix"
)

// newNetns gives the node a network of its own with nothing but a loopback.
func (n *node) newNetns() error {
	if n.netns != 0 {
		_ = unix.Close(n.netns) // the network goes with its last user
		n.netns = 0
	}
	return onOwnThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("a network namespace: %w", err)
		}
		opened, err := unix.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		n.netns = opened
		return linkUp("lo")
	})
}

func inNetns(netns int, do func() error) error {
	return onOwnThread(func() error {
		if err := unix.Setns(netns, unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter the network namespace: %w", err)
		}
		return do()
	})
}

// onOwnThread runs something on a thread that ends with it, since it changes the thread's namespace.
func onOwnThread(do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- do()
	}()
	return <-done
}

func linkUp(name string) error {
	handle, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(handle)
	change, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	change.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(handle, unix.SIOCSIFFLAGS, change)
}

// interfacesIn lists the interfaces that have an IPv4 address; nil if the namespace is gone.
func interfacesIn(path string) ([]answer, error) {
	opened, err := os.Open(path)
	if err != nil {
		return nil, nil
	}
	defer opened.Close()
	found := []answer{}
	entered := false
	err = inNetns(int(opened.Fd()), func() error {
		entered = true
		links, err := net.Interfaces()
		if err != nil {
			return err
		}
		for _, link := range links {
			addresses, err := link.Addrs()
			if err != nil {
				return err
			}
			for _, address := range addresses {
				if of, ok := address.(*net.IPNet); ok && of.IP.To4() != nil {
					found = append(found, answer{"name": link.Name, "ip": of.IP.String()})
				}
			}
		}
		// Networks are attached side by side, so the kernel's order is chance.
		sort.SliceStable(found, func(left, right int) bool { return orderOf(found[left]) < orderOf(found[right]) })
		return nil
	})
	if !entered {
		return nil, nil // the file is there, but no namespace is mounted on it
	}
	return found, err
}

// orderOf puts the loopback first.
func orderOf(link answer) string {
	if link["name"] == "lo" {
		return ""
	}
	return link["name"].(string)
}
