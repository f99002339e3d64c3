package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// changeFiles does one change to the node's files as a program would: writing is opening, writing and
// closing in place; parents are made first.
func changeFiles(asked request) (answer, error) {
	path := asked.Path
	if asked.Do == "stat" {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		return answer{"mode": fmt.Sprintf("0%o", info.Mode().Perm())}, nil
	}
	if err := os.MkdirAll(filepath.Dir(target(asked)), 0o755); err != nil {
		return nil, err
	}
	switch asked.Do {
	case "write":
		return nil, write(path, asked.Content, os.FileMode(asked.Mode))
	case "rename":
		return nil, os.Rename(path, asked.To)
	case "remove":
		return nil, os.RemoveAll(path)
	case "mkdir":
		return nil, os.MkdirAll(path, 0o755)
	case "symlink":
		return nil, os.Symlink(asked.To, path)
	case "link":
		return nil, os.Link(path, asked.To)
	case "chmod":
		return nil, os.Chmod(path, os.FileMode(asked.Mode))
	case "touch":
		now := time.Now()
		return nil, os.Chtimes(path, now, now)
	case "install":
		return nil, install(filepath.Join(binDirectory, asked.Name))
	default:
		return nil, errors.New("unknown request")
	}
}

func target(asked request) string {
	if asked.Do == "rename" || asked.Do == "link" {
		return asked.To
	}
	return asked.Path
}

// write keeps the mode of a file that is there, unless one is asked for.
func write(path, content string, mode os.FileMode) error {
	if mode == 0 {
		return os.WriteFile(path, []byte(content), 0o644)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		return err
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() == mode {
		return err
	}
	return os.Chmod(path, mode)
}

// install puts the shim where a plugin is looked for.
func install(path string) error {
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	content, err := os.ReadFile(filepath.Join(binaries, "shim"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o755)
}
