package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// Places in the tree.
const (
	resultsDir  = "bench/results"
	pagePath    = "docs/benchmarks.md"
	picturesDir = "docs/benchmarks"
	readmePath  = "README.md"
)

// A headline is a line of the table in README.md. It compares the first contender
// of a suite with a rival.
type headline struct {
	what  string
	suite string
	procs int // 0 means any
	size  int
	rival string
}

var headlines = []headline{
	{"64 B from one goroutine to another, one processor", "stream", 1, 64, "grpc bufconn"},
	{"64 B from one goroutine to another, two processors", "stream", 2, 64, "grpc bufconn"},
	{"256 KiB from one goroutine to another", "stream", 2, 256 << 10, "io.Pipe"},
	{"a round trip of 64 B over an in-memory `net.Conn`", "conns-trip", 2, 64, "grpc bufconn"},
	{"a proxy between two TCP connections, 32 KiB a write", "relay", 0, 32 << 10, "io.Copy"},
	{"`dd \\| X \\| dd`, with the pipes of a shell", "pipes", 0, 1 << 20, "mbuffer -q -s128k -m16M"},
}

// The picture in README.md comes from this suite.
const readmeSuite, readmeProcs = "stream", 2

const (
	readmeBegin = "<!-- go run ./bench -report writes what follows -->\n"
	readmeEnd   = "<!-- up to here -->\n"
)

// report writes the page, its pictures and the part of README.md.
func report(cfg config, out io.Writer) error {
	dir, err := root()
	if err != nil {
		return err
	}
	files, err := pages(dir, cfg)
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, picturesDir, "*.svg"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, picturesDir), 0o755); err != nil {
		return err
	}
	for path, text := range files {
		if err := os.WriteFile(filepath.Join(dir, path), text, 0o644); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(out, "%s, %s and %d pictures\n", pagePath, readmePath, len(files)-2)
	return err
}

// pages returns the files of the tree that the kept results make.
func pages(dir string, cfg config) (map[string][]byte, error) {
	records, err := kept(dir, cfg)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	var page, contents bytes.Buffer
	all := map[string]*result{}
	for _, rec := range records {
		for _, r := range rec.Results {
			if all[r.id()] != nil {
				return nil, fmt.Errorf("%s is in two files of %s", r.id(), resultsDir)
			}
			all[r.id()] = r
			fmt.Fprintf(&contents, "- [%s](#%s)\n", r.heading(), anchor(r.heading()))
			if err := r.addTo(&page, files); err != nil {
				return nil, err
			}
		}
	}
	var head bytes.Buffer
	head.WriteString(pageHead)
	for _, rec := range records {
		var names []string
		for _, r := range rec.Results {
			if !slices.Contains(names, r.suite.name) {
				names = append(names, r.suite.name)
			}
		}
		fmt.Fprintf(&head, "\n- %s\n\n  Suites: %s.\n", rec.Machine, strings.Join(names, ", "))
	}
	fmt.Fprintf(&head, "\n%s", contents.Bytes())
	files[pagePath] = append(head.Bytes(), page.Bytes()...)

	readme, err := os.ReadFile(filepath.Join(dir, readmePath))
	if err != nil {
		return nil, err
	}
	before, rest, ok := bytes.Cut(readme, []byte(readmeBegin))
	_, after, ok2 := bytes.Cut(rest, []byte(readmeEnd))
	if !ok || !ok2 {
		return nil, fmt.Errorf("%s lacks %q or %q", readmePath, readmeBegin, readmeEnd)
	}
	table, err := headlineTable(all)
	if err != nil {
		return nil, err
	}
	files[readmePath] = slices.Concat(before, []byte(readmeBegin), table, []byte(readmeEnd), after)
	return files, nil
}

