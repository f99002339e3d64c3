package main

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	// Own is where the software under test and the harness's notes are.
	own       = "/regauge"
	binaries  = own + "/bin"
	plugins   = own + "/plugins"
	logFile   = own + "/containerd.log"
	callFile  = own + "/calls"
	confFile  = own + "/config.toml"
	emptyRoot = own + "/containerd.empty"
)

// enterRoot makes a root in memory that shows the machine's programs read-only and has its own /run,
// /var, /etc and /opt, and leaves the machine's root behind.
func enterRoot(root string, asked request) error {
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := unix.Mount("regauge", root, "tmpfs", 0, "mode=755,size=2g"); err != nil {
		return fmt.Errorf("a root in memory: %w", err)
	}
	for _, step := range []func() error{
		func() error { return showPrograms(root) },
		func() error { return makeDirectories(root) },
		func() error { return copyEtc(root) },
		func() error { return copyAll(asked.Binaries, root+binaries) },
		func() error { return copyAll(asked.Plugins, root+plugins) },
		func() error { return pivot(root) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func showPrograms(root string) error {
	for _, name := range []string{"bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc/alternatives"} {
		from, to := "/"+name, filepath.Join(root, name)
		info, err := os.Lstat(from)
		if err != nil {
			continue // not every machine has each
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if info.Mode()&os.ModeSymlink != 0 {
			target, err := os.Readlink(from)
			if err != nil {
				return err
			}
			if err := os.Symlink(target, to); err != nil {
				return err
			}
			continue
		}
		if err := bindReadOnly(from, to); err != nil {
			return err
		}
	}
	return nil
}

func bindReadOnly(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("show %s: %w", from, err)
	}
	return unix.Mount("", to, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
}

func makeDirectories(root string) error {
	for _, name := range []string{
		"dev", "proc", "sys", "run", "tmp", "root", "etc/cni", "opt/cni", "var/lib/cni", "var/lib/containerd",
		"var/tmp", "var/log", own, binaries, plugins,
	} {
		if err := os.MkdirAll(filepath.Join(root, name), 0o755); err != nil {
			return err
		}
	}
	if err := os.Symlink("/run", filepath.Join(root, "var/run")); err != nil {
		return err
	}
	for _, name := range []string{"dev", "sys"} {
		to := filepath.Join(root, name)
		if err := unix.Mount("/"+name, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("show /%s: %w", name, err)
		}
	}
	if err := unix.Mount("proc", filepath.Join(root, "proc"), "proc", 0, ""); err != nil {
		return fmt.Errorf("proc: %w", err)
	}
	return nil
}

func copyEtc(root string) error {
	for _, name := range []string{
		"passwd", "group", "hosts", "nsswitch.conf", "protocols", "services", "ld.so.cache", "ld.so.conf", "localtime",
	} {
		text, err := os.ReadFile("/etc/" + name)
		if err != nil {
			continue // not every machine has each
		}
		if err := os.WriteFile(filepath.Join(root, "etc", name), text, 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(root, "etc/resolv.conf"), nil, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "etc/hostname"), []byte("node\n"), 0o644)
}

// copyAll copies each file under its name into a directory. A mount would not do for runc, which reads
// its own file through the directory it is in.
func copyAll(files map[string]string, directory string) error {
	for name, from := range files {
		content, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(directory, name), content, 0o755); err != nil {
			return err
		}
	}
	return nil
}

func pivot(root string) error {
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the machine's root: %w", err)
	}
	return os.Chdir("/")
}
