package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// A machine describes where a run took place.
type machine struct {
	Date       string   `json:"date"`
	Commit     string   `json:"commit,omitempty"` // of this tree, with -dirty if it was changed
	Go         string   `json:"go"`
	System     string   `json:"system"`
	Processor  string   `json:"processor,omitempty"`
	Processors int      `json:"processors"`
	Versions   []string `json:"versions"` // of the rivals
}

func thisMachine(cfg config) machine {
	m := machine{
		Date:       time.Now().UTC().Format(time.DateOnly),
		Go:         runtime.Version(),
		System:     runtime.GOOS + "/" + runtime.GOARCH,
		Processors: runtime.NumCPU(),
		Versions:   versions(),
	}
	if cfg.rtrb != "" {
		m.Versions = append(m.Versions, rtrbVersion(cfg.rtrb))
	}
	// Linux has files for these. On other systems they are left out.
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += ", kernel " + strings.TrimSpace(string(kernel))
	}
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			if name, model, _ := strings.Cut(s.Text(), ":"); strings.TrimSpace(name) == "model name" {
				m.Processor = strings.TrimSpace(model)
				break
			}
		}
	}
	if out, err := exec.Command("git", "describe", "--always", "--dirty").Output(); err == nil {
		m.Commit = strings.TrimSpace(string(out))
	}
	return m
}

// rivals are the modules and the commands whose versions a run names.
var (
	rivalModules  = []string{"github.com/djherbis/nio/v3", "github.com/djherbis/buffer", "github.com/klauspost/readahead", "github.com/smallnest/ringbuffer", "google.golang.org/grpc"}
	rivalCommands = []string{"cat", "dd", "pv", "mbuffer"}
)

func (m machine) String() string {
	s := fmt.Sprintf("%s, %s, %d processors", m.Go, m.System, m.Processors)
	if m.Processor != "" {
		s += " (" + m.Processor + ")"
	}
	s += ", " + m.Date
	if m.Commit != "" {
		s += ", commit " + m.Commit
	}
	return s + ". Versions: " + strings.Join(m.Versions, ", ") + "."
}

func versions() (vs []string) {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, path := range rivalModules {
			for _, m := range info.Deps {
				if m.Path == path {
					vs = append(vs, path+" "+m.Version)
				}
			}
		}
	}
	for _, name := range rivalCommands {
		out, err := exec.Command(name, "--version").CombinedOutput()
		if err != nil {
			continue // not installed, as its suite says, or without a version
		}
		first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		first, _, _ = strings.Cut(first, " - ") // a copyright may follow
		vs = append(vs, first)
	}
	return vs
}

// root returns the root of the tree, which is the working directory or above it.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("-report: not within the tree of bytering")
		}
		dir = up
	}
}
