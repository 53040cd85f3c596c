package s3

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestParseName(t *testing.T) {
	for s, want := range map[string]name{
		"s3://bucket/key":        {"bucket", "key"},
		"s3://bucket/a b?c#d%41": {"bucket", "a b?c#d%41"},
		"s3://bucket//a/../b/":   {"bucket", "/a/../b/"},
		"s3://bucket/ä\x1b[2J\n": {"bucket", "ä\x1b[2J\n"},
	} {
		if got, err := parseName(s); err != nil || got != want {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"", "bucket/key", "s3:/bucket/key", "s3://", "s3://bucket", "s3://bucket/", "s3:///key", "s3://B_!/key",
		"s3://bucket/\xff", "s3://bucket/" + strings.Repeat("k", 1025), "s3://KEY:planted@bucket/key", "s3://host:9000/key",
	} {
		_, err := parseName(s)
		if !errors.Is(err, ErrName) || strings.Contains(err.Error(), "planted") {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestNamesInMessages(t *testing.T) {
	for key, want := range map[string]string{
		"k":            "s3://bucket/k",
		"a b":          "s3://bucket/a b",
		"ä":            "s3://bucket/ä",
		"a\nb\x1b[2J":  `"s3://bucket/a\nb\x1b[2J"`,
		"\u202eevil":   `"s3://bucket/\u202eevil"`,
		"a\u0085b\x7f": `"s3://bucket/a\u0085b\x7f"`,
	} {
		if got := (name{"bucket", key}).String(); got != want {
			t.Errorf("%q is %s", key, got)
		}
	}
	s := serve(t)
	key := "a\nb\x1b[2J"
	if _, err := Open(t.Context(), Scheme+testBucket+"/"+key, s.options()); err == nil || strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("%q", err)
	}
}

func TestResumeArgs(t *testing.T) {
	for _, c := range []struct{ args, want []string }{
		{[]string{"bytering", "-o", "s3://b/k"}, []string{"bytering", "-o", "s3://b/k", "--resume=ID"}},
		{[]string{"bytering", "--resume=OLD", "--abort", "-m", "1G"}, []string{"bytering", "-m", "1G", "--resume=ID"}},
		{[]string{"bytering", "--resume", "--", "--abort"}, []string{"bytering", "--resume=ID", "--", "--abort"}},
	} {
		if got := ResumeArgs(c.args, "ID"); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q", c.args, got)
		}
	}
}

// The shell reads what was quoted.
func TestQuote(t *testing.T) {
	args := []string{"plain", "", "a b", "it's", "$HOME `x` \\", "s3://b/k?*", "new\nline", "\x1b[2J\x01\xff", "ä", "--resume=A.b_c-d"}
	line := Quote(args)
	if strings.ContainsAny(line, "\n\x1b") {
		t.Errorf("%q", line)
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	out, err := exec.Command(bash, "-c", `printf '%s\0' `+line).Output()
	if err != nil || string(out) != strings.Join(args, "\x00")+"\x00" {
		t.Errorf("%s: %q, %v", line, out, err)
	}
}
