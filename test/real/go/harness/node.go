package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
)

const (
	confDirectory = "/etc/cni/net.d"
	binDirectory  = "/opt/cni/bin"
	stateRoot     = "/var/lib/containerd"
	socket        = "/run/containerd/containerd.sock"
	patience      = 30 * time.Second
)

type node struct {
	netns      int // of the node; a reboot makes a new one
	runtime    *exec.Cmd
	ended      chan error
	connection *grpc.ClientConn
	callsRead  int64
	logRead    int64
}

// prepare enters the root and leaves a runtime's state with nothing in it but the pause image, which
// every start begins from.
func (n *node) prepare(asked request) error {
	if err := enterRoot(asked.Root, asked); err != nil {
		return err
	}
	if err := os.Setenv("PATH", binaries+":/usr/sbin:/usr/bin:/sbin:/bin"); err != nil {
		return err
	}
	if err := n.newNetns(); err != nil {
		return err
	}
	if err := writeConfig(asked.Config); err != nil {
		return err
	}
	if err := os.MkdirAll(confDirectory, 0o755); err != nil {
		return err
	}
	if err := n.launch(); err != nil {
		return err
	}
	if err := importPause(); err != nil {
		return err
	}
	n.terminate()
	return os.Rename(stateRoot, emptyRoot)
}

// startOver takes everything of the case before away and starts the runtime on an empty directory.
func (n *node) startOver(asked request) error {
	n.terminate()
	if err := killOthers(); err != nil {
		return err
	}
	for _, directory := range []string{"/run", "/etc/cni", "/opt/cni", "/var/lib/cni", stateRoot} {
		if err := empty(directory); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(stateRoot); err != nil {
		return err
	}
	if err := os.CopyFS(stateRoot, os.DirFS(emptyRoot)); err != nil {
		return err
	}
	for _, path := range []string{logFile, callFile} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return err
		}
	}
	n.logRead, n.callsRead = 0, 0
	if err := n.newNetns(); err != nil {
		return err
	}
	if err := os.MkdirAll(binDirectory, 0o755); err != nil {
		return err
	}
	if !asked.WithoutConfs {
		if err := os.MkdirAll(confDirectory, 0o755); err != nil {
			return err
		}
	}
	if err := writeConfig(asked.Config); err != nil {
		return err
	}
	return n.launch()
}

func writeConfig(text string) error {
	return os.WriteFile(confFile, []byte(text), 0o644)
}

func (n *node) restart() error {
	n.terminate()
	return n.launch()
}

// reboot leaves what is on disk: processes, /run and the node's network are gone.
func (n *node) reboot() error {
	n.kill()
	if err := killOthers(); err != nil {
		return err
	}
	if err := empty("/run"); err != nil {
		return err
	}
	if err := n.newNetns(); err != nil {
		return err
	}
	return n.launch()
}

func (n *node) launch() error {
	log, err := os.OpenFile(logFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(filepath.Join(binaries, "containerd"), "--config", confFile)
	command.Stdout, command.Stderr = log, log
	if err := inNetns(n.netns, command.Start); err != nil {
		return fmt.Errorf("start the runtime: %w", err)
	}
	n.runtime, n.ended = command, make(chan error, 1)
	go func(ended chan<- error) { ended <- command.Wait() }(n.ended)
	return n.awaitReady()
}

func (n *node) awaitReady() error {
	until := time.Now().Add(patience)
	var last error
	for time.Now().Before(until) {
		select {
		case err := <-n.ended:
			n.runtime = nil
			return fmt.Errorf("the runtime ended: %v", err)
		default:
		}
		if last = n.connect(); last == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("the runtime did not become ready: %w", last)
}

// terminate ends the runtime as a service manager does; pods go on.
func (n *node) terminate() {
	n.end(unix.SIGTERM)
}

func (n *node) kill() {
	n.end(unix.SIGKILL)
}

func (n *node) end(signal unix.Signal) {
	if n.connection != nil {
		_ = n.connection.Close() // nothing can be done about it
		n.connection = nil
	}
	if n.runtime == nil {
		return
	}
	_ = n.runtime.Process.Signal(signal) // it may have ended by itself
	select {
	case <-n.ended:
	case <-time.After(patience):
		_ = n.runtime.Process.Kill()
		<-n.ended
	}
	n.runtime = nil
}

// killOthers ends every process of this PID namespace but the first and this one.
func killOthers() error {
	until := time.Now().Add(patience)
	for {
		others, err := otherProcesses()
		if err != nil {
			return err
		}
		if len(others) == 0 {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("processes %v do not end", others)
		}
		for _, process := range others {
			_ = unix.Kill(process, unix.SIGKILL) // it may have ended meanwhile
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func otherProcesses() ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []int
	for _, entry := range entries {
		id, err := strconv.Atoi(entry.Name())
		if err != nil || id == 1 || id == os.Getpid() {
			continue
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
		if err != nil {
			continue
		}
		// The state stands after the name, which is in parentheses and may hold any sign.
		_, state, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')'):]), " ")
		if !strings.HasPrefix(state, "Z") {
			found = append(found, id)
		}
	}
	return found, nil
}

// empty removes what is in a directory, and unmounts what is mounted there.
func empty(directory string) error {
	if err := unmountBelow(directory); err != nil {
		return err
	}
	entries, err := os.ReadDir(directory)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(directory, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

func unmountBelow(directory string) error {
	text, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for at := len(lines) - 1; at >= 0; at-- {
		fields := strings.Fields(lines[at])
		if len(fields) < 2 || !strings.HasPrefix(fields[1], directory+"/") {
			continue
		}
		path := strings.ReplaceAll(fields[1], `\040`, " ")
		if err := unix.Unmount(path, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("unmount %s: %w", path, err)
		}
	}
	return nil
}
