//go:build !interleave

package bytering

import (
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// compilerReport returns what the compiler says about this package with flags.
func compilerReport(t *testing.T, flags string) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
	cmd := exec.Command("go", "build", "-gcflags="+flags, ".")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return string(out)
}

// What every call begins and ends with, and what most look at, costs no call.
func TestInlined(t *testing.T) {
	report := compilerReport(t, "-m=2")
	for _, f := range []string{
		"(*half).enter", "(*half).leave", "(*half).closed", "(*half).overdue", "(*half).expose",
		"(*Producer).ended", "(*Producer).goal", "(*Consumer).len", "(*Consumer).goal",
		"(*target).hasWaiter", "(*target).moved", "(*target).wake", "(*target).post",
		"(*ring).pieces", "(*ring).advance", "(*ring).wakeSoft", "distance", "reached", "satisfied",
	} {
		if !strings.Contains(report, ": can inline "+f+" with cost ") {
			t.Errorf("%s is not inlined:\n%s", f, regexp.MustCompile(`.*inline `+regexp.QuoteMeta(f)+`\b.*`).FindString(report))
		}
	}
}

// The hot path has no call through an interface or a function value.
func TestNoIndirectCalls(t *testing.T) {
	report := compilerReport(t, "-S")
	for _, f := range []string{
		"Producer).put", "Producer).free", "Producer).commit", "Producer).empty", "Producer).Slices", "Producer).Commit",
		"Consumer).get", "Consumer).discard", "Consumer).filled", "Consumer).Slices", "Consumer).Discard", "half).lend",
	} {
		_, text, ok := strings.Cut(report, "bytering.(*"+f+" STEXT ")
		if !ok {
			t.Errorf("no assembly of %s", f)
		}
		text, _, _ = strings.Cut(text, " STEXT ")
		if call := regexp.MustCompile(`.*\tCALL\t([A-Z]+|R[0-9]+)\n`).FindString(text); call != "" {
			t.Errorf("%s calls indirectly: %s", f, call)
		}
	}
}

// Words that different processors write lie a line apart, in the record that is
// part of the ring and in one of its own, whatever lies before and after them.
func TestLayout(t *testing.T) {
	_, c := pair(t, 1)
	for name, v := range map[string]reflect.Value{
		"the producer's": reflect.ValueOf(&c.ring.producer).Elem(),
		"the consumer's": reflect.ValueOf(c.shared).Elem(),
	} {
		at := func(field string) uintptr { return v.FieldByName(field).Addr().Pointer() }
		end := func(field string) uintptr { return at(field) + v.FieldByName(field).Type().Size() }
		for _, pair := range [][2]string{{"deadline", "cursor"}, {"cursor", "target"}, {"target", "hold"}} {
			if gap := at(pair[1]) - end(pair[0]); gap < line {
				t.Errorf("%s %s lies %d bytes after its %s", name, pair[1], gap, pair[0])
			}
		}
		if gap := v.Addr().Pointer() + v.Type().Size() - end("hold"); gap < line {
			t.Errorf("%s record ends %d bytes after its hold", name, gap)
		}
	}
	ring := reflect.TypeFor[ring]()
	producer, _ := ring.FieldByName("producer")
	spilled, _ := ring.FieldByName("spilled")
	if gap := producer.Offset - spilled.Offset - spilled.Type.Size(); gap < line {
		t.Errorf("the producer's record lies %d bytes after the ring's fields", gap)
	}
	for _, half := range []reflect.Type{reflect.TypeFor[Producer](), reflect.TypeFor[Consumer]()} {
		last := half.Field(half.NumField() - 1)
		if last.Name != "_" || last.Type.Size() < line {
			t.Errorf("%s does not end with a line", half)
		}
	}
}
