package interleave

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// A tracer writes down what happens in a replay.
type tracer struct {
	lines []string
	ids   map[*object]int
}

func (tr *tracer) String() string { return strings.Join(tr.lines, "\n") }

// Name gives a word a name in traces.
func (t *T) Name(name string, o interface{ self() *object }) {
	if t.names == nil {
		t.names = map[*object]string{}
	}
	t.names[o.self()] = name
}

func (o *object) self() *object { return o }

// note writes a line about what th does to o, with the values before and after.
func note[V any](th *thread, what string, o *object, format string, values ...*V) {
	tr := world.trace
	if tr == nil {
		return
	}
	shown := format
	if o != nil {
		args := make([]any, 0, len(values))
		for _, v := range values {
			if v != nil {
				args = append(args, show(any(*v)))
			}
		}
		shown = fmt.Sprintf(format, args...)
	}
	tr.lines = append(tr.lines, fmt.Sprintf("%4d  %-12s %-10s %-14s %-24s %s",
		len(tr.lines)+1, th.name, what, tr.nameOf(o), shown, caller()))
}

// show prints a word with a high bit as that bit and the rest.
func show(v any) string {
	if x, ok := v.(uint64); ok && x>>63 != 0 {
		return fmt.Sprintf("bit63|%d", x<<1>>1)
	}
	return fmt.Sprint(v)
}

func (tr *tracer) nameOf(o *object) string {
	if o == nil {
		return ""
	}
	if n, ok := world.names[o]; ok {
		return n
	}
	if tr.ids == nil {
		tr.ids = map[*object]int{}
	}
	if _, ok := tr.ids[o]; !ok {
		tr.ids[o] = len(tr.ids) + 1
	}
	return "#" + strconv.Itoa(tr.ids[o])
}

// caller returns the line, outside of this package and package seam, that did it.
func caller() string {
	var pcs [24]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.File, ".go") && !internal(f.File) {
			return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
		}
		if !more {
			return ""
		}
	}
}

// internal reports whether a file is of this package, tests aside, or of seam.
func internal(file string) bool {
	dir := filepath.Base(filepath.Dir(file))
	return (dir == "interleave" && !strings.HasSuffix(file, "_test.go")) || dir == "seam"
}

// A seed is the threads' letters in the order in which they run, each with a
// count: lower case, or upper case for a sleep that was cancelled.
func (e *explorer) seed() string {
	var sb strings.Builder
	for i := 0; i < len(e.path); {
		c := e.path[i].choices[e.path[i].at]
		n := 0
		for i < len(e.path) && e.path[i].choices[e.path[i].at] == c {
			n, i = n+1, i+1
		}
		letter := 'a' + rune(c.thread)
		if c.done {
			letter = 'A' + rune(c.thread)
		}
		fmt.Fprintf(&sb, "%c%d", letter, n)
	}
	return sb.String()
}

func parseSeed(seed string) ([]choice, error) {
	var path []choice
	for i := 0; i < len(seed); {
		c := choice{thread: int(seed[i] - 'a')}
		if seed[i] >= 'A' && seed[i] < 'A'+maxThreads {
			c = choice{thread: int(seed[i] - 'A'), done: true}
		}
		j := i + 1
		for j < len(seed) && seed[j] >= '0' && seed[j] <= '9' {
			j++
		}
		n, err := strconv.Atoi(seed[i+1 : j])
		if err != nil || c.thread < 0 || c.thread >= maxThreads || n < 1 || n > maxSteps {
			return nil, fmt.Errorf("interleave: seed %q is wrong at byte %d", seed, i)
		}
		for ; n > 0; n-- {
			path = append(path, c)
		}
		i = j
	}
	return path, nil
}
