package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// rtrb is a ring in Rust for threads that spin. A program of its own measures it.
// It does what a stream does, in trials between those of the other contenders.

//go:embed rtrb/main.rs
var rtrbMain []byte

// rtrb builds the program once, from a checkout of rtrb, and returns its path.
func (w *workshop) rtrb(checkout string) (string, error) {
	if w.rtrbBinary != "" {
		return w.rtrbBinary, nil
	}
	path := map[string]string{}
	for _, name := range []string{"librtrb.rlib", "rtrb.rs", "rtrb.exe"} {
		var err error
		if path[name], err = w.path(name); err != nil {
			return "", err
		}
	}
	if err := os.WriteFile(path["rtrb.rs"], rtrbMain, 0o600); err != nil {
		return "", err
	}
	for _, args := range [][]string{
		{"--crate-type", "rlib", "--crate-name", "rtrb", "--cfg", `feature="std"`, "-o", path["librtrb.rlib"], filepath.Join(checkout, "src", "lib.rs")},
		{"--extern", "rtrb=" + path["librtrb.rlib"], "-o", path["rtrb.exe"], path["rtrb.rs"]},
	} {
		build := exec.Command("rustc", append([]string{"-C", "opt-level=3", "--edition", "2021", "--cap-lints", "allow"}, args...)...)
		if out, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%v: %w\n%s", build, err, out)
		}
	}
	w.rtrbBinary = path["rtrb.exe"]
	return w.rtrbBinary, nil
}

// rtrbVersion returns the version of a checkout.
func rtrbVersion(checkout string) string {
	manifest, err := os.ReadFile(filepath.Join(checkout, "Cargo.toml"))
	m := regexp.MustCompile(`(?m)^version = "(.*)"`).FindSubmatch(manifest)
	if err != nil || m == nil {
		return "rtrb"
	}
	return "rtrb " + string(m[1])
}

// withRtrb adds rtrb to a suite of streams, if there is a checkout.
func withRtrb(s suite, cfg config) suite {
	if cfg.rtrb == "" {
		return s
	}
	s.legend = append(s.legend, "rtrb is a ring in Rust. It never parks: its threads yield to the system when they can move nothing. It runs in a process of its own, and stands for what a ring can do without a wait and without Go; it cannot win.")
	s.contenders = append(s.contenders, contender{"rtrb (Rust, spinning)", false, true, func(cfg config, size int) (trial, error) {
		binary, err := cfg.shop.rtrb(cfg.rtrb)
		return &rusty{binary: binary, cfg: cfg, size: size}, err
	}})
	return s
}

// A rusty is a trial in that program.
type rusty struct {
	binary string
	cfg    config
	size   int
	took   float64
	x      *child
}

func (r *rusty) run(n int) error {
	argv := []string{r.binary, strconv.Itoa(r.size), strconv.Itoa(r.cfg.room(r.size)), strconv.Itoa(n)}
	if r.cfg.procs == 1 {
		argv = append([]string{"taskset", "-c", "0"}, argv...)
	}
	var err error
	if r.x, err = r.cfg.shop.child(argv); err != nil {
		return err
	}
	var said strings.Builder
	r.x.Stdout = &said
	if err := r.x.Start(); err != nil {
		return err
	}
	if err := r.x.end(); err != nil {
		return err
	}
	r.took, err = strconv.ParseFloat(strings.TrimSpace(said.String()), 64)
	return err
}

func (r *rusty) report(s *sample, n int) {
	s.perOp, s.allocs, s.cpu = r.took/float64(n), 0, perGB(r.x.used(), n*r.size)
}

func (r *rusty) finish() error { return nil }