// kept loads all records.
func kept(dir string, cfg config) ([]*record, error) {
	paths, err := filepath.Glob(filepath.Join(dir, resultsDir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no results in %s: run with -json first", filepath.Join(dir, resultsDir))
	}
	var records []*record
	for _, path := range paths {
		r, err := load(path, cfg)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

// id names a result among all.
func (r *result) id() string { return fmt.Sprintf("%s-p%d", r.suite.name, r.procs) }

// addTo adds the section of a result to the page, and its pictures to files.
func (r *result) addTo(page io.Writer, files map[string][]byte) error {
	pictures := make([]string, len(r.reported()))
	for i, m := range r.reported() {
		svg, err := r.plotOf(m)
		if err != nil {
			return err
		}
		if svg == nil {
			continue
		}
		name := r.id() + ".svg"
		if i > 0 {
			name = fmt.Sprintf("%s-%d.svg", r.id(), i+1)
		}
		files[picturesDir+"/"+name] = svg
		pictures[i] = fmt.Sprintf("![%s: %s](benchmarks/%s)", r.heading(), m.name, name)
	}
	r.print(page, func(i int) string { return pictures[i] })
	return nil
}

// anchor returns the anchor that GitHub makes of a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

// headlineTable returns the table and the picture for README.md.
func headlineTable(all map[string]*result) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\n| | bytering | rival | |\n| --- | ---: | ---: | --- |\n")
	for _, h := range headlines {
		r, err := h.result(all)
		if err != nil {
			return nil, err
		}
		line, err := r.headline(h)
		if err != nil {
			return nil, err
		}
		b.WriteString(line)
	}
	picture := fmt.Sprintf("%s-p%d", readmeSuite, readmeProcs)
	r := all[picture]
	if r == nil {
		return nil, fmt.Errorf("no results of %s", picture)
	}
	fmt.Fprintf(&b, "\n![%s: times as long as Write/Read](%s/%s.svg)\n\n", r.heading(), picturesDir, picture)
	return b.Bytes(), nil
}

func (h headline) result(all map[string]*result) (*result, error) {
	for _, r := range all {
		if r.suite.name == h.suite && (h.procs == 0 || h.procs == r.procs) {
			return r, nil
		}
	}
	return nil, fmt.Errorf("no results of %s with %d processors", h.suite, h.procs)
}

func (r *result) headline(h headline) (string, error) {
	col := slices.Index(r.sizes, h.size)
	if col < 0 {
		return "", fmt.Errorf("no results of %s with %s", r.id(), sizeName(h.size))
	}
	m := r.reported()[0]
	ours := r.cells[0][col]
	i := slices.IndexFunc(r.cells, func(row []*cell) bool { return row[col].contender.name == h.rival })
	if i < 0 {
		return "", fmt.Errorf("%s has no rival %q", r.id(), h.rival)
	}
	rival := r.cells[i][col]
	if len(ours.samples) == 0 || len(rival.samples) == 0 {
		return fmt.Sprintf("| %s | | %s | all trials were discarded |\n", h.what, h.rival), nil
	}
	unit, _, _ := strings.Cut(m.name, " per ")
	show := func(c *cell) string { return figure(m.shown(m.mid(c), c.size)) + " " + unit }
	x, y := m.mid(ours), m.mid(rival)
	verdict := fmt.Sprintf("**wins**, %s ×", ratio(y/x))
	switch m.mark(rival, ours) {
	case markEven:
		verdict = "too close to call"
	case markLoss:
		verdict = fmt.Sprintf("**loses**, %s ×", ratio(x/y))
	}
	return fmt.Sprintf("| %s | %s | %s, %s | %s |\n", h.what, show(ours), rival.contender.name, show(rival), verdict), nil
}

const pageHead = `# Benchmarks

` + "`go run ./bench -report`" + ` writes this page from the trials in ` + "`bench/results`" + `; [bench](../bench) says how to
measure, and what each suite does.

- A table has medians, and in parentheses how they relate to the first row. A rival is marked with what it means
  for bytering: ▲ is a win, ▼ a loss, = too close to call: the middle halves of the samples overlap, or the
  medians differ by less than 3 %.
- A plot has medians too. The thick bar at a point is the middle half of the samples, and both axes are
  logarithmic. Where the plot compares with the first row, the rivals above 1 are slower.
- All contenders of a table ran in one interleaved run. Figures of different tables compare less well, and those
  of virtual machines are to be trusted as ratios only.

What it ran on:
`
